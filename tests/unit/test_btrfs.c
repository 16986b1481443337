/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parser of the on-disk format: blocks made here byte by byte, then damaged, one rule each. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/unit.h"
#include "verify/btrfs/block.h"
#include "verify/btrfs/checksum.h"
#include "verify/btrfs/chunk.h"
#include "verify/btrfs/super.h"

#define NODE       4096U
#define SECTOR     4096U
#define GENERATION 50U
#define ADDRESS    (30 * MiB)

/* What the sink got. */
struct heard {
	unsigned int faults[RULES], all, events;
	struct fault last;
	struct event event;
};

static void hear_fault(void *context, const struct fault *f)
{
	struct heard *h = context;

	h->faults[f->rule]++;
	h->all++;
	h->last = *f;
}

static void hear_event(void *context, const struct event *ev)
{
	struct heard *h = context;

	h->events++;
	h->event = *ev;
}

static struct format format_of(uint16_t csum)
{
	struct format f = {.nodesize = NODE,
			   .sectorsize = SECTOR,
			   .csum_type = csum,
			   .csum_size = csum_size(csum),
			   .generation = GENERATION,
			   .chunk_uuid_known = true};

	memset(f.fsid, 7, BTRFS_UUID);
	memset(f.chunk_uuid, 9, BTRFS_UUID);
	return f;
}

static void put(unsigned char *p, unsigned int bytes, uint64_t n)
{
	for (unsigned int i = 0; i < bytes; i++)
		p[i] = (unsigned char)(n >> 8 * i);
}

static void put_key(unsigned char *p, uint64_t objectid, uint8_t type, uint64_t offset)
{
	put(p, 8, objectid);
	p[8] = type;
	put(p + 9, 8, offset);
}

/* A block that is being made, and what its parent promises. */
struct made {
	struct format f;
	struct promise p;
	unsigned char bytes[NODE];
	uint32_t count, end; /* of a leaf: where the next item's data end */
};

static void begin(struct made *m, uint64_t tree, uint8_t level)
{
	memset(m, 0, sizeof(*m));
	m->f = format_of(CSUM_CRC32C);
	m->p = (struct promise){.bytenr = ADDRESS,
				.tree = tree,
				.generation = GENERATION - 3,
				.newest = GENERATION,
				.level = level};
	memcpy(m->bytes + HEADER_FSID, m->f.fsid, BTRFS_UUID);
	put(m->bytes + HEADER_BYTENR, 8, ADDRESS);
	put(m->bytes + HEADER_FLAGS, 8, HEADER_WRITTEN | 1ULL << HEADER_REVISION);
	memcpy(m->bytes + HEADER_CHUNK_UUID, m->f.chunk_uuid, BTRFS_UUID);
	put(m->bytes + HEADER_GENERATION, 8, GENERATION - 3);
	put(m->bytes + HEADER_OWNER, 8, tree);
	m->bytes[HEADER_LEVEL] = level;
	m->end = NODE - HEADER_SIZE;
}

/* Room for an item's bytes. */
static unsigned char *add(struct made *m, uint64_t objectid, uint8_t type, uint64_t offset, uint32_t size)
{
	unsigned char *at = m->bytes + HEADER_SIZE + (size_t)m->count * ITEM_SIZE;

	m->end -= size;
	put_key(at, objectid, type, offset);
	put(at + ITEM_OFFSET, 4, m->end);
	put(at + ITEM_LENGTH, 4, size);
	put(m->bytes + HEADER_COUNT, 4, ++m->count);
	return m->bytes + HEADER_SIZE + m->end;
}

static void add_pointer(struct made *m, uint64_t objectid, uint64_t bytenr, uint64_t generation)
{
	unsigned char *at = m->bytes + HEADER_SIZE + (size_t)m->count * POINTER_SIZE;

	put_key(at, objectid, ITEM_INODE, 0);
	put(at + POINTER_BYTENR, 8, bytenr);
	put(at + POINTER_GENERATION, 8, generation);
	put(m->bytes + HEADER_COUNT, 4, ++m->count);
}

static bool parse(const struct made *m, struct heard *h)
{
	const struct sink s = {h, hear_fault, hear_event};

	memset(h, 0, sizeof(*h));
	return block_parse(&m->f, &m->p, m->bytes, &s);
}

static void assert_only(const struct heard *h, enum rule rule)
{
	if (h->all != 1 || h->faults[rule] != 1)
		fail_msg("%u faults, the last %s: %s; wanted one of %s", h->all, rule_name(h->last.rule),
			 h->last.text, rule_name(rule));
}

