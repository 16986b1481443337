// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A snapshot that changes. FUSE can't hold snapshots, so this one is done beside a real btrfs: --backing is a
 * directory on it that is tested directly; nothing is served. In a read-only snapshot below a directory
 * `snap` a page of a file is made to hold what the same file (by path and inode number) holds there by now:
 * as if the block had been changed in place, under the snapshot, instead of being copied.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "mutants/fs/damage.h"
#include "mutants/fs/families.h"

#define SUBVOLUME_INODE 256 /* of the top of every subvolume (BTRFS_FIRST_FREE_OBJECTID) */
#define PAUSE_US        50000
#define DEPTH_MAX       16
#define LOOKED_AT_MAX   4000 /* files of one snapshot, at one look */

static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

/* One look at one snapshot. Paths are relative to the backing directory. */
struct look {
	struct fs *fs;
	int snapshot, original; /* tops of both */
	const char *path;       /* of the snapshot */
	unsigned int files;
	uint64_t skip; /* files that differ and are let be */
	bool done;
};

/* A page that is whole in both and not the same. False: there is none. */
static bool find_page(int was, int is, uint64_t size, uint64_t *offset, unsigned char right[PAGE],
		      unsigned char wrong[PAGE])
{
	for (*offset = 0; *offset + PAGE <= size; *offset += PAGE) {
		if (pread(was, right, PAGE, (off_t)*offset) != PAGE ||
		    pread(is, wrong, PAGE, (off_t)*offset) != PAGE)
			return false;
		if (memcmp(right, wrong, PAGE) != 0)
			return true;
	}
	return false;
}

static int set_readonly(int snapshot, bool readonly)
{
	uint64_t flags;

	if (ioctl(snapshot, BTRFS_IOC_SUBVOL_GETFLAGS, &flags))
		return -errno;
	flags = readonly ? flags | BTRFS_SUBVOL_RDONLY : flags & ~(uint64_t)BTRFS_SUBVOL_RDONLY;
	return ioctl(snapshot, BTRFS_IOC_SUBVOL_SETFLAGS, &flags) ? -errno : 0;
}

/* Write through a descriptor opened meanwhile: one that was opened read-only stays so. */
static int write_page(int snapshot, const char *name, const unsigned char page[PAGE], uint64_t offset)
{
	int rc = set_readonly(snapshot, false), fd;
	struct stat st;

	if (rc)
		return rc;
	fd = openat(snapshot, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || pwrite(fd, page, PAGE, (off_t)offset) != PAGE ||
	    keep_mtime(fd, &st) || fsync(fd))
		rc = -EIO;
	if (fd >= 0)
		close(fd);
	return set_readonly(snapshot, true) ? -EIO : rc;
}

/* The bytes of a page that differ. */
struct change {
	uint64_t offset; /* of the page */
	size_t from, to, differing;
};

static struct change find_change(uint64_t offset, const unsigned char *right, const unsigned char *wrong)
{
	struct change c = {.offset = offset, .from = PAGE};

	for (size_t i = 0; i < PAGE; i++) {
		if (right[i] == wrong[i])
			continue;
		c.from = i < c.from ? i : c.from;
		c.to = i + 1;
		c.differing++;
	}
	return c;
}

static void tell(struct look *l, const char *name, ino_t inode, const struct change *c)
{
	char *path, *escaped;

	if (asprintf(&path, "%s/%s", l->path, name) < 0)
		abort();
	escaped = path_escape(path);
	truth_write(&l->fs->truth, "fired", l->fs->chance.fired,
		    json_pack("{s:s, s:s, s:s?, s:I, s:I, s:I, s:I, s:b}", "kind", "newer", "op", "snapshot",
			      "path", escaped, "inode", (json_int_t)inode, "offset",
			      (json_int_t)c->offset + (json_int_t)c->from, "length",
			      (json_int_t)c->to - (json_int_t)c->from, "differing", (json_int_t)c->differing,
			      "persistent", true));
	free(escaped);
	free(path);
}

/* Snapshots that were changed, until they are deleted. */
struct changed {
	uint64_t number; /* of the firing */
	struct changed *next;
	char path[];
};

static void remember_changed(struct fs *fs, const char *path)
{
	const size_t length = strlen(path) + 1;
	struct changed *c = malloc(sizeof(*c) + length);

	if (!c)
		abort();
	c->number = fs->chance.fired;
	c->next = fs->state;
	memcpy(c->path, path, length);
	fs->state = c;
}

static void tell_deleted(struct fs *fs)
{
	for (struct changed *c = fs->state, *before = NULL, *next; c; c = next) {
		next = c->next;
		if (faccessat(fs->backing_fd, c->path, F_OK, 0) == 0) {
			before = c;
			continue;
		}
		truth_write(&fs->truth, "gone", c->number,
			    json_pack("{s:s}", "why", "the snapshot is no more"));
		if (before)
			before->next = next;
		else
			fs->state = next;
		free(c);
	}
}

