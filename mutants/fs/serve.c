// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/fs/serve.h"

#include <string.h>

#include "mutants/fs/promise.h"

bool fs_fires(struct fs *fs)
{
	return chance_fires(&fs->chance);
}

void fs_spare(struct fs *fs)
{
	fs->chance.fired--;
}

struct fs *serve_begin(fuse_req_t req)
{
	struct fs *fs = fuse_req_userdata(req);

	fs->request++;
	promises_keep(fs);
	if (fs->mutant->tick)
		fs->mutant->tick(fs);
	return fs;
}

void serve_done(fuse_req_t req, int rc)
{
	fuse_reply_err(req, -rc);
}

/* Names and attributes are asked for each time (timeouts of 0): what is wrong with them shows at once. */
void serve_entry(fuse_req_t req, struct fs *fs, struct inode *parent, const char *name)
{
	struct fuse_entry_param entry;
	struct inode *inode;
	int error;

	memset(&entry, 0, sizeof(entry));
	inode = inode_lookup(fs, parent, name, &entry.attr, &error);
	if (!inode) {
		serve_done(req, error);
		return;
	}
	entry.attr.st_nlink += (nlink_t)inode->nlink_lie;
	entry.ino = inode_number(fs, inode);
	if (fuse_reply_entry(req, &entry))
		inode_forget(fs, inode, 1); /* the caller was interrupted and will never hear of it */
}

/* Capabilities that would make the kernel do what this daemon wants to see, or must do. */
static void init(void *self, struct fuse_conn_info *conn)
{
	(void)self;
	conn->want &= ~(unsigned int)(FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_ATOMIC_O_TRUNC |
				      FUSE_CAP_READDIRPLUS | FUSE_CAP_POSIX_LOCKS | FUSE_CAP_FLOCK_LOCKS |
				      FUSE_CAP_DONT_MASK | FUSE_CAP_AUTO_INVAL_DATA);
	conn->want |= conn->capable & (FUSE_CAP_ASYNC_DIO | FUSE_CAP_ASYNC_READ);
	conn->max_write = REQUEST_MAX;
	conn->time_gran = 1;
}

const struct fuse_lowlevel_ops serve_ops = {
	.init = init,
	.lookup = serve_lookup,
	.forget = serve_forget,
	.forget_multi = serve_forget_multi,
	.getattr = serve_getattr,
	.setattr = serve_setattr,
	.readlink = serve_readlink,
	.mknod = serve_mknod,
	.mkdir = serve_mkdir,
	.unlink = serve_unlink,
	.rmdir = serve_rmdir,
	.symlink = serve_symlink,
	.rename = serve_rename,
	.link = serve_link,
	.open = serve_open,
	.read = serve_read,
	.write = serve_write,
	.release = serve_release,
	.fsync = serve_fsync,
	.opendir = serve_opendir,
	.readdir = serve_readdir,
	.releasedir = serve_releasedir,
	.fsyncdir = serve_fsyncdir,
	.statfs = serve_statfs,
	.setxattr = serve_setxattr,
	.getxattr = serve_getxattr,
	.listxattr = serve_listxattr,
	.removexattr = serve_removexattr,
	.create = serve_create,
	.fallocate = serve_fallocate,
	.copy_file_range = serve_copy,
	.lseek = serve_lseek,
};
