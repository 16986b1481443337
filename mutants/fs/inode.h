/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inodes that the kernel knows, each by a file handle of the backing filesystem: descriptors are few (a
 * limit of 20,000 is met), inodes many. Those used last keep an O_PATH descriptor; an open file has another,
 * for reading and writing, whatever it was opened for: whoever damages it must read what was there.
 */
#ifndef MUTANTS_FS_INODE_H
#define MUTANTS_FS_INODE_H

#include <sys/stat.h>

#include "mutants/fs/fs.h"

struct file_handle;

struct inode {
	struct file_id id;
	uint64_t lookups;           /* that the kernel has not taken back */
	struct file_handle *handle; /* NULL: the filesystem has none, so `fd` stays */
	int fd;                     /* O_PATH; -1: not at the moment */
	unsigned int slot;          /* its place among the cached ones */
	uint64_t used;              /* request that used `fd` last: it is not closed under its hands */
	int data;                   /* O_RDWR while `opens` isn't 0 */
	unsigned int opens;
	int nlink_lie;                    /* what is added to the link count when it is asked for */
	uint64_t append_from, append_end; /* where the last append lies; 0, 0: none */
	struct inode *next;
};

/* Begin with the directory `path`. Returns 0 or -errno. */
int inodes_open(struct fs *fs, const char *path);
void inodes_close(struct fs *fs);

struct inode *inode_of(struct fs *fs, fuse_ino_t number);
fuse_ino_t inode_number(struct fs *fs, const struct inode *inode);

/* What `name` in `parent` leads to, with one lookup more; NULL: *error is -errno. `st` is filled. */
struct inode *inode_lookup(struct fs *fs, struct inode *parent, const char *name, struct stat *st,
			   int *error);
void inode_forget(struct fs *fs, struct inode *inode, uint64_t lookups);

/* The one of this id, if the kernel knows it. */
struct inode *inode_find(struct fs *fs, struct file_id id);

/* A descriptor for path-like uses (fstatat with AT_EMPTY_PATH, /proc/self/fd), good for this request; -errno.
 */
int inode_fd(struct fs *fs, struct inode *inode);

/* Write "/proc/self/fd/N" into buf (32 bytes); returns 0 or -errno. */
int inode_proc(struct fs *fs, struct inode *inode, char buf[32]);

/* Have inode->data open, once more; inode_release() for each. Returns 0 or -errno. */
int inode_open(struct fs *fs, struct inode *inode);
void inode_release(struct fs *fs, struct inode *inode);

int inode_stat(struct fs *fs, struct inode *inode, struct stat *st);

/* As recow writes paths: printable ASCII as it is, but for backslash and quote; \n, \t, \r; else \ooo. Freed
 * by the caller. */
char *path_escape(const char *in);

/* Where it lies below the backing directory, found by its number in a walk over all of it; escaped as recow's
 * findings are. "" for the top, NULL when it has no name (any more). Freed by the caller. */
char *inode_path(struct fs *fs, struct file_id id);

/* The path of `name` in `parent`, likewise. */
char *inode_path_of(struct fs *fs, struct inode *parent, const char *name);

#endif
