/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "src/engine/mix.h"
#include "tests/unit/unit.h"

static void frequencies_follow_the_weights(void **state)
{
	static const struct weight weights[] = {
		{"write", 70}, {"fsync", 20}, {"create", 9}, {"unlink", 1}, {"mkdir", 0}, {NULL, 0},
	};
	const unsigned int draws = 1000000;
	struct stream s = stream_make(1, 2, 3);
	unsigned int seen[4] = {0};
	struct error e;
	struct mix m;

	assert_int_equal(mix_init(&m, weights, NULL, 0, &e), 0);
	assert_int_equal(m.count, 4);
	for (unsigned int i = 0; i < draws; i++) {
		const struct op *op = mix_draw(&m, &s);

		for (unsigned int k = 0; k < 4; k++)
			seen[k] += strcmp(op->name, weights[k].op) == 0;
	}
	for (unsigned int k = 0; k < 4; k++) {
		unsigned int wanted = draws / 100 * weights[k].weight;

		assert_in_range(seen[k], wanted - wanted / 20, wanted + wanted / 20);
	}
}

static void bad_mixes_are_refused(void **state)
{
	static const struct weight unknown[] = {{"wriet", 1}, {NULL, 0}};
	static const struct weight nothing[] = {{"write", 0}, {NULL, 0}};
	struct error e;
	struct mix m;

	assert_int_equal(mix_init(&m, unknown, NULL, 0, &e), -1);
	assert_non_null(strstr(e.text, "wriet"));
	assert_int_equal(mix_init(&m, nothing, NULL, 0, &e), -1);
}

static void what_is_needed_decides(void **state)
{
	static const struct weight weights[] = {{"write", 1}, {"snapshot", 1}, {NULL, 0}};
	static const struct weight only[] = {{"snapshot", 1}, {NULL, 0}};
	struct error e;
	struct mix m;

	assert_int_equal(mix_init(&m, weights, NULL, NEED_BTRFS, &e), 0);
	assert_int_equal(m.count, 2);
	assert_int_equal(mix_init(&m, weights, NULL, NEED_ROOT, &e), 0);
	assert_int_equal(m.count, 1);
	assert_string_equal(m.op[0]->name, "write");
	assert_int_equal(mix_init(&m, only, NULL, NEED_ROOT, &e), -1);
}

/* Once in 250 operations and more seldom, unless the workload has its own idea of it. */
static void a_verifier_of_snapshots_adds_to_a_mix(void **state)
{
	static const struct weight own[] = {{"write", 2}, {"snapshot", 1}, {NULL, 0}};
	static const struct weight plain[] = {{"write", 2}, {"fsync", 1}, {NULL, 0}};
	const unsigned int draws = 1000000;
	struct stream s = stream_make(1, 2, 3);
	unsigned int seen = 0;
	struct error e;
	struct mix m;

	assert_int_equal(mix_init(&m, own, mix_of_witnesses, NEED_BTRFS, &e), 0);
	assert_int_equal(m.count, 2);
	assert_int_equal(mix_init(&m, plain, mix_of_witnesses, NEED_ROOT, &e), 0);
	assert_int_equal(m.count, 2);
	assert_int_equal(mix_init(&m, plain, mix_of_witnesses, NEED_BTRFS, &e), 0);
	assert_int_equal(m.count, 5);
	for (unsigned int i = 0; i < draws; i++)
		seen += mix_draw(&m, &s)->group == GROUP_SNAPSHOTS;
	assert_in_range(seen, draws / 250 - draws / 2500, draws / 250 + draws / 2500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frequencies_follow_the_weights),
		cmocka_unit_test(bad_mixes_are_refused),
		cmocka_unit_test(what_is_needed_decides),
		cmocka_unit_test(a_verifier_of_snapshots_adds_to_a_mix),
	};

	return cmocka_run_group_tests_name("mix", tests, NULL, NULL);
}
