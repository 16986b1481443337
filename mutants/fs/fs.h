/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory served through FUSE: what the parts of the daemon share. One thread serves one request after
 * the other, so there are no locks, and what a handler does is one step to every observer.
 */
#ifndef MUTANTS_FS_FS_H
#define MUTANTS_FS_FS_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mutants/common/chance.h"
#include "mutants/common/truth.h"

#define PAGE        4096U
#define REQUEST_MAX (1024U * 1024U) /* bytes that one read or write moves */

struct inode;
struct memory;
struct mutant;
struct wound;
struct promise;

/* Which file, for as long as it exists: the kernel may forget an inode and look it up again. */
struct file_id {
	dev_t device;
	ino_t number;
};

struct fs {
	const struct mutant *mutant;
	struct chance chance;
	struct truth truth;
	struct fuse_session *session;
	const char *backing;    /* the directory that is served */
	struct inode *root;     /* its inode */
	struct inode **buckets; /* all that the kernel knows (inode.c) */
	struct inode **cached;  /* those whose descriptor is kept */
	unsigned int cached_max, hand;
	int backing_fd;
	int cellar;               /* directory that nobody sees (cellar.c); -1: none */
	uint64_t request;         /* number of the present one */
	unsigned char *buffer;    /* REQUEST_MAX bytes, for what is read */
	struct wound *wounds;     /* what the mutant did and can still be seen (wound.c) */
	struct promise *promises; /* what it will do (promise.c) */
	struct memory *memory;    /* contents that were there or were written (memory.c) */
	void *state;              /* the mutant's own; freed in the end */
};

/* Does the bug show now? A firing that finds nothing to do is taken back by fs_spare(). */
bool fs_fires(struct fs *fs);
void fs_spare(struct fs *fs);

#endif