static void change(struct look *l, const char *name, ino_t inode, uint64_t offset, const unsigned char *right,
		   const unsigned char *wrong)
{
	const struct change c = find_change(offset, right, wrong);

	l->done = true;
	if (write_page(l->snapshot, name, wrong, offset)) {
		fs_spare(l->fs);
		return;
	}
	tell(l, name, inode, &c);
	remember_changed(l->fs, l->path);
}

static void try_file(struct look *l, const char *name)
{
	unsigned char right[PAGE], wrong[PAGE];
	struct stat was, is;
	uint64_t offset;
	const int a = openat(l->snapshot, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	const int b = openat(l->original, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (a >= 0 && b >= 0 && fstat(a, &was) == 0 && fstat(b, &is) == 0 && was.st_ino == is.st_ino &&
	    find_page(a, b, (uint64_t)(was.st_size < is.st_size ? was.st_size : is.st_size), &offset, right,
		      wrong) &&
	    l->skip-- == 0)
		change(l, name, was.st_ino, offset, right, wrong);
	if (a >= 0)
		close(a);
	if (b >= 0)
		close(b);
}

static void look_into(struct look *l, const char *directory, unsigned int depth);

static void look_at(struct look *l, const char *directory, const struct dirent *e, unsigned int depth)
{
	char *name;

	if (e->d_name[0] == '.' || asprintf(&name, "%s%s%s", directory, *directory ? "/" : "", e->d_name) < 0)
		return;
	if (e->d_type == DT_DIR && depth < DEPTH_MAX)
		look_into(l, name, depth + 1);
	else if (e->d_type == DT_REG && l->files++ < LOOKED_AT_MAX)
		try_file(l, name);
	free(name);
}

static void look_into(struct look *l, const char *directory, unsigned int depth)
{
	const int fd = openat(l->snapshot, *directory ? directory : ".",
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!d && fd >= 0)
		close(fd);
	while (d && !l->done && !ended && (e = readdir(d)))
		look_at(l, directory, e, depth);
	if (d)
		closedir(d);
}

/* `name` is "w0001.7": the seventh snapshot of the subvolume `w0001` beside `snap`. */
static void look_at_snapshot(struct fs *fs, int top, const char *top_name, const char *name)
{
	struct look l = {.fs = fs};
	char original[256], *path, *dot;
	struct stat st;

	snprintf(original, sizeof(original), "%s", name);
	dot = strrchr(original, '.');
	if (!dot || asprintf(&path, "%s%ssnap/%s", top_name, *top_name ? "/" : "", name) < 0)
		return;
	*dot = '\0';
	l.path = path;
	l.original = openat(top, original, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	l.snapshot = openat(fs->backing_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l.original >= 0 && l.snapshot >= 0 && fstat(l.snapshot, &st) == 0 &&
	    st.st_ino == SUBVOLUME_INODE && fs_fires(fs)) {
		l.skip = chance_below(&fs->chance, 0, 8);
		look_into(&l, "", 0);
		if (!l.done)
			fs_spare(fs);
	}
	if (l.original >= 0)
		close(l.original);
	if (l.snapshot >= 0)
		close(l.snapshot);
	free(path);
}

/* Every snapshot in the directory `snap` of `top_name`, if it has one. */
static void look_at_top(struct fs *fs, const char *top_name)
{
	const int top =
		openat(fs->backing_fd, *top_name ? top_name : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int snap = top < 0 ? -1 : openat(top, "snap", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = snap < 0 ? NULL : fdopendir(snap);
	const struct dirent *e;

	while (d && !ended && (e = readdir(d)))
		if (e->d_name[0] != '.')
			look_at_snapshot(fs, top, top_name, e->d_name);
	if (d)
		closedir(d);
	if (top >= 0)
		close(top);
}

/* The backing directory and those in it: who tests a directory may make one of his own there. */
static void look_everywhere(struct fs *fs)
{
	const int fd = openat(fs->backing_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	look_at_top(fs, "");
	while (d && !ended && (e = readdir(d)))
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			look_at_top(fs, e->d_name);
	if (d)
		closedir(d);
}

static int change_snapshots(struct fs *fs)
{
	const struct sigaction action = {.sa_handler = end};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	fs->backing_fd = open(fs->backing, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fs->backing_fd < 0)
		return -errno;
	puts("ready");
	fflush(stdout);
	while (!ended) {
		look_everywhere(fs);
		tell_deleted(fs);
		usleep(PAUSE_US);
	}
	close(fs->backing_fd);
	while (fs->state) {
		struct changed *c = fs->state;

		fs->state = c->next;
		free(c);
	}
	return 0;
}

const struct mutant mutant_snapshot_changes = {
	.about = {.name = "snapshot-changes",
		  .summary = "a read-only snapshot changes with the file that it was taken of (beside a real "
			     "btrfs)",
		  .source = "Linux e9894fd3e3b3 (\"Btrfs: fix snapshot vs nocow writting\"); linux-btrfs, "
			    "November 2010: \"Oops while rebalancing, now unmountable\""},
	.beside = change_snapshots,
};
