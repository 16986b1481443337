/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verifiers on a real, mounted btrfs: a tree that is as recorded gives no finding; what is then planted
 * behind the model's back is found with its class and place, and nothing else is.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/base/random.h"
#include "src/base/units.h"
#include "src/plugins.h"
#include "tests/unit/unit.h"
#include "verify/verifier.h"

#define RUN         0xfeedfacecafef00dULL
#define WORKERS     2U
#define SHARED_DIRS 2U
#define POOL_BYTES  (64 * MiB)
#define FOUND_MAX   1200U
#define BIG         (24 * MiB)

/* Two workers with their models, on a filesystem of the test's own. */
struct world {
	char dir[64], mnt[80], image[80];
	struct target target;
	int mount;
	struct page_pool *pool;
	struct model model[WORKERS];
	uint64_t op[WORKERS];
	struct verify_counters counters;
	pthread_mutex_t lock;
	unsigned int count;
	struct finding *found[FOUND_MAX];
	uint32_t big, middle, tail, small, sparse, linked; /* objects of worker 0 that tests name */
	uint32_t subdir, symlink;
};

/* ---- a filesystem */

static void shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void shell(const char *fmt, ...)
{
	char command[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

static void first_line(const char *command, char *out, size_t len)
{
	FILE *p = popen(command, "r");

	assert_non_null(p);
	assert_non_null(fgets(out, (int)len, p));
	pclose(p);
	out[strcspn(out, "\n")] = '\0';
}

/* Each mount may get another loop device. */
static void mount_world(struct world *w, const char *options)
{
	char command[256];

	shell("mount -t btrfs -o loop,noatime,nodiscard%s %s %s", options, w->image, w->mnt);
	w->mount = open(w->mnt, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(w->mount >= 0);
	snprintf(command, sizeof(command), "findmnt -no SOURCE %s", w->mnt);
	first_line(command, w->target.device, sizeof(w->target.device));
}

static void unmount_world(struct world *w)
{
	close(w->mount);
	w->mount = -1;
	assert_int_equal(umount(w->mnt), 0);
}

static void make_filesystem(struct world *w)
{
	snprintf(w->dir, sizeof(w->dir), "/tmp/recow-verify-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->mnt, sizeof(w->mnt), "%s/mnt", w->dir);
	snprintf(w->image, sizeof(w->image), "%s/image", w->dir);
	assert_int_equal(mkdir(w->mnt, 0700), 0);
	shell("truncate -s 512M %s && mkfs.btrfs -q %s", w->image, w->image);
	mount_world(w, ",nodatasum");
	w->target.btrfs = true;
	w->target.own = true;
	w->target.loop = -1;
	snprintf(w->target.image, sizeof(w->target.image), "%s", w->image);
	snprintf(w->target.mountpoint, sizeof(w->target.mountpoint), "%s", w->mnt);
	snprintf(w->target.spec.fs, sizeof(w->target.spec.fs), "btrfs");
}

/* ---- a tree and its model */

static const struct model_view *head(const struct world *w, unsigned int worker)
{
	return &w->model[worker].head;
}

static struct object object_of(const struct world *w, unsigned int worker, uint32_t object)
{
	struct object o;

	assert_true(view_object(head(w, worker), object, &o));
	return o;
}

/* Path of an object's first name, relative to the mount point. */
static const char *path_of(const struct world *w, unsigned int worker, uint32_t object)
{
	static char buf[4][4096];
	static unsigned int next;
	char *path = buf[next++ % 4];

	assert_true(view_path(head(w, worker), object_of(w, worker, object).first_name, path, 4096) > 0);
	return path;
}

static void name_path(const struct world *w, unsigned int worker, uint32_t parent, struct nameref ref,
		      char *out)
{
	char name[256];

	content_name(ref, worker, parent != OBJECT_ROOT && parent < OBJECT_FIRST_SHARED + SHARED_DIRS, name);
	snprintf(out, 4096 + 257, "%s/%s", path_of(w, worker, parent), name);
}

static uint32_t make(struct world *w, unsigned int worker, enum object_type type, uint32_t parent,
		     unsigned int name_length, uint64_t target_size)
{
	struct model *m = &w->model[worker];
	uint64_t op = ++w->op[worker];
	struct nameref ref = nameref_make(model_next_name(m), name_length, (uint32_t)op * 77);
	uint32_t object = model_next_object(m);
	char path[4096 + 257], target[4096];

	name_path(w, worker, parent, ref, path);
	if (type == OBJECT_DIR) {
		assert_int_equal(mkdirat(w->mount, path, 0755), 0);
	} else if (type == OBJECT_SYMLINK) {
		content_symlink(&(struct content_key){RUN, {worker, op}, object}, target, target_size);
		assert_int_equal(symlinkat(target, w->mount, path), 0);
	} else {
		int fd = openat(w->mount, path, O_CREAT | O_EXCL | O_WRONLY, 0644);

		assert_true(fd >= 0);
		close(fd);
	}
	assert_int_equal(model_create(m, op,
				      &(struct model_create){.type = type,
							     .parent = parent,
							     .name = ref,
							     .mode = type == OBJECT_DIR ? 0755 : 0644,
							     .size = target_size}),
			 object);
	return object;
}

static void put(const struct world *w, const char *path, uint64_t offset, const void *data, size_t len)
{
	int fd = openat(w->mount, path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, (off_t)offset), len);
	close(fd);
}

static void write_file(struct world *w, unsigned int worker, uint32_t object, uint64_t offset, size_t len)
{
	uint64_t op = ++w->op[worker];
	unsigned char *data = malloc(len);

	content_fill(&(struct content_key){RUN, {worker, op}, object}, offset, data, len);
	put(w, path_of(w, worker, object), offset, data, len);
	model_write(&w->model[worker], op, object, offset, data, len);
	free(data);
}

static uint32_t make_file(struct world *w, unsigned int worker, uint32_t parent, unsigned int name_length,
			  size_t size)
{
	uint32_t object = make(w, worker, OBJECT_FILE, parent, name_length, 0);

	if (size)
		write_file(w, worker, object, 0, size);
	return object;
}

static void truncate_file(struct world *w, unsigned int worker, uint32_t object, uint64_t size)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/%s", w->mnt, path_of(w, worker, object));
	assert_int_equal(truncate(path, (off_t)size), 0);
	model_truncate(&w->model[worker], ++w->op[worker], object, size);
}

static void link_file(struct world *w, unsigned int worker, uint32_t object, uint32_t parent)
{
	struct nameref ref = nameref_make(model_next_name(&w->model[worker]), 20, 5);
	char path[4096 + 257];

	name_path(w, worker, parent, ref, path);
	assert_int_equal(linkat(w->mount, path_of(w, worker, object), w->mount, path, 0), 0);
	model_link(&w->model[worker], ++w->op[worker], object, parent, ref);
}

static void full_path(const struct world *w, const char *path, char out[4200])
{
	snprintf(out, 4200, "%s/%s", w->mnt, path);
}

static void set_xattr(struct world *w, unsigned int worker, uint32_t object, uint32_t number, uint32_t length)
{
	uint64_t op = ++w->op[worker];
	unsigned char value[4096];
	char path[4200], name[32];

	full_path(w, path_of(w, worker, object), path);
	snprintf(name, sizeof(name), "user.recow.%u", number);
	content_xattr(&(struct content_key){RUN, {worker, op}, object}, number, value, length);
	assert_int_equal(setxattr(path, name, value, length, 0), 0);
	model_set_xattr(&w->model[worker], op, object, number, length);
}

static struct stat stat_of(const struct world *w, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(w->mount, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

static int64_t mtime_of(const struct world *w, const char *path)
{
	struct stat st = stat_of(w, path);

	return (int64_t)st.st_mtim.tv_sec * (int64_t)NSEC_PER_SEC + st.st_mtim.tv_nsec;
}

/* Take the times as they are: what sets them is not this test's subject. */
static void learn_times(struct world *w)
{
	for (unsigned int i = 0; i < WORKERS; i++) {
		for (uint32_t k = 1; k < head(w, i)->objects.count; k++) {
			struct object o;
			int64_t t;

			if (!view_object(head(w, i), k, &o) || (o.flags & OBJECT_ANCHOR))
				continue;
			t = mtime_of(w, path_of(w, i, k));
			model_set_mtime(&w->model[i], w->op[i], k, t - 5, t + 5);
		}
	}
}

static void make_anchors(struct world *w)
{
	char path[64];

	assert_int_equal(mkdirat(w->mount, "shared", 0755), 0);
	for (unsigned int i = 0; i < WORKERS; i++) {
		anchor_path(i, OBJECT_ROOT, path, sizeof(path));
		assert_int_equal(mkdirat(w->mount, path, 0755), 0);
	}
	for (unsigned int k = 0; k < SHARED_DIRS; k++) {
		anchor_path(0, OBJECT_FIRST_SHARED + k, path, sizeof(path));
		assert_int_equal(mkdirat(w->mount, path, 0755), 0);
	}
}

/* The files that tests name, all of worker 0. */
static void make_named(struct world *w)
{
	w->subdir = make(w, 0, OBJECT_DIR, OBJECT_ROOT, 30, 0);
	w->big = make_file(w, 0, w->subdir, 12, BIG);
	w->middle = make_file(w, 0, OBJECT_ROOT, 255, 300000);
	write_file(w, 0, w->middle, 65536 + 1000, 65536);
	w->tail = make_file(w, 0, OBJECT_FIRST_SHARED, 8, 20001);
	w->small = make_file(w, 0, w->subdir, 40, 100);
	w->sparse = make_file(w, 0, OBJECT_ROOT, 9, 5000);
	truncate_file(w, 0, w->sparse, 3 * MiB);
	write_file(w, 0, w->sparse, 2 * MiB + 7, 9);
	w->linked = make_file(w, 0, OBJECT_ROOT, 15, 9000);
	link_file(w, 0, w->linked, w->subdir);
	w->symlink = make(w, 0, OBJECT_SYMLINK, OBJECT_ROOT, 10, 200);
	set_xattr(w, 0, w->middle, 3, 500);
	set_xattr(w, 0, w->middle, 4, 1);
	set_xattr(w, 0, w->subdir, 0, 30);
}

/* A crowd of both workers, in directories of their own and shared ones. */
static void make_crowd(struct world *w)
{
	for (unsigned int i = 0; i < WORKERS; i++) {
		uint32_t dir = make(w, i, OBJECT_DIR, OBJECT_ROOT, 3, 0);

		for (unsigned int k = 0; k < 300; k++) {
			uint32_t parent = k % 3 == 0   ? dir
					  : k % 3 == 1 ? OBJECT_ROOT
						       : OBJECT_FIRST_SHARED + k % SHARED_DIRS;
			uint32_t file = make_file(w, i, parent, 1 + k % 255, k * 37 % 12000);

			if (k % 10 == 0)
				link_file(w, i, file, OBJECT_FIRST_SHARED + k % SHARED_DIRS);
			if (k % 7 == 0)
				write_file(w, i, file, k * 11, 1 + k);
		}
	}
}

static int start(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct error e;
	void *mapping = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_true(mapping != MAP_FAILED);
	pthread_mutex_init(&w->lock, NULL);
	w->pool = page_pool_init(mapping, POOL_BYTES);
	make_filesystem(w);
	make_anchors(w);
	for (unsigned int i = 0; i < WORKERS; i++)
		assert_int_equal(model_init(&w->model[i], w->pool, i, RUN, SHARED_DIRS, &e), 0);
	make_named(w);
	make_crowd(w);
	assert_int_equal(syncfs(w->mount), 0);
	learn_times(w);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	unmount_world(w);
	shell("rm -r %s", w->dir);
	for (unsigned int i = 0; i < WORKERS; i++)
		model_destroy(&w->model[i]);
	munmap(w->pool, POOL_BYTES);
	for (unsigned int i = 0; i < FOUND_MAX; i++)
		free(w->found[i]);
	free(w);
	return 0;
}

/* ---- verifying */

static void collect(void *self, const struct finding *f)
{
	struct world *w = self;

	pthread_mutex_lock(&w->lock);
	assert_true(w->count < FOUND_MAX);
	if (!w->found[w->count])
		w->found[w->count] = malloc(sizeof(*f));
	*w->found[w->count++] = *f;
	pthread_mutex_unlock(&w->lock);
}

static void run(struct world *w, const char *name)
{
	struct frozen *frozen[WORKERS];
	const struct model_view *view[WORKERS];
	struct finding_sink sink = {collect, w};
	struct verification v = {
		.target = &w->target,
		.mount = w->mount,
		.run = RUN,
		.views = view,
		.view_count = WORKERS,
		.threads = 2,
		.findings = &sink,
		.counters = &w->counters,
	};
	const struct verifier *verifier = NULL;
	struct error e = {0};

	for (unsigned int i = 0; plugin_verifiers[i]; i++) {
		if (strcmp(plugin_verifiers[i]->name, name) == 0)
			verifier = plugin_verifiers[i];
	}
	assert_non_null(verifier);
	memset(&w->counters, 0, sizeof(w->counters));
	w->count = 0;
	for (unsigned int i = 0; i < WORKERS; i++) {
		frozen[i] = model_freeze(&w->model[i]);
		view[i] = &frozen[i]->view;
	}
	if (verifier->run(&v, &e) != 0)
		fail_msg("%s: %s", name, e.text);
	for (unsigned int i = 0; i < WORKERS; i++)
		model_release(frozen[i]);
}

static void show_all(const struct world *w)
{
	for (unsigned int i = 0; i < MIN(w->count, 8U); i++)
		print_message("  %s %s: %s\n", finding_class_name(w->found[i]->class), w->found[i]->path,
			      w->found[i]->detail);
}

/* Exactly one finding, of this class, at this path. */
static const struct finding *only(const struct world *w, enum finding_class class, const char *path)
{
	char escaped[4096];

	if (w->count != 1 || w->found[0]->class != class)
		show_all(w);
	assert_int_equal(w->count, 1);
	assert_int_equal(w->found[0]->class, class);
	bytes_escape(escaped, sizeof(escaped), path, strlen(path));
	assert_string_equal(w->found[0]->path, escaped);
	return w->found[0];
}

static void silent(struct world *w, const char *verifier)
{
	run(w, verifier);
	if (w->count)
		show_all(w);
	assert_int_equal(w->count, 0);
}

static void restore_mtime(const struct world *w, const char *path, const struct stat *st)
{
	struct timespec t[2] = {{.tv_nsec = UTIME_OMIT}, st->st_mtim};

	assert_int_equal(utimensat(w->mount, path, t, AT_SYMLINK_NOFOLLOW), 0);
}

/* Overwrite a part of a file, so that only its content tells. */
static void plant(const struct world *w, const char *path, uint64_t offset, const void *data, size_t len)
{
	struct stat st = stat_of(w, path);

	put(w, path, offset, data, len);
	restore_mtime(w, path, &st);
}

static void read_back(const struct world *w, const char *path, uint64_t offset, void *data, size_t len)
{
	int fd = openat(w->mount, path, O_RDONLY);

	assert_int_equal(pread(fd, data, len, (off_t)offset), len);
	close(fd);
}

/* Plant, look with hot and cold, expect one finding of `class` from both, put the right bytes back. */
static void plant_and_find(struct world *w, uint32_t object, uint64_t offset, const void *data, size_t len,
			   enum finding_class class, uint64_t at, uint64_t length)
{
	const char *path = path_of(w, 0, object);
	unsigned char *kept = malloc(len);
	const struct finding *f;

	read_back(w, path, offset, kept, len);
	plant(w, path, offset, data, len);
	run(w, "hot");
	f = only(w, class, path);
	assert_int_equal(f->place, SEEN_HOT);
	assert_int_equal(f->offset, at);
	assert_int_equal(f->length, length);
	assert_true(f->still);
	assert_int_equal(f->worker, 0);
	assert_int_equal(f->object, object);
	run(w, "cold");
	f = only(w, class, path);
	assert_int_equal(f->place, SEEN_COLD);
	assert_int_equal(f->offset, at);
	assert_int_equal(f->length, length);
	assert_true(f->still);
	plant(w, path, offset, kept, len);
	free(kept);
}

static void fill(uint32_t worker, uint64_t op, uint32_t object, uint64_t offset, void *buf, size_t len)
{
	content_fill(&(struct content_key){RUN, {worker, op}, object}, offset, buf, len);
}

/* ---- tests */

static void a_tree_as_recorded_is_silent(void **state)
{
	struct world *w = *state;
	uint64_t files = 0, bytes = head(w, 0)->bytes + head(w, 1)->bytes;

	silent(w, "hot");
	assert_int_equal(w->counters.bytes, bytes);
	assert_true(w->counters.resident > 0 && w->counters.resident <= w->counters.blocks);
	assert_true(w->counters.names > w->counters.objects);
	for (unsigned int i = 0; i < WORKERS; i++)
		files += head(w, i)->objects.live;
	assert_in_range(w->counters.objects, 600, files);
	silent(w, "cold");
	assert_int_equal(w->counters.bytes, bytes);
	assert_in_range(w->counters.cached_only, 1, bytes / 4); /* small files are inline */
	assert_int_equal(w->counters.names, 0);
	unmount_world(w);
	mount_world(w, ",nodatasum");
	silent(w, "remount");
	assert_int_equal(w->counters.bytes, bytes);
	assert_true(w->counters.resident < w->counters.blocks / 2);
}

static void a_changed_byte(void **state)
{
	struct world *w = *state;
	unsigned char byte;

	read_back(w, path_of(w, 0, w->big), 5 * MiB + 77, &byte, 1);
	byte ^= 0x10;
	plant_and_find(w, w->big, 5 * MiB + 77, &byte, 1, FINDING_FLIPPED, 5 * MiB, BLOCK_SIZE);
	assert_int_equal(w->found[0]->range[1].bits, 1);
	silent(w, "hot");
	silent(w, "cold");
}

static void a_changed_byte_of_an_inline_file(void **state)
{
	struct world *w = *state;
	unsigned char byte;

	read_back(w, path_of(w, 0, w->small), 50, &byte, 1);
	byte ^= 0x81;
	plant_and_find(w, w->small, 50, &byte, 1, FINDING_FLIPPED, 0, 100);
}

static void a_zeroed_page(void **state)
{
	static const unsigned char zeroes[BLOCK_SIZE];

	plant_and_find(*state, ((struct world *)*state)->big, 8 * MiB, zeroes, BLOCK_SIZE, FINDING_ZEROES,
		       8 * MiB, BLOCK_SIZE);
}

static void an_older_page(void **state)
{
	struct world *w = *state;
	unsigned char page[BLOCK_SIZE];

	fill(0, 1, w->big, 12 * MiB, page, sizeof(page));
	plant_and_find(w, w->big, 12 * MiB, page, sizeof(page), FINDING_STALE, 12 * MiB, BLOCK_SIZE);
	assert_int_equal(w->found[0]->range[0].origin.operation, 1);
}

static void a_page_of_another_file(void **state)
{
	struct world *w = *state;
	unsigned char page[BLOCK_SIZE];

	read_back(w, path_of(w, 0, w->middle), 8192, page, sizeof(page));
	plant_and_find(w, w->tail, 4096, page, sizeof(page), FINDING_FOREIGN, 4096, BLOCK_SIZE);
	assert_int_equal(w->found[0]->range[0].object, w->middle);
	assert_int_equal(w->found[0]->range[0].offset, 8192);
}

static void half_a_page(void **state)
{
	struct world *w = *state;
	unsigned char half[BLOCK_SIZE / 2];

	fill(0, 1, w->big, 2048, half, sizeof(half));
	plant_and_find(w, w->big, 2048, half, sizeof(half), FINDING_TORN, 0, BLOCK_SIZE);
	assert_int_equal(w->found[0]->tear, 2048);
}

/* Unaligned and across the reads' and slices' borders: still one finding. */
static void a_lost_write_is_one_finding(void **state)
{
	struct world *w = *state;
	unsigned char *old = malloc(65536);

	fill(0, 1, w->middle, 65536 + 1000, old, 65536);
	plant_and_find(w, w->middle, 65536 + 1000, old, 65536, FINDING_STALE, 65536, 65536 + BLOCK_SIZE);
	memset(old, 0, 65536);
	plant_and_find(w, w->big, 4 * MiB - 32768, old, 65536, FINDING_ZEROES, 4 * MiB - 32768, 65536);
	plant_and_find(w, w->big, 512 * KiB - 32768, old, 65536, FINDING_ZEROES, 512 * KiB - 32768, 65536);
	free(old);
}

static void data_in_a_hole(void **state)
{
	struct world *w = *state;

	plant_and_find(w, w->sparse, 1 * MiB + 100, "stray", 5, FINDING_GARBAGE, MiB, BLOCK_SIZE);
}

static void the_last_partial_block(void **state)
{
	struct world *w = *state;
	unsigned char zeroes[3617] = {0};

	plant_and_find(w, w->tail, 16384, zeroes, sizeof(zeroes), FINDING_ZEROES, 16384, sizeof(zeroes));
}

/* ---- names */

static void a_missing_name(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->tail);
	char away[64];

	snprintf(away, sizeof(away), "lost+found");
	assert_int_equal(renameat(w->mount, path, w->mount, away), 0);
	run(w, "hot");
	only(w, FINDING_MISSING, path);
	run(w, "cold"); /* it can't read what isn't there */
	only(w, FINDING_MISSING, path);
	assert_int_equal(renameat(w->mount, away, w->mount, path), 0);
	silent(w, "hot");
}

static void extra_names(void **state)
{
	static const char *const where[] = {"shared/d01/stray", "w0001/stray", "stray", "shared/d07"};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(where); i++) {
		assert_int_equal(mkdirat(w->mount, where[i], 0755), 0);
		run(w, "hot");
		only(w, FINDING_EXTRA, where[i]);
		assert_int_equal(unlinkat(w->mount, where[i], AT_REMOVEDIR), 0);
	}
	silent(w, "hot");
}

static void a_missing_directory_is_one_finding(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->subdir);
	unsigned int missing = 0;

	assert_int_equal(renameat(w->mount, path, w->mount, "lost+found"), 0);
	run(w, "hot");
	for (unsigned int i = 0; i < w->count; i++)
		missing += w->found[i]->class == FINDING_MISSING;
	assert_int_equal(missing, w->count);
	only(w, FINDING_MISSING, path);
	assert_int_equal(renameat(w->mount, "lost+found", w->mount, path), 0);
}

static void another_type(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->symlink);

	assert_int_equal(renameat(w->mount, path, w->mount, "lost+found"), 0);
	assert_int_equal(mkdirat(w->mount, path, 0755), 0);
	run(w, "hot");
	only(w, FINDING_ATTRIBUTE, path);
	assert_non_null(strstr(w->found[0]->detail, "type: expected a symbolic link, found a directory"));
	assert_int_equal(unlinkat(w->mount, path, AT_REMOVEDIR), 0);
	assert_int_equal(renameat(w->mount, "lost+found", w->mount, path), 0);
}

