/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The on-disk format of btrfs: where fields lie, what numbers mean, and how to read them. All is
 * little-endian and unaligned. Source: the kernel's include/uapi/linux/btrfs_tree.h (Linux 6.12), whose
 * structures are here as offsets, so that nothing depends on how old the installed headers are.
 */
#ifndef RECOW_BTRFS_FORMAT_H
#define RECOW_BTRFS_FORMAT_H

#include <endian.h>
#include <string.h>

#include "src/base/base.h"

#define BTRFS_UUID     16U
#define BTRFS_CSUM     32U /* room for a checksum at the start of each block */
#define BTRFS_LEVELS   8U
#define BTRFS_NODE_MIN 4096U
#define BTRFS_NODE_MAX (64 * 1024U)
#define BTRFS_NAME_MAX 255U
#define BTRFS_STRIPE   (64 * KiB)

static inline uint16_t le16_at(const unsigned char *p)
{
	uint16_t n;

	memcpy(&n, p, sizeof(n));
	return le16toh(n);
}

static inline uint32_t le32_at(const unsigned char *p)
{
	uint32_t n;

	memcpy(&n, p, sizeof(n));
	return le32toh(n);
}

static inline uint64_t le64_at(const unsigned char *p)
{
	uint64_t n;

	memcpy(&n, p, sizeof(n));
	return le64toh(n);
}

/* struct btrfs_disk_key, in the machine's byte order. */
#define KEY_SIZE 17U

struct key {
	uint64_t objectid;
	uint8_t type;
	uint64_t offset;
};

static inline struct key key_at(const unsigned char *p)
{
	return (struct key){le64_at(p), p[8], le64_at(p + 9)};
}

static inline int key_compare(const struct key *a, const struct key *b)
{
	if (a->objectid != b->objectid)
		return a->objectid < b->objectid ? -1 : 1;
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return 0;
}

/* struct btrfs_header */
enum {
	HEADER_FSID = 32,
	HEADER_BYTENR = 48,
	HEADER_FLAGS = 56, /* the highest byte is the revision of back references */
	HEADER_CHUNK_UUID = 64,
	HEADER_GENERATION = 80,
	HEADER_OWNER = 88,
	HEADER_COUNT = 96,
	HEADER_LEVEL = 100,
	HEADER_SIZE = 101,
};

#define HEADER_WRITTEN  (1ULL << 0)
#define HEADER_RELOC    (1ULL << 1)
#define HEADER_REVISION 56U /* shift; 1: mixed back references, the only one since 2009 */

/* mkfs.btrfs writes its very first blocks without the mark. They are harmless: a later transaction copies
 * them for their generation's sake. */
#define GENERATION_OF_MKFS 1U

/* struct btrfs_item, struct btrfs_key_ptr: each begins with a key. */
enum {
	ITEM_OFFSET = 17, /* from the end of the header */
	ITEM_LENGTH = 21,
	ITEM_SIZE = 25,
	POINTER_BYTENR = 17,
	POINTER_GENERATION = 25,
	POINTER_SIZE = 33,
};

/* struct btrfs_super_block */
enum {
	SUPER_SIZE = 4096,
	SUPER_BYTENR = 48,
	SUPER_FLAGS = 56,
	SUPER_MAGIC = 64,
	SUPER_GENERATION = 72,
	SUPER_ROOT = 80,
	SUPER_CHUNK_ROOT = 88,
	SUPER_LOG_ROOT = 96,
	SUPER_TOTAL_BYTES = 112,
	SUPER_BYTES_USED = 120,
	SUPER_NUM_DEVICES = 136,
	SUPER_SECTORSIZE = 144,
	SUPER_NODESIZE = 148,
	SUPER_LEAFSIZE = 152,
	SUPER_ARRAY_SIZE = 160,
	SUPER_CHUNK_GENERATION = 164,
	SUPER_COMPAT_RO = 180,
	SUPER_INCOMPAT = 188,
	SUPER_CSUM_TYPE = 196,
	SUPER_ROOT_LEVEL = 198,
	SUPER_CHUNK_LEVEL = 199,
	SUPER_LOG_LEVEL = 200,
	SUPER_DEV_ITEM = 201,
	SUPER_CACHE_GENERATION = 555,
	SUPER_METADATA_UUID = 571,
	SUPER_ARRAY = 811,
	SUPER_ARRAY_MAX = 2048,
};

