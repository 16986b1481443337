/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocated space: tree-checker.c, check_extent_item() and its neighbours. */
#include <inttypes.h>

#include "verify/btrfs/checksum.h"
#include "verify/btrfs/item.h"

enum {
	EXTENT_REFS = 0,
	EXTENT_GENERATION = 8,
	EXTENT_FLAGS = 16,
	EXTENT_HEAD = 24,
	TREE_INFO_LEVEL = 17, /* behind a key, in items that are not skinny */
	TREE_INFO_SIZE = 18,
	DATA_REF_ROOT = 0,
	DATA_REF_INODE = 8,
	DATA_REF_OFFSET = 16,
	DATA_REF_COUNT = 24,
	DATA_REF_SIZE = 28,
};

#define FLAG_DATA         (1ULL << 0)
#define FLAG_TREE_BLOCK   (1ULL << 1)
#define FLAG_FULL_BACKREF (1ULL << 8)

static void tree_ref(const struct item *it, uint64_t root, uint64_t parent)
{
	struct event ev = item_event(it, EVENT_TREE_REF, it->key.objectid);

	ev.tree_ref.root = root;
	ev.tree_ref.parent = parent;
	if (parent % it->f->sectorsize)
		item_fault(it, RULE_EXTENT_REF, "the parent %" PRIu64 " is no block", parent);
	it->sink->event(it->sink->context, &ev);
}

static void shared_data_ref(const struct item *it, uint64_t parent, uint32_t count)
{
	struct event ev = item_event(it, EVENT_DATA_REF, it->key.objectid);

	ev.data_ref.parent = parent;
	ev.data_ref.count = count;
	if (parent % it->f->sectorsize || !parent || !count)
		item_fault(it, RULE_EXTENT_REF, "%u references by the parent %" PRIu64 " are not possible",
			   count, parent);
	it->sink->event(it->sink->context, &ev);
}

static void data_ref(const struct item *it, const unsigned char *p)
{
	struct event ev = item_event(it, EVENT_DATA_REF, it->key.objectid);

	ev.data_ref.root = le64_at(p + DATA_REF_ROOT);
	ev.data_ref.inode = le64_at(p + DATA_REF_INODE);
	ev.data_ref.offset = le64_at(p + DATA_REF_OFFSET);
	ev.data_ref.count = le32_at(p + DATA_REF_COUNT);
	if (ev.data_ref.offset % it->f->sectorsize || !ev.data_ref.count || !ev.data_ref.inode)
		item_fault(it, RULE_EXTENT_REF,
			   "%u references by inode %" PRIu64 " of tree %" PRIu64 " at %" PRIu64
			   " are not possible",
			   ev.data_ref.count, ev.data_ref.inode, ev.data_ref.root, ev.data_ref.offset);
	it->sink->event(it->sink->context, &ev);
}

/* The inline reference at p, with `left` bytes to the end of the item: its length, 0 when it is none. */
static uint32_t inline_ref(const struct item *it, const unsigned char *p, uint32_t left, bool data,
			   uint64_t *refs)
{
	uint64_t offset = left >= 9 ? le64_at(p + 1) : 0;

	if (left >= 9 && p[0] == ITEM_TREE_BLOCK_REF && !data) {
		tree_ref(it, offset, 0);
		*refs += 1;
		return 9;
	}
	if (left >= 9 && p[0] == ITEM_SHARED_BLOCK_REF && !data) {
		tree_ref(it, 0, offset);
		*refs += 1;
		return 9;
	}
	if (left >= 13 && p[0] == ITEM_SHARED_DATA_REF && data) {
		shared_data_ref(it, offset, le32_at(p + 9));
		*refs += le32_at(p + 9);
		return 13;
	}
	if (left >= 1 + DATA_REF_SIZE && p[0] == ITEM_EXTENT_DATA_REF && data) {
		data_ref(it, p + 1);
		*refs += le32_at(p + 1 + DATA_REF_COUNT);
		return 1 + DATA_REF_SIZE;
	}
	if (left >= 9 && p[0] == ITEM_EXTENT_OWNER && data && (it->f->incompat & INCOMPAT_SIMPLE_QUOTA))
		return 9;
	return 0;
}

