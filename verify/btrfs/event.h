/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parser has to say of the bytes that it is given: faults, each by the rule that is broken, and the
 * facts that only other blocks can confirm.
 */
#ifndef RECOW_BTRFS_EVENT_H
#define RECOW_BTRFS_EVENT_H

#include "verify/btrfs/format.h"

/* docs/audit.md has a line for each. */
enum rule {
	/* superblocks and devices */
	RULE_SUPER_READ,
	RULE_SUPER_CHECKSUM,
	RULE_SUPER_BYTENR,
	RULE_SUPER_FIELD,
	RULE_SUPER_AGREE,
	RULE_DEVICE,
	RULE_SYSTEM_CHUNKS,
	/* one block */
	RULE_READ,
	RULE_CHECKSUM,
	RULE_BYTENR,
	RULE_FSID,
	RULE_CHUNK_UUID,
	RULE_LEVEL,
	RULE_OWNER,
	RULE_WRITTEN,
	RULE_REVISION,
	RULE_GENERATION,
	RULE_NEWER,
	RULE_ITEM_COUNT,
	RULE_KEY_ORDER,
	RULE_FIRST_KEY,
	RULE_MIRROR,
	RULE_POINTER,
	RULE_ITEM_BOUNDS,
	/* items */
	RULE_ITEM_KEY,
	RULE_ITEM_SIZE,
	RULE_ITEM_TYPE,
	RULE_INODE,
	RULE_INODE_REF,
	RULE_DIR_ITEM,
	RULE_NAME_HASH,
	RULE_FILE_EXTENT,
	RULE_FILE_OVERLAP,
	RULE_CSUM_ITEM,
	RULE_EXTENT_ITEM,
	RULE_EXTENT_REF,
	RULE_GROUP_ITEM,
	RULE_CHUNK_ITEM,
	RULE_DEVICE_ITEM,
	RULE_DEVICE_EXTENT,
	RULE_ROOT_ITEM,
	RULE_ROOT_REF,
	RULE_FREE_SPACE,
	/* across blocks */
	RULE_UNMAPPED,
	RULE_PROMISES,
	RULE_TOO_MANY,
	RULE_TREE_MISSING,
	RULE_EXTENT_MISSING,
	RULE_EXTENT_UNREACHED,
	RULE_EXTENT_COUNT,
	RULE_EXTENT_OWNER,
	RULE_EXTENT_PROMISE,
	RULE_GROUP_USED,
	RULE_GROUP_CHUNK,
	RULE_CHUNK_DEVICE,
	RULE_SPACE,
	RULE_DATA_REF,
	RULE_SUBVOLUME,
	RULE_NAMES,
	RULE_LINKS,
	RULE_DIR_SIZE,
	RULE_FILE_BYTES,
	RULE_CSUM_MISSING,
	RULE_CSUM_OVERLAP,
	RULE_CSUM_STRAY,
	RULE_DATA,
	RULE_UNREACHED_UNWRITTEN,
	RULES,
};

/* "written", as it stands in reports; and what the rule says. */
const char *rule_name(enum rule rule);
const char *rule_text(enum rule rule);

/* A broken rule within one block. */
struct fault {
	enum rule rule;
	int slot; /* -1: the whole block */
	struct key key;
	char text[256]; /* found and expected */
};

enum event_kind {
	EVENT_POINTER,  /* a node points to a block */
	EVENT_ROOT,     /* a root item */
	EVENT_ROOT_REF, /* where a subvolume has its name, said by the parent or by itself */
	EVENT_CHUNK,    /* bytes: the chunk item */
	EVENT_DEVICE,   /* bytes: the device item */
	EVENT_DEVICE_EXTENT,
	EVENT_GROUP,     /* a block group */
	EVENT_EXTENT,    /* allocated space */
	EVENT_TREE_REF,  /* a back reference of a metadata block */
	EVENT_DATA_REF,  /* a back reference of a data extent */
	EVENT_FREE,      /* free space */
	EVENT_FREE_INFO, /* what is said of the free space of a block group */
	EVENT_CSUM,      /* data with checksums; bytes: the checksums */
	EVENT_INODE,
	EVENT_NAME,        /* a directory item or index, or the back reference of an inode */
	EVENT_FILE_EXTENT, /* stored, not inline and no hole */
	EVENT_FILE_BYTES,  /* length: what an extent adds to the bytes that its inode counts */
};

/* One fact. Addresses are logical unless said otherwise. Which fields mean something depends on the kind. */
struct event {
	enum event_kind kind;
	unsigned int slot;
	struct key key;
	uint64_t start, length;
	union {
		struct {
			uint64_t bytenr, generation;
		} pointer;
		struct {
			uint64_t bytenr, generation;
			uint32_t refs;
			uint8_t level, drop_level;
			struct key drop;
		} root;
		struct {
			uint64_t parent, child, dir, index, digest; /* of the bytes of the name */
			bool back;                                  /* said by the child */
		} root_ref;
		struct {
			uint64_t devid, physical, chunk;
		} device_extent; /* length */
		struct {
			uint64_t used, flags;
		} group;
		struct {
			uint32_t extents;
			bool bitmaps; /* it is kept in these, not in items of its own */
		} free_info;
		struct {
			uint64_t refs, generation;
			uint8_t level;
			bool metadata, level_known, full_backref;
		} extent;
		struct {
			uint64_t root, parent; /* one of them is 0 */
		} tree_ref;                    /* start: the block */
		struct {
			uint64_t root, inode, offset, parent; /* parent, or the other three */
			uint32_t count;
		} data_ref; /* start: the extent */
		struct {
			uint64_t flags, size, bytes;
			uint32_t links, mode;
		} inode;
		struct {
			uint64_t dir, inode, index, digest; /* of the bytes of the name */
			uint32_t length;
			uint8_t type; /* of file, as directories have it; 0: not said */
			bool of_root; /* it leads to a subvolume */
		} name;
		struct {
			uint64_t disk_bytenr, disk_length, offset;
			bool compressed, prealloc;
		} file_extent; /* start: offset in the file; length: bytes in the file */
	};
	const unsigned char *bytes;
	uint32_t size;
};

/* Where both go. Called while the block is looked at; may keep nothing of what it is given. */
struct sink {
	void *context;
	void (*fault)(void *context, const struct fault *f);
	void (*event)(void *context, const struct event *ev);
};

/* Fill in a fault and hand it on. */
void fault_emit(const struct sink *s, enum rule rule, int slot, const struct key *key, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* "(257 INODE_ITEM 0)". Returns buf. */
char *key_show(char *buf, size_t len, const struct key *key);

/* "INODE_ITEM"; NULL: unknown. */
const char *item_type_name(uint8_t type);

/* "FS_TREE" or the number. Returns buf. */
char *tree_show(char *buf, size_t len, uint64_t id);

#endif