#define BTRFS_MAGIC 0x4d5f53665248425fULL /* "_BHRfS_M" */

/* struct btrfs_dev_item */
enum {
	DEVICE_ID = 0,
	DEVICE_TOTAL = 8,
	DEVICE_USED = 16,
	DEVICE_UUID = 66,
	DEVICE_FSID = 82,
	DEVICE_SIZE = 98,
};

/* struct btrfs_chunk, struct btrfs_stripe */
enum {
	CHUNK_LENGTH = 0,
	CHUNK_OWNER = 8,
	CHUNK_STRIPE_LENGTH = 16,
	CHUNK_TYPE = 24,
	CHUNK_SECTORSIZE = 40,
	CHUNK_STRIPES = 44,
	CHUNK_SUB_STRIPES = 46,
	CHUNK_HEAD = 48, /* stripes follow */
	STRIPE_DEVID = 0,
	STRIPE_OFFSET = 8,
	STRIPE_UUID = 16,
	STRIPE_SIZE = 32,
};

/* BTRFS_BLOCK_GROUP_* */
#define GROUP_DATA     (1ULL << 0)
#define GROUP_SYSTEM   (1ULL << 1)
#define GROUP_METADATA (1ULL << 2)
#define GROUP_RAID0    (1ULL << 3)
#define GROUP_RAID1    (1ULL << 4)
#define GROUP_DUP      (1ULL << 5)
#define GROUP_RAID10   (1ULL << 6)
#define GROUP_RAID5    (1ULL << 7)
#define GROUP_RAID6    (1ULL << 8)
#define GROUP_RAID1C3  (1ULL << 9)
#define GROUP_RAID1C4  (1ULL << 10)
#define GROUP_KINDS    (GROUP_DATA | GROUP_SYSTEM | GROUP_METADATA)
#define GROUP_PROFILES                                                                                       \
	(GROUP_RAID0 | GROUP_RAID1 | GROUP_DUP | GROUP_RAID10 | GROUP_RAID5 | GROUP_RAID6 | GROUP_RAID1C3 |  \
	 GROUP_RAID1C4)
#define GROUP_REMAPPED (1ULL << 11) /* newer than anything that is understood here */

/* BTRFS_FEATURE_INCOMPAT_* and _COMPAT_RO_* */
#define INCOMPAT_MIXED_BACKREF    (1ULL << 0)
#define INCOMPAT_DEFAULT_SUBVOL   (1ULL << 1)
#define INCOMPAT_MIXED_GROUPS     (1ULL << 2)
#define INCOMPAT_LZO              (1ULL << 3)
#define INCOMPAT_ZSTD             (1ULL << 4)
#define INCOMPAT_BIG_METADATA     (1ULL << 5)
#define INCOMPAT_EXTREF           (1ULL << 6)
#define INCOMPAT_RAID56           (1ULL << 7)
#define INCOMPAT_SKINNY           (1ULL << 8)
#define INCOMPAT_NO_HOLES         (1ULL << 9)
#define INCOMPAT_METADATA_UUID    (1ULL << 10)
#define INCOMPAT_RAID1C34         (1ULL << 11)
#define INCOMPAT_SIMPLE_QUOTA     (1ULL << 16)
#define COMPAT_RO_FREE_SPACE_TREE (1ULL << 0)
#define COMPAT_RO_FREE_SPACE_OK   (1ULL << 1)
#define COMPAT_RO_VERITY          (1ULL << 2)
#define COMPAT_RO_GROUP_TREE      (1ULL << 3)

