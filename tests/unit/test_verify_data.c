/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wrong contents, as hot and cold see them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "tests/unit/verify_world.h"

static void a_changed_byte(void **state)
{
	struct world *w = *state;
	unsigned char byte;

	read_back(w, path_of(w, 0, w->big), 5 * MiB + 77, &byte, 1);
	byte ^= 0x10;
	plant_and_find(w, w->big, 5 * MiB + 77, &byte, 1, FINDING_FLIPPED, 5 * MiB, BLOCK_SIZE);
	assert_int_equal(w->found[0]->range[1].bits, 1);
	silent(w, "hot");
	silent(w, "cold");
}

static void a_changed_byte_of_an_inline_file(void **state)
{
	struct world *w = *state;
	unsigned char byte;

	read_back(w, path_of(w, 0, w->small), 50, &byte, 1);
	byte ^= 0x81;
	plant_and_find(w, w->small, 50, &byte, 1, FINDING_FLIPPED, 0, 100);
}

static void a_zeroed_page(void **state)
{
	static const unsigned char zeroes[BLOCK_SIZE];

	plant_and_find(*state, ((struct world *)*state)->big, 8 * MiB, zeroes, BLOCK_SIZE, FINDING_ZEROES,
		       8 * MiB, BLOCK_SIZE);
}

static void an_older_page(void **state)
{
	struct world *w = *state;
	unsigned char page[BLOCK_SIZE];

	fill(0, 1, w->big, 12 * MiB, page, sizeof(page));
	plant_and_find(w, w->big, 12 * MiB, page, sizeof(page), FINDING_STALE, 12 * MiB, BLOCK_SIZE);
	assert_int_equal(w->found[0]->range[0].origin.operation, 1);
}

static void a_page_of_another_file(void **state)
{
	struct world *w = *state;
	unsigned char page[BLOCK_SIZE];

	read_back(w, path_of(w, 0, w->middle), 8192, page, sizeof(page));
	plant_and_find(w, w->tail, 4096, page, sizeof(page), FINDING_FOREIGN, 4096, BLOCK_SIZE);
	assert_int_equal(w->found[0]->range[0].object, w->middle);
	assert_int_equal(w->found[0]->range[0].offset, 8192);
}

static void half_a_page(void **state)
{
	struct world *w = *state;
	unsigned char half[BLOCK_SIZE / 2];

	fill(0, 1, w->big, 2048, half, sizeof(half));
	plant_and_find(w, w->big, 2048, half, sizeof(half), FINDING_TORN, 0, BLOCK_SIZE);
	assert_int_equal(w->found[0]->tear, 2048);
}

/* Unaligned and across the reads' and slices' borders: still one finding. */
static void a_lost_write_is_one_finding(void **state)
{
	struct world *w = *state;
	unsigned char *old = malloc(65536);

	fill(0, 1, w->middle, 65536 + 1000, old, 65536);
	plant_and_find(w, w->middle, 65536 + 1000, old, 65536, FINDING_STALE, 65536, 65536 + BLOCK_SIZE);
	memset(old, 0, 65536);
	plant_and_find(w, w->big, 4 * MiB - 32768, old, 65536, FINDING_ZEROES, 4 * MiB - 32768, 65536);
	plant_and_find(w, w->big, 512 * KiB - 32768, old, 65536, FINDING_ZEROES, 512 * KiB - 32768, 65536);
	free(old);
}

static void data_in_a_hole(void **state)
{
	struct world *w = *state;

	plant_and_find(w, w->sparse, 1 * MiB + 100, "stray", 5, FINDING_GARBAGE, MiB, BLOCK_SIZE);
}

static void the_last_partial_block(void **state)
{
	struct world *w = *state;
	unsigned char zeroes[3617] = {0};

	plant_and_find(w, w->tail, 16384, zeroes, sizeof(zeroes), FINDING_ZEROES, 16384, sizeof(zeroes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_changed_byte),
		cmocka_unit_test(a_changed_byte_of_an_inline_file),
		cmocka_unit_test(a_zeroed_page),
		cmocka_unit_test(an_older_page),
		cmocka_unit_test(a_page_of_another_file),
		cmocka_unit_test(half_a_page),
		cmocka_unit_test(a_lost_write_is_one_finding),
		cmocka_unit_test(data_in_a_hole),
		cmocka_unit_test(the_last_partial_block),
	};

	if (geteuid() != 0)
		return 77; /* skipped: mounting needs root */
	return cmocka_run_group_tests_name("verify_data", tests, world_start, world_end);
}
