/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <endian.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <stdlib.h>
#include <string.h>

#include "src/target/chunk.h"
#include "tests/unit/unit.h"

#define START  (1000 * MiB)
#define STRIPE (64 * KiB)

/* A chunk item as it lies on the disk, at an odd address: nothing says that items are aligned. Stripe i is on
 * device i + 1 at (i + 1) TiB. */
struct item {
	unsigned char room[1024];
	const unsigned char *at;
	size_t length;
};

static void make_item(struct item *it, uint64_t profile, unsigned int stripes, unsigned int sub_stripes)
{
	struct btrfs_chunk c = {
		.length = htole64(1 * GiB),
		.stripe_len = htole64(STRIPE),
		.type = htole64(BTRFS_BLOCK_GROUP_DATA | profile),
		.num_stripes = htole16((uint16_t)stripes),
		.sub_stripes = htole16((uint16_t)sub_stripes),
	};
	unsigned char *at = it->room + 1;

	memcpy(at, &c, sizeof(c));
	for (unsigned int i = 0; i < stripes; i++) {
		struct btrfs_stripe s = {.devid = htole64(i + 1), .offset = htole64((i + 1) * TiB)};

		memcpy(at + offsetof(struct btrfs_chunk, stripe) + i * sizeof(s), &s, sizeof(s));
	}
	it->at = at;
	it->length = sizeof(c) + (stripes - 1) * sizeof(struct btrfs_stripe);
}

static struct target_address map(uint64_t profile, unsigned int stripes, unsigned int sub_stripes,
				 uint64_t offset)
{
	struct target_address a = {0};
	struct error e;
	struct item it;

	make_item(&it, profile, stripes, sub_stripes);
	assert_int_equal(chunk_map(it.at, it.length, START, START + offset, &a, &e), 0);
	return a;
}

static void assert_mirror(const struct target_address *a, unsigned int i, uint64_t devid, uint64_t within)
{
	assert_true(i < a->mirrors);
	assert_int_equal(a->mirror[i].devid, devid);
	assert_int_equal(a->mirror[i].physical, devid * TiB + within);
}

static void single_is_an_offset(void **state)
{
	struct target_address a = map(0, 1, 1, 200 * KiB + 5);

	assert_int_equal(a.mirrors, 1);
	assert_mirror(&a, 0, 1, 200 * KiB + 5);
}

static void copies_are_all_named(void **state)
{
	static const struct {
		uint64_t profile;
		unsigned int copies;
	} profiles[] = {{BTRFS_BLOCK_GROUP_DUP, 2},
			{BTRFS_BLOCK_GROUP_RAID1, 2},
			{BTRFS_BLOCK_GROUP_RAID1C3, 3},
			{BTRFS_BLOCK_GROUP_RAID1C4, 4}};

	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		struct target_address a = map(profiles[i].profile, profiles[i].copies, 1, 70000);

		assert_int_equal(a.mirrors, profiles[i].copies);
		for (unsigned int m = 0; m < a.mirrors; m++)
			assert_mirror(&a, m, m + 1, 70000);
	}
}

static void raid0_goes_around(void **state)
{
	struct target_address a = map(BTRFS_BLOCK_GROUP_RAID0, 3, 1, 7 * STRIPE + 9);

	/* Stripe 7 is the third of its device: 1, 4, 7 lie on device 2. */
	assert_int_equal(a.mirrors, 1);
	assert_mirror(&a, 0, 2, 2 * STRIPE + 9);
}

static void raid10_has_two_of_each(void **state)
{
	struct target_address a = map(BTRFS_BLOCK_GROUP_RAID10, 4, 2, 5 * STRIPE + 3);

	/* Stripe 5 belongs to the second pair (devices 3 and 4) and is its third. */
	assert_int_equal(a.mirrors, 2);
	assert_mirror(&a, 0, 3, 2 * STRIPE + 3);
	assert_mirror(&a, 1, 4, 2 * STRIPE + 3);
}

static void raid5_turns_by_one_each_row(void **state)
{
	/* Three devices: row 0 is D0 D1 P, row 1 is P D2 D3, row 2 is D5 P D4. */
	static const uint64_t device[] = {1, 2, 2, 3, 3, 1};

	for (unsigned int i = 0; i < ARRAY_SIZE(device); i++) {
		struct target_address a = map(BTRFS_BLOCK_GROUP_RAID5, 3, 1, i * STRIPE + 1);

		assert_int_equal(a.mirrors, 1);
		assert_mirror(&a, 0, device[i], i / 2 * STRIPE + 1);
	}
}

