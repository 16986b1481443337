/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Workers that count instead of churning: quotas, halts, restarts. Worth running under TSan. */
#include "src/base/clock.h"
#include "src/engine/gang.h"
#include "tests/unit/unit.h"

#define THREADS 6

struct counter {
	struct gang *gang;
	pthread_t thread;
	uint64_t count; /* not atomic: the gang's lock must make it visible */
};

static void *count(void *arg)
{
	struct counter *c = arg;
	uint64_t seen = 0, quota = 0;

	while (gang_park(c->gang, &seen, &quota)) {
		for (uint64_t n = 0; !quota || n < quota; n++) {
			if (atomic_load(&c->gang->halt))
				break;
			c->count++;
		}
	}
	return NULL;
}

static void start(struct gang *g, struct counter *c)
{
	gang_init(g);
	for (int i = 0; i < THREADS; i++) {
		c[i] = (struct counter){.gang = g};
		assert_int_equal(pthread_create(&c[i].thread, NULL, count, &c[i]), 0);
		gang_enlist(g);
	}
}

static void stop(struct gang *g, struct counter *c)
{
	gang_quit(g);
	for (int i = 0; i < THREADS; i++)
		pthread_join(c[i].thread, NULL);
	gang_destroy(g);
}

static void quotas_are_exact(void **state)
{
	struct counter c[THREADS];
	struct gang g;

	start(&g, c);
	for (uint64_t round = 1; round <= 200; round++) {
		gang_start(&g, 100);
		while (!gang_wait(&g, clock_mono() + NSEC_PER_SEC))
			;
		for (int i = 0; i < THREADS; i++)
			assert_int_equal(c[i].count, round * 100);
	}
	stop(&g, c);
}

static void halt_parks_everyone(void **state)
{
	struct counter c[THREADS];
	struct gang g;

	start(&g, c);
	for (int round = 0; round < 50; round++) {
		uint64_t before = 0, after = 0;

		gang_start(&g, 0);
		assert_false(gang_wait(&g, clock_mono() + NSEC_PER_MSEC));
		gang_halt(&g);
		for (int i = 0; i < THREADS; i++)
			before += c[i].count;
		sleep_ns(100 * NSEC_PER_USEC);
		for (int i = 0; i < THREADS; i++)
			after += c[i].count;
		assert_int_equal(before, after);
	}
	stop(&g, c);
}

static void quit_without_a_start(void **state)
{
	struct counter c[THREADS];
	struct gang g;

	start(&g, c);
	gang_halt(&g);
	stop(&g, c);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(c[i].count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotas_are_exact),
		cmocka_unit_test(halt_parks_everyone),
		cmocka_unit_test(quit_without_a_start),
	};

	return cmocka_run_group_tests_name("gang", tests, NULL, NULL);
}
