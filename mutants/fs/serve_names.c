// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "mutants/fs/cellar.h"
#include "mutants/fs/serve.h"

void serve_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs *fs = serve_begin(req);
	struct inode *dir = inode_of(fs, parent);
	int rc = cellar_hides(fs, dir, name) ? -ENOENT : 0;

	if (!rc && fs->mutant->lookup)
		rc = fs->mutant->lookup(fs, dir, name);
	if (rc)
		serve_done(req, rc);
	else
		serve_entry(req, fs, dir, name);
}

void serve_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	struct fs *fs = fuse_req_userdata(req);

	inode_forget(fs, inode_of(fs, ino), lookups);
	fuse_reply_none(req);
}

void serve_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	struct fs *fs = fuse_req_userdata(req);

	for (size_t i = 0; i < count; i++)
		inode_forget(fs, inode_of(fs, forgets[i].ino), forgets[i].nlookup);
	fuse_reply_none(req);
}

/* Answer with the new name, or why there is none. */
static void made(fuse_req_t req, struct fs *fs, struct inode *parent, const char *name, int rc)
{
	if (rc)
		serve_done(req, rc);
	else
		serve_entry(req, fs, parent, name);
}

void serve_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device)
{
	struct fs *fs = serve_begin(req);
	struct inode *dir = inode_of(fs, parent);

	made(req, fs, dir, name, plain_mknod(fs, dir, name, mode, device));
}

void serve_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct fs *fs = serve_begin(req);
	struct inode *dir = inode_of(fs, parent);

	made(req, fs, dir, name, plain_mkdir(fs, dir, name, mode));
}

void serve_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	struct fs *fs = serve_begin(req);
	struct inode *dir = inode_of(fs, parent);

	made(req, fs, dir, name,
	     (fs->mutant->symlink ? fs->mutant->symlink : plain_symlink)(fs, dir, name, target));
}

void serve_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct fs *fs = serve_begin(req);
	const int fd = inode_fd(fs, inode_of(fs, ino));
	char target[PATH_MAX + 1];
	const ssize_t n = fd < 0 ? -1 : readlinkat(fd, "", target, PATH_MAX);

	if (n < 0) {
		serve_done(req, fd < 0 ? fd : -errno);
		return;
	}
	target[n] = '\0';
	fuse_reply_readlink(req, target);
}

void serve_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	struct fs *fs = serve_begin(req);
	struct inode *dir = inode_of(fs, parent);

	made(req, fs, dir, name,
	     (fs->mutant->link ? fs->mutant->link : plain_link)(fs, inode_of(fs, ino), dir, name));
}

void serve_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs *fs = serve_begin(req);

	serve_done(req,
		   (fs->mutant->unlink ? fs->mutant->unlink : plain_unlink)(fs, inode_of(fs, parent), name));
}

void serve_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs *fs = serve_begin(req);

	serve_done(req, plain_rmdir(fs, inode_of(fs, parent), name));
}

void serve_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t parent2, const char *name2,
		  unsigned int flags)
{
	struct fs *fs = serve_begin(req);
	const struct move m = {inode_of(fs, parent), name, inode_of(fs, parent2), name2, flags};

	serve_done(req, (fs->mutant->rename ? fs->mutant->rename : plain_rename)(fs, &m));
}
