/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/btrfs/block.h"

#include <inttypes.h>

#include "src/content/hash.h"
#include "verify/btrfs/checksum.h"
#include "verify/btrfs/item.h"

uint32_t key_digest(const struct key *key)
{
	const uint64_t words[] = {key->objectid, key->type, key->offset};

	return (uint32_t)hash_bytes(words, sizeof(words));
}

#define block_fault(sink, rule, ...) fault_emit(sink, rule, -1, NULL, __VA_ARGS__)

static const char *show_uuid(char buf[37], const unsigned char *u)
{
	static const char digits[] = "0123456789abcdef";
	char *p = buf;

	for (unsigned int i = 0; i < BTRFS_UUID; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digits[u[i] >> 4];
		*p++ = digits[u[i] & 15];
	}
	*p = '\0';
	return buf;
}

bool block_is(const struct format *f, const struct promise *p, const unsigned char *block,
	      const struct sink *sink)
{
	char uuid[37];

	if (!csum_holds(f->csum_type, block, f->nodesize)) {
		block_fault(sink, RULE_CHECKSUM, "the %s checksum is wrong", csum_name(f->csum_type));
		return false;
	}
	if (le64_at(block + HEADER_BYTENR) != p->bytenr) {
		block_fault(sink, RULE_BYTENR, "it says that it is block %" PRIu64,
			    le64_at(block + HEADER_BYTENR));
		return false;
	}
	if (memcmp(block + HEADER_FSID, f->fsid, BTRFS_UUID) != 0) {
		block_fault(sink, RULE_FSID, "it belongs to filesystem %s",
			    show_uuid(uuid, block + HEADER_FSID));
		return false;
	}
	return true;
}

/* Subvolumes share blocks with each other, and with none of the other trees; nor do these among each other. A
 * tree of a balance keeps the owners of what it copies. */
static bool owner_right(uint64_t tree, uint64_t owner)
{
	if (tree_holds_files(tree))
		return tree_holds_files(owner) || owner == TREE_RELOC;
	if (tree == TREE_RELOC)
		return true;
	return owner == tree;
}

static void check_header(const struct format *f, const struct promise *p, const unsigned char *block,
			 const struct sink *sink)
{
	uint64_t flags = le64_at(block + HEADER_FLAGS), generation = le64_at(block + HEADER_GENERATION);
	uint64_t owner = le64_at(block + HEADER_OWNER);
	char uuid[37], name[32];

	if (f->chunk_uuid_known && memcmp(block + HEADER_CHUNK_UUID, f->chunk_uuid, BTRFS_UUID) != 0)
		block_fault(sink, RULE_CHUNK_UUID, "its chunk tree is %s",
			    show_uuid(uuid, block + HEADER_CHUNK_UUID));
	if (!(flags & HEADER_WRITTEN) && generation > GENERATION_OF_MKFS)
		block_fault(sink, RULE_WRITTEN,
			    "the mark WRITTEN is missing (flags 0x%" PRIx64
			    "): it was written by a way that leaves it "
			    "open to changes in place",
			    flags);
	if (flags >> HEADER_REVISION != 1 ||
	    flags & ~(HEADER_WRITTEN | HEADER_RELOC | 0xffULL << HEADER_REVISION))
		block_fault(sink, RULE_REVISION, "flags 0x%" PRIx64 " are not possible", flags);
	if (p->generation && generation != p->generation)
		block_fault(sink, RULE_GENERATION, "generation %" PRIu64 " instead of %" PRIu64 ": %s copy",
			    generation, p->generation, generation < p->generation ? "an older" : "a newer");
	if (generation > p->newest || !generation)
		block_fault(sink, RULE_NEWER,
			    "generation %" PRIu64 " is newer than the newest possible, %" PRIu64, generation,
			    p->newest);
	if (!owner_right(p->tree, owner))
		block_fault(sink, RULE_OWNER, "it belongs to %s", tree_show(name, sizeof(name), owner));
}

/* Key i of a block; entries of nodes and leaves both begin with theirs. */
static struct key key_of(const unsigned char *block, unsigned int entry, unsigned int i)
{
	return key_at(block + HEADER_SIZE + (size_t)i * entry);
}

static void check_keys(const struct promise *p, const unsigned char *block, unsigned int entry,
		       unsigned int count, const struct sink *sink)
{
	struct key last, key;
	char name[64];

	if (!count)
		return;
	last = key_of(block, entry, 0);
	if (p->below && key_digest(&last) != p->first_key)
		fault_emit(sink, RULE_FIRST_KEY, 0, &last, "the parent's key for this block is another");
	for (unsigned int i = 1; i < count; i++, last = key) {
		key = key_of(block, entry, i);
		if (key_compare(&last, &key) >= 0)
			fault_emit(sink, RULE_KEY_ORDER, (int)i, &key, "it stands behind %s",
				   key_show(name, sizeof(name), &last));
	}
}

