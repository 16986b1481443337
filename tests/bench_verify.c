/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast verification is, by its parts, on a filesystem that others can read too (scripts/bench). Not
 * installed.
 *
 *	bench_verify make MOUNT RUN COUNT BYTES   COUNT files of BYTES, written whole, and their model in
 *RUN/model bench_verify PART MOUNT RUN [THREADS]     verify: names, hot (contents through the page cache) or
 *cold
 *
 * PART also reads what `recow run --keep` left. It prints "BYTES NAMES SECONDS" and fails when there is a
 * finding: a figure for a comparison that doesn't hold would be worth nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/cli/stored.h"
#include "src/plugins.h"
#include "verify/data.h"
#include "verify/pool.h"
#include "verify/tree.h"

#define RUN_KEY     0xbe7cbe7cbe7cULL
#define DIRS        10U
#define POOL_BYTES  (2 * GiB) /* address space */
#define WRITE_BYTES (1 * MiB)
#define WORKERS_MAX 64U

static const char *const anchor = "w0000";

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "bench_verify: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_mount(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		die(path);
	return fd;
}

/* ---- making files */

struct maker {
	struct model model;
	int mount;
	uint64_t op;
	unsigned char data[WRITE_BYTES];
};

static uint32_t record(struct maker *m, enum object_type type, uint32_t parent, struct nameref name)
{
	return model_create(&m->model, ++m->op,
			    &(struct model_create){
				    .type = type,
				    .parent = parent,
				    .name = name,
				    .mode = type == OBJECT_DIR ? 0755 : 0644,
			    });
}

static struct nameref next_name(struct maker *m)
{
	return nameref_make(model_next_name(&m->model), 20, (uint32_t)m->op);
}

static void make_path(const struct maker *m, uint32_t object, char path[4096])
{
	struct object o;

	if (!view_object(&m->model.head, object, &o) ||
	    view_path(&m->model.head, o.first_name, path, 4096) < 0)
		die("path");
}

static void fill_file(struct maker *m, uint32_t object, int fd, uint64_t bytes)
{
	for (uint64_t at = 0; at < bytes; at += WRITE_BYTES) {
		size_t len = (size_t)MIN(bytes - at, WRITE_BYTES);

		m->op++;
		content_fill(&(struct content_key){RUN_KEY, {0, m->op}, object}, at, m->data, len);
		if (pwrite(fd, m->data, len, (off_t)at) != (ssize_t)len)
			die("write");
		model_write(&m->model, m->op, object, at, m->data, len);
	}
}

