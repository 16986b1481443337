/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the audit keeps in memory: the map of chunks, bits for sectors, the table of blocks. */
#include <stdlib.h>

#include "src/audit/map.h"
#include "src/audit/table.h"
#include "src/base/random.h"
#include "tests/unit/unit.h"

#define SECTOR 4096U

struct chunk_bytes {
	unsigned char bytes[CHUNK_HEAD + 4 * STRIPE_SIZE];
	struct event ev;
};

static void put(unsigned char *p, unsigned int bytes, uint64_t n)
{
	for (unsigned int i = 0; i < bytes; i++)
		p[i] = (unsigned char)(n >> 8 * i);
}

static void make(struct chunk_bytes *c, uint64_t start, uint64_t length, uint64_t type, unsigned int stripes)
{
	memset(c, 0, sizeof(*c));
	put(c->bytes + CHUNK_LENGTH, 8, length);
	put(c->bytes + CHUNK_STRIPE_LENGTH, 8, BTRFS_STRIPE);
	put(c->bytes + CHUNK_TYPE, 8, type);
	put(c->bytes + CHUNK_STRIPES, 2, stripes);
	put(c->bytes + CHUNK_SUB_STRIPES, 2, 1);
	for (unsigned int i = 0; i < stripes; i++) {
		put(c->bytes + CHUNK_HEAD + i * STRIPE_SIZE + STRIPE_DEVID, 8, 1);
		put(c->bytes + CHUNK_HEAD + i * STRIPE_SIZE + STRIPE_OFFSET, 8, i * length);
	}
	c->ev = (struct event){.kind = EVENT_CHUNK,
			       .start = start,
			       .length = length,
			       .bytes = c->bytes,
			       .size = CHUNK_HEAD + stripes * STRIPE_SIZE};
}

static const char *add(struct map *m, uint64_t start, uint64_t length, bool from_tree)
{
	struct chunk_bytes c;

	make(&c, start, length, GROUP_DATA, 1);
	return map_add(m, &c.ev, from_tree);
}

static void chunks_are_found_by_what_they_hold(void **state)
{
	size_t number = 99;
	struct map m;

	map_start(&m, SECTOR);
	assert_null(add(&m, 3 * MiB, MiB, true));
	assert_null(add(&m, MiB, MiB, true));
	assert_null(add(&m, 2 * MiB, MiB, true));
	assert_int_equal(m.count, 3);
	assert_null(map_find(&m, MiB - 1, 1, NULL));
	assert_int_equal(map_find(&m, MiB, 1, &number)->start, MiB);
	assert_int_equal(number, 0);
	assert_int_equal(map_find(&m, 4 * MiB - 1, 1, &number)->start, 3 * MiB);
	assert_int_equal(number, 2);
	assert_null(map_find(&m, 4 * MiB, 1, NULL));
	assert_non_null(map_find(&m, MiB, MiB, NULL));
	assert_null(map_find(&m, MiB, MiB + 1, NULL)); /* lies in two */
	assert_null(map_find(&m, MiB, UINT64_MAX, NULL));
	assert_true(map_overlaps(&m, 0, MiB + 1));
	assert_false(map_overlaps(&m, 0, MiB));
	assert_false(map_overlaps(&m, 4 * MiB, UINT64_MAX));
	map_end(&m);
}

static void chunks_that_overlap_are_refused(void **state)
{
	struct chunk_bytes c;
	struct map m;

	map_start(&m, SECTOR);
	assert_null(add(&m, MiB, MiB, false));
	assert_non_null(add(&m, MiB + 4096, MiB, true));
	assert_non_null(add(&m, 0, 2 * MiB, true));
	assert_non_null(add(&m, 2 * MiB - 4096, 4096, true));
	assert_null(add(&m, MiB, MiB, true)); /* the one of the superblock, again */
	assert_non_null(add(&m, MiB, MiB, true));
	make(&c, 4 * MiB, MiB, GROUP_DATA, 1);
	assert_null(map_add(&m, &c.ev, false));
	c.bytes[CHUNK_HEAD + STRIPE_UUID] ^= 1;
	assert_non_null(map_add(&m, &c.ev, true));
	map_end(&m);
}

