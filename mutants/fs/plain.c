// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/fs/plain.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "mutants/fs/promise.h"
#include "mutants/fs/wound.h"

/* ---- data */

int keep_mtime(int fd, const struct stat *before)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, before->st_mtim};

	return futimens(fd, times) ? -errno : 0;
}

int bytes_get(struct inode *inode, void *data, size_t size, uint64_t offset)
{
	unsigned char *at = data;

	while (size) {
		const ssize_t n = pread(inode->data, at, size, (off_t)offset);

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		at += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	memset(at, 0, size);
	return 0;
}

int bytes_put(struct inode *inode, const void *data, size_t size, uint64_t offset)
{
	struct stat before;
	ssize_t n;

	if (fstat(inode->data, &before))
		return -errno;
	if (offset >= (uint64_t)before.st_size)
		return 0;
	if (size > (uint64_t)before.st_size - offset)
		size = (size_t)((uint64_t)before.st_size - offset);
	n = pwrite(inode->data, data, size, (off_t)offset);
	if (n < 0 || (size_t)n < size)
		return n < 0 ? -errno : -EIO;
	return keep_mtime(inode->data, &before);
}

/* The range is now as it should be. */
static void renewed(struct fs *fs, struct inode *inode, uint64_t offset, uint64_t length)
{
	promises_touched(fs, inode->id, offset, length);
	wounds_written(fs, inode->id, offset, NULL, length, false);
}

/* So is its time. */
static void renewed_now(struct fs *fs, struct inode *inode, uint64_t offset, uint64_t length)
{
	renewed(fs, inode, offset, length);
	wounds_set(fs, inode->id, "mtime");
}

/* What was written ends at `end`: does the file? */
static void maybe_sized(struct fs *fs, struct inode *inode, uint64_t end)
{
	struct stat st;

	if (fs->wounds && fstat(inode->data, &st) == 0 && (uint64_t)st.st_size == end)
		wounds_sized(fs, inode->id, end);
}

ssize_t plain_write(struct fs *fs, const struct write *w)
{
	struct stat before;
	ssize_t n;

	if (w->mapped && fstat(w->inode->data, &before))
		return -errno;
	n = pwrite(w->inode->data, w->data, w->size, (off_t)w->offset);
	if (n < 0)
		return -errno;
	if (!w->mapped) {
		renewed_now(fs, w->inode, w->offset, (uint64_t)n);
		maybe_sized(fs, w->inode, w->offset + (uint64_t)n);
		return n;
	}
	promises_touched(fs, w->inode->id, w->offset, (uint64_t)n);
	wounds_written(fs, w->inode->id, w->offset, w->data, (size_t)n, true);
	return keep_mtime(w->inode->data, &before) ? -EIO : n;
}

ssize_t plain_read(struct fs *fs, const struct read *r)
{
	const ssize_t n = pread(r->inode->data, r->data, r->size, (off_t)r->offset);

	if (n > 0 && !r->direct)
		wounds_show(fs, r->inode->id, r->data, r->offset, (size_t)n);
	return n < 0 ? -errno : n;
}

int plain_truncate(struct fs *fs, struct inode *inode, uint64_t size)
{
	int rc = inode_open(fs, inode);

	if (rc)
		return rc;
	rc = ftruncate(inode->data, (off_t)size) ? -errno : 0;
	inode_release(fs, inode);
	if (rc)
		return rc;
	promises_touched(fs, inode->id, size, UINT64_MAX - size);
	wounds_cut(fs, inode->id, size);
	wounds_set(fs, inode->id, "mtime");
	wounds_set(fs, inode->id, "size");
	return 0;
}

int plain_allocate(struct fs *fs, struct inode *inode, int mode, uint64_t offset, uint64_t length)
{
	struct stat before, after;

	if (fstat(inode->data, &before) || fallocate(inode->data, mode, (off_t)offset, (off_t)length) ||
	    fstat(inode->data, &after))
		return -errno;
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		renewed(fs, inode, offset, length);
	if (after.st_size > before.st_size)
		wounds_sized(fs, inode->id, (uint64_t)after.st_size);
	/* Allocating need not set the time. */
	if (memcmp(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim)) == 0)
		return 0;
	wounds_set(fs, inode->id, "mtime");
	return 0;
}

ssize_t plain_copy(struct fs *fs, const struct copy *c)
{
	off_t from = (off_t)c->offset_from, to = (off_t)c->offset_to;
	const ssize_t n = copy_file_range(c->from->data, &from, c->to->data, &to, c->length, 0);

	if (n < 0)
		return -errno;
	renewed_now(fs, c->to, c->offset_to, (uint64_t)n);
	maybe_sized(fs, c->to, c->offset_to + (uint64_t)n);
	wounds_copied(fs, c->from->id, c->offset_from, c->to->id, c->offset_to, (size_t)n);
	return n;
}

int plain_sync(struct fs *fs, struct inode *inode, bool data_only)
{
	return (data_only ? fdatasync(inode->data) : fsync(inode->data)) ? -errno : 0;
}

/* ---- attributes */

int plain_chmod(struct fs *fs, struct inode *inode, mode_t mode)
{
	char proc[32];
	const int rc = inode_proc(fs, inode, proc);

	if (rc || chmod(proc, mode))
		return rc ? rc : -errno;
	wounds_set(fs, inode->id, "mode");
	return 0;
}

