// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "mutants/fs/serve.h"

static void answer_stat(fuse_req_t req, struct fs *fs, struct inode *inode)
{
	struct stat st;
	const int rc = inode_stat(fs, inode, &st);

	if (rc) {
		serve_done(req, rc);
		return;
	}
	st.st_nlink += (nlink_t)inode->nlink_lie;
	fuse_reply_attr(req, &st, 0);
}

void serve_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = serve_begin(req);

	answer_stat(req, fs, inode_of(fs, ino));
}

static int set_owner(struct fs *fs, struct inode *inode, const struct stat *st, int what)
{
	const uid_t owner = what & FUSE_SET_ATTR_UID ? st->st_uid : (uid_t)-1;
	const gid_t group = what & FUSE_SET_ATTR_GID ? st->st_gid : (gid_t)-1;

	return (fs->mutant->chown ? fs->mutant->chown : plain_chown)(fs, inode, owner, group);
}

static struct timespec time_of(int what, int set, int now, struct timespec value)
{
	if (what & now)
		return (struct timespec){.tv_nsec = UTIME_NOW};
	return what & set ? value : (struct timespec){.tv_nsec = UTIME_OMIT};
}

static int set_times(struct fs *fs, struct inode *inode, const struct stat *st, int what)
{
	const struct timespec times[2] = {
		time_of(what, FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW, st->st_atim),
		time_of(what, FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW, st->st_mtim),
	};

	return (fs->mutant->utimes ? fs->mutant->utimes : plain_utimes)(fs, inode, times);
}

#define ANY_TIME                                                                                             \
	(FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW)

static int set(struct fs *fs, struct inode *inode, const struct stat *st, int what)
{
	int rc = 0;

	if (what & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
		rc = set_owner(fs, inode, st, what);
	if (!rc && what & FUSE_SET_ATTR_MODE)
		rc = (fs->mutant->chmod ? fs->mutant->chmod : plain_chmod)(fs, inode, st->st_mode & 07777);
	if (!rc && what & FUSE_SET_ATTR_SIZE)
		rc = (fs->mutant->truncate ? fs->mutant->truncate : plain_truncate)(fs, inode,
										    (uint64_t)st->st_size);
	if (!rc && what & ANY_TIME)
		rc = set_times(fs, inode, st, what);
	return rc;
}

void serve_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int what, struct fuse_file_info *fi)
{
	struct fs *fs = serve_begin(req);
	const int rc = set(fs, inode_of(fs, ino), st, what);

	if (rc)
		serve_done(req, rc);
	else
		answer_stat(req, fs, inode_of(fs, ino));
}

/* ---- extended attributes */

void serve_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
		    int flags)
{
	struct fs *fs = serve_begin(req);

	serve_done(req, (fs->mutant->setxattr ? fs->mutant->setxattr : plain_setxattr)(
				fs, inode_of(fs, ino), name, value, size, flags));
}

void serve_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct fs *fs = serve_begin(req);

	serve_done(req, (fs->mutant->removexattr ? fs->mutant->removexattr
						 : plain_removexattr)(fs, inode_of(fs, ino), name));
}

/* A value or list of `n` bytes; a caller without room asks how long it is. */
static void answer_xattr(fuse_req_t req, const struct fs *fs, size_t size, ssize_t n)
{
	if (n < 0)
		serve_done(req, -errno);
	else if (size == 0)
		fuse_reply_xattr(req, (size_t)n);
	else
		fuse_reply_buf(req, (char *)fs->buffer, (size_t)n);
}

void serve_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct fs *fs = serve_begin(req);
	char proc[32];
	const int rc = inode_proc(fs, inode_of(fs, ino), proc);

	if (rc)
		serve_done(req, rc);
	else
		answer_xattr(req, fs, size,
			     getxattr(proc, name, fs->buffer, size < REQUEST_MAX ? size : REQUEST_MAX));
}

void serve_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct fs *fs = serve_begin(req);
	char proc[32];
	const int rc = inode_proc(fs, inode_of(fs, ino), proc);

	if (rc)
		serve_done(req, rc);
	else
		answer_xattr(req, fs, size,
			     listxattr(proc, (char *)fs->buffer, size < REQUEST_MAX ? size : REQUEST_MAX));
}

void serve_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct fs *fs = serve_begin(req);
	struct statvfs st;

	if (fstatvfs(fs->backing_fd, &st))
		serve_done(req, -errno);
	else
		fuse_reply_statfs(req, &st);
}
