/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "src/guard/outcome.h"
#include "tests/unit/unit.h"

enum {
	HAS_FINDING = 1 << 0,
	HAS_HARNESS = 1 << 1,
	HAS_FAILURE = 1 << 2,
	HAS_LEFT = 1 << 3,
	HAS_INTERRUPT = 1 << 4,
	HAS_LIMIT = 1 << 5,
	HAS_ROUNDS = 1 << 6,
	HAS_INJECTED = 1 << 7,
	HAS_EXPOSURE = 1 << 8,
	HAS_MINIMUM = 1 << 9,
	COMBINATIONS = 1 << 10,
};

static struct outcome_facts facts_of(unsigned int bits)
{
	struct outcome_facts f = {.operations = 123456, .verified_bytes = 5 * GiB};

	if (bits & HAS_FINDING) {
		f.findings = 3;
		f.by_class[FINDING_STALE] = 2;
		f.by_class[FINDING_KERNEL] = 1;
	}
	f.harness = bits & HAS_HARNESS ? 1 : 0;
	if (bits & HAS_FAILURE)
		snprintf(f.failure, sizeof(f.failure), "churn was killed by SIGKILL");
	f.left = bits & HAS_LEFT ? 2 : 0;
	f.interrupted = bits & HAS_INTERRUPT;
	f.limited = bits & HAS_LIMIT;
	f.rounds = bits & HAS_ROUNDS ? 4 : 0;
	f.injected = bits & HAS_INJECTED;
	f.exposure[MEASURE_DIRTY] = bits & HAS_EXPOSURE ? 50000 : 10;
	f.least.of[MEASURE_DIRTY] = bits & HAS_MINIMUM ? 1000 : 0;
	return f;
}

/* The rule once more, in other words than the code's. */
static enum exit_code expected(unsigned int b)
{
	if (b & HAS_FINDING)
		return EXIT_FINDING;
	if (b & (HAS_HARNESS | HAS_FAILURE | HAS_LEFT))
		return EXIT_HARNESS;
	if ((b & HAS_INTERRUPT) && (b & HAS_LIMIT))
		return EXIT_HARNESS;
	if (!(b & HAS_ROUNDS))
		return EXIT_INCONCLUSIVE;
	if ((b & HAS_INJECTED) && (b & HAS_MINIMUM) && !(b & HAS_EXPOSURE))
		return EXIT_INCONCLUSIVE;
	return EXIT_CLEAN;
}

static void every_combination_has_its_exit_code(void **state)
{
	for (unsigned int bits = 0; bits < COMBINATIONS; bits++) {
		struct outcome_facts f = facts_of(bits);
		struct outcome out;

		outcome_decide(&f, &out);
		if (out.exit != expected(bits))
			print_error("combination %#x: %s\n", bits, out.verdict);
		assert_int_equal(out.exit, expected(bits));
		assert_int_equal(out.left, f.left);
	}
}

static void the_verdict_says_no_more_than_the_code(void **state)
{
	for (unsigned int bits = 0; bits < COMBINATIONS; bits++) {
		struct outcome_facts f = facts_of(bits);
		struct outcome out;

		outcome_decide(&f, &out);
		assert_true(out.verdict[0]);
		assert_null(strchr(out.verdict, '\n'));
		assert_int_equal(!strncmp(out.verdict, "clean", 5), out.exit == EXIT_CLEAN);
		assert_int_equal(strstr(out.verdict, "confidence") != NULL, out.exit == EXIT_CLEAN);
		assert_int_equal(strstr(out.verdict, "3 findings") != NULL, out.exit == EXIT_FINDING);
		assert_int_equal(!strncmp(out.verdict, "inconclusive", 12), out.exit == EXIT_INCONCLUSIVE);
		if (f.left)
			assert_non_null(strstr(out.verdict, "2 changes of the machine not put back"));
		if (f.failure[0])
			assert_non_null(strstr(out.verdict, "SIGKILL"));
	}
}

static void a_clean_verdict_gives_its_bound(void **state)
{
	struct outcome_facts f = facts_of(HAS_ROUNDS | HAS_INJECTED | HAS_EXPOSURE);
	struct outcome out;

	f.exposure[MEASURE_DIRTY] = 300000;
	outcome_decide(&f, &out);
	assert_non_null(strstr(out.verdict, "4 rounds"));
	assert_non_null(strstr(out.verdict, "rate below 1e-05 with 95 % confidence"));
	f.exposure[MEASURE_DIRTY] = 0;
	outcome_decide(&f, &out);
	assert_int_equal(out.exit, EXIT_CLEAN);
	assert_null(strstr(out.verdict, "confidence"));
}

