/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Superblocks: three mirrors on each device, as far as it reaches (fs/btrfs/disk-io.c:
 * btrfs_validate_super()). */
#ifndef RECOW_BTRFS_SUPER_H
#define RECOW_BTRFS_SUPER_H

#include "verify/btrfs/event.h"

#define SUPER_MIRRORS 3U

struct super {
	struct format format;
	uint64_t root, chunk_root, log_root;
	uint8_t root_level, chunk_level, log_level;
	uint64_t chunk_generation, total_bytes, bytes_used, devices;
	uint64_t cache_generation; /* of the old space cache */
	uint64_t devid, device_bytes;
	unsigned char fsid[BTRFS_UUID]; /* what devices carry */
	const unsigned char *bytes;     /* the superblock itself, of the caller */
};

/* Where mirror i lies on a device. */
uint64_t super_place(unsigned int i);

/* Does it look like one at all? */
bool super_is(const unsigned char *bytes);

/* Read SUPER_SIZE bytes from `place`. False when nothing can be done with it; why was told to the sink. */
bool super_parse(const unsigned char *bytes, uint64_t place, struct super *out, const struct sink *sink);

/* The names of features that are not understood, so that what they changed can't be judged. False: there are
 * none. `ro`: those that a reader may ignore. */
bool super_unknown(const struct super *s, bool ro, char *buf, size_t len);

/* An EVENT_CHUNK for each entry of the array of system chunks. */
void super_chunks(const struct super *s, const struct sink *sink);

#endif