int plain_chown(struct fs *fs, struct inode *inode, uid_t owner, gid_t group)
{
	const int fd = inode_fd(fs, inode);

	if (fd < 0 || fchownat(fd, "", owner, group, AT_EMPTY_PATH))
		return fd < 0 ? fd : -errno;
	wounds_set(fs, inode->id, "owner");
	return 0;
}

int plain_utimes(struct fs *fs, struct inode *inode, const struct timespec times[2])
{
	const int fd = inode_fd(fs, inode);

	if (fd < 0 || utimensat(fd, "", times, AT_EMPTY_PATH))
		return fd < 0 ? fd : -errno;
	wounds_set(fs, inode->id, "mtime");
	return 0;
}

static void xattr_set(struct fs *fs, struct inode *inode, const char *name)
{
	char wound[300];

	snprintf(wound, sizeof(wound), "xattr %s", name);
	wounds_set(fs, inode->id, wound);
}

int plain_setxattr(struct fs *fs, struct inode *inode, const char *name, const void *value, size_t size,
		   int flags)
{
	char proc[32];
	const int rc = inode_proc(fs, inode, proc);

	if (rc || setxattr(proc, name, value, size, flags))
		return rc ? rc : -errno;
	xattr_set(fs, inode, name);
	return 0;
}

int plain_removexattr(struct fs *fs, struct inode *inode, const char *name)
{
	char proc[32];
	const int rc = inode_proc(fs, inode, proc);

	if (rc || removexattr(proc, name))
		return rc ? rc : -errno;
	xattr_set(fs, inode, name);
	return 0;
}

/* ---- names */

/* The directory's time changes with it. */
static void name_set(struct fs *fs, struct inode *parent, const char *name)
{
	char wound[300];

	wounds_set(fs, parent->id, "mtime");
	snprintf(wound, sizeof(wound), "name %s", name);
	wounds_set(fs, parent->id, wound);
}

int plain_create(struct fs *fs, struct inode *parent, const char *name, int flags, mode_t mode)
{
	const int dir = inode_fd(fs, parent);
	int fd;

	fd = dir < 0 ? dir
		     : openat(dir, name, O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC | (flags & O_EXCL), mode);
	if (fd < 0)
		return dir < 0 ? dir : -errno;
	close(fd);
	name_set(fs, parent, name);
	return 0;
}

int plain_mkdir(struct fs *fs, struct inode *parent, const char *name, mode_t mode)
{
	const int dir = inode_fd(fs, parent);

	if (dir < 0 || mkdirat(dir, name, mode))
		return dir < 0 ? dir : -errno;
	name_set(fs, parent, name);
	return 0;
}

int plain_mknod(struct fs *fs, struct inode *parent, const char *name, mode_t mode, dev_t device)
{
	const int dir = inode_fd(fs, parent);

	if (dir < 0 || mknodat(dir, name, mode, device))
		return dir < 0 ? dir : -errno;
	name_set(fs, parent, name);
	return 0;
}

int plain_symlink(struct fs *fs, struct inode *parent, const char *name, const char *target)
{
	const int dir = inode_fd(fs, parent);

	if (dir < 0 || symlinkat(target, dir, name))
		return dir < 0 ? dir : -errno;
	name_set(fs, parent, name);
	return 0;
}

int plain_link(struct fs *fs, struct inode *inode, struct inode *parent, const char *name)
{
	const int fd = inode_fd(fs, inode), dir = inode_fd(fs, parent);

	if (fd < 0 || dir < 0 || linkat(fd, "", dir, name, AT_EMPTY_PATH))
		return fd < 0 ? fd : dir < 0 ? dir : -errno;
	name_set(fs, parent, name);
	return 0;
}

/* A name of this file or directory was taken away: with the last one all that was wrong with it is gone,
 * unless it is open. */
static void name_gone(struct fs *fs, const struct stat *st)
{
	const struct file_id id = {st->st_dev, st->st_ino};
	const struct inode *inode;

	if (!fs->wounds || !st->st_nlink || (!S_ISDIR(st->st_mode) && st->st_nlink > 1))
		return;
	inode = inode_find(fs, id);
	if (!inode || !inode->opens)
		wounds_lost(fs, id, "the file is no more");
}

static int remove_name(struct fs *fs, struct inode *parent, const char *name, int flags)
{
	const int dir = inode_fd(fs, parent);
	struct stat st = {0};

	if (dir < 0)
		return dir;
	(void)!fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW);
	if (unlinkat(dir, name, flags))
		return -errno;
	name_gone(fs, &st);
	name_set(fs, parent, name);
	return 0;
}

int plain_unlink(struct fs *fs, struct inode *parent, const char *name)
{
	return remove_name(fs, parent, name, 0);
}

int plain_rmdir(struct fs *fs, struct inode *parent, const char *name)
{
	return remove_name(fs, parent, name, AT_REMOVEDIR);
}

int plain_rename(struct fs *fs, const struct move *m)
{
	const int dir = inode_fd(fs, m->parent), dir2 = inode_fd(fs, m->parent2);
	struct stat there = {0};

	if (dir < 0 || dir2 < 0)
		return dir < 0 ? dir : dir2;
	(void)!fstatat(dir2, m->name2, &there, AT_SYMLINK_NOFOLLOW);
	if (renameat2(dir, m->name, dir2, m->name2, m->flags))
		return -errno;
	if (!(m->flags & RENAME_EXCHANGE))
		name_gone(fs, &there);
	name_set(fs, m->parent, m->name);
	name_set(fs, m->parent2, m->name2);
	return 0;
}