/* The times are what they are. */
static void take_time(struct maker *m, uint32_t object)
{
	char path[4096];
	struct stat st;
	int64_t t;

	make_path(m, object, path);
	if (fstatat(m->mount, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		die(path);
	t = (int64_t)st.st_mtim.tv_sec * (int64_t)NSEC_PER_SEC + st.st_mtim.tv_nsec;
	model_set_mtime(&m->model, ++m->op, object, t, t);
}

static void make_file(struct maker *m, uint32_t parent, uint64_t bytes)
{
	uint32_t object = record(m, OBJECT_FILE, parent, next_name(m));
	char path[4096];
	int fd;

	make_path(m, object, path);
	fd = openat(m->mount, path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		die(path);
	fill_file(m, object, fd, bytes);
	close(fd);
	take_time(m, object);
}

static void make_tree(struct maker *m, uint64_t count, uint64_t bytes)
{
	uint32_t dir[DIRS];
	char path[4096];

	if (mkdirat(m->mount, anchor, 0755) != 0)
		die(anchor);
	for (unsigned int i = 0; i < DIRS; i++) {
		dir[i] = record(m, OBJECT_DIR, OBJECT_ROOT, next_name(m));
		make_path(m, dir[i], path);
		if (mkdirat(m->mount, path, 0755) != 0)
			die(path);
	}
	for (uint64_t i = 0; i < count; i++)
		make_file(m, dir[i % DIRS], bytes);
	for (unsigned int i = 0; i < DIRS; i++)
		take_time(m, dir[i]);
	if (syncfs(m->mount) != 0)
		die("syncfs");
}

static void save(struct maker *m, const char *run)
{
	struct frozen *frozen = model_freeze(&m->model);
	char path[4096];
	struct error e;
	int fd;

	snprintf(path, sizeof(path), "%s/model", run);
	if (!frozen || mkdir(path, 0755) != 0)
		die(path);
	snprintf(path, sizeof(path), "%s/model/%s.model", run, anchor);
	fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644);
	if (fd < 0 || model_save(&frozen->view, fd, &e) != 0)
		die(path);
	close(fd);
}

static int make(char **argv)
{
	static struct maker m;
	void *pool = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct error e;

	m.mount = open_mount(argv[2]);
	if (pool == MAP_FAILED || model_init(&m.model, page_pool_init(pool, POOL_BYTES), 0, RUN_KEY, 0, &e))
		die("model");
	umask(0);
	make_tree(&m, strtoull(argv[4], NULL, 10), strtoull(argv[5], NULL, 10));
	save(&m, argv[3]);
	close(m.mount);
	return 0;
}

/* ---- verifying */

static void show(void *self, const struct finding *f)
{
	unsigned int *count = self;

	if ((*count)++ < 5)
		fprintf(stderr, "bench_verify: %s: %s\n", f->path, f->detail);
}

static unsigned int load(const char *run, struct frozen *frozen[WORKERS_MAX])
{
	static struct stored_model stored[WORKERS_MAX];
	unsigned int count = 0;
	struct error e;

	while (count < WORKERS_MAX && stored_open(&stored[count], run, count, &e) == 0) {
		frozen[count] = model_freeze(&stored[count].model);
		count++;
	}
	if (!count) {
		fprintf(stderr, "bench_verify: %s\n", e.text);
		exit(1);
	}
	return count;
}

static const struct verifier *verifier_by_name(const char *name)
{
	for (unsigned int i = 0; plugin_verifiers[i]; i++) {
		if (strcmp(plugin_verifiers[i]->name, name) == 0)
			return plugin_verifiers[i];
	}
	errno = EINVAL;
	die(name);
}

/* Contents alone are a part of the verifier `hot`, not all of it. */
static int run_part(const char *part, struct verification *v, struct error *e)
{
	struct check c;
	int ret;

	if (strcmp(part, "cold") == 0)
		return verifier_by_name(part)->run(v, e);
	check_start(&c, v, part, SEEN_HOT);
	ret = strcmp(part, "names") == 0 ? tree_verify(&c, e) : data_verify_cached(&c, e);
	check_end(&c);
	return ret;
}

static int verify(char **argv, unsigned int threads)
{
	struct frozen *frozen[WORKERS_MAX];
	const struct model_view *view[WORKERS_MAX];
	unsigned int findings = 0;
	struct finding_sink sink = {show, &findings};
	struct target target = {.btrfs = true}; /* elsewhere its ioctl fails, and FIEMAP answers */
	struct verify_counters counters = {0};
	struct verification v = {
		.target = &target,
		.mount = open_mount(argv[2]),
		.views = view,
		.view_count = load(argv[3], frozen),
		.threads = threads,
		.findings = &sink,
		.counters = &counters,
	};
	struct error e;
	uint64_t began;

	for (size_t i = 0; i < v.view_count; i++)
		view[i] = &frozen[i]->view;
	v.run = view[0]->run;
	began = clock_mono();
	if (run_part(argv[1], &v, &e) != 0) {
		fprintf(stderr, "bench_verify: %s\n", e.text);
		return 1;
	}
	printf("%llu %llu %.6f\n", (unsigned long long)counters.bytes, (unsigned long long)counters.names,
	       (double)(clock_mono() - began) / NSEC_PER_SEC);
	return findings != 0;
}

/* ---- the yardstick */

#define COPY_BYTES  (256 * MiB) /* larger than the caches */
#define COPY_PASSES 4U

/* Adds its rate to *self, in MiB/s. */
static int copy_thread(void *self, struct error *e)
{
	_Atomic uint64_t *sum = self;
	unsigned char *from = malloc(COPY_BYTES), *to = malloc(COPY_BYTES);
	uint64_t began;

	if (!from || !to)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "buffers to copy");
	memset(from, 1, COPY_BYTES);
	memset(to, 2, COPY_BYTES);
	began = clock_mono();
	for (unsigned int i = 0; i < COPY_PASSES; i++) {
		memcpy(to, from, COPY_BYTES);
		__asm__ volatile("" : : "r"(to) : "memory"); /* it is wanted each time */
	}
	*sum += COPY_PASSES * COPY_BYTES / MiB * NSEC_PER_SEC / (clock_mono() - began);
	free(from);
	free(to);
	return 0;
}

static int copy(unsigned int threads)
{
	_Atomic uint64_t sum = 0;
	struct error e;

	if (pool_run(threads, copy_thread, &sum, &e) != 0) {
		fprintf(stderr, "bench_verify: %s\n", e.text);
		return 1;
	}
	printf("%.3f\n", (double)sum / 1024 / threads);
	return 0;
}

static unsigned int thread_count(const char *text)
{
	return (unsigned int)MAX(strtoul(text, NULL, 10), 1UL);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "memcpy") == 0)
		return copy(thread_count(argv[2]));
	if (argc == 6 && strcmp(argv[1], "make") == 0)
		return make(argv);
	if (argc == 4 || argc == 5)
		return verify(argv, argc == 5 ? thread_count(argv[4])
					      : (unsigned int)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1L));
	fprintf(stderr, "usage: bench_verify make MOUNT RUN COUNT BYTES\n"
			"       bench_verify names|hot|cold MOUNT RUN [THREADS]\n"
			"       bench_verify memcpy THREADS\n");
	return 2;
}
