/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The injectors on the real machine, behind the real guard: what they change while they act, and that nothing
 * is left of it. Needs root and memory hotplug. The test plays churn.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/engine/disturb.h"
#include "src/guard/guard.h"
#include "src/guard/lock.h"
#include "src/run/exposure.h"
#include "tests/unit/conductor.h"
#include "tests/unit/real.h"
#include "tests/unit/unit.h"

extern const struct injector injector_hotplug, injector_sync;

#define BLOCKS_MAX 4096
#define VM         "/proc/sys/vm/"

static const char *const settings[] = {"dirty_ratio",
				       "dirty_bytes",
				       "dirty_background_ratio",
				       "dirty_background_bytes",
				       "dirty_expire_centisecs",
				       "dirty_writeback_centisecs"};

/* The machine as it is; compared whole. */
struct machine_state {
	struct memory_block block[BLOCKS_MAX];
	size_t blocks;
	char setting[ARRAY_SIZE(settings)][32];
};

/* What churn saw, in memory that it shares with the test. */
struct seen {
	bool injecting; /* the run held the machine's lock */
	struct machine_state held;
	char released[ARRAY_SIZE(settings)][32];
	uint64_t steps, failed, pages;
	unsigned int movable;
	bool traced; /* migrations could be counted by cause */
	uint64_t by_hotplug, sampled, sampled_moved;
};

static struct seen *seen;
static char directory[] = "/var/tmp/recow-injectors-XXXXXX";
static char attempt; /* run directories are not used twice */

static void read_settings(char out[][32])
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		char path[128];

		snprintf(path, sizeof(path), VM "%s", settings[i]);
		if (machine_read(path, out[i], 32))
			strcpy(out[i], "?");
	}
}

static void look(struct machine_state *m)
{
	memset(m, 0, sizeof(*m));
	m->blocks = machine_memory_blocks(m->block, BLOCKS_MAX);
	read_settings(m->setting);
}

static unsigned int movable_blocks(void)
{
	static struct machine_state m;
	unsigned int n = 0;

	look(&m);
	for (size_t i = 0; i < m.blocks; i++)
		n += !strcmp(m.block[i].zone, "Movable");
	return n;
}

/* ---- churn ---- */

/* Page cache for the movable blocks to attract. */
static void write_file(const char *dir)
{
	static char buf[MiB];
	char path[4200];
	int fd;

	snprintf(path, sizeof(path), "%s/content", dir);
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	memset(buf, 7, sizeof(buf));
	for (unsigned int i = 0; fd >= 0 && i < 300; i++) {
		if (write(fd, buf, sizeof(buf)) != (ssize_t)sizeof(buf))
			break;
	}
	close(fd);
}

enum { PHASE_HOLD, PHASE_MIGRATE, PHASE_RELEASE, PHASES };
enum { HOTPLUG, SYNC };

/* What the kernel's tracepoints say of it, complete as soon as the phase is at rest. */
static void look_at_tally(const struct shared *s)
{
	seen->traced = !(exposure_unseen(s) >> MEASURE_MEMORY_HOTPLUG & 1);
	seen->by_hotplug = atomic_load(&s->traced.moved[MEASURE_MEMORY_HOTPLUG - MEASURE_CAUSES]);
	seen->sampled = atomic_load(&s->sampled.pages);
	seen->sampled_moved = atomic_load(&s->sampled.moved);
}

static int play_churn(struct shared *s, int socket)
{
	struct exposure *x = &s->exposure[HOTPLUG];

	snprintf(s->target.mountpoint, sizeof(s->target.mountpoint), "%s", directory);
	atomic_store(&s->target_mounted, 1);
	atomic_store(&s->stage, STAGE_CHURN);
	atomic_store(&s->round, 1);
	seen->injecting = s->plan.inject;
	if (seen->injecting) {
		set_inject(s, PHASE_HOLD, 1 << SYNC);
		await_count(&s->exposure[SYNC].idle, 1);
		look(&seen->held);
		write_file(directory);
		rest(s);
		set_inject(s, PHASE_MIGRATE, 1 << HOTPLUG);
		await_count(&x->steps, 8);
		rest(s);
		seen->movable = movable_blocks();
		seen->steps = atomic_load(&x->steps);
		seen->failed = atomic_load(&x->failed);
		seen->pages = atomic_load(&x->pages);
		look_at_tally(s);
		set_inject(s, PHASE_RELEASE, 1 << SYNC);
		await_count(&s->exposure[SYNC].steps, 3);
		read_settings(seen->released);
		rest(s);
	}
	atomic_store(&s->stage, STAGE_DONE);
	set_inject(s, 0, 0);
	return 0;
}

/* ---- the run ---- */

static void fill_plan(struct plan *p)
{
	const struct injector *const injectors[] = {&injector_hotplug, &injector_sync};
	struct error e;

	*p = (struct plan){.seed = 5, .inject = true, .hang_limit = 60 * NSEC_PER_SEC, .workers = 1};
	snprintf(p->output, sizeof(p->output), "%s/run%c", directory, 'a' + attempt++ % 26);
	p->injection_count = ARRAY_SIZE(injectors);
	for (unsigned int i = 0; i < ARRAY_SIZE(injectors); i++) {
		p->injection[i].injector = injectors[i];
		assert_int_equal(params_init(&p->injection[i].params, injectors[i]->params,
					     injectors[i]->param_count, &e),
				 0);
	}
	p->phase_count = PHASES;
	strcpy(p->phase[PHASE_HOLD].arg[SYNC], "hold");
	strcpy(p->phase[PHASE_RELEASE].arg[SYNC], "storm");
}