/* ---- attributes */

static void attribute(struct world *w, const char *path, const char *detail)
{
	run(w, "hot");
	only(w, FINDING_ATTRIBUTE, path);
	if (!strstr(w->found[0]->detail, detail))
		fail_msg("'%s' is not in '%s'", detail, w->found[0]->detail);
}

static void wrong_mode_and_owner(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->middle);

	assert_int_equal(fchmodat(w->mount, path, 0600, 0), 0);
	attribute(w, path, "mode: expected 0644, found 0600");
	assert_int_equal(fchmodat(w->mount, path, 0644, 0), 0);
	assert_int_equal(fchownat(w->mount, path, 7, -1, 0), 0);
	attribute(w, path, "owner: expected 0, found 7");
	assert_int_equal(fchownat(w->mount, path, 0, 8, 0), 0);
	attribute(w, path, "group: expected 0, found 8");
	assert_int_equal(fchownat(w->mount, path, 0, 0, 0), 0);
	silent(w, "hot");
}

static void wrong_times(void **state)
{
	struct world *w = *state;
	const uint32_t objects[] = {w->middle, w->subdir, w->symlink};

	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		const char *path = path_of(w, 0, objects[i]);
		struct stat st = stat_of(w, path), wrong = st;

		wrong.st_mtim.tv_nsec += wrong.st_mtim.tv_nsec > 500000000 ? -6 : 6;
		restore_mtime(w, path, &wrong);
		attribute(w, path, "mtime: expected");
		restore_mtime(w, path, &st);
	}
	silent(w, "hot");
}

