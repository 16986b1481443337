/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each request as it should be done. Here, too, what was wrong at that place is taken for gone (wound.h).
 */
#ifndef MUTANTS_FS_PLAIN_H
#define MUTANTS_FS_PLAIN_H

#include "mutants/fs/mutant.h"

/* A mapped store leaves the modification time as it is. The kernel writes it out when it likes, perhaps long
 * after the time was set to something else; and a store need not change the time at all. */
ssize_t plain_write(struct fs *fs, const struct write *w);
ssize_t plain_read(struct fs *fs, const struct read *r);
int plain_truncate(struct fs *fs, struct inode *inode, uint64_t size);
int plain_allocate(struct fs *fs, struct inode *inode, int mode, uint64_t offset, uint64_t length);
ssize_t plain_copy(struct fs *fs, const struct copy *c);
int plain_sync(struct fs *fs, struct inode *inode, bool data_only);

int plain_chmod(struct fs *fs, struct inode *inode, mode_t mode);
int plain_chown(struct fs *fs, struct inode *inode, uid_t owner, gid_t group);
int plain_utimes(struct fs *fs, struct inode *inode, const struct timespec times[2]);
int plain_setxattr(struct fs *fs, struct inode *inode, const char *name, const void *value, size_t size,
		   int flags);
int plain_removexattr(struct fs *fs, struct inode *inode, const char *name);

/* Makes the name; the file is opened by who wants it open. */
int plain_create(struct fs *fs, struct inode *parent, const char *name, int flags, mode_t mode);
int plain_mkdir(struct fs *fs, struct inode *parent, const char *name, mode_t mode);
int plain_mknod(struct fs *fs, struct inode *parent, const char *name, mode_t mode, dev_t device);
int plain_symlink(struct fs *fs, struct inode *parent, const char *name, const char *target);
int plain_link(struct fs *fs, struct inode *inode, struct inode *parent, const char *name);
int plain_unlink(struct fs *fs, struct inode *parent, const char *name);
int plain_rmdir(struct fs *fs, struct inode *parent, const char *name);
int plain_rename(struct fs *fs, const struct move *m);

/* Raw bytes of an open file, without a trace in its times and wounds. Behind its end zeroes are read, and
 * nothing is put. */
int bytes_get(struct inode *inode, void *data, size_t size, uint64_t offset);
int bytes_put(struct inode *inode, const void *data, size_t size, uint64_t offset);

/* Set the modification time back to what it was. */
int keep_mtime(int fd, const struct stat *before);

#endif