/* BTRFS_*_TREE_OBJECTID and other numbers of objects; negative ones count from 2^64. */
#define TREE_ROOT         1ULL
#define TREE_EXTENT       2ULL
#define TREE_CHUNK        3ULL
#define TREE_DEVICE       4ULL
#define TREE_FS           5ULL
#define TREE_CSUM         7ULL
#define TREE_QUOTA        8ULL
#define TREE_UUID         9ULL
#define TREE_FREE_SPACE   10ULL
#define TREE_GROUP        11ULL
#define TREE_RAID_STRIPE  12ULL
#define OBJECT_FIRST_FREE 256ULL
#define OBJECT_LAST_FREE  ((uint64_t)-256)
#define OBJECT_ROOT_DIR   6ULL
#define OBJECT_CHUNKS     256ULL /* of every chunk item */
#define OBJECT_DEVICES    1ULL
#define OBJECT_BALANCE    ((uint64_t)-4)
#define OBJECT_ORPHAN     ((uint64_t)-5)
#define TREE_LOG          ((uint64_t)-6)
#define TREE_LOG_FIXUP    ((uint64_t)-7)
#define TREE_RELOC        ((uint64_t)-8)
#define TREE_DATA_RELOC   ((uint64_t)-9)
#define OBJECT_CSUM       ((uint64_t)-10)
#define OBJECT_FREE_SPACE ((uint64_t)-11)
#define OBJECT_FREE_INO   ((uint64_t)-12)

/* BTRFS_*_KEY: types of items. */
enum item_type {
	ITEM_UNTYPED = 0,
	ITEM_INODE = 1,
	ITEM_INODE_REF = 12,
	ITEM_INODE_EXTREF = 13,
	ITEM_XATTR = 24,
	ITEM_VERITY_DESCRIPTOR = 36,
	ITEM_VERITY_MERKLE = 37,
	ITEM_ORPHAN = 48,
	ITEM_DIR_LOG = 60,
	ITEM_DIR_LOG_INDEX = 72,
	ITEM_DIR = 84,
	ITEM_DIR_INDEX = 96,
	ITEM_FILE_EXTENT = 108,
	ITEM_CSUM = 128,
	ITEM_ROOT = 132,
	ITEM_ROOT_BACKREF = 144,
	ITEM_ROOT_REF = 156,
	ITEM_EXTENT = 168,
	ITEM_METADATA = 169,
	ITEM_EXTENT_OWNER = 172,
	ITEM_TREE_BLOCK_REF = 176,
	ITEM_EXTENT_DATA_REF = 178,
	ITEM_SHARED_BLOCK_REF = 182,
	ITEM_SHARED_DATA_REF = 184,
	ITEM_GROUP = 192,
	ITEM_FREE_INFO = 198,
	ITEM_FREE_EXTENT = 199,
	ITEM_FREE_BITMAP = 200,
	ITEM_DEVICE_EXTENT = 204,
	ITEM_DEVICE = 216,
	ITEM_CHUNK = 228,
	ITEM_RAID_STRIPE = 230,
	ITEM_QGROUP_STATUS = 240,
	ITEM_QGROUP_INFO = 242,
	ITEM_QGROUP_LIMIT = 244,
	ITEM_QGROUP_RELATION = 246,
	ITEM_TEMPORARY = 248,
	ITEM_PERSISTENT = 249,
	ITEM_DEVICE_REPLACE = 250,
	ITEM_UUID_SUBVOL = 251,
	ITEM_UUID_RECEIVED = 252,
	ITEM_STRING = 253,
};

/* The numbers of trees that hold files: the first subvolume and all that were made later. */
static inline bool tree_holds_files(uint64_t id)
{
	return id == TREE_FS || (id >= OBJECT_FIRST_FREE && id <= OBJECT_LAST_FREE && !(id >> 48));
}

/* What must be known of a filesystem before a block of it can be read. */
struct format {
	uint32_t nodesize, sectorsize; /* bytes */
	uint32_t csum_size;            /* bytes of one checksum */
	uint16_t csum_type;
	unsigned char fsid[BTRFS_UUID]; /* as blocks carry it: metadata_uuid where that is in use */
	unsigned char chunk_uuid[BTRFS_UUID];
	bool chunk_uuid_known;
	uint64_t generation; /* of the superblock */
	uint64_t incompat, compat_ro;
};

static inline uint32_t format_node_room(const struct format *f)
{
	return (f->nodesize - HEADER_SIZE) / POINTER_SIZE;
}

static inline uint32_t format_leaf_room(const struct format *f)
{
	return f->nodesize - HEADER_SIZE;
}

#endif