static void what_was_too_little_is_named(void **state)
{
	struct outcome_facts f = facts_of(HAS_ROUNDS | HAS_INJECTED);
	struct outcome out;

	f.least.of[MEASURE_DIRTY] = 2000;
	f.least.of[MEASURE_COMPACTION] = 5000;
	f.unseen = 1ULL << MEASURE_COMPACTION;
	outcome_decide(&f, &out);
	assert_int_equal(out.exit, EXIT_INCONCLUSIVE);
	assert_non_null(strstr(out.verdict,
			       "but 10 dirty pages of the target moved, a clean verdict needs 2.00 k; "
			       "not measurable here: pages migrated by compaction, a clean verdict "
			       "needs 5.00 k"));
	/* Each of them has to be reached. */
	f.exposure[MEASURE_DIRTY] = 2000;
	outcome_decide(&f, &out);
	assert_int_equal(out.exit, EXIT_INCONCLUSIVE);
	f.exposure[MEASURE_COMPACTION] = 5000;
	outcome_decide(&f, &out);
	assert_int_equal(out.exit, EXIT_CLEAN);
}

static void the_bound_is_in_the_scenarios_measure(void **state)
{
	struct outcome_facts f = facts_of(HAS_ROUNDS | HAS_INJECTED | HAS_EXPOSURE);
	struct outcome out;

	f.least.trial = MEASURE_COMPACTION;
	f.exposure[MEASURE_COMPACTION] = 3000;
	f.exposure[MEASURE_PAGES] = 70000;
	outcome_decide(&f, &out);
	assert_non_null(strstr(out.verdict,
			       "70.0 k pages migrated; no finding in 3.00 k verified trials (pages "
			       "migrated by compaction): rate below 0.001 with"));
}

static void findings_are_named_by_class(void **state)
{
	struct outcome_facts f = facts_of(HAS_FINDING);
	struct outcome out;

	outcome_decide(&f, &out);
	assert_non_null(strstr(out.verdict, finding_class_name(FINDING_STALE)));
	assert_non_null(strstr(out.verdict, finding_class_name(FINDING_KERNEL)));
	assert_null(strstr(out.verdict, finding_class_name(FINDING_ZEROES)));
}

/* A target that was to be made to fail: without that nothing is proved, nor without a comparison afterwards.
 */
static void a_target_that_was_made_to_fail(void **state)
{
	struct outcome_facts f = facts_of(HAS_ROUNDS);
	struct outcome out;

	f.fault =
		(struct fault_facts){.wanted = true, .who = "shutdown", .how = "shut down", .at = 2500000000};
	outcome_decide(&f, &out);
	assert_int_equal(out.exit, EXIT_INCONCLUSIVE);
	assert_non_null(strstr(out.verdict, "was to be made to fail, and was not"));
	f.rounds = 0;
	f.fault.happened = true;
	outcome_decide(&f, &out);
	assert_int_equal(out.exit, EXIT_INCONCLUSIVE);
	assert_non_null(strstr(out.verdict, "not compared"));
	f.fault.compared = true;
	outcome_decide(&f, &out);
	assert_int_equal(out.exit, EXIT_INCONCLUSIVE);
	assert_non_null(strstr(out.verdict, "nothing was durable"));
	f.fault.objects = 7;
	f.fault.excused = 12;
	outcome_decide(&f, &out);
	assert_int_equal(out.exit, EXIT_CLEAN);
	assert_non_null(strstr(out.verdict,
			       "after 2.5 s (shutdown: shut down), 12 answers were wrong then; 7 durable"));
	f.findings = f.by_class[FINDING_MISSING] = 1;
	outcome_decide(&f, &out);
	assert_int_equal(out.exit, EXIT_FINDING);
	assert_non_null(
		strstr(out.verdict, "; the target was made to fail after 2.5 s (shutdown: shut down)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination_has_its_exit_code),
		cmocka_unit_test(the_verdict_says_no_more_than_the_code),
		cmocka_unit_test(a_clean_verdict_gives_its_bound),
		cmocka_unit_test(what_was_too_little_is_named),
		cmocka_unit_test(the_bound_is_in_the_scenarios_measure),
		cmocka_unit_test(findings_are_named_by_class),
		cmocka_unit_test(a_target_that_was_made_to_fail),
	};

	return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