static void wrong_xattrs(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->middle);
	unsigned char value[500];
	char full[4200];

	full_path(w, path, full);
	assert_int_equal(getxattr(full, "user.recow.3", value, sizeof(value)), sizeof(value));
	assert_int_equal(setxattr(full, "user.recow.3", value, 499, 0), 0);
	attribute(w, path, "xattr user.recow.3: expected 500 bytes, found 499");
	value[499] ^= 1;
	assert_int_equal(setxattr(full, "user.recow.3", value, 500, 0), 0);
	attribute(w, path, "xattr user.recow.3: 500 bytes are not those of operation");
	assert_int_equal(removexattr(full, "user.recow.3"), 0);
	attribute(w, path, "xattr user.recow.3 is missing");
	value[499] ^= 1;
	assert_int_equal(setxattr(full, "user.recow.3", value, 500, 0), 0);
	assert_int_equal(setxattr(full, "user.recow.9", value, 5, 0), 0);
	attribute(w, path, "xattr user.recow.9 must not be there");
	assert_int_equal(removexattr(full, "user.recow.9"), 0);
	assert_int_equal(setxattr(full, "user.other", value, 5, 0), 0); /* not recow's */
	silent(w, "hot");
}

static void wrong_symlink_target(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->symlink);
	struct stat st = stat_of(w, path);
	char target[256] = {0};

	assert_int_equal(readlinkat(w->mount, path, target, sizeof(target)), 200);
	assert_int_equal(unlinkat(w->mount, path, 0), 0);
	target[100] = (char)(target[100] ^ 1);
	assert_int_equal(symlinkat(target, w->mount, path), 0);
	restore_mtime(w, path, &st);
	attribute(w, path, "target: expected \"");
	assert_int_equal(unlinkat(w->mount, path, 0), 0);
	target[100] = (char)(target[100] ^ 1);
	assert_int_equal(symlinkat(target, w->mount, path), 0);
	restore_mtime(w, path, &st);
	silent(w, "hot");
}

