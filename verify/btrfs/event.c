/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/btrfs/event.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static const struct {
	const char *name, *text;
} rules[RULES] = {
	[RULE_SUPER_READ] = {"super-read", "every superblock can be read"},
	[RULE_SUPER_CHECKSUM] = {"super-checksum", "a superblock has the checksum of its content"},
	[RULE_SUPER_BYTENR] = {"super-bytenr", "a superblock says where it lies"},
	[RULE_SUPER_FIELD] = {"super-field", "the fields of a superblock are possible"},
	[RULE_SUPER_AGREE] = {"super-agree", "superblocks agree with each other"},
	[RULE_DEVICE] = {"device", "the devices are those that the filesystem was made of"},
	[RULE_SYSTEM_CHUNKS] = {"system-chunks",
				"the superblock's array of system chunks is as the chunk tree's"},
	[RULE_READ] = {"read", "every copy of a block can be read"},
	[RULE_CHECKSUM] = {"checksum", "a block has the checksum of its content"},
	[RULE_BYTENR] = {"bytenr", "a block says where it lies"},
	[RULE_FSID] = {"fsid", "a block belongs to this filesystem"},
	[RULE_CHUNK_UUID] = {"chunk-uuid", "a block has the uuid of the chunk tree"},
	[RULE_LEVEL] = {"level", "a block lies one level below what points to it"},
	[RULE_OWNER] = {"owner", "a block belongs to a tree that may reach it"},
	[RULE_WRITTEN] = {"written", "a block on the disk is marked as written"},
	[RULE_REVISION] = {"revision", "a block's back references are of the revision that is in use"},
	[RULE_GENERATION] = {"generation", "a block has the generation that its parent promises"},
	[RULE_NEWER] = {"newer", "nothing is newer than what it hangs on"},
	[RULE_ITEM_COUNT] = {"item-count", "a block holds as many items as it can and must"},
	[RULE_KEY_ORDER] = {"key-order", "keys ascend"},
	[RULE_FIRST_KEY] = {"first-key", "a block's first key is the one that its parent has for it"},
	[RULE_MIRROR] = {"mirror", "copies of a block are the same"},
	[RULE_POINTER] = {"pointer", "pointers of a node are possible"},
	[RULE_ITEM_BOUNDS] = {"item-bounds", "items lie within their leaf, one before the other"},
	[RULE_ITEM_KEY] = {"item-key", "the key of an item is possible for its type"},
	[RULE_ITEM_SIZE] = {"item-size", "an item is as large as its type says"},
	[RULE_ITEM_TYPE] = {"item-type", "items are of known types"},
	[RULE_INODE] = {"inode", "an inode is possible"},
	[RULE_INODE_REF] = {"inode-ref", "a back reference of an inode is possible"},
	[RULE_DIR_ITEM] = {"dir-item", "a directory item or xattr is possible"},
	[RULE_NAME_HASH] = {"name-hash", "the key of a name is its hash"},
	[RULE_FILE_EXTENT] = {"file-extent", "an extent of a file is possible"},
	[RULE_FILE_OVERLAP] = {"file-overlap", "extents of a file don't overlap"},
	[RULE_CSUM_ITEM] = {"csum-item", "an item of data checksums is possible"},
	[RULE_EXTENT_ITEM] = {"extent-item", "an extent item is possible"},
	[RULE_EXTENT_REF] = {"extent-ref", "a back reference of an extent is possible"},
	[RULE_GROUP_ITEM] = {"group-item", "a block group item is possible"},
	[RULE_CHUNK_ITEM] = {"chunk-item", "a chunk item is possible"},
	[RULE_DEVICE_ITEM] = {"device-item", "a device item is possible"},
	[RULE_DEVICE_EXTENT] = {"device-extent", "a device extent is possible"},
	[RULE_ROOT_ITEM] = {"root-item", "a root item is possible"},
	[RULE_ROOT_REF] = {"root-ref", "a reference of a root is possible"},
	[RULE_FREE_SPACE] = {"free-space-item", "an item of the free space tree is possible"},
	[RULE_UNMAPPED] = {"unmapped", "what is pointed to lies in a chunk of its kind, on a device"},
	[RULE_PROMISES] = {"promises", "all that point to a block promise the same of it"},
	[RULE_TOO_MANY] = {"too-many", "there are no more blocks than the devices have room for"},
	[RULE_TREE_MISSING] = {"tree-missing", "every filesystem has its main trees"},
	[RULE_EXTENT_MISSING] = {"extent-missing", "every block that is reached is allocated"},
	[RULE_EXTENT_UNREACHED] = {"extent-unreached", "every block that is allocated is reached"},
	[RULE_EXTENT_COUNT] = {"extent-count", "a block is reached as often as it is referenced"},
	[RULE_EXTENT_OWNER] = {"extent-owner", "a block is referenced by those who reach it"},
	[RULE_EXTENT_PROMISE] = {"extent-promise", "extent items know the generation and level of blocks"},
	[RULE_GROUP_USED] = {"group-used", "a block group knows how much of it is allocated"},
	[RULE_GROUP_CHUNK] = {"group-chunk", "block groups and chunks are the same stretches"},
	[RULE_CHUNK_DEVICE] = {"chunk-device", "stripes of chunks and device extents are the same stretches"},
	[RULE_SPACE] = {"space", "allocated and free space fill a block group without overlap"},
	[RULE_DATA_REF] = {"data-ref", "files refer to data extents as these are referenced"},
	[RULE_SUBVOLUME] = {"subvolume", "a subvolume is referenced once, where its name stands"},
	[RULE_NAMES] = {"names", "a name has a directory item, an index and a back reference"},
	[RULE_LINKS] = {"links", "an inode has as many names as it counts"},
	[RULE_DIR_SIZE] = {"dir-size", "a directory is as large as its names"},
	[RULE_FILE_BYTES] = {"file-bytes", "an inode counts the bytes of its extents"},
	[RULE_CSUM_MISSING] = {"csum-missing", "data has checksums unless its inode forgoes them"},
	[RULE_CSUM_OVERLAP] = {"csum-overlap", "there is one checksum for a sector of data"},
	[RULE_CSUM_STRAY] = {"csum-stray", "checksums are of data"},
	[RULE_DATA] = {"data", "data has the checksum that is kept of it"},
	[RULE_UNREACHED_UNWRITTEN] = {"unreached-unwritten", "no block was ever written without the mark"},
};

