/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compaction and pressure on the real machine, behind the real guard: that they move and reclaim pages, keep
 * the floor, and that nothing is left of them, also when disturb is killed in the middle. Needs root. The
 * test plays churn, in the cgroup that the guard made for it.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/engine/disturb.h"
#include "src/guard/guard.h"
#include "tests/unit/conductor.h"
#include "tests/unit/real.h"
#include "tests/unit/unit.h"

extern const struct injector injector_compaction, injector_pressure;

#define THP "/sys/kernel/mm/transparent_hugepage/"

static const char *const files[] = {
	"/proc/sys/vm/nr_hugepages",
	"/proc/sys/vm/compaction_proactiveness",
	"/proc/sys/vm/swappiness",
	THP "enabled",
	THP "defrag",
	THP "khugepaged/defrag",
	THP "khugepaged/scan_sleep_millisecs",
	THP "khugepaged/alloc_sleep_millisecs",
	"/sys/block/zram0/disksize",
};

struct state {
	char file[ARRAY_SIZE(files)][128];
	char swaps[1024];
	uint64_t oom_kills;
};

#define FLOOR (512 * MiB)

/* What other programs allocate in the midst of a step is given back by the next one. */
#define BELOW_ONE_IN 20

/* Pages that compaction must have moved. */
#define PAGES_MOVED 20000

/* What churn saw. */
struct seen {
	bool injecting;
	_Atomic pid_t disturb;
	uint64_t steps, failed, pages; /* compaction's */
	uint64_t pressed;              /* steps of pressure */
	uint64_t huge;                 /* most huge pages in the pool */
	uint64_t lowest;               /* MemAvailable, bytes */
	uint64_t moments, below;       /* how often it was looked at, and was below the floor */
	bool squeezed, swapped;
	char limit_before[64], limit_after[64];
};

static struct seen *seen;
static char directory[] = "/var/tmp/recow-crowd-XXXXXX";
static char attempt;
static bool kill_disturb; /* in the middle of a squeeze */

static void read_all(const char *path, char *buf, size_t len)
{
	int fd = open(path, O_RDONLY);
	ssize_t got = fd < 0 ? -1 : read(fd, buf, len - 1);

	buf[MAX(got, (ssize_t)0)] = '\0';
	if (fd >= 0)
		close(fd);
}

static void look(struct state *m)
{
	await_machine(); /* another run may change it */
	memset(m, 0, sizeof(*m));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		read_all(files[i], m->file[i], sizeof(m->file[i]));
	read_all("/proc/swaps", m->swaps, sizeof(m->swaps));
	m->oom_kills = machine_vmstat("oom_kill");
}

static void assert_same(const struct state *a, const struct state *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		assert_string_equal(a->file[i], b->file[i]);
	assert_string_equal(a->swaps, b->swaps);
	assert_int_equal(a->oom_kills, b->oom_kills);
}

/* ---- churn ---- */

/* Page cache that churn's cgroup is charged for, on the disk and clean. */
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
	fsync(fd);
	close(fd);
}

static void read_limit(const struct shared *s, char *buf, size_t len)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/memory.limit_in_bytes", s->cgroup);
	if (machine_read(path, buf, len)) {
		snprintf(path, sizeof(path), "%s/memory.high", s->cgroup);
		machine_read(path, buf, len);
	}
}

static void note_moment(const struct shared *s)
{
	const uint64_t available = machine_meminfo_kib("MemAvailable") * KiB;
	char text[1024];

	seen->lowest = MIN(seen->lowest, available);
	seen->moments++;
	seen->below += available < FLOOR;
	seen->huge = MAX(seen->huge, machine_meminfo_kib("HugePages_Total"));
	read_limit(s, text, sizeof(text));
	seen->squeezed = seen->squeezed || strcmp(text, seen->limit_before) != 0;
	read_all("/proc/swaps", text, sizeof(text));
	seen->swapped = seen->swapped || strstr(text, "zram");
}

/* Churn until `counter` got to `n`, or `ns` are over. */
static void churn_until(struct shared *s, const _Atomic uint64_t *counter, uint64_t n, uint64_t ns)
{
	uint64_t end = clock_mono() + ns;

	while (atomic_load(counter) < n && clock_mono() < end && !atomic_load(&s->stop)) {
		note_moment(s);
		sleep_ns(5 * NSEC_PER_MSEC);
	}
}

enum { PHASE_COMPACT, PHASE_PRESS, PHASE_SQUEEZE, PHASES };
enum { COMPACTION, PRESSURE };

/* As the OOM killer would. */
static void kill_when_squeezed(struct shared *s)
{
	uint64_t end = clock_mono() + 20 * NSEC_PER_SEC;

	while (!seen->squeezed && clock_mono() < end)
		note_moment(s);
	kill(seen->disturb, SIGKILL);
	while (!atomic_load(&s->stop) && clock_mono() < end)
		sleep_ns(5 * NSEC_PER_MSEC);
	/* As churn winds down its limit must be gone. */
	do {
		read_limit(s, seen->limit_after, sizeof(seen->limit_after));
		sleep_ns(5 * NSEC_PER_MSEC);
	} while (strcmp(seen->limit_after, seen->limit_before) != 0 && clock_mono() < end);
}