static void wrong_sizes(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->sparse); /* ends in a hole: longer or shorter, no byte differs */
	struct stat st = stat_of(w, path);
	char full[4200];

	full_path(w, path, full);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(truncate(full, (off_t)(3 * MiB + (i ? 5000 : -5000))), 0);
		restore_mtime(w, path, &st);
		attribute(w, path, "size: expected 3145728, found 31");
		run(w, "cold");
		only(w, FINDING_ATTRIBUTE, path);
	}
	assert_int_equal(truncate(full, 3 * MiB), 0);
	restore_mtime(w, path, &st);
	silent(w, "hot");
}

static void wrong_link_count(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->middle);

	assert_int_equal(linkat(w->mount, path, w->mount, "lost+found", 0), 0);
	attribute(w, path, "link count: expected 1, found 2");
	assert_int_equal(unlinkat(w->mount, "lost+found", 0), 0);
}

static bool any(const struct world *w, enum finding_class class, const char *detail)
{
	for (unsigned int i = 0; i < w->count; i++) {
		if (w->found[i]->class == class && strstr(w->found[i]->detail, detail))
			return true;
	}
	return false;
}

/* A hard link that became a file of its own: the count is wrong, and so is the inode it leads to. */
static void a_hard_link_split_in_two(void **state)
{
	struct world *w = *state;
	char *path = strdup(path_of(w, 0, w->linked));
	struct object o = object_of(w, 0, w->linked);
	struct stat st = stat_of(w, path);
	char copy[4096], full[4200], other[4200];
	struct name n;

	assert_true(view_name(head(w, 0), o.first_name, &n));
	assert_true(view_path(head(w, 0), n.next, copy, sizeof(copy)) > 0);
	full_path(w, path, full);
	full_path(w, copy, other);
	assert_int_equal(unlinkat(w->mount, copy, 0), 0);
	shell("cp -p '%s' '%s'", full, other);
	restore_mtime(w, path, &st);
	learn_times(w);
	run(w, "hot");
	if (w->count != 2)
		show_all(w);
	assert_int_equal(w->count, 2);
	assert_true(any(w, FINDING_ATTRIBUTE, "link count: expected 2, found 1"));
	assert_true(any(w, FINDING_ATTRIBUTE, "link: expected inode"));
	assert_int_equal(unlinkat(w->mount, copy, 0), 0);
	assert_int_equal(linkat(w->mount, path, w->mount, copy, 0), 0);
	free(path);
	learn_times(w);
	silent(w, "hot");
}

