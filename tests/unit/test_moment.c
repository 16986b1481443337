/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When an injector makes the target fail: at a step that the seed gives, said before, once. */
#include <errno.h>
#include <string.h>

#include "injectors/moment.h"
#include "tests/unit/unit.h"

#define TICK (20 * NSEC_PER_MSEC)

static struct {
	unsigned int told, tried, made, refused; /* calls; refused: so often it can't be made */
	int answer, err; /* of machine_fault(); what machine_fault_made() was told last */
} world;

int machine_fault(struct machine *m, const char *how, uint64_t linger_ns)
{
	assert_string_equal(how, "so");
	assert_int_equal(linger_ns, 7);
	assert_int_equal(world.tried, 0);
	world.told++;
	return world.answer;
}

int machine_fault_made(struct machine *m, int err)
{
	world.made++;
	world.err = err;
	return 0;
}

void machine_note(struct machine *m, const char *who, const char *text)
{
}

static int make(struct injection *in)
{
	assert_int_equal(world.told, 1);
	return world.tried++ < world.refused ? EBUSY : 0;
}

static const struct params params = {
	.value = {[MOMENT_AFTER] = 10 * TICK, [MOMENT_WITHIN] = 20 * TICK, [MOMENT_LINGER] = 7}};

/* Steps until it has failed, at most 40; 0: it never does. */
static unsigned int steps_until_made(uint64_t seed, struct moment *m)
{
	struct machine machine = {.socket = -1};
	struct injection in = {
		.name = "test", .machine = &machine, .params = &params, .random = stream_make(seed, 1, 2)};

	world.told = world.tried = world.made = 0;
	*m = (struct moment){0};
	moment_draw(&in, m);
	for (unsigned int n = 1; n <= 40; n++) {
		const bool before = m->made;
		enum step step = moment_step(&in, m, "so", make);

		assert_int_equal(step == STEP_DONE, m->made && !before);
		if (m->made && !before)
			return n;
	}
	moment_rest(&in, m);
	return 0;
}

static void the_seed_gives_the_moment(void **state)
{
	unsigned int least = 99, most = 0;
	struct moment m;

	world.answer = world.refused = 0;
	for (uint64_t seed = 0; seed < 200; seed++) {
		const unsigned int n = steps_until_made(seed, &m);

		assert_int_equal(steps_until_made(seed, &m), n);
		assert_int_equal(world.made, 1);
		assert_int_equal(world.err, 0);
		least = MIN(least, n);
		most = MAX(most, n);
	}
	assert_in_range(least, 11, 13);
	assert_in_range(most, 28, 31);
}

static void what_can_not_be_made_is_tried_again_and_told(void **state)
{
	struct moment m;

	world.refused = 3;
	assert_in_range(steps_until_made(1, &m), 14, 34);
	assert_int_equal(world.tried, 4);
	world.refused = 1000;
	assert_int_equal(steps_until_made(1, &m), 0);
	assert_int_equal(world.made, 1);
	assert_int_equal(world.err, EBUSY);
	world.refused = 0;
}

/* Another injector was earlier, or the run ends. */
static void who_may_not_does_not(void **state)
{
	static const int answers[] = {EALREADY, ECANCELED};
	struct moment m;

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		world.answer = answers[i];
		assert_int_equal(steps_until_made(1, &m), 0);
		assert_int_equal(world.tried + world.made, 0);
	}
	world.answer = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_seed_gives_the_moment),
		cmocka_unit_test(what_can_not_be_made_is_tried_again_and_told),
		cmocka_unit_test(who_may_not_does_not),
	};

	return cmocka_run_group_tests_name("moment", tests, NULL, NULL);
}
