/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/btrfs/item.h"

#include <inttypes.h>

#include "src/content/hash.h"
#include "verify/btrfs/chunk.h"

enum {
	ROOT_GENERATION = 160,
	ROOT_BYTENR = 176,
	ROOT_LAST_SNAPSHOT = 200,
	ROOT_FLAGS = 208,
	ROOT_REFS = 216,
	ROOT_DROP = 220,
	ROOT_DROP_LEVEL = 237,
	ROOT_LEVEL = 238,
	ROOT_SIZE_OLD = 239,
	ROOT_SIZE = 439,
	ROOT_REF_DIR = 0,
	ROOT_REF_INDEX = 8,
	ROOT_REF_NAME_LENGTH = 16,
	ROOT_REF_HEAD = 18,
	GROUP_USED = 0,
	GROUP_CHUNK_OBJECT = 8,
	GROUP_FLAGS = 16,
	GROUP_SIZE = 24,
	DEVICE_EXTENT_TREE = 0,
	DEVICE_EXTENT_OBJECT = 8,
	DEVICE_EXTENT_CHUNK = 16,
	DEVICE_EXTENT_LENGTH = 24,
	DEVICE_EXTENT_SIZE = 48,
	FREE_INFO_FLAGS = 4,
	FREE_INFO_SIZE = 8,
	QGROUP_SIZE = 40,
};

#define ROOT_FLAGS_KNOWN ((uint64_t)1 << 0 | (uint64_t)1 << 48) /* read-only, dead */

bool item_size_wrong(const struct item *it, uint32_t size)
{
	if (it->size == size)
		return false;
	item_fault(it, RULE_ITEM_SIZE, "%u bytes instead of %u", it->size, size);
	return true;
}

bool item_too_short(const struct item *it, uint32_t size)
{
	if (it->size >= size)
		return false;
	item_fault(it, RULE_ITEM_SIZE, "%u bytes, %u are needed at least", it->size, size);
	return true;
}

struct event item_event(const struct item *it, enum event_kind kind, uint64_t start)
{
	return (struct event){.kind = kind, .slot = it->slot, .key = it->key, .start = start};
}

static void item_root(const struct item *it)
{
	struct event ev = item_event(it, EVENT_ROOT, 0);
	const unsigned char *p = it->bytes;
	uint64_t flags;

	if (it->size != ROOT_SIZE_OLD && item_size_wrong(it, ROOT_SIZE))
		return;
	ev.root.bytenr = le64_at(p + ROOT_BYTENR);
	ev.root.generation = le64_at(p + ROOT_GENERATION);
	ev.root.refs = le32_at(p + ROOT_REFS);
	ev.root.level = p[ROOT_LEVEL];
	ev.root.drop_level = p[ROOT_DROP_LEVEL];
	ev.root.drop = key_at(p + ROOT_DROP);
	flags = le64_at(p + ROOT_FLAGS);
	if (!it->key.objectid)
		item_fault(it, RULE_ITEM_KEY, "no tree has the number 0");
	if (ev.root.generation > it->newest || le64_at(p + ROOT_LAST_SNAPSHOT) > it->newest)
		item_fault(it, RULE_ROOT_ITEM,
			   "generation %" PRIu64 " or last snapshot %" PRIu64 " is newer than %" PRIu64,
			   ev.root.generation, le64_at(p + ROOT_LAST_SNAPSHOT), it->newest);
	if (flags & ~ROOT_FLAGS_KNOWN)
		item_fault(it, RULE_ROOT_ITEM, "flags 0x%" PRIx64 " are unknown", flags & ~ROOT_FLAGS_KNOWN);
	if (ev.root.level >= BTRFS_LEVELS || ev.root.drop_level > ev.root.level ||
	    ev.root.bytenr % it->f->sectorsize)
		item_fault(it, RULE_ROOT_ITEM, "level %u, drop level %u, block %" PRIu64 " are not possible",
			   ev.root.level, ev.root.drop_level, ev.root.bytenr);
	else
		it->sink->event(it->sink->context, &ev);
}

