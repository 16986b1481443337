/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/verify_world.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "src/model/stripes.h"
#include "tests/unit/real.h"
#include "tests/unit/unit.h"

/* ---- a filesystem */

void shell(const char *fmt, ...)
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

void mount_world(struct world *w, const char *options)
{
	char command[256];

	shell("mount -t btrfs -o loop,noatime,nodiscard%s %s %s", options, w->image, w->mnt);
	w->mount = open(w->mnt, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(w->mount >= 0);
	snprintf(command, sizeof(command), "findmnt -no SOURCE %s", w->mnt);
	first_line(command, w->target.device, sizeof(w->target.device));
}

void unmount_world(struct world *w)
{
	close(w->mount);
	w->mount = -1;
	assert_int_equal(umount(w->mnt), 0);
}

static void make_filesystem(struct world *w)
{
	/* Its namespace has copies of other tests' mounts, and its loop device may be one that they count. */
	take_real_machine();
	snprintf(w->dir, sizeof(w->dir), "/tmp/recow-verify-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->mnt, sizeof(w->mnt), "%s/mnt", w->dir);
	snprintf(w->image, sizeof(w->image), "%s/image", w->dir);
	assert_int_equal(mkdir(w->mnt, 0700), 0);
	shell("truncate -s 512M %s && mkfs.btrfs -q %s", w->image, w->image);
	mount_world(w, ",nodatasum");
	w->target.btrfs = true;
	w->target.own = true;
	w->target.loop = w->target.mapping = -1;
	snprintf(w->target.image, sizeof(w->target.image), "%s", w->image);
	snprintf(w->target.mountpoint, sizeof(w->target.mountpoint), "%s", w->mnt);
	snprintf(w->target.spec.fs, sizeof(w->target.spec.fs), "btrfs");
}

/* ---- what is on it */

static void make_subvolume(struct world *w, const char *path)
{
	char full[4200];
	struct error e;

	full_path(w, path, full);
	if (w->subvolumes)
		assert_int_equal(target_make_subvolume(&w->target, full, &e), 0);
	else
		assert_int_equal(mkdirat(w->mount, path, 0755), 0);
}

static void make_anchors(struct world *w)
{
	char path[64];

	make_subvolume(w, "shared");
	if (w->subvolumes)
		assert_int_equal(mkdirat(w->mount, WITNESS_DIR, 0755), 0);
	for (unsigned int i = 0; i < WORKERS; i++) {
		anchor_path(i, OBJECT_ROOT, path, sizeof(path));
		make_subvolume(w, path);
	}
	for (unsigned int k = 0; k < SHARED_DIRS; k++) {
		anchor_path(0, OBJECT_FIRST_SHARED + k, path, sizeof(path));
		assert_int_equal(mkdirat(w->mount, path, 0755), 0);
	}
}

/* Nobody has written anything yet. */
static void make_shared_files(struct world *w)
{
	for (uint32_t k = 0; k < SHARED_FILES; k++) {
		char path[64];
		int fd;

		anchor_path(0, OBJECT_FIRST_SHARED_FILE + k, path, sizeof(path));
		fd = openat(w->mount, path, O_CREAT | O_EXCL | O_WRONLY, 0644);
		assert_true(fd >= 0);
		assert_int_equal(ftruncate(fd, (off_t)stripes_size(k)), 0);
		close(fd);
		for (unsigned int i = 0; i < WORKERS; i++)
			assert_true(model_add_shared_file(&w->model[i], stripes_size(k)));
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
				link_file(w, i, file,
					  w->subvolumes && k % 3 != 2
						  ? dir
						  : OBJECT_FIRST_SHARED + k % SHARED_DIRS);
			if (k % 7 == 0)
				write_file(w, i, file, k * 11, 1 + k);
		}
	}
}

static int start(void **state, bool subvolumes)
{
	struct world *w = calloc(1, sizeof(*w));
	struct error e;
	void *mapping = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_true(mapping != MAP_FAILED);
	pthread_mutex_init(&w->lock, NULL);
	w->subvolumes = subvolumes;
	w->pool = page_pool_init(mapping, POOL_BYTES);
	make_filesystem(w);
	make_anchors(w);
	for (unsigned int i = 0; i < WORKERS; i++)
		assert_int_equal(model_init(&w->model[i], w->pool, i, RUN, SHARED_DIRS, &e), 0);
	make_shared_files(w);
	make_named(w);
	make_crowd(w);
	assert_int_equal(syncfs(w->mount), 0);
	learn_times(w);
	*state = w;
	return 0;
}

int world_start(void **state)
{
	return start(state, false);
}

int world_start_on_subvolumes(void **state)
{
	return start(state, true);
}

int world_end(void **state)
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
