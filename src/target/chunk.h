/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Btrfs addresses: from the filesystem's own address space to devices, through one chunk item. Pure. The item
 * is `struct btrfs_chunk` with its stripes, little-endian (linux/btrfs_tree.h); the arithmetic is that of
 * btrfs_map_block() in the kernel's fs/btrfs/volumes.c.
 */
#ifndef RECOW_CHUNK_H
#define RECOW_CHUNK_H

#include "src/target/target.h"

/* Does the chunk item that starts at `start` (its key's offset) hold `logical`? */
bool chunk_holds(const void *item, size_t length, uint64_t start, uint64_t logical);

/* Fill out->mirror and out->mirrors: every copy of the byte at `logical`. RAID5/6 have one copy of the data;
 * what parity could rebuild is not a mirror. -1: the item is damaged or its profile is unknown. */
int chunk_map(const void *item, size_t length, uint64_t start, uint64_t logical, struct target_address *out,
	      struct error *e);

/* How far the copies of what begins at `logical` lie in one piece on their devices: to the end of a stripe,
 * or of the chunk. 0: chunk_map() fails. */
uint64_t chunk_run(const void *item, size_t length, uint64_t start, uint64_t logical);

/* Bytes that the chunk takes of each of its devices. 0: the item is damaged or its profile is unknown. */
uint64_t chunk_device_bytes(const void *item, size_t length);

#endif
