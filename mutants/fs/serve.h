/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests of the kernel, taken apart and answered (fuse_lowlevel.h has what each means). */
#ifndef MUTANTS_FS_SERVE_H
#define MUTANTS_FS_SERVE_H

#include "mutants/fs/plain.h"

/* All handlers, put together from the parts. */
extern const struct fuse_lowlevel_ops serve_ops;

/* A new request: what is due before it is done now. */
struct fs *serve_begin(fuse_req_t req);
/* Answer with 0 or an error (-errno). */
void serve_done(fuse_req_t req, int rc);
/* Answer with what `name` leads to. */
void serve_entry(fuse_req_t req, struct fs *fs, struct inode *parent, const char *name);

/* serve_data.c */
void serve_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		  struct fuse_file_info *fi);
void serve_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void serve_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void serve_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi);
void serve_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
		 struct fuse_file_info *fi);
void serve_fsync(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *fi);
void serve_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
		     struct fuse_file_info *fi);
void serve_copy(fuse_req_t req, fuse_ino_t from, off_t offset, struct fuse_file_info *fi, fuse_ino_t to,
		off_t offset_to, struct fuse_file_info *fi_to, size_t length, int flags);
void serve_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, struct fuse_file_info *fi);

/* serve_names.c */
void serve_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void serve_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups);
void serve_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets);
void serve_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device);
void serve_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void serve_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void serve_readlink(fuse_req_t req, fuse_ino_t ino);
void serve_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name);
void serve_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void serve_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void serve_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t parent2, const char *name2,
		  unsigned int flags);

/* serve_list.c */
void serve_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void serve_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi);
void serve_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void serve_fsyncdir(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *fi);

/* serve_attributes.c */
void serve_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void serve_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int what, struct fuse_file_info *fi);
void serve_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
		    int flags);
void serve_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void serve_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
void serve_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);
void serve_statfs(fuse_req_t req, fuse_ino_t ino);

#endif
