/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "src/guard/repeats.h"
#include "tests/unit/unit.h"

static struct finding line(uint32_t round, const char *text)
{
	struct finding f = {.class = FINDING_EIO, .place = SEEN_LOG, .round = round};

	snprintf(f.detail, sizeof(f.detail), "%s", text);
	return f;
}

static bool repeated(struct repeats *r, struct finding f)
{
	return repeats_count(r, &f);
}

static void lines_that_differ_in_numbers_are_one(void **state)
{
	struct repeats r = {0};

	(void)state;
	assert_false(
		repeated(&r, line(1, "csum failed root 5 ino 257 off 0 csum 0x12ab expected csum 0x99")));
	assert_true(
		repeated(&r, line(1, "csum failed root 256 ino 3 off 4096 csum 0xf expected csum 0xabcd")));
	assert_false(repeated(&r, line(1, "csum hole found root 5 ino 257")));
	assert_int_equal(r.left_out, 1);
}

static void names_with_digits_are_not_numbers(void **state)
{
	struct repeats r = {0};

	(void)state;
	assert_false(repeated(&r, line(1, "BTRFS error (device loop0): errs: wr 1")));
	assert_false(repeated(&r, line(1, "BTRFS error (device loop1): errs: wr 1")));
	assert_false(repeated(&r, line(1, "kernel BUG at fs/btrfs/ext2.c:1!")));
	assert_false(repeated(&r, line(1, "kernel BUG at fs/btrfs/ext4.c:1!")));
}

static void each_round_tells_it_once(void **state)
{
	struct repeats r = {0};

	(void)state;
	assert_false(repeated(&r, line(1, "a warning")));
	assert_true(repeated(&r, line(1, "a warning")));
	assert_false(repeated(&r, line(2, "a warning")));
	assert_true(repeated(&r, line(2, "a warning")));
	assert_int_equal(r.left_out, 2);
}

static struct finding answer(enum finding_class class, const char *op, uint32_t worker, uint32_t object,
			     uint64_t offset)
{
	struct finding f = {
		.class = class,
		.place = SEEN_CHURN,
		.round = 1,
		.worker = worker,
		.object = object,
		.offset = offset,
	};

	snprintf(f.verifier, sizeof(f.verifier), "%s", op);
	return f;
}

static void answers_are_told_by_class_operation_object_and_offset(void **state)
{
	const struct finding first = answer(FINDING_MISSING, "write", 1, 7, 0);
	struct repeats r = {0};

	(void)state;
	assert_false(repeated(&r, first));
	assert_true(repeated(&r, first));
	assert_false(repeated(&r, answer(FINDING_EIO, "write", 1, 7, 0)));
	assert_false(repeated(&r, answer(FINDING_MISSING, "unlink", 1, 7, 0)));
	assert_false(repeated(&r, answer(FINDING_MISSING, "write", 0, 7, 0)));
	assert_false(repeated(&r, answer(FINDING_MISSING, "write", 1, 8, 0)));
	assert_false(repeated(&r, answer(FINDING_MISSING, "write", 1, 7, 4096)));
}

static void a_read_only_filesystem_is_told_once(void **state)
{
	struct repeats r = {0};

	(void)state;
	assert_false(repeated(&r, answer(FINDING_EROFS, "write", 1, 7, 0)));
	assert_true(repeated(&r, answer(FINDING_EROFS, "create", 0, 9, 0)));
}

static void a_target_that_is_gone_is_told_once(void **state)
{
	struct finding seen = answer(FINDING_TARGET, "hot", 1, 7, 0);
	struct repeats r = {0};

	(void)state;
	seen.place = SEEN_HOT;
	assert_false(repeated(&r, answer(FINDING_TARGET, "write", 1, 7, 0)));
	assert_true(repeated(&r, answer(FINDING_TARGET, "create", 0, 9, 0)));
	assert_true(repeated(&r, seen));
}

static void what_verifiers_find_is_never_a_repetition(void **state)
{
	struct finding f = answer(FINDING_ZEROES, "hot", 1, 7, 0);
	struct repeats r = {0};

	(void)state;
	f.place = SEEN_HOT;
	assert_false(repeated(&r, f));
	assert_false(repeated(&r, f));
}

static void too_many_kinds_are_all_findings(void **state)
{
	struct repeats r = {0};

	(void)state;
	for (uint32_t i = 0; i < 2 * REPEATS_MAX; i++)
		assert_false(repeated(&r, answer(FINDING_EIO, "write", 1, i, 0)));
	assert_true(repeated(&r, answer(FINDING_EIO, "write", 1, 0, 0)));
	assert_false(repeated(&r, answer(FINDING_EIO, "write", 1, 2 * REPEATS_MAX - 1, 0)));
	assert_int_equal(r.count, REPEATS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_that_differ_in_numbers_are_one),
		cmocka_unit_test(names_with_digits_are_not_numbers),
		cmocka_unit_test(each_round_tells_it_once),
		cmocka_unit_test(answers_are_told_by_class_operation_object_and_offset),
		cmocka_unit_test(a_read_only_filesystem_is_told_once),
		cmocka_unit_test(a_target_that_is_gone_is_told_once),
		cmocka_unit_test(what_verifiers_find_is_never_a_repetition),
		cmocka_unit_test(too_many_kinds_are_all_findings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