static void item_root_ref(const struct item *it)
{
	struct event ev = item_event(it, EVENT_ROOT_REF, 0);
	bool back = it->key.type == ITEM_ROOT_BACKREF;
	uint16_t name;

	if (item_too_short(it, ROOT_REF_HEAD))
		return;
	name = le16_at(it->bytes + ROOT_REF_NAME_LENGTH);
	if (!name || name > BTRFS_NAME_MAX || it->size != (uint32_t)ROOT_REF_HEAD + name) {
		item_fault(it, RULE_ROOT_REF, "a name of %u bytes in an item of %u", name, it->size);
		return;
	}
	ev.root_ref.parent = back ? it->key.offset : it->key.objectid;
	ev.root_ref.child = back ? it->key.objectid : it->key.offset;
	ev.root_ref.dir = le64_at(it->bytes + ROOT_REF_DIR);
	ev.root_ref.index = le64_at(it->bytes + ROOT_REF_INDEX);
	ev.root_ref.digest = hash_bytes(it->bytes + ROOT_REF_HEAD, name);
	ev.root_ref.back = back;
	it->sink->event(it->sink->context, &ev);
}

static void item_group(const struct item *it)
{
	struct event ev = item_event(it, EVENT_GROUP, it->key.objectid);
	const char *wrong;

	if (item_size_wrong(it, GROUP_SIZE))
		return;
	ev.length = it->key.offset;
	ev.group.used = le64_at(it->bytes + GROUP_USED);
	ev.group.flags = le64_at(it->bytes + GROUP_FLAGS);
	wrong = group_flags_wrong(it->f, ev.group.flags);
	if (wrong)
		item_fault(it, RULE_GROUP_ITEM, "flags 0x%" PRIx64 " %s", ev.group.flags, wrong);
	if (le64_at(it->bytes + GROUP_CHUNK_OBJECT) != OBJECT_CHUNKS)
		item_fault(it, RULE_GROUP_ITEM, "the chunk object is %" PRIu64 ", not 256",
			   le64_at(it->bytes + GROUP_CHUNK_OBJECT));
	if (!ev.length || ev.group.used > ev.length)
		item_fault(it, RULE_GROUP_ITEM, "%" PRIu64 " bytes used of %" PRIu64, ev.group.used,
			   ev.length);
	it->sink->event(it->sink->context, &ev);
}

static void item_device(const struct item *it)
{
	struct event ev = item_event(it, EVENT_DEVICE, it->key.offset);

	if (it->key.objectid != OBJECT_DEVICES)
		item_fault(it, RULE_ITEM_KEY, "devices have the object number 1");
	if (item_size_wrong(it, DEVICE_SIZE))
		return;
	ev.bytes = it->bytes;
	ev.length = le64_at(it->bytes + DEVICE_TOTAL);
	if (le64_at(it->bytes + DEVICE_ID) != it->key.offset)
		item_fault(it, RULE_DEVICE_ITEM, "it says that it is device %" PRIu64,
			   le64_at(it->bytes + DEVICE_ID));
	if (le64_at(it->bytes + DEVICE_USED) > ev.length)
		item_fault(it, RULE_DEVICE_ITEM, "%" PRIu64 " bytes used of %" PRIu64,
			   le64_at(it->bytes + DEVICE_USED), ev.length);
	it->sink->event(it->sink->context, &ev);
}

static void item_device_extent(struct item *it)
{
	struct event ev = item_event(it, EVENT_DEVICE_EXTENT, it->key.offset);
	const unsigned char *p = it->bytes;

	if (item_size_wrong(it, DEVICE_EXTENT_SIZE))
		return;
	ev.length = le64_at(p + DEVICE_EXTENT_LENGTH);
	ev.device_extent.devid = it->key.objectid;
	ev.device_extent.physical = it->key.offset;
	ev.device_extent.chunk = le64_at(p + DEVICE_EXTENT_CHUNK);
	if (le64_at(p + DEVICE_EXTENT_TREE) != TREE_CHUNK ||
	    le64_at(p + DEVICE_EXTENT_OBJECT) != OBJECT_CHUNKS)
		item_fault(it, RULE_DEVICE_EXTENT, "it is of no chunk");
	if ((ev.length | it->key.offset | ev.device_extent.chunk) % it->f->sectorsize || !ev.length ||
	    it->key.offset + ev.length < it->key.offset) {
		item_fault(it, RULE_DEVICE_EXTENT, "it does not begin and end with a sector");
		return;
	}
	if (it->end > it->key.offset)
		item_fault(it, RULE_DEVICE_EXTENT, "the one before it ends at %" PRIu64, it->end);
	it->end = it->key.offset + ev.length;
	it->sink->event(it->sink->context, &ev);
}

