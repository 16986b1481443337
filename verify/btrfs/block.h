/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One metadata block. Its rules are those of the kernel's fs/btrfs/tree-checker.c and fs/btrfs/disk-io.c
 * (btrfs_validate_extent_buffer(), Linux 6.12), and some that the kernel can't ask of a block that it may be
 * changing.
 */
#ifndef RECOW_BTRFS_BLOCK_H
#define RECOW_BTRFS_BLOCK_H

#include "verify/btrfs/event.h"

/* What is known of a block before it is read. */
struct promise {
	uint64_t bytenr;
	uint64_t tree;       /* which is walked */
	uint64_t generation; /* 0: unknown */
	uint64_t newest;     /* nothing in it is newer */
	uint32_t first_key;  /* key_digest() of it, where `below` */
	uint8_t level;
	bool below; /* a node points to it; otherwise it is the root of its tree */
};

/* A short digest of a key: equal keys have equal ones. */
uint32_t key_digest(const struct key *key);

/* Is this copy the block at all: checksum, address, filesystem? Faults say why not. */
bool block_is(const struct format *f, const struct promise *p, const unsigned char *block,
	      const struct sink *sink);

/* Everything else about a block that block_is(). False: nothing in it can be trusted, and no event was made.
 */
bool block_parse(const struct format *f, const struct promise *p, const unsigned char *block,
		 const struct sink *sink);

#endif