static void assert_clean(const struct heard *h)
{
	if (h->all)
		fail_msg("%s: %s", rule_name(h->last.rule), h->last.text);
}

static void add_inode(struct made *m, uint64_t inode)
{
	unsigned char *p = add(m, inode, ITEM_INODE, 0, 160);

	put(p + 40, 4, 1);
	put(p + 52, 4, 0100644);
}

static void a_leaf(struct made *m)
{
	begin(m, TREE_FS, 0);
	add_inode(m, 257);
	add_inode(m, 258);
	add_inode(m, 259);
}

static void checksums_are_the_known_ones(void **state)
{
	static const struct {
		uint16_t type;
		const char *text;
		unsigned char sum[8];
	} known[] = {
		/* The check value of CRC-32C; XXH64 with seed 0; FIPS 180-2; RFC 7693's function with 32
		   bytes. */
		{CSUM_CRC32C, "123456789", {0x83, 0x92, 0x06, 0xe3}},
		{CSUM_XXHASH64, "", {0x99, 0xe9, 0xd8, 0x51, 0x37, 0xdb, 0x46, 0xef}},
		{CSUM_SHA256, "abc", {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea}},
		{CSUM_BLAKE2B, "abc", {0xbd, 0xdd, 0x81, 0x3c, 0x63, 0x42, 0x39, 0x72}},
	};
	unsigned char sum[BTRFS_CSUM];

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		csum_make(known[i].type, known[i].text, strlen(known[i].text), sum);
		assert_memory_equal(sum, known[i].sum, MIN(csum_size(known[i].type), 8U));
	}
	assert_int_equal(csum_size(4), 0);
	/* The key of "default" in every tree of roots is (6 DIR_ITEM 2378154706). */
	assert_int_equal(hash_name("default", 7), 2378154706U);
}

static void a_whole_block_is_known_by_its_checksum(void **state)
{
	for (uint16_t type = CSUM_CRC32C; type <= CSUM_BLAKE2B; type++) {
		struct heard h = {0};
		const struct sink s = {&h, hear_fault, hear_event};
		struct made m;

		a_leaf(&m);
		m.f = format_of(type);
		csum_make(type, m.bytes + BTRFS_CSUM, NODE - BTRFS_CSUM, m.bytes);
		assert_true(block_is(&m.f, &m.p, m.bytes, &s));
		m.bytes[NODE - 1] ^= 0x80;
		assert_false(block_is(&m.f, &m.p, m.bytes, &s));
		assert_only(&h, RULE_CHECKSUM);
	}
}

static void expect_not_it(unsigned int at, enum rule rule)
{
	struct heard h = {0};
	const struct sink s = {&h, hear_fault, hear_event};
	struct made m;

	a_leaf(&m);
	m.bytes[at] ^= 1;
	csum_make(CSUM_CRC32C, m.bytes + BTRFS_CSUM, NODE - BTRFS_CSUM, m.bytes);
	assert_false(block_is(&m.f, &m.p, m.bytes, &s));
	assert_only(&h, rule);
}

static void another_block_is_not_it(void **state)
{
	expect_not_it(HEADER_BYTENR, RULE_BYTENR);
	expect_not_it(HEADER_FSID, RULE_FSID);
}

static void a_good_leaf_makes_events(void **state)
{
	struct heard h;
	struct made m;

	a_leaf(&m);
	assert_true(parse(&m, &h));
	assert_clean(&h);
	assert_int_equal(h.events, 3);
	assert_int_equal(h.event.kind, EVENT_INODE);
	assert_int_equal(h.event.key.objectid, 259);
}

/* Put a number into the header of a good leaf. */
static void expect_header(unsigned int at, unsigned int bytes, uint64_t n, enum rule rule, bool usable)
{
	struct heard h;
	struct made m;

	a_leaf(&m);
	put(m.bytes + at, bytes, n);
	assert_int_equal(parse(&m, &h), usable);
	assert_only(&h, rule);
	if (!usable)
		assert_int_equal(h.events, 0);
}