/* Two objects that became one file. */
static void two_objects_on_one_inode(void **state)
{
	struct world *w = *state;
	char *path = strdup(path_of(w, 0, w->linked)), *victim = strdup(path_of(w, 0, w->small));

	assert_int_equal(renameat(w->mount, victim, w->mount, "lost+found"), 0);
	assert_int_equal(linkat(w->mount, path, w->mount, victim, 0), 0);
	learn_times(w);
	run(w, "hot");
	assert_true(any(w, FINDING_ATTRIBUTE, "is that of worker 0 object"));
	assert_int_equal(renameat(w->mount, "lost+found", w->mount, victim), 0);
	free(path);
	free(victim);
	learn_times(w);
	silent(w, "hot");
}

/* ---- the harness itself */

static void unsure_objects_are_counted_not_compared(void **state)
{
	struct world *w = *state;
	uint32_t object = make_file(w, 1, OBJECT_ROOT, 30, 50000);

	model_set_unsure(&w->model[1], ++w->op[1], object);
	put(w, path_of(w, 1, object), 0, "unknown", 7);
	silent(w, "cold");
	assert_int_equal(w->counters.unsure, 13);
	silent(w, "hot");
}

static void a_stopped_pass_ends_early(void **state)
{
	struct world *w = *state;
	const _Atomic bool stop = true;
	struct finding_sink sink = {collect, w};
	struct frozen *frozen = model_freeze(&w->model[0]);
	const struct model_view *view = &frozen->view;
	struct verification v = {
		.target = &w->target,
		.mount = w->mount,
		.run = RUN,
		.views = &view,
		.view_count = 1,
		.threads = 1,
		.findings = &sink,
		.counters = &w->counters,
		.stop = &stop,
	};
	struct error e;

	memset(&w->counters, 0, sizeof(w->counters));
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(plugin_verifiers[i]->run(&v, &e), 0);
	assert_int_equal(w->counters.bytes, 0);
	model_release(frozen);
}