static void inline_refs(const struct item *it, uint32_t at, bool data, uint64_t total)
{
	uint64_t refs = 0;
	uint8_t type = 0;

	while (at < it->size) {
		uint32_t n = inline_ref(it, it->bytes + at, it->size - at, data, &refs);

		if (!n) {
			item_fault(it, RULE_EXTENT_REF,
				   "the inline reference at byte %u is cut off or of type %u", at,
				   it->bytes[at]);
			return;
		}
		if (it->bytes[at] < type)
			item_fault(it, RULE_EXTENT_REF,
				   "inline references are not in the order of their types");
		type = it->bytes[at];
		at += n;
	}
	if (refs > total)
		item_fault(it, RULE_EXTENT_REF, "it holds %" PRIu64 " references and says %" PRIu64, refs,
			   total);
}

/* Where inline references begin; 0: the item is no extent of this kind. */
static uint32_t extent_body(const struct item *it, bool data, struct event *ev)
{
	bool info = !data && it->key.type == ITEM_EXTENT;

	if (it->key.type == ITEM_METADATA) {
		ev->length = it->f->nodesize;
		ev->extent.level = (uint8_t)it->key.offset;
		ev->extent.level_known = true;
		if (it->key.offset >= BTRFS_LEVELS)
			item_fault(it, RULE_ITEM_KEY, "level %" PRIu64 " is above the highest",
				   it->key.offset);
	}
	if (!info)
		return EXTENT_HEAD;
	if (it->key.offset != it->f->nodesize)
		item_fault(it, RULE_ITEM_KEY, "a metadata block has %u bytes", it->f->nodesize);
	if (item_too_short(it, EXTENT_HEAD + TREE_INFO_SIZE))
		return 0;
	ev->extent.level = it->bytes[EXTENT_HEAD + TREE_INFO_LEVEL];
	ev->extent.level_known = true;
	return EXTENT_HEAD + TREE_INFO_SIZE;
}

void item_extent(const struct item *it)
{
	struct event ev = item_event(it, EVENT_EXTENT, it->key.objectid);
	uint64_t flags;
	uint32_t body;
	bool data;

	if (item_too_short(it, EXTENT_HEAD))
		return;
	flags = le64_at(it->bytes + EXTENT_FLAGS);
	data = flags & FLAG_DATA;
	ev.length = it->key.offset;
	ev.extent.refs = le64_at(it->bytes + EXTENT_REFS);
	ev.extent.generation = le64_at(it->bytes + EXTENT_GENERATION);
	ev.extent.metadata = !data;
	ev.extent.full_backref = flags & FLAG_FULL_BACKREF;
	if (flags & ~(FLAG_DATA | FLAG_TREE_BLOCK | FLAG_FULL_BACKREF) ||
	    data == !!(flags & FLAG_TREE_BLOCK) ||
	    (data && (ev.extent.full_backref || it->key.type == ITEM_METADATA)))
		item_fault(it, RULE_EXTENT_ITEM, "flags 0x%" PRIx64 " are not possible", flags);
	if (!ev.extent.refs || ev.extent.generation > it->newest)
		item_fault(it, RULE_EXTENT_ITEM,
			   "%" PRIu64 " references, generation %" PRIu64 " are not possible", ev.extent.refs,
			   ev.extent.generation);
	body = extent_body(it, data, &ev);
	if (ev.start % it->f->sectorsize || ev.length % it->f->sectorsize || !ev.length ||
	    ev.start + ev.length < ev.start) {
		item_fault(it, RULE_ITEM_KEY, "an extent begins and ends with a sector");
		return;
	}
	if (!body)
		return;
	it->sink->event(it->sink->context, &ev);
	inline_refs(it, body, data, ev.extent.refs);
}

void item_tree_ref(const struct item *it)
{
	if (item_size_wrong(it, 0))
		return;
	if (it->key.type == ITEM_TREE_BLOCK_REF)
		tree_ref(it, it->key.offset, 0);
	else
		tree_ref(it, 0, it->key.offset);
}

void item_data_ref(const struct item *it)
{
	const unsigned char *p = it->bytes;
	uint64_t hash;

	if (it->key.type == ITEM_SHARED_DATA_REF) {
		if (!item_size_wrong(it, sizeof(uint32_t)))
			shared_data_ref(it, it->key.offset, le32_at(p));
		return;
	}
	if (item_size_wrong(it, DATA_REF_SIZE))
		return;
	/* Two references with the same hash stand side by side: the later one has the next offset that is
	 * free. */
	hash = hash_data_ref(le64_at(p + DATA_REF_ROOT), le64_at(p + DATA_REF_INODE),
			     le64_at(p + DATA_REF_OFFSET));
	if (it->key.offset < hash || it->key.offset - hash > UINT16_MAX)
		item_fault(it, RULE_EXTENT_REF, "the hash of the reference is %" PRIu64, hash);
	data_ref(it, p);
}