static void each_field_of_a_header_counts(void **state)
{
	expect_header(HEADER_FLAGS, 8, 1ULL << HEADER_REVISION, RULE_WRITTEN, true);
	expect_header(HEADER_FLAGS, 8, HEADER_WRITTEN, RULE_REVISION, true);
	expect_header(HEADER_FLAGS, 8, HEADER_WRITTEN | 4 | 1ULL << HEADER_REVISION, RULE_REVISION, true);
	expect_header(HEADER_CHUNK_UUID, 1, 0, RULE_CHUNK_UUID, true);
	expect_header(HEADER_GENERATION, 8, GENERATION - 4, RULE_GENERATION, true);
	expect_header(HEADER_OWNER, 8, TREE_EXTENT, RULE_OWNER, true);
	expect_header(HEADER_LEVEL, 1, 1, RULE_LEVEL, false);
	expect_header(HEADER_LEVEL, 1, 255, RULE_LEVEL, false);
	expect_header(HEADER_COUNT, 4, 0, RULE_ITEM_COUNT, true);
	expect_header(HEADER_COUNT, 4, UINT32_MAX, RULE_ITEM_COUNT, false);
}

static void newer_than_possible(void **state)
{
	struct heard h;
	struct made m;

	a_leaf(&m);
	put(m.bytes + HEADER_GENERATION, 8, GENERATION + 1);
	m.p.generation = GENERATION + 1;
	parse(&m, &h);
	assert_only(&h, RULE_NEWER);
	m.p.newest = GENERATION + 1; /* a log's */
	parse(&m, &h);
	assert_clean(&h);
}

/* mkfs writes its first blocks without the mark. */
static void the_first_generation_is_of_mkfs(void **state)
{
	struct heard h;
	struct made m;

	a_leaf(&m);
	put(m.bytes + HEADER_FLAGS, 8, 1ULL << HEADER_REVISION);
	put(m.bytes + HEADER_GENERATION, 8, 1);
	m.p.generation = 1;
	parse(&m, &h);
	assert_clean(&h);
}

static void subvolumes_share_and_others_do_not(void **state)
{
	static const struct {
		uint64_t tree, owner;
		bool right;
	} pairs[] = {{TREE_FS, 300, true},        {300, TREE_FS, true},          {300, 7, false},
		     {TREE_CSUM, TREE_FS, false}, {TREE_LOG, TREE_LOG, true},    {TREE_LOG, TREE_FS, false},
		     {TREE_RELOC, 300, true},     {TREE_ROOT, TREE_CHUNK, false}};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct heard h;
		struct made m;

		begin(&m, pairs[i].tree, 1);
		add_pointer(&m, 256, 16 * MiB, 5);
		put(m.bytes + HEADER_OWNER, 8, pairs[i].owner);
		parse(&m, &h);
		assert_int_equal(h.faults[RULE_OWNER], !pairs[i].right);
	}
}

static void keys_ascend_and_begin_as_promised(void **state)
{
	const struct key first = {257, ITEM_INODE, 0}, other = {257, ITEM_INODE, 1};
	struct heard h;
	struct made m;

	a_leaf(&m);
	m.p.below = true;
	m.p.first_key = key_digest(&first);
	parse(&m, &h);
	assert_clean(&h);
	m.p.first_key = key_digest(&other);
	parse(&m, &h);
	assert_only(&h, RULE_FIRST_KEY);
	a_leaf(&m);
	put(m.bytes + HEADER_SIZE + 2 * ITEM_SIZE, 8, 258); /* as the one before it */
	parse(&m, &h);
	assert_only(&h, RULE_KEY_ORDER);
	assert_int_equal(h.last.slot, 2);
}

static void nodes_point_to_blocks(void **state)
{
	struct heard h;
	struct made m;

	begin(&m, TREE_FS, 2);
	add_pointer(&m, 256, 16 * MiB, 5);
	add_pointer(&m, 300, 32 * MiB, 6);
	assert_true(parse(&m, &h));
	assert_clean(&h);
	assert_int_equal(h.events, 2);
	assert_int_equal(h.event.pointer.bytenr, 32 * MiB);
	assert_int_equal(h.event.pointer.generation, 6);
	add_pointer(&m, 301, 32 * MiB + 1, 6);
	parse(&m, &h);
	assert_only(&h, RULE_POINTER);
	assert_int_equal(h.events, 2);
	begin(&m, TREE_FS, 1);
	add_pointer(&m, 256, 16 * MiB, GENERATION - 2); /* the node is of GENERATION - 3 */
	parse(&m, &h);
	assert_only(&h, RULE_NEWER);
	begin(&m, TREE_FS, 1);
	parse(&m, &h);
	assert_only(&h, RULE_ITEM_COUNT); /* no node is empty */
}

