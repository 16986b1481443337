// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "mutants/fs/serve.h"

void serve_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	struct fs *fs = serve_begin(req);
	struct inode *dir = inode_of(fs, parent), *inode;
	struct fuse_entry_param entry;
	int rc;

	memset(&entry, 0, sizeof(entry));
	rc = plain_create(fs, dir, name, fi->flags, mode);
	if (rc) {
		serve_done(req, rc);
		return;
	}
	inode = inode_lookup(fs, dir, name, &entry.attr, &rc);
	if (!inode) {
		serve_done(req, rc);
		return;
	}
	rc = inode_open(fs, inode);
	if (rc) {
		inode_forget(fs, inode, 1);
		serve_done(req, rc);
		return;
	}
	if (fs->mutant->created)
		fs->mutant->created(fs, dir, name);
	entry.ino = inode_number(fs, inode);
	fi->keep_cache = fs->mutant->keep_cache;
	if (fuse_reply_create(req, &entry, fi)) {
		inode_release(fs, inode);
		inode_forget(fs, inode, 1);
	}
}

void serve_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = serve_begin(req);
	struct inode *inode = inode_of(fs, ino);
	const int rc = inode_open(fs, inode);

	if (rc) {
		serve_done(req, rc);
		return;
	}
	fi->keep_cache = fs->mutant->keep_cache;
	if (fuse_reply_open(req, fi))
		inode_release(fs, inode);
}

void serve_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = serve_begin(req);

	inode_release(fs, inode_of(fs, ino));
	serve_done(req, 0);
}

void serve_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	struct fs *fs = serve_begin(req);
	const struct read r = {
		.inode = inode_of(fs, ino),
		.data = fs->buffer,
		.size = size < REQUEST_MAX ? size : REQUEST_MAX,
		.offset = (uint64_t)offset,
		.direct = fi->flags & O_DIRECT,
	};
	const ssize_t n = (fs->mutant->read ? fs->mutant->read : plain_read)(fs, &r);

	if (n < 0)
		serve_done(req, (int)n);
	else
		fuse_reply_buf(req, (char *)fs->buffer, (size_t)n);
}

void serve_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
		 struct fuse_file_info *fi)
{
	struct fs *fs = serve_begin(req);
	const struct write w = {
		.inode = inode_of(fs, ino),
		.data = (const unsigned char *)data,
		.size = size,
		.offset = (uint64_t)offset,
		/* A page of the cache goes out by any open descriptor: its flags say nothing. */
		.direct = !fi->writepage && fi->flags & O_DIRECT,
		.append = !fi->writepage && fi->flags & O_APPEND,
		.mapped = fi->writepage,
	};
	const ssize_t n = (fs->mutant->write ? fs->mutant->write : plain_write)(fs, &w);

	if (n < 0)
		serve_done(req, (int)n);
	else
		fuse_reply_write(req, (size_t)n);
}

void serve_fsync(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *fi)
{
	struct fs *fs = serve_begin(req);

	serve_done(req, (fs->mutant->sync ? fs->mutant->sync : plain_sync)(fs, inode_of(fs, ino), data_only));
}

void serve_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
		     struct fuse_file_info *fi)
{
	struct fs *fs = serve_begin(req);

	serve_done(req, (fs->mutant->allocate ? fs->mutant->allocate : plain_allocate)(
				fs, inode_of(fs, ino), mode, (uint64_t)offset, (uint64_t)length));
}

void serve_copy(fuse_req_t req, fuse_ino_t from, off_t offset, struct fuse_file_info *fi, fuse_ino_t to,
		off_t offset_to, struct fuse_file_info *fi_to, size_t length, int flags)
{
	struct fs *fs = serve_begin(req);
	const struct copy c = {inode_of(fs, from), inode_of(fs, to), (uint64_t)offset, (uint64_t)offset_to,
			       length};
	const ssize_t n = (fs->mutant->copy ? fs->mutant->copy : plain_copy)(fs, &c);

	if (n < 0)
		serve_done(req, (int)n);
	else
		fuse_reply_write(req, (size_t)n);
}

void serve_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, struct fuse_file_info *fi)
{
	struct fs *fs = serve_begin(req);
	const off_t at = lseek(inode_of(fs, ino)->data, offset, whence);

	if (at < 0)
		serve_done(req, -errno);
	else
		fuse_reply_lseek(req, at);
}