static void parse_node(const struct format *f, const struct promise *p, const unsigned char *block,
		       unsigned int count, const struct sink *sink)
{
	uint64_t own = le64_at(block + HEADER_GENERATION);

	for (unsigned int i = 0; i < count; i++) {
		const unsigned char *at = block + HEADER_SIZE + (size_t)i * POINTER_SIZE;
		struct event ev = {.kind = EVENT_POINTER, .slot = i, .key = key_at(at)};

		ev.pointer.bytenr = le64_at(at + POINTER_BYTENR);
		ev.pointer.generation = le64_at(at + POINTER_GENERATION);
		if (!ev.pointer.bytenr || ev.pointer.bytenr % f->sectorsize) {
			fault_emit(sink, RULE_POINTER, (int)i, &ev.key, "no block lies at %" PRIu64,
				   ev.pointer.bytenr);
			continue;
		}
		if (ev.pointer.generation > own)
			fault_emit(sink, RULE_NEWER, (int)i, &ev.key,
				   "it points to generation %" PRIu64
				   ", and is itself of generation %" PRIu64,
				   ev.pointer.generation, own);
		sink->event(sink->context, &ev);
	}
}

/* What reaches from one item of the same object to the next. */
static void carry_on(struct item *it, const struct key *key)
{
	if (key->objectid != it->key.objectid || key->type != it->key.type)
		it->end = 0;
	it->previous = it->key;
	it->key = *key;
}

static void parse_leaf(const struct format *f, const struct promise *p, const unsigned char *block,
		       unsigned int count, const struct sink *sink)
{
	struct item it = {.f = f,
			  .sink = sink,
			  .tree = p->tree,
			  .owner = le64_at(block + HEADER_OWNER),
			  .block = p->bytenr,
			  .newest = p->newest};
	uint32_t room = format_leaf_room(f), limit = room;

	for (unsigned int i = 0; i < count; i++) {
		const unsigned char *at = block + HEADER_SIZE + (size_t)i * ITEM_SIZE;
		uint32_t offset = le32_at(at + ITEM_OFFSET);
		struct key key = key_at(at);

		it.slot = i;
		carry_on(&it, &key);
		it.size = le32_at(at + ITEM_LENGTH);
		if (offset > room || it.size > room - offset || offset < count * ITEM_SIZE) {
			item_fault(&it, RULE_ITEM_BOUNDS, "bytes %u+%u lie outside of the leaf's data",
				   offset, it.size);
			return; /* where the next one must end is not known */
		}
		if (offset + it.size != limit)
			item_fault(&it, RULE_ITEM_BOUNDS, "bytes %u+%u should end at %u", offset, it.size,
				   limit);
		limit = offset;
		it.bytes = block + HEADER_SIZE + offset;
		item_check(&it);
	}
}

/* These hold something from the first day on (tree-checker.c, check_leaf()). */
static bool never_empty(uint64_t tree)
{
	return tree == TREE_ROOT || tree == TREE_CHUNK || tree == TREE_DEVICE || tree == TREE_EXTENT ||
	       tree == TREE_FS || tree == TREE_DATA_RELOC;
}

static bool count_right(const struct format *f, const struct promise *p, uint32_t count,
			const struct sink *sink)
{
	uint32_t room = p->level ? format_node_room(f) : format_leaf_room(f) / ITEM_SIZE;

	if (count > room) {
		block_fault(sink, RULE_ITEM_COUNT, "%u items, there is room for %u", count, room);
		return false;
	}
	if (!count && (p->level || p->below || never_empty(p->tree)))
		block_fault(sink, RULE_ITEM_COUNT, "it is empty");
	return true;
}

bool block_parse(const struct format *f, const struct promise *p, const unsigned char *block,
		 const struct sink *sink)
{
	uint32_t count = le32_at(block + HEADER_COUNT);

	check_header(f, p, block, sink);
	if (block[HEADER_LEVEL] != p->level) {
		block_fault(sink, RULE_LEVEL, "level %u instead of %u", block[HEADER_LEVEL], p->level);
		return false;
	}
	if (!count_right(f, p, count, sink))
		return false;
	check_keys(p, block, p->level ? POINTER_SIZE : ITEM_SIZE, count, sink);
	if (p->level)
		parse_node(f, p, block, count, sink);
	else
		parse_leaf(f, p, block, count, sink);
	return true;
}