static void items_lie_within_their_leaf(void **state)
{
	const uint32_t room = NODE - HEADER_SIZE;
	struct heard h;
	struct made m;

	a_leaf(&m);
	put(m.bytes + HEADER_SIZE + ITEM_OFFSET, 4, room - 159); /* ends one byte behind the leaf */
	parse(&m, &h);
	assert_int_equal(h.faults[RULE_ITEM_BOUNDS], 1);
	assert_int_equal(h.events, 0);
	a_leaf(&m);
	put(m.bytes + HEADER_SIZE + 2 * ITEM_SIZE + ITEM_OFFSET, 4, room - 480 - 8); /* a gap */
	parse(&m, &h);
	assert_int_equal(h.faults[RULE_ITEM_BOUNDS], 1);
	a_leaf(&m);
	put(m.bytes + HEADER_SIZE + 2 * ITEM_SIZE + ITEM_OFFSET, 4, 2 * ITEM_SIZE); /* in the heads */
	parse(&m, &h);
	assert_int_equal(h.faults[RULE_ITEM_BOUNDS], 1);
	assert_int_equal(h.events, 2); /* it is not looked at */
	a_leaf(&m);
	put(m.bytes + HEADER_SIZE + ITEM_LENGTH, 4, UINT32_MAX);
	parse(&m, &h);
	assert_int_equal(h.faults[RULE_ITEM_BOUNDS], 1);
}

/* An item of each type that reads its bytes, whole: what a correct one looks like is the integration test's
 * affair; here no length of it may be read beyond. */
static void no_item_is_read_beyond_its_end(void **state)
{
	static const uint64_t trees[] = {TREE_ROOT, TREE_EXTENT, TREE_CHUNK, TREE_DEVICE,     TREE_FS,
					 TREE_CSUM, TREE_QUOTA,  TREE_UUID,  TREE_FREE_SPACE, TREE_LOG};

	for (size_t t = 0; t < ARRAY_SIZE(trees); t++) {
		for (unsigned int type = 0; type < 256; type++) {
			for (uint32_t size = 0; size < 200; size++) {
				struct heard h = {0};
				const struct sink s = {&h, hear_fault, hear_event};
				struct made m;
				unsigned char *end, *block;

				begin(&m, trees[t], 0);
				m.end = NODE - HEADER_SIZE;
				/* Its bytes end with the leaf, and the leaf with its memory. */
				end = add(&m, 257, (uint8_t)type, 4096, size);
				for (uint32_t i = 0; i < size; i++)
					end[i] = (unsigned char)(i * 7 + type);
				block = malloc(NODE);
				assert_non_null(block);
				memcpy(block, m.bytes, NODE);
				block_parse(&m.f, &m.p, block, &s);
				free(block);
			}
		}
	}
}

static unsigned char *add_extent(struct made *m, uint64_t start, uint64_t refs)
{
	unsigned char *p = add(m, start, ITEM_METADATA, 0, 24 + 9);

	put(p, 8, refs);
	put(p + 8, 8, GENERATION);
	put(p + 16, 8, 2);
	p[24] = ITEM_TREE_BLOCK_REF;
	put(p + 25, 8, TREE_FS);
	return p;
}

static void extents_and_their_references(void **state)
{
	struct heard h;
	struct made m;
	unsigned char *p;

	begin(&m, TREE_EXTENT, 0);
	add_extent(&m, 16 * MiB, 1);
	parse(&m, &h);
	assert_clean(&h);
	assert_int_equal(h.events, 2);
	assert_int_equal(h.event.kind, EVENT_TREE_REF);
	assert_int_equal(h.event.tree_ref.root, TREE_FS);
	p = add_extent(&m, 17 * MiB, 1);
	put(p + 16, 8, 3); /* both data and metadata */
	parse(&m, &h);
	assert_true(h.faults[RULE_EXTENT_ITEM]);
	begin(&m, TREE_EXTENT, 0);
	p = add_extent(&m, 16 * MiB, 1);
	p[24] = ITEM_EXTENT_DATA_REF; /* is longer, and of data */
	parse(&m, &h);
	assert_only(&h, RULE_EXTENT_REF);
	begin(&m, TREE_EXTENT, 0);
	add_extent(&m, 16 * MiB + 1, 1);
	parse(&m, &h);
	assert_only(&h, RULE_ITEM_KEY);
}

