/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the chunk tree of a btrfs in an image. On-disk format: struct btrfs_super_block, btrfs_header,
 * btrfs_item and btrfs_key_ptr of the kernel's btrfs_tree.h (older headers lack them: offsets are in
 * chunks.c).
 */
#ifndef MUTANTS_CHUNKS_H
#define MUTANTS_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUPER_OFFSET 65536u /* of the first superblock: BTRFS_SUPER_INFO_OFFSET */
#define SUPER_SIZE   4096u

struct super {
	uint64_t root, generation; /* of the chunk tree */
	uint64_t device;           /* id of the device that it lies on */
	uint32_t node_size;
	unsigned int level; /* of the chunk tree's root */
	uint32_t array_size;
	unsigned char array[2048]; /* key and item of each SYSTEM chunk */
};

/* False: there is no btrfs superblock in the image. */
bool super_read(struct super *s, int image);

/* Tell each stripe that a chunk has on the image's own device: [start, start + length) in the image, and the
 * chunk's flags (BTRFS_BLOCK_GROUP_...). Chunks of the superblock's array are told twice. False: not all of
 * the tree can be read, or it is damaged. */
bool chunks_walk(const struct super *s, int image,
		 void (*tell)(void *context, uint64_t start, uint64_t length, uint64_t flags), void *context);

#endif
