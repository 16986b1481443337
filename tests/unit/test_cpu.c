/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cpu injector on the real machine, behind the real guard: CPUs go and come back, however the run ends.
 * Needs root and a CPU that can go offline.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "injectors/bound.h"
#include "src/engine/disturb.h"
#include "src/guard/guard.h"
#include "tests/unit/conductor.h"
#include "tests/unit/real.h"
#include "tests/unit/unit.h"

extern const struct injector injector_cpu;

#define ONLINE "/sys/devices/system/cpu/online"

struct board {
	struct plan plan;
	struct outcome outcome;
	_Atomic pid_t disturb;
	uint64_t steps, failed;
	size_t shrunk; /* CPUs online in the middle of the phase "shrink" */
	char rested[256];
};

static struct board *board;
static char directory[64];
static char before[256];

enum { PHASE_CYCLE, PHASE_SHRINK, PHASES };

static size_t online(void)
{
	unsigned int numbers[1024];

	return machine_list(ONLINE, numbers, ARRAY_SIZE(numbers));
}

/* A CPU that can go. 0: there is none. */
static unsigned int able(void)
{
	unsigned int numbers[1024];
	size_t count = machine_list(ONLINE, numbers, ARRAY_SIZE(numbers));
	char path[64];

	for (size_t i = 1; i < count; i++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", numbers[i]);
		if (!access(path, W_OK))
			return numbers[i];
	}
	return 0;
}

static void begin(struct shared *s)
{
	atomic_store(&s->stage, STAGE_CHURN);
	atomic_store(&s->round, 1);
	atomic_store(&s->rounds_done, 1);
	atomic_store(&s->trials[MEASURE_DIRTY], 1);
}

static int play_churn(struct shared *s, int socket)
{
	begin(s);
	set_inject(s, PHASE_CYCLE, 1);
	await_count(&s->exposure[0].steps, 3);
	rest(s);
	machine_read(ONLINE, board->rested, sizeof(board->rested));
	board->steps = atomic_load(&s->exposure[0].steps);
	set_inject(s, PHASE_SHRINK, 1);
	await_count(&s->exposure[0].idle, 1);
	board->shrunk = online();
	rest(s);
	board->failed = atomic_load(&s->exposure[0].failed);
	atomic_store(&s->stage, STAGE_DONE);
	set_inject(s, 0, 0);
	return 0;
}

static int churn_shrinks(struct shared *s, int socket)
{
	begin(s);
	set_inject(s, PHASE_SHRINK, 1);
	await_count(&s->exposure[0].idle, 1);
	board->shrunk = online();
	kill(atomic_load(&board->disturb), SIGKILL);
	for (unsigned int i = 0; i < 10000 && !atomic_load(&s->stop); i++)
		sleep_ns(NSEC_PER_MSEC);
	return 0;
}

static int real_disturb(struct shared *s, const int *sockets)
{
	atomic_store(&board->disturb, getpid());
	return disturb_main(s, sockets);
}

static void run(int (*churn)(struct shared *, int))
{
	const struct guard_children children = {.churn = churn, .disturb = real_disturb};
	static const struct guard_listener silent;
	struct error e;

	if (guard_run(&board->plan, &children, &silent, &board->outcome, &e))
		fail_msg("%s", e.text);
	assert_int_equal(board->outcome.left, 0);
}

static void assert_all_back(void)
{
	char now[256];

	assert_int_equal(machine_read(ONLINE, now, sizeof(now)), 0);
	assert_string_equal(now, before);
}

/* ---- tests ---- */

static void away_and_back(void **state)
{
	run(play_churn);
	assert_true(board->steps >= 3);
	assert_int_equal(board->failed, 0);
	assert_string_equal(board->rested, before);
	assert_int_equal(board->shrunk, 1);
	assert_all_back();
}

static void killed_while_a_cpu_is_away(void **state)
{
	run(churn_shrinks);
	assert_int_equal(board->shrunk, 1);
	assert_int_equal(board->outcome.exit, EXIT_HARNESS);
	assert_all_back();
}

static void some_stay_if_asked(void **state)
{
	board->plan.injection[0].params.value[2] = online(); /* left */
	run(churn_shrinks);
	assert_int_equal(board->shrunk, online());
}

static void what_is_bound_for_good_is_seen(void **state)
{
	unsigned int cpu = able();
	char why[160] = "", text[64];
	pid_t pid;
	cpu_set_t set;

	assert_false(bound_for_good(cpu, why, sizeof(why)));
	pid = fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	assert_int_equal(sched_setaffinity(pid, sizeof(set), &set), 0);
	assert_true(bound_for_good(cpu, why, sizeof(why)));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	snprintf(text, sizeof(text), "process %d has a thread that may run nowhere else", (int)pid);
	assert_string_equal(why, text);
	assert_false(bound_for_good(cpu, why, sizeof(why)));
}

static int set_up(void **state)
{
	struct plan_injection *p = &board->plan.injection[0];
	struct error e;

	if (geteuid() || !able())
		skip();
	await_machine();
	memset(board, 0, sizeof(*board));
	snprintf(directory, sizeof(directory), "/var/tmp/recow-cpu-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(board->plan.output, sizeof(board->plan.output), "%s/run", directory);
	board->plan.workers = 1;
	board->plan.inject = true;
	board->plan.hang_limit = 60 * NSEC_PER_SEC;
	board->plan.injection_count = 1;
	p->injector = &injector_cpu;
	assert_int_equal(params_init(&p->params, injector_cpu.params, injector_cpu.param_count, &e), 0);
	p->params.value[0] = p->params.value[1] = 20 * NSEC_PER_MSEC; /* away, pause */
	board->plan.phase_count = PHASES;
	strcpy(board->plan.phase[PHASE_SHRINK].arg[0], "shrink");
	return machine_read(ONLINE, before, sizeof(before));
}

static int tear_down(void **state)
{
	struct error e;

	return target_remove_tree(directory, &e);
}

static int group_set_up(void **state)
{
	board = take_real_machine_with(sizeof(*board));
	return board ? 0 : -1;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(away_and_back),
		TEST(killed_while_a_cpu_is_away),
		TEST(some_stay_if_asked),
		TEST(what_is_bound_for_good_is_seen),
	};

	return cmocka_run_group_tests_name("cpu", tests, group_set_up, NULL);
}