static void make_chunk(unsigned char *p, uint64_t type, unsigned int stripes, unsigned int sub)
{
	memset(p, 0, CHUNK_HEAD + (size_t)stripes * STRIPE_SIZE);
	put(p + CHUNK_LENGTH, 8, 64 * MiB);
	put(p + CHUNK_STRIPE_LENGTH, 8, BTRFS_STRIPE);
	put(p + CHUNK_TYPE, 8, type);
	put(p + CHUNK_SECTORSIZE, 4, SECTOR);
	put(p + CHUNK_STRIPES, 2, stripes);
	put(p + CHUNK_SUB_STRIPES, 2, sub);
}

static void chunks_are_possible_or_not(void **state)
{
	static const struct {
		uint64_t type;
		unsigned int stripes, sub;
		bool right;
	} chunks[] = {
		{GROUP_DATA, 1, 1, true},
		{GROUP_DATA, 2, 1, false},
		{GROUP_METADATA | GROUP_DUP, 2, 1, true},
		{GROUP_METADATA | GROUP_RAID1, 3, 1, false},
		{GROUP_METADATA | GROUP_RAID1C4, 4, 1, true},
		{GROUP_DATA | GROUP_RAID10, 4, 2, true},
		{GROUP_DATA | GROUP_RAID10, 5, 2, false},
		{GROUP_DATA | GROUP_RAID10, 4, 0, false},
		{GROUP_DATA | GROUP_RAID5, 2, 1, true},
		{GROUP_DATA | GROUP_RAID6, 2, 1, false},
		{GROUP_DATA | GROUP_RAID5 | GROUP_RAID6, 4, 1, false},
		{GROUP_RAID1, 2, 1, false},
		{GROUP_SYSTEM | GROUP_DATA, 1, 1, false},
		{GROUP_DATA | GROUP_METADATA, 1, 1, false},
		{GROUP_DATA | GROUP_REMAPPED, 1, 1, false},
	};
	const struct key key = {OBJECT_CHUNKS, ITEM_CHUNK, 64 * MiB};
	const struct format f = format_of(CSUM_CRC32C);

	for (size_t i = 0; i < ARRAY_SIZE(chunks); i++) {
		struct heard h = {0};
		const struct sink s = {&h, hear_fault, hear_event};
		unsigned char item[CHUNK_HEAD + 5 * STRIPE_SIZE];

		make_chunk(item, chunks[i].type, chunks[i].stripes, chunks[i].sub);
		chunk_item(&f, &key, item, CHUNK_HEAD + chunks[i].stripes * STRIPE_SIZE, 0, &s);
		assert_int_equal(h.events, chunks[i].right);
		assert_int_equal(h.faults[RULE_CHUNK_ITEM], !chunks[i].right);
	}
}

static void make_super(unsigned char *b)
{
	memset(b, 0, SUPER_SIZE);
	put(b + SUPER_BYTENR, 8, super_place(0));
	put(b + SUPER_MAGIC, 8, BTRFS_MAGIC);
	put(b + SUPER_GENERATION, 8, GENERATION);
	put(b + SUPER_TOTAL_BYTES, 8, GiB);
	put(b + SUPER_NUM_DEVICES, 8, 1);
	put(b + SUPER_SECTORSIZE, 4, SECTOR);
	put(b + SUPER_NODESIZE, 4, 16 * KiB);
	put(b + SUPER_LEAFSIZE, 4, 16 * KiB);
}

static bool parse_super(unsigned char *b, struct super *s, struct heard *h)
{
	const struct sink sink = {h, hear_fault, hear_event};

	memset(h, 0, sizeof(*h));
	csum_make(CSUM_CRC32C, b + BTRFS_CSUM, SUPER_SIZE - BTRFS_CSUM, b);
	return super_parse(b, super_place(0), s, &sink);
}

