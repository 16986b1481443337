/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What injectors share: words of phases, draws with odds, growth of counters. */
#include <string.h>

#include "injectors/growth.h"
#include "injectors/injector.h"
#include "tests/unit/unit.h"

static void the_word_of_a_phase(void **state)
{
	static const char *const words[] = {"mixed", "hold", "storm", NULL};
	struct injection in = {.phase_arg = ""};

	assert_int_equal(inject_word(&in, words), 0);
	in.phase_arg = "storm";
	assert_int_equal(inject_word(&in, words), 2);
	in.phase_arg = "hol";
	assert_int_equal(inject_word(&in, words), 0);
}

static void draws_have_their_odds(void **state)
{
	static const unsigned int weight[] = {0, 30, 10, 0};
	struct injection in = {.random = stream_make(1, 2, 3)};
	unsigned int drawn[ARRAY_SIZE(weight)] = {0};

	for (int i = 0; i < 4000; i++)
		drawn[inject_draw(&in, weight, ARRAY_SIZE(weight))]++;
	assert_int_equal(drawn[0], 0);
	assert_int_equal(drawn[3], 0);
	assert_in_range(drawn[1], 2800, 3200);
	assert_int_equal(drawn[1] + drawn[2], 4000);
}

static void without_weights_nothing_is_drawn(void **state)
{
	static const unsigned int weight[] = {0, 0};
	struct injection in = {.random = stream_make(1, 2, 3)};

	assert_int_equal(inject_draw(&in, weight, ARRAY_SIZE(weight)), ARRAY_SIZE(weight));
}

static void growth_names_each_counter(void **state)
{
	static const char *const names[] = {"pgfault", "no_such_counter"};
	struct growth g;
	char text[128], small[8];

	growth_begin(&g, names, ARRAY_SIZE(names));
	assert_int_equal(strncmp(growth_show(&g, text, sizeof(text)), ", pgfault +", 11), 0);
	assert_non_null(strstr(text, ", no_such_counter +0"));
	assert_string_equal(growth_show(&g, small, sizeof(small)), ", pgfau");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_word_of_a_phase),
		cmocka_unit_test(draws_have_their_odds),
		cmocka_unit_test(without_weights_nothing_is_drawn),
		cmocka_unit_test(growth_names_each_counter),
	};

	return cmocka_run_group_tests_name("injector", tests, NULL, NULL);
}