static void a_read_ends_with_its_stripe(void **state)
{
	struct chunk_bytes c;
	struct map m;

	map_start(&m, SECTOR);
	make(&c, MiB, MiB, GROUP_DATA | GROUP_RAID0, 2);
	assert_null(map_add(&m, &c.ev, true));
	assert_null(add(&m, 8 * MiB, MiB, true));
	assert_int_equal(map_run(&m, MiB), BTRFS_STRIPE);
	assert_int_equal(map_run(&m, MiB + 4096), BTRFS_STRIPE - 4096);
	assert_int_equal(map_run(&m, 8 * MiB + 4096), MiB - 4096);
	assert_int_equal(map_run(&m, 0), 0);
	map_end(&m);
}

static void bits_of_sectors(void **state)
{
	const struct chunk *c;
	struct error e;
	struct map m;

	map_start(&m, SECTOR);
	assert_null(add(&m, MiB, 64 * MiB, true));
	assert_int_equal(map_bits(&m, 64 * MiB, &e), 0);
	c = m.chunks[0];
	/* 60 to 200: ends within words, and a whole word between. */
	assert_false(map_mark(c->summed, &m, c, MiB + 60 * SECTOR, 140 * SECTOR));
	assert_true(map_marked(c->summed, &m, c, MiB + 60 * SECTOR, 140 * SECTOR));
	assert_false(map_marked(c->summed, &m, c, MiB + 59 * SECTOR, 140 * SECTOR));
	assert_false(map_marked(c->summed, &m, c, MiB + 61 * SECTOR, 140 * SECTOR));
	assert_false(map_mark(c->summed, &m, c, MiB + 59 * SECTOR, SECTOR));
	assert_false(map_mark(c->summed, &m, c, MiB + 200 * SECTOR, 64 * SECTOR));
	assert_true(map_mark(c->summed, &m, c, MiB + 199 * SECTOR, SECTOR));
	assert_false(map_marked(c->allocated, &m, c, MiB + 60 * SECTOR, SECTOR));
	map_end(&m);
}

/* A chunk that claims to be larger than all devices gets no memory. */
static void no_bits_for_what_cannot_be(void **state)
{
	struct error e;
	struct map m;

	map_start(&m, SECTOR);
	assert_null(add(&m, 0, 1ULL << 60, true));
	assert_int_equal(map_bits(&m, GiB, &e), 0);
	assert_null(m.chunks[0]->summed);
	map_end(&m);
}

/* Stretches that lie end to end cancel to the ends of the whole, and only those. */
static void edges_telescope(void **state)
{
	uint64_t whole = map_edge(9 * MiB) - map_edge(0), sum = 0, at = 0;
	struct stream s = stream_make(1, 2, 3);

	while (at < 9 * MiB) {
		uint64_t n = MIN(stream_range(&s, 1, 64) * SECTOR, 9 * MiB - at);

		sum += map_edge(at + n) - map_edge(at);
		at += n;
	}
	assert_true(sum == whole);
	assert_false(sum + map_edge(2 * MiB) - map_edge(MiB) == whole);              /* twice */
	assert_false(sum - map_edge(2 * MiB) + map_edge(2 * MiB - SECTOR) == whole); /* a gap */
}

static void the_table_knows_its_blocks(void **state)
{
	const uint32_t many = 200000;
	struct error e;
	struct table t;
	bool made;

	assert_int_equal(table_start(&t, many, &e), 0);
	for (uint32_t i = 0; i < many; i++) {
		assert_int_equal(table_get(&t, (uint64_t)i * 16384, &made), i);
		assert_true(made);
		table_entry(&t, i)->generation = i;
	}
	for (uint32_t i = 0; i < many; i++) {
		assert_int_equal(table_get(&t, (uint64_t)i * 16384, &made), i);
		assert_false(made);
		assert_int_equal(table_entry(&t, i)->generation, i);
	}
	assert_int_equal(table_get(&t, 1, &made), TABLE_FULL); /* the limit */
	assert_int_equal(table_find(&t, 1), TABLE_FULL);
	assert_int_equal(table_find(&t, 16384), 1);
	assert_true(t.bytes <= 64ULL * many);
	table_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_are_found_by_what_they_hold),
		cmocka_unit_test(chunks_that_overlap_are_refused),
		cmocka_unit_test(a_read_ends_with_its_stripe),
		cmocka_unit_test(bits_of_sectors),
		cmocka_unit_test(no_bits_for_what_cannot_be),
		cmocka_unit_test(edges_telescope),
		cmocka_unit_test(the_table_knows_its_blocks),
	};

	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