/* Another run may hold the machine and change it: look when there is none. */
static void look_alone(struct machine_state *m)
{
	uint64_t limit = clock_mono() + 120 * NSEC_PER_SEC;
	struct machine_lock lock = {.fd = -1};
	char reason[256];

	while (!lock_take(&lock, LOCK_DIR, directory, reason, sizeof(reason))) {
		if (clock_mono() > limit)
			fail_msg("%s", reason);
		sleep_ns(200 * NSEC_PER_MSEC);
	}
	look(m);
	lock_release(&lock, true);
}

/* `before`: the machine just before it. */
static void run(struct machine_state *before, struct outcome *out)
{
	static const struct guard_children children = {.churn = play_churn, .disturb = disturb_main};
	static const struct guard_listener silent;
	uint64_t limit = clock_mono() + 120 * NSEC_PER_SEC;
	struct plan *plan = malloc(sizeof(*plan));
	struct error e;

	assert_non_null(plan);
	do {
		fill_plan(plan);
		look_alone(before);
		memset(seen, 0, sizeof(*seen));
		if (guard_run(plan, &children, &silent, out, &e))
			fail_msg("%s", e.text);
		if (!seen->injecting)
			sleep_ns(NSEC_PER_SEC);
	} while (!seen->injecting && clock_mono() < limit);
	free(plan);
	assert_true(seen->injecting);
}

static void assert_same_machine(const struct machine_state *a, const struct machine_state *b)
{
	assert_int_equal(a->blocks, b->blocks);
	for (size_t i = 0; i < a->blocks; i++) {
		assert_int_equal(a->block[i].online, b->block[i].online);
		assert_string_equal(a->block[i].zones, b->block[i].zones);
	}
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		assert_string_equal(a->setting[i], b->setting[i]);
}

static bool allowed(void)
{
	return geteuid() == 0 && machine_memory_block_size();
}

static void cycle_and_undo(void **state)
{
	static struct machine_state before, after;
	struct outcome out = {0};

	if (!allowed())
		skip();
	run(&before, &out);
	look(&after);
	assert_int_equal(out.left, 0);
	assert_same_machine(&before, &after);
	assert_string_equal(before.setting[1], "0");
	assert_string_equal(before.setting[3], "0");
	assert_true(seen->steps >= 8);
	assert_true(seen->pages > 10000);
	assert_in_range(seen->movable, 1, 4);
	if (seen->traced)
		assert_in_range(seen->by_hotplug, seen->pages / 2, 4 * seen->pages);
	assert_true(seen->sampled > 0 && seen->sampled_moved <= seen->sampled);
	assert_string_equal(seen->held.setting[0], "70");
	assert_string_equal(seen->held.setting[2], "60");
	assert_string_equal(seen->held.setting[4], "30000");
	assert_string_equal(seen->held.setting[5], "0");
	assert_string_equal(seen->released[0], before.setting[0]);
	assert_string_equal(seen->released[2], "0");
	assert_string_equal(seen->released[4], "100");
	print_message("%lu steps, %lu refused, %lu pages (tracepoint: %lu), %lu of %lu sampled pages moved\n",
		      seen->steps, seen->failed, seen->pages, seen->by_hotplug, seen->sampled_moved,
		      seen->sampled);
}

static void set(const char *setting, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), VM "%s", setting);
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, value, strlen(value)), strlen(value));
	close(fd);
}

/* The machine's limits in bytes instead of shares. */
static void undo_of_limits_in_bytes(void **state)
{
	static struct machine_state original, before, after;
	struct outcome out = {0};

	if (!allowed())
		skip();
	look_alone(&original);
	if (strcmp(original.setting[1], "0") != 0 || strcmp(original.setting[3], "0") != 0)
		skip(); /* then the other test is this one */
	set("dirty_bytes", "900000000");
	set("dirty_background_bytes", "300000000");
	run(&before, &out);
	look(&after);
	set("dirty_ratio", original.setting[0]);
	set("dirty_background_ratio", original.setting[2]);
	assert_int_equal(out.left, 0);
	assert_same_machine(&before, &after);
	assert_string_equal(before.setting[1], "900000000");
	assert_string_equal(seen->held.setting[0], "0");
	assert_true(strtoull(seen->held.setting[1], NULL, 10) > 900000000);
	look(&after);
	assert_same_machine(&original, &after);
}

static int group_set_up(void **state)
{
	seen = take_real_machine_with(sizeof(*seen));
	return seen && mkdtemp(directory) ? 0 : -1;
}

static int group_tear_down(void **state)
{
	struct error e;

	return target_remove_tree(directory, &e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cycle_and_undo),
		cmocka_unit_test(undo_of_limits_in_bytes),
	};

	return cmocka_run_group_tests_name("injectors on this machine", tests, group_set_up, group_tear_down);
}