static void free_event(const struct item *it, uint64_t start, uint64_t length)
{
	struct event ev = item_event(it, EVENT_FREE, start);

	ev.length = length;
	it->sink->event(it->sink->context, &ev);
}

/* One event for each run of bits that are set. */
static void free_bits(const struct item *it, uint64_t bits)
{
	uint64_t from = 0, unit = it->f->sectorsize;
	bool within = false;

	for (uint64_t i = 0; i < bits; i++) {
		bool free = it->bytes[i / 8] >> i % 8 & 1;

		if (free && !within)
			from = i;
		if (!free && within)
			free_event(it, it->key.objectid + from * unit, (i - from) * unit);
		within = free;
	}
	if (within)
		free_event(it, it->key.objectid + from * unit, (bits - from) * unit);
}

static void free_info(const struct item *it)
{
	struct event ev = item_event(it, EVENT_FREE_INFO, it->key.objectid);
	uint32_t flags;

	if (item_size_wrong(it, FREE_INFO_SIZE))
		return;
	flags = le32_at(it->bytes + FREE_INFO_FLAGS);
	if (flags > 1)
		item_fault(it, RULE_FREE_SPACE, "flags 0x%x are unknown", flags);
	ev.length = it->key.offset;
	ev.free_info.extents = le32_at(it->bytes);
	ev.free_info.bitmaps = flags & 1;
	it->sink->event(it->sink->context, &ev);
}

static void item_free(const struct item *it)
{
	uint64_t sectors = it->key.offset / it->f->sectorsize;

	if ((it->key.objectid | it->key.offset) % it->f->sectorsize || !it->key.offset) {
		item_fault(it, RULE_ITEM_KEY, "free space begins and ends with a sector");
		return;
	}
	if (it->key.type == ITEM_FREE_INFO) {
		free_info(it);
	} else if (it->key.type == ITEM_FREE_EXTENT) {
		if (!item_size_wrong(it, 0))
			free_event(it, it->key.objectid, it->key.offset);
	} else if (div_up_u64(sectors, 8) != it->size) {
		item_fault(it, RULE_ITEM_SIZE, "%u bytes of bitmap for %" PRIu64 " sectors", it->size,
			   sectors);
	} else {
		free_bits(it, sectors);
	}
}

static void item_small(const struct item *it)
{
	switch (it->key.type) {
	case ITEM_ORPHAN:
		if (it->key.objectid != OBJECT_ORPHAN)
			item_fault(it, RULE_ITEM_KEY, "orphans have the object number -5");
		item_size_wrong(it, 0);
		break;
	case ITEM_QGROUP_RELATION:
		item_size_wrong(it, 0);
		break;
	case ITEM_DIR_LOG:
	case ITEM_DIR_LOG_INDEX:
		item_size_wrong(it, sizeof(uint64_t));
		break;
	case ITEM_QGROUP_INFO:
	case ITEM_QGROUP_LIMIT:
		item_size_wrong(it, QGROUP_SIZE);
		break;
	case ITEM_UUID_SUBVOL:
	case ITEM_UUID_RECEIVED:
		if (!it->size || it->size % sizeof(uint64_t))
			item_fault(it, RULE_ITEM_SIZE, "%u bytes are no list of trees", it->size);
		break;
	}
}

/* Types that a file's tree, the tree of roots (for the old free space cache) and logs hold. */
static bool type_of_files(uint8_t type)
{
	return type <= ITEM_FILE_EXTENT && type != ITEM_UNTYPED;
}

static bool tree_with_files(uint64_t tree)
{
	return tree_holds_files(tree) || tree == TREE_LOG || tree == TREE_RELOC || tree == TREE_DATA_RELOC;
}

