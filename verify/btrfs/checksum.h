/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checksums and hashes that btrfs puts on the disk (fs/btrfs/fs.c: btrfs_csums, fs/btrfs/dir-item.c,
 * inode-item.c, extent-tree.c: hash_extent_data_ref()). */
#ifndef RECOW_BTRFS_CHECKSUM_H
#define RECOW_BTRFS_CHECKSUM_H

#include "verify/btrfs/format.h"

enum csum_type { CSUM_CRC32C, CSUM_XXHASH64, CSUM_SHA256, CSUM_BLAKE2B };

/* Bytes of one checksum; 0: the type is unknown. */
uint32_t csum_size(uint16_t type);

/* "crc32c"; NULL: unknown. */
const char *csum_name(uint16_t type);

/* The checksum of `len` bytes into out, csum_size(type) bytes, as it lies on the disk. The type is known. */
void csum_make(uint16_t type, const void *bytes, size_t len, unsigned char out[BTRFS_CSUM]);

/* Of a block or superblock: of all that lies behind the room for the checksum at its start. */
bool csum_holds(uint16_t type, const unsigned char *block, size_t len);

/* The offset of the key of a directory item or an xattr. */
uint32_t hash_name(const void *name, size_t len);

/* The offset of the key of an extended inode reference. */
uint32_t hash_extref(uint64_t parent, const void *name, size_t len);

/* The offset of the key of an EXTENT_DATA_REF. */
uint64_t hash_data_ref(uint64_t root, uint64_t inode, uint64_t offset);

#endif