/* Thousands of wrong places: the first ones are told, the rest counted. */
static void the_number_of_findings_is_limited(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->big);
	unsigned char *kept = malloc(BIG), *bad = malloc(BIG);

	read_back(w, path, 0, kept, BIG);
	memcpy(bad, kept, BIG);
	for (size_t at = 0; at < BIG; at += 2 * (size_t)BLOCK_SIZE)
		bad[at + 5] ^= 1;
	plant(w, path, 0, bad, BIG);
	run(w, "cold");
	assert_int_equal(w->count, 1001);
	assert_non_null(strstr(w->found[1000]->detail, " more findings of this pass"));
	plant(w, path, 0, kept, BIG);
	free(kept);
	free(bad);
	silent(w, "hot");
}

/* ---- damage in the image, behind the mount's back */

static struct target_address locate(const struct world *w, const char *path, uint64_t offset)
{
	int fd = openat(w->mount, path, O_RDONLY);
	struct target_address a;
	struct error e;

	if (target_locate(&w->target, fd, offset, &a, &e) != 0)
		fail_msg("%s", e.text);
	close(fd);
	assert_int_equal(a.mirrors, 1);
	return a;
}

/* Loop devices are shared with the rest of the machine: write only to the one that has our image behind it.
 */
static void assert_our_device(const struct world *w)
{
	char path[128], backing[256] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", strrchr(w->target.device, '/') + 1);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(backing, sizeof(backing), file));
	fclose(file);
	backing[strcspn(backing, "\n")] = '\0';
	assert_string_equal(backing, w->image);
}

