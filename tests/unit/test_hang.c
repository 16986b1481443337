/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When an operation counts as hanging, on clocks of the test's own. What the kernel shows of tasks:
 * test_guard.c. */
#include <string.h>

#include "src/guard/hang.h"
#include "src/ops/op.h"
#include "src/run/shared.h"
#include "tests/unit/unit.h"

#define LIMIT 10 /* seconds */

static struct shared shared;
static struct shared_worker worker;
static struct hang_watch watch;

/* From second 1 on one operation is under way, and each second is looked at. In which is it found to hang?
 * `frozen` grows by so much in each second from `begin` to before `end`; tenths of seconds. */
static unsigned int found_after(unsigned int begin, unsigned int end, unsigned int frozen)
{
	const pid_t none[HANG_PIDS] = {0};
	uint64_t total = 0;
	char line[160];
	pid_t tid;

	memset(&watch, 0, sizeof(watch));
	shared.worker = &worker;
	shared.plan.workers = 1;
	shared.plan.hang_limit = LIMIT * NSEC_PER_SEC;
	atomic_store(&shared.stage, STAGE_CHURN);
	atomic_store(&shared.phase_end, UINT64_MAX);
	atomic_store(&worker.started, NSEC_PER_SEC);
	for (unsigned int t = 1; t < 100; t++) {
		if (t >= begin && t < end)
			total += frozen * NSEC_PER_SEC / 10;
		if (hang_look(&watch, &shared, none, t * NSEC_PER_SEC, total, line, sizeof(line), &tid)) {
			assert_non_null(strstr(line, "has not answered for 10 s"));
			return t;
		}
	}
	return 0;
}

static void it_hangs_at_the_limit(void **state)
{
	assert_int_equal(found_after(0, 0, 0), 1 + LIMIT);
}

static void what_stands_still_on_purpose_is_excused(void **state)
{
	assert_int_equal(found_after(5, 25, 10), 1 + LIMIT + 20);
	assert_int_equal(found_after(5, 25, 5), 18); /* 17 s, of which 7 are excused */
}

/* The target is frozen and its device held: that is not twice the time. */
static void two_reasons_at_a_time_are_one(void **state)
{
	assert_int_equal(found_after(5, 25, 20), 1 + LIMIT + 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_hangs_at_the_limit),
		cmocka_unit_test(what_stands_still_on_purpose_is_excused),
		cmocka_unit_test(two_reasons_at_a_time_are_one),
	};

	return cmocka_run_group_tests_name("hang", tests, NULL, NULL);
}