static void play_phases(struct shared *s)
{
	const struct exposure *c = &s->exposure[COMPACTION], *p = &s->exposure[PRESSURE];

	set_inject(s, PHASE_COMPACT, 1 << COMPACTION);
	churn_until(s, &c->steps, 30, 15 * NSEC_PER_SEC);
	/* What the first steps find to move depends on how the memory lies. */
	churn_until(s, &c->pages, PAGES_MOVED, 15 * NSEC_PER_SEC);
	rest(s);
	seen->pages = atomic_load(&c->pages);
	seen->steps = atomic_load(&c->steps);
	seen->failed = atomic_load(&c->failed);
	set_inject(s, PHASE_PRESS, 1 << PRESSURE);
	churn_until(s, &p->steps, 40, 5 * NSEC_PER_SEC);
	rest(s);
	seen->pressed = atomic_load(&p->steps);
	write_file(directory); /* the first was reclaimed meanwhile */
	set_inject(s, PHASE_SQUEEZE, 1 << PRESSURE);
	if (kill_disturb)
		kill_when_squeezed(s);
	else
		churn_until(s, &p->steps, seen->pressed + 3, 5 * NSEC_PER_SEC);
	rest(s);
	if (!kill_disturb)
		read_limit(s, seen->limit_after, sizeof(seen->limit_after));
}

static int be_disturb(struct shared *s, const int *sockets)
{
	seen->disturb = getpid();
	return disturb_main(s, sockets);
}

static int play_churn(struct shared *s, int socket)
{
	snprintf(s->target.mountpoint, sizeof(s->target.mountpoint), "%s", directory);
	atomic_store(&s->target_mounted, 1);
	atomic_store(&s->stage, STAGE_CHURN);
	atomic_store(&s->round, 1);
	seen->injecting = s->plan.inject;
	seen->lowest = UINT64_MAX;
	read_limit(s, seen->limit_before, sizeof(seen->limit_before));
	write_file(directory);
	if (seen->injecting)
		play_phases(s);
	atomic_store(&s->stage, STAGE_DONE);
	set_inject(s, 0, 0);
	return 0;
}

/* ---- the run ---- */

static void fill_plan(struct plan *p)
{
	const struct injector *const injectors[] = {&injector_compaction, &injector_pressure};
	struct params *params;
	struct error e;

	*p = (struct plan){.seed = 5, .inject = true, .hang_limit = 60 * NSEC_PER_SEC, .workers = 1};
	p->memory_floor = FLOOR;
	snprintf(p->output, sizeof(p->output), "%s/run%c", directory, 'a' + attempt++ % 26);
	p->injection_count = ARRAY_SIZE(injectors);
	for (unsigned int i = 0; i < ARRAY_SIZE(injectors); i++) {
		params = &p->injection[i].params;
		p->injection[i].injector = injectors[i];
		assert_int_equal(params_init(params, injectors[i]->params, injectors[i]->param_count, &e), 0);
		if (i == PRESSURE)
			assert_int_equal(params_set(params, injectors[i]->params, injectors[i]->param_count,
						    "swap", "64m", &e),
					 0);
	}
	p->phase_count = PHASES;
	strcpy(p->phase[PHASE_SQUEEZE].arg[PRESSURE], "squeeze");
}

/* `before`: the machine just before it. */
static void run(struct state *before, struct outcome *out)
{
	static const struct guard_children children = {.churn = play_churn, .disturb = be_disturb};
	static const struct guard_listener silent;
	struct plan *plan = malloc(sizeof(*plan));
	struct error e;

	assert_non_null(plan);
	for (unsigned int i = 0; i < 20 && !seen->injecting; i++) {
		fill_plan(plan);
		look(before);
		if (guard_run(plan, &children, &silent, out, &e))
			fail_msg("%s", e.text);
		if (!seen->injecting)
			sleep_ns(NSEC_PER_SEC);
	}
	free(plan);
	assert_true(seen->injecting);
}

static bool zram_idle(const struct state *m)
{
	return !strcmp(m->file[ARRAY_SIZE(files) - 1], "0\n");
}

static void act_and_undo(bool kill)
{
	struct state before, after;
	struct outcome out = {0};

	if (geteuid())
		skip();
	memset(seen, 0, sizeof(*seen));
	kill_disturb = kill;
	run(&before, &out);
	look(&after);
	assert_int_equal(out.left, 0);
	assert_same(&before, &after);
	print_message("compaction: %lu steps, %lu refused, %lu pages; %lu huge pages; at least %lu MiB "
		      "available, %lu of %lu times less than the floor\n",
		      seen->steps, seen->failed, seen->pages, seen->huge, (unsigned long)(seen->lowest / MiB),
		      seen->below, seen->moments);
	assert_true(seen->pages >= PAGES_MOVED);
	assert_true(seen->huge > strtoull(before.file[0], NULL, 10));
	assert_true(seen->below * BELOW_ONE_IN <= seen->moments);
	assert_true(seen->pressed > 0);
	assert_true(seen->squeezed || !seen->limit_before[0]);
	assert_string_equal(seen->limit_before, seen->limit_after);
	assert_int_equal(seen->swapped, zram_idle(&before));
}

static void the_machine_is_as_before(void **state)
{
	act_and_undo(false);
}

static void and_when_disturb_is_killed(void **state)
{
	act_and_undo(true);
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
		cmocka_unit_test(the_machine_is_as_before),
		cmocka_unit_test(and_when_disturb_is_killed),
	};

	return cmocka_run_group_tests_name("crowded memory on this machine", tests, group_set_up,
					   group_tear_down);
}