const char *rule_name(enum rule rule)
{
	return rules[rule].name;
}

const char *rule_text(enum rule rule)
{
	return rules[rule].text;
}

void fault_emit(const struct sink *s, enum rule rule, int slot, const struct key *key, const char *fmt, ...)
{
	struct fault f = {.rule = rule, .slot = slot};
	va_list ap;

	if (key)
		f.key = *key;
	va_start(ap, fmt);
	vsnprintf(f.text, sizeof(f.text), fmt, ap);
	va_end(ap);
	s->fault(s->context, &f);
}

const char *item_type_name(uint8_t type)
{
	static const char *const names[256] = {
		[ITEM_UNTYPED] = "UNTYPED",
		[ITEM_INODE] = "INODE_ITEM",
		[ITEM_INODE_REF] = "INODE_REF",
		[ITEM_INODE_EXTREF] = "INODE_EXTREF",
		[ITEM_XATTR] = "XATTR_ITEM",
		[ITEM_VERITY_DESCRIPTOR] = "VERITY_DESC_ITEM",
		[ITEM_VERITY_MERKLE] = "VERITY_MERKLE_ITEM",
		[ITEM_ORPHAN] = "ORPHAN_ITEM",
		[ITEM_DIR_LOG] = "DIR_LOG_ITEM",
		[ITEM_DIR_LOG_INDEX] = "DIR_LOG_INDEX",
		[ITEM_DIR] = "DIR_ITEM",
		[ITEM_DIR_INDEX] = "DIR_INDEX",
		[ITEM_FILE_EXTENT] = "EXTENT_DATA",
		[ITEM_CSUM] = "EXTENT_CSUM",
		[ITEM_ROOT] = "ROOT_ITEM",
		[ITEM_ROOT_BACKREF] = "ROOT_BACKREF",
		[ITEM_ROOT_REF] = "ROOT_REF",
		[ITEM_EXTENT] = "EXTENT_ITEM",
		[ITEM_METADATA] = "METADATA_ITEM",
		[ITEM_EXTENT_OWNER] = "EXTENT_OWNER_REF",
		[ITEM_TREE_BLOCK_REF] = "TREE_BLOCK_REF",
		[ITEM_EXTENT_DATA_REF] = "EXTENT_DATA_REF",
		[ITEM_SHARED_BLOCK_REF] = "SHARED_BLOCK_REF",
		[ITEM_SHARED_DATA_REF] = "SHARED_DATA_REF",
		[ITEM_GROUP] = "BLOCK_GROUP_ITEM",
		[ITEM_FREE_INFO] = "FREE_SPACE_INFO",
		[ITEM_FREE_EXTENT] = "FREE_SPACE_EXTENT",
		[ITEM_FREE_BITMAP] = "FREE_SPACE_BITMAP",
		[ITEM_DEVICE_EXTENT] = "DEV_EXTENT",
		[ITEM_DEVICE] = "DEV_ITEM",
		[ITEM_CHUNK] = "CHUNK_ITEM",
		[ITEM_RAID_STRIPE] = "RAID_STRIPE",
		[ITEM_QGROUP_STATUS] = "QGROUP_STATUS",
		[ITEM_QGROUP_INFO] = "QGROUP_INFO",
		[ITEM_QGROUP_LIMIT] = "QGROUP_LIMIT",
		[ITEM_QGROUP_RELATION] = "QGROUP_RELATION",
		[ITEM_TEMPORARY] = "TEMPORARY_ITEM",
		[ITEM_PERSISTENT] = "PERSISTENT_ITEM",
		[ITEM_DEVICE_REPLACE] = "DEV_REPLACE",
		[ITEM_UUID_SUBVOL] = "UUID_KEY_SUBVOL",
		[ITEM_UUID_RECEIVED] = "UUID_KEY_RECEIVED_SUBVOL",
		[ITEM_STRING] = "STRING_ITEM",
	};

	return names[type];
}