static void raid6_has_two_parities(void **state)
{
	struct target_address a = map(BTRFS_BLOCK_GROUP_RAID6, 4, 1, 3 * STRIPE);

	/* Row 1, second of its two data stripes: device index (1 + 1) % 4. */
	assert_mirror(&a, 0, 3, STRIPE);
}

/* What lies in one piece, and what a chunk of 1 GiB takes of each device. */
static void pieces_end_with_stripes(void **state)
{
	static const struct {
		uint64_t profile;
		unsigned int stripes, sub;
		uint64_t run, device_bytes;
	} cases[] = {
		{0, 1, 1, GiB - 9, GiB},
		{BTRFS_BLOCK_GROUP_RAID1C3, 3, 1, GiB - 9, GiB},
		{BTRFS_BLOCK_GROUP_RAID0, 4, 1, STRIPE - 9, GiB / 4},
		{BTRFS_BLOCK_GROUP_RAID10, 4, 2, STRIPE - 9, GiB / 2},
		{BTRFS_BLOCK_GROUP_RAID5, 5, 1, STRIPE - 9, GiB / 4},
		{BTRFS_BLOCK_GROUP_RAID6, 4, 1, STRIPE - 9, GiB / 2},
		{BTRFS_BLOCK_GROUP_RAID6, 2, 1, 0, 0},
	};
	struct item it;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		make_item(&it, cases[i].profile, cases[i].stripes, cases[i].sub);
		assert_int_equal(chunk_run(it.at, it.length, START, START + 9), cases[i].run);
		assert_int_equal(chunk_device_bytes(it.at, it.length), cases[i].device_bytes);
		assert_int_equal(chunk_run(it.at, it.length, START, START + GiB), 0);
	}
	make_item(&it, BTRFS_BLOCK_GROUP_RAID0, 2, 1);
	assert_int_equal(chunk_run(it.at, it.length, START, START + GiB - 5), 5);
}

static void ends_are_outside(void **state)
{
	struct target_address a;
	struct error e;
	struct item it;

	make_item(&it, 0, 1, 1);
	assert_true(chunk_holds(it.at, it.length, START, START));
	assert_true(chunk_holds(it.at, it.length, START, START + GiB - 1));
	assert_false(chunk_holds(it.at, it.length, START, START + GiB));
	assert_false(chunk_holds(it.at, it.length, START, START - 1));
	assert_int_equal(chunk_map(it.at, it.length, START, START + GiB, &a, &e), -1);
	assert_int_equal(chunk_map(it.at, it.length, START, START - 1, &a, &e), -1);
}

/* The items come from a filesystem that may be damaged. Each is put at the end of its memory, so that a
 * sanitizer sees a byte read too much. */
static void damaged_items_are_refused(void **state)
{
	struct target_address a;
	struct error e;
	struct item it;

	make_item(&it, BTRFS_BLOCK_GROUP_RAID1C4, 4, 1);
	for (size_t length = 0; length < it.length; length++) {
		unsigned char *cut = malloc(length ? length : 1);

		assert_non_null(cut);
		memcpy(cut, it.at, length);
		assert_int_equal(chunk_map(cut, length, START, START, &a, &e), -1);
		free(cut);
	}
	make_item(&it, BTRFS_BLOCK_GROUP_RAID10, 5, 2);
	assert_int_equal(chunk_map(it.at, it.length, START, START, &a, &e), -1);
	make_item(&it, BTRFS_BLOCK_GROUP_RAID10, 4, 0);
	assert_int_equal(chunk_map(it.at, it.length, START, START, &a, &e), -1);
	make_item(&it, BTRFS_BLOCK_GROUP_RAID6, 2, 1);
	assert_int_equal(chunk_map(it.at, it.length, START, START, &a, &e), -1);
	make_item(&it, BTRFS_BLOCK_GROUP_RAID0 | BTRFS_BLOCK_GROUP_RAID5, 3, 1);
	assert_int_equal(chunk_map(it.at, it.length, START, START, &a, &e), -1);
	assert_non_null(strstr(e.text, "profile"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_is_an_offset),         cmocka_unit_test(copies_are_all_named),
		cmocka_unit_test(raid0_goes_around),           cmocka_unit_test(raid10_has_two_of_each),
		cmocka_unit_test(raid5_turns_by_one_each_row), cmocka_unit_test(raid6_has_two_parities),
		cmocka_unit_test(pieces_end_with_stripes),     cmocka_unit_test(ends_are_outside),
		cmocka_unit_test(damaged_items_are_refused),
	};

	return cmocka_run_group_tests_name("chunk", tests, NULL, NULL);
}
