/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "src/plan/measures.h"
#include "tests/unit/unit.h"

static void a_list_is_read(void **state)
{
	struct least_exposure least;
	struct error e;

	assert_int_equal(measures_parse(" pages: 10k ,dirty_pages:7", &least, &e), 0);
	assert_int_equal(least.trial, MEASURE_PAGES);
	assert_int_equal(least.of[MEASURE_PAGES], 10000);
	assert_int_equal(least.of[MEASURE_DIRTY], 7);
	assert_int_equal(least.of[MEASURE_COMPACTION], 0);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{"10000", "'10000': exposure is given as NAME: COUNT"},
		{"dirty_page: 5", "unknown measure of exposure 'dirty_page'; did you mean 'dirty_pages'?"},
		{"memory_hotplg: 5", "did you mean 'memory_hotplug'?"},
		{"pages: many", "pages: "},
		{"pages: 5, ", "exposure is given as"},
	};
	struct least_exposure least;
	struct error e;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(measures_parse(cases[i].text, &least, &e), -1);
		assert_int_equal(e.exit, EXIT_USAGE);
		if (!strstr(e.text, cases[i].part))
			fail_msg("'%s': %s", cases[i].text, e.text);
	}
}

static void causes_go_by_the_kernels_names(void **state)
{
	assert_int_equal(MEASURE_CAUSES + measure_cause("compaction"), MEASURE_COMPACTION);
	assert_int_equal(MEASURE_CAUSES + measure_cause("memory_hotplug"), MEASURE_MEMORY_HOTPLUG);
	assert_int_equal(MEASURE_CAUSES + measure_cause("cma"), MEASURE_CONTIG);
	assert_int_equal(MEASURE_CAUSES + measure_cause("next_years_reason"), MEASURE_OTHER);
	/* A measure that isn't a cause is none because it has the same name. */
	assert_int_equal(MEASURE_CAUSES + measure_cause("pages"), MEASURE_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_read),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(causes_go_by_the_kernels_names),
	};

	return cmocka_run_group_tests_name("measures", tests, NULL, NULL);
}