char *key_show(char *buf, size_t len, const struct key *key)
{
	const char *name = item_type_name(key->type);

	if (name)
		snprintf(buf, len, "(%" PRIu64 " %s %" PRIu64 ")", key->objectid, name, key->offset);
	else
		snprintf(buf, len, "(%" PRIu64 " %u %" PRIu64 ")", key->objectid, key->type, key->offset);
	return buf;
}

char *tree_show(char *buf, size_t len, uint64_t id)
{
	static const struct {
		uint64_t id;
		const char *name;
	} names[] = {
		{TREE_ROOT, "ROOT_TREE"},
		{TREE_EXTENT, "EXTENT_TREE"},
		{TREE_CHUNK, "CHUNK_TREE"},
		{TREE_DEVICE, "DEV_TREE"},
		{TREE_FS, "FS_TREE"},
		{TREE_CSUM, "CSUM_TREE"},
		{TREE_QUOTA, "QUOTA_TREE"},
		{TREE_UUID, "UUID_TREE"},
		{TREE_FREE_SPACE, "FREE_SPACE_TREE"},
		{TREE_GROUP, "BLOCK_GROUP_TREE"},
		{TREE_LOG, "TREE_LOG"},
		{TREE_RELOC, "TREE_RELOC"},
		{TREE_DATA_RELOC, "DATA_RELOC_TREE"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].id == id) {
			snprintf(buf, len, "%s", names[i].name);
			return buf;
		}
	}
	snprintf(buf, len, "tree %" PRIu64, id);
	return buf;
}