/* Is this the place for such an item? */
static bool type_of_tree(uint8_t type, uint64_t tree)
{
	if (type_of_files(type))
		return tree == TREE_ROOT || tree_with_files(tree);
	switch (type) {
	case ITEM_CSUM:
		return tree == TREE_CSUM || tree == TREE_LOG;
	case ITEM_ROOT:
		return tree == TREE_ROOT || tree == TREE_LOG;
	case ITEM_EXTENT:
	case ITEM_METADATA:
	case ITEM_TREE_BLOCK_REF:
	case ITEM_SHARED_BLOCK_REF:
	case ITEM_EXTENT_DATA_REF:
	case ITEM_SHARED_DATA_REF:
		return tree == TREE_EXTENT;
	case ITEM_GROUP:
		return tree == TREE_EXTENT || tree == TREE_GROUP;
	case ITEM_FREE_INFO:
	case ITEM_FREE_EXTENT:
	case ITEM_FREE_BITMAP:
		return tree == TREE_FREE_SPACE;
	case ITEM_DEVICE_EXTENT:
		return tree == TREE_DEVICE;
	case ITEM_DEVICE:
	case ITEM_CHUNK:
		return tree == TREE_CHUNK;
	default:
		return !tree_holds_files(tree);
	}
}

/* The items of an inode stand together; logs hold only some of them. */
static void check_company(const struct item *it)
{
	bool together = it->key.type == ITEM_INODE_REF || it->key.type == ITEM_INODE_EXTREF ||
			it->key.type == ITEM_XATTR || it->key.type == ITEM_DIR ||
			it->key.type == ITEM_DIR_INDEX || it->key.type == ITEM_FILE_EXTENT;

	if (together && it->slot && tree_holds_files(it->owner) && tree_holds_files(it->tree) &&
	    it->previous.objectid != it->key.objectid)
		item_fault(it, RULE_ITEM_KEY, "the item before it is not of the same inode");
}

static void check_by_type(struct item *it)
{
	switch (it->key.type) {
	case ITEM_INODE:
		return item_inode(it);
	case ITEM_INODE_REF:
		return item_inode_ref(it);
	case ITEM_INODE_EXTREF:
		return item_inode_extref(it);
	case ITEM_XATTR:
	case ITEM_DIR:
	case ITEM_DIR_INDEX:
		return item_names(it);
	case ITEM_FILE_EXTENT:
		return item_file_extent(it);
	case ITEM_CSUM:
		return item_csum(it);
	case ITEM_ROOT:
		return item_root(it);
	case ITEM_ROOT_REF:
	case ITEM_ROOT_BACKREF:
		return item_root_ref(it);
	case ITEM_EXTENT:
	case ITEM_METADATA:
		return item_extent(it);
	case ITEM_TREE_BLOCK_REF:
	case ITEM_SHARED_BLOCK_REF:
		return item_tree_ref(it);
	case ITEM_EXTENT_DATA_REF:
	case ITEM_SHARED_DATA_REF:
		return item_data_ref(it);
	case ITEM_GROUP:
		return item_group(it);
	case ITEM_FREE_INFO:
	case ITEM_FREE_EXTENT:
	case ITEM_FREE_BITMAP:
		return item_free(it);
	case ITEM_DEVICE:
		return item_device(it);
	case ITEM_DEVICE_EXTENT:
		return item_device_extent(it);
	case ITEM_CHUNK:
		return chunk_item(it->f, &it->key, it->bytes, it->size, it->slot, it->sink);
	default:
		return item_small(it);
	}
}

void item_check(struct item *it)
{
	if (!item_type_name(it->key.type)) {
		item_fault(it, RULE_ITEM_TYPE, "type %u is unknown", it->key.type);
		return;
	}
	if (!type_of_tree(it->key.type, it->tree)) {
		char tree[32];

		item_fault(it, RULE_ITEM_TYPE, "%s has no place in %s", item_type_name(it->key.type),
			   tree_show(tree, sizeof(tree), it->tree));
		return;
	}
	check_company(it);
	check_by_type(it);
}
