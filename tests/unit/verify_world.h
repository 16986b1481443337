/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A real, mounted btrfs with a tree on it and the models of two workers who made it, for tests of the
 * verifiers: a tree that is as recorded gives no finding; what is then planted behind the model's back is
 * found with its class and place, and nothing else is.
 */
#ifndef RECOW_TESTS_VERIFY_WORLD_H
#define RECOW_TESTS_VERIFY_WORLD_H

#include <pthread.h>
#include <sys/stat.h>

#include "verify/verifier.h"

#define RUN          0xfeedfacecafef00dULL
#define WORKERS      2U
#define SHARED_DIRS  2U
#define SHARED_FILES 3U
#define POOL_BYTES   (64 * MiB)
#define FOUND_MAX    1200U
#define BIG          (24 * MiB)

/* Two workers with their models, on a filesystem of the test's own. */
struct world {
	char dir[64], mnt[80], image[80];
	struct target target;
	int mount;
	bool subvolumes;
	struct page_pool *pool;
	struct model model[WORKERS];
	uint64_t op[WORKERS];
	struct verify_counters counters;
	pthread_mutex_t lock;
	unsigned int count;
	struct finding *found[FOUND_MAX];
	uint32_t big, middle, tail, small, sparse, linked; /* objects of worker 0 that tests name */
	uint32_t subdir, symlink;
	uint32_t held; /* object of worker 0 that lives by held_fd; 0: none */
	int held_fd;
};

/* ---- the world (verify_world.c) */

/* For cmocka: make it, and take it away again. */
int world_start(void **state);
int world_start_on_subvolumes(void **state); /* the anchors are subvolumes, as in a run; and WITNESS_DIR */
int world_end(void **state);

/* Each mount may get another loop device. */
void mount_world(struct world *w, const char *options);
void unmount_world(struct world *w);

void shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- changes that the models know of (verify_tree.c) */

uint32_t make(struct world *w, unsigned int worker, enum object_type type, uint32_t parent,
	      unsigned int name_length, uint64_t target_size);
uint32_t make_file(struct world *w, unsigned int worker, uint32_t parent, unsigned int name_length,
		   size_t size);
void write_file(struct world *w, unsigned int worker, uint32_t object, uint64_t offset, size_t len);
void truncate_file(struct world *w, unsigned int worker, uint32_t object, uint64_t size);
void link_file(struct world *w, unsigned int worker, uint32_t object, uint32_t parent);
void set_xattr(struct world *w, unsigned int worker, uint32_t object, uint32_t number, uint32_t length);

/* Take the times as they are: what sets them is not these tests' subject. */
void learn_times(struct world *w);

/* Bytes of all files: each worker's own, and the shared ones once. */
uint64_t bytes_of_all(const struct world *w);

const struct model_view *head(const struct world *w, unsigned int worker);
struct object object_of(const struct world *w, unsigned int worker, uint32_t object);

/* Path of an object's first name, relative to the mount point; one of four buffers that take turns. */
const char *path_of(const struct world *w, unsigned int worker, uint32_t object);
void full_path(const struct world *w, const char *path, char out[4200]);

/* ---- changes that they don't know of, and looking (verify_look.c) */

struct stat stat_of(const struct world *w, const char *path);
void restore_mtime(const struct world *w, const char *path, const struct stat *st);
void put(const struct world *w, const char *path, uint64_t offset, const void *data, size_t len);
void read_back(const struct world *w, const char *path, uint64_t offset, void *data, size_t len);

/* What operation `op` of a worker would have written there. */
void fill(uint32_t worker, uint64_t op, uint32_t object, uint64_t offset, void *buf, size_t len);

/* Overwrite a part of a file, so that only its content tells. */
void plant(const struct world *w, const char *path, uint64_t offset, const void *data, size_t len);

/* Plant, look with hot and cold, expect one finding of `class` from both, put the right bytes back. */
void plant_and_find(struct world *w, uint32_t object, uint64_t offset, const void *data, size_t len,
		    enum finding_class class, uint64_t at, uint64_t length);

/* Take a finding in; `self` is the world. */
void collect(void *self, const struct finding *f);

/* One pass of a verifier; findings and counters are those of this pass alone. */
void run(struct world *w, const char *verifier);
void silent(struct world *w, const char *verifier);
void show_all(const struct world *w);

/* Exactly one finding, of this class, at this path. */
const struct finding *only(const struct world *w, enum finding_class class, const char *path);

#endif