static void damage(const struct world *w, uint64_t physical, const void *data)
{
	int fd = open(w->target.device, O_RDWR | O_DIRECT);
	unsigned char *aligned = aligned_alloc(BLOCK_SIZE, BLOCK_SIZE);

	assert_our_device(w);
	assert_true(fd >= 0);
	memcpy(aligned, data, BLOCK_SIZE);
	assert_int_equal(pwrite(fd, aligned, BLOCK_SIZE, (off_t)physical), BLOCK_SIZE);
	free(aligned);
	close(fd);
}

/* Wrong on disk while the cache is right: only a cold look sees it, and says so. */
static void damage_in_the_image(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->big);
	unsigned char right[BLOCK_SIZE], wrong[BLOCK_SIZE];
	uint64_t offset = 20 * MiB, physical;
	struct target_address address;
	const struct finding *f;

	assert_int_equal(syncfs(w->mount), 0);
	address = locate(w, path, offset);
	physical = address.mirror[0].physical;
	assert_int_not_equal(address.logical, physical);
	read_back(w, path, offset, right, sizeof(right));
	fill(0, 1, w->big, offset, wrong, sizeof(wrong));
	damage(w, physical, wrong);
	silent(w, "hot");
	run(w, "cold");
	f = only(w, FINDING_STALE, path);
	assert_int_equal(f->mirrors, 1);
	assert_int_equal(f->mirror[0].physical, physical);
	assert_non_null(strstr(f->detail, "now wrong on disk only"));
	unmount_world(w);
	mount_world(w, ",nodatasum");
	run(w, "remount");
	f = only(w, FINDING_STALE, path);
	assert_int_equal(f->place, SEEN_FRESH);
	assert_int_equal(f->mirror[0].physical, physical);
	assert_non_null(strstr(f->detail, "now wrong in the page cache and on disk"));
	damage(w, physical, right);
	silent(w, "cold");
	unmount_world(w);
	mount_world(w, ",nodatasum");
	silent(w, "remount");
}

