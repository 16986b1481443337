/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a new mutant must read: the requests that it may take over, and what is done faithfully (plain.h). A
 * mutant is a function or two for the requests in which its bug shows, and a `const struct mutant` that
 * table.c names. What it doesn't take over is done faithfully. Functions answer like system calls, but with
 * -errno.
 */
#ifndef MUTANTS_FS_MUTANT_H
#define MUTANTS_FS_MUTANT_H

#include <sys/stat.h>

#include "mutants/common/settings.h"
#include "mutants/fs/inode.h"

/* A write as the kernel sends it: a part of write(2), cut at pages; or a page of the cache that a mapped
 * store made dirty. */
struct write {
	struct inode *inode;
	const unsigned char *data;
	size_t size;
	uint64_t offset;
	bool direct, mapped, append; /* the file was opened with O_DIRECT, O_APPEND */
};

struct read {
	struct inode *inode;
	unsigned char *data;
	size_t size;
	uint64_t offset;
	bool direct;
};

struct copy {
	struct inode *from, *to;
	uint64_t offset_from, offset_to;
	size_t length;
};

struct move {
	struct inode *parent;
	const char *name;
	struct inode *parent2;
	const char *name2;
	unsigned int flags;
};

enum listed { LISTED_ONCE, LISTED_TWICE, LISTED_NEVER };

struct mutant {
	struct about about;
	/* The page cache outlives the last close: what is wrong on disk is not seen through it. Else each
	 * open reads anew. */
	bool keep_cache;
	bool cellar; /* wants a directory that nobody sees (cellar.c) */
	/* Serves nothing, but acts beside a filesystem until it is told to end. */
	int (*beside)(struct fs *fs);
	void (*tick)(struct fs *fs); /* before each request */
	ssize_t (*write)(struct fs *fs, const struct write *w);
	ssize_t (*read)(struct fs *fs, const struct read *r);
	int (*truncate)(struct fs *fs, struct inode *inode, uint64_t size);
	int (*allocate)(struct fs *fs, struct inode *inode, int mode, uint64_t offset, uint64_t length);
	ssize_t (*copy)(struct fs *fs, const struct copy *c);
	int (*sync)(struct fs *fs, struct inode *inode, bool data_only);
	int (*chmod)(struct fs *fs, struct inode *inode, mode_t mode);
	int (*chown)(struct fs *fs, struct inode *inode, uid_t owner, gid_t group);
	int (*utimes)(struct fs *fs, struct inode *inode, const struct timespec times[2]);
	int (*setxattr)(struct fs *fs, struct inode *inode, const char *name, const void *value, size_t size,
			int flags);
	int (*removexattr)(struct fs *fs, struct inode *inode, const char *name);
	/* The file has its name and is open. */
	void (*created)(struct fs *fs, struct inode *parent, const char *name);
	int (*symlink)(struct fs *fs, struct inode *parent, const char *name, const char *target);
	int (*link)(struct fs *fs, struct inode *inode, struct inode *parent, const char *name);
	int (*unlink)(struct fs *fs, struct inode *parent, const char *name);
	int (*rename)(struct fs *fs, const struct move *m);
	/* 0, or the error that is answered instead of looking. */
	int (*lookup)(struct fs *fs, struct inode *parent, const char *name);
	enum listed (*list)(struct fs *fs, struct inode *directory, const char *name, unsigned char *type);
};

/* All of them, by name in the order of --list. */
extern const struct mutant *const fs_mutants[];
extern const size_t fs_mutant_count;

#endif