static void superblocks_that_cannot_be(void **state)
{
	static const struct {
		unsigned int at, bytes;
		uint64_t n;
		enum rule rule;
		bool usable;
	} wrong[] = {
		{SUPER_MAGIC, 8, 0, RULE_SUPER_FIELD, false},
		{SUPER_BYTENR, 8, 4096, RULE_SUPER_BYTENR, true},
		{SUPER_SECTORSIZE, 4, 0, RULE_SUPER_FIELD, false},
		{SUPER_NODESIZE, 4, 0, RULE_SUPER_FIELD, false},
		{SUPER_NODESIZE, 4, 16 * KiB + 4096, RULE_SUPER_FIELD, false},
		{SUPER_NODESIZE, 4, 128 * KiB, RULE_SUPER_FIELD, false},
		{SUPER_ARRAY_SIZE, 4, SUPER_ARRAY_MAX + 1, RULE_SUPER_FIELD, false},
		{SUPER_ROOT_LEVEL, 1, 8, RULE_SUPER_FIELD, true},
		{SUPER_CHUNK_ROOT, 8, 1, RULE_SUPER_FIELD, true},
		{SUPER_CHUNK_GENERATION, 8, GENERATION + 1, RULE_SUPER_FIELD, true},
		{SUPER_BYTES_USED, 8, GiB + 1, RULE_SUPER_FIELD, true},
		{SUPER_NUM_DEVICES, 8, 0, RULE_SUPER_FIELD, true},
	};
	unsigned char b[SUPER_SIZE];
	struct super s;
	struct heard h;

	make_super(b);
	assert_true(parse_super(b, &s, &h));
	assert_clean(&h);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		make_super(b);
		put(b + wrong[i].at, wrong[i].bytes, wrong[i].n);
		assert_int_equal(parse_super(b, &s, &h), wrong[i].usable);
		assert_only(&h, wrong[i].rule);
	}
}

static void the_array_of_chunks_is_read_to_its_end(void **state)
{
	unsigned char b[SUPER_SIZE];
	struct super s;
	struct heard h;
	const struct sink sink = {&h, hear_fault, hear_event};
	const uint32_t one = KEY_SIZE + CHUNK_HEAD + 2 * STRIPE_SIZE;

	make_super(b);
	for (unsigned int i = 0; i < 2; i++) {
		put_key(b + SUPER_ARRAY + i * one, OBJECT_CHUNKS, ITEM_CHUNK, (i + 1) * 64 * MiB);
		make_chunk(b + SUPER_ARRAY + i * one + KEY_SIZE, GROUP_SYSTEM | GROUP_DUP, 2, 1);
	}
	for (uint32_t size = 0; size <= 2 * one; size++) {
		put(b + SUPER_ARRAY_SIZE, 4, size);
		assert_true(parse_super(b, &s, &h));
		super_chunks(&s, &sink);
		assert_int_equal(h.events, size / one);
		assert_int_equal(h.faults[RULE_SYSTEM_CHUNKS], size % one != 0);
	}
}

static void unknown_features_are_named(void **state)
{
	struct super s = {.format.incompat = INCOMPAT_SKINNY | 1ULL << 13 | 1ULL << 63};
	char text[128];

	assert_true(super_unknown(&s, false, text, sizeof(text)));
	assert_string_equal(text, "incompat:extent_tree_v2, incompat bit 63");
	assert_false(super_unknown(&s, true, text, sizeof(text)));
	s.format.incompat = UINT64_MAX; /* more names than there is room for */
	assert_true(super_unknown(&s, false, text, sizeof(text)));
	assert_true(strlen(text) < sizeof(text));
}

static void every_rule_has_its_words(void **state)
{
	for (unsigned int i = 0; i < RULES; i++) {
		assert_non_null(rule_name(i));
		assert_non_null(rule_text(i));
		for (unsigned int k = 0; k < i; k++)
			assert_string_not_equal(rule_name(i), rule_name(k));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksums_are_the_known_ones),
		cmocka_unit_test(a_whole_block_is_known_by_its_checksum),
		cmocka_unit_test(another_block_is_not_it),
		cmocka_unit_test(a_good_leaf_makes_events),
		cmocka_unit_test(each_field_of_a_header_counts),
		cmocka_unit_test(newer_than_possible),
		cmocka_unit_test(the_first_generation_is_of_mkfs),
		cmocka_unit_test(subvolumes_share_and_others_do_not),
		cmocka_unit_test(keys_ascend_and_begin_as_promised),
		cmocka_unit_test(nodes_point_to_blocks),
		cmocka_unit_test(items_lie_within_their_leaf),
		cmocka_unit_test(no_item_is_read_beyond_its_end),
		cmocka_unit_test(extents_and_their_references),
		cmocka_unit_test(chunks_are_possible_or_not),
		cmocka_unit_test(superblocks_that_cannot_be),
		cmocka_unit_test(the_array_of_chunks_is_read_to_its_end),
		cmocka_unit_test(unknown_features_are_named),
		cmocka_unit_test(every_rule_has_its_words),
	};

	return cmocka_run_group_tests_name("btrfs", tests, NULL, NULL);
}