/* On checksummed data the same is an input error; what lies around it is compared all the same. */
static void damage_of_checksummed_data_is_eio(void **state)
{
	struct world *w = *state;
	unsigned char right[BLOCK_SIZE], wrong[BLOCK_SIZE] = {1};
	uint64_t physical, bytes;
	uint32_t object;
	const struct finding *f;

	unmount_world(w);
	mount_world(w, ",datasum");
	object = make_file(w, 0, OBJECT_ROOT, 21, 4 * MiB);
	learn_times(w);
	assert_int_equal(syncfs(w->mount), 0);
	physical = locate(w, path_of(w, 0, object), 2 * MiB).mirror[0].physical;
	read_back(w, path_of(w, 0, object), 2 * MiB, right, sizeof(right));
	damage(w, physical, wrong);
	run(w, "cold");
	f = only(w, FINDING_EIO, path_of(w, 0, object));
	assert_int_equal(f->offset, 2 * MiB);
	assert_int_equal(f->length, BLOCK_SIZE);
	bytes = head(w, 0)->bytes + head(w, 1)->bytes - BLOCK_SIZE;
	assert_in_range(w->counters.bytes, bytes - 60000, bytes);
	unmount_world(w);
	mount_world(w, ",datasum");
	run(w, "remount");
	f = only(w, FINDING_EIO, path_of(w, 0, object));
	assert_int_equal(f->offset, 2 * MiB);
	assert_int_equal(f->mirror[0].physical, physical);
	damage(w, physical, right);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_as_recorded_is_silent),
		cmocka_unit_test(a_changed_byte),
		cmocka_unit_test(a_changed_byte_of_an_inline_file),
		cmocka_unit_test(a_zeroed_page),
		cmocka_unit_test(an_older_page),
		cmocka_unit_test(a_page_of_another_file),
		cmocka_unit_test(half_a_page),
		cmocka_unit_test(a_lost_write_is_one_finding),
		cmocka_unit_test(data_in_a_hole),
		cmocka_unit_test(the_last_partial_block),
		cmocka_unit_test(a_missing_name),
		cmocka_unit_test(extra_names),
		cmocka_unit_test(a_missing_directory_is_one_finding),
		cmocka_unit_test(another_type),
		cmocka_unit_test(wrong_mode_and_owner),
		cmocka_unit_test(wrong_times),
		cmocka_unit_test(wrong_xattrs),
		cmocka_unit_test(wrong_symlink_target),
		cmocka_unit_test(wrong_sizes),
		cmocka_unit_test(wrong_link_count),
		cmocka_unit_test(a_hard_link_split_in_two),
		cmocka_unit_test(two_objects_on_one_inode),
		cmocka_unit_test(unsure_objects_are_counted_not_compared),
		cmocka_unit_test(a_stopped_pass_ends_early),
		cmocka_unit_test(the_number_of_findings_is_limited),
		cmocka_unit_test(damage_in_the_image),
		cmocka_unit_test(damage_of_checksummed_data_is_eio),
	};

	if (geteuid() != 0)
		return 77; /* skipped: mounting needs root */
	return cmocka_run_group_tests_name("verify", tests, start, end);
}
