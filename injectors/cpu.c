/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUs go offline and come back. Per-CPU lists of pages are drained, per-CPU counters folded, workers and
 * writeback moved to other CPUs, and all of it is made anew.
 *
 *	cycle	(default) one CPU after another goes away for `away` and comes back
 *	shrink	all but `left` go away for the whole phase
 *
 * What a CPU that comes back does not get back: interrupts and tasks that were bound to it alone, and its
 * place in cpusets of cgroup v1. Interrupts are noted in the undo log and set again; a CPU with such tasks or
 * cpusets is left alone.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "injectors/bound.h"
#include "injectors/injector.h"

#define CPU_DIR  "/sys/devices/system/cpu/"
#define CPUS_MAX 4096 /* more than any kernel's CONFIG_NR_CPUS that is in use */

/* A step lasts well under a second; the kernel itself needs some 50 ms to take a CPU away. */
#define LIMIT (5 * NSEC_PER_SEC)

enum { AWAY, PAUSE, LEFT };

static const struct param cpu_params[] = {
	[AWAY] = {.name = "away",
		  .summary = "how long a CPU stays offline (cycle)",
		  .unit = PARAM_DURATION,
		  .fallback = "100ms",
		  .min = 0,
		  .max = 60 * NSEC_PER_SEC},
	[PAUSE] = {.name = "pause",
		   .summary = "between two CPUs (cycle)",
		   .unit = PARAM_DURATION,
		   .fallback = "100ms",
		   .min = 0,
		   .max = 60 * NSEC_PER_SEC},
	[LEFT] = {.name = "left",
		  .summary = "CPUs that stay online at least",
		  .unit = PARAM_COUNT,
		  .fallback = "1",
		  .min = 1,
		  .max = CPUS_MAX},
};

static const char *const cpu_args[] = {"cycle", "shrink", NULL};

struct cpu {
	unsigned int number;
	bool away; /* taken offline by this injector */
	struct bound bound;
	bool refused; /* the kernel didn't let it go, or something is bound to it: left alone */
};

struct cpus {
	size_t count;
	struct cpu cpu[]; /* those that are online and can go */
};

static char *cpu_path(char *buf, size_t len, unsigned int number)
{
	snprintf(buf, len, CPU_DIR "cpu%u/online", number);
	return buf;
}

static size_t online_count(void)
{
	unsigned int numbers[CPUS_MAX];

	return machine_list(CPU_DIR "online", numbers, ARRAY_SIZE(numbers));
}

/* ---- away and back ---- */

static void refuse(struct injection *in, struct cpu *c, const char *why)
{
	c->refused = true;
	inject_note(in, "CPU %u is left alone: %s", c->number, why);
}

static enum step take_away(struct injection *in, struct cpu *c)
{
	char path[64];
	int err;

	if (online_count() <= in->params->value[LEFT])
		return inject_idle(in, "no more than %llu CPUs are online",
				   (unsigned long long)in->params->value[LEFT]);
	bound_note(in, c->number, &c->bound);
	err = machine_set(in->machine, cpu_path(path, sizeof(path), c->number), "0", LIMIT);
	if (err) {
		refuse(in, c, strerror(err));
		return STEP_REFUSED;
	}
	c->away = true;
	return STEP_DONE;
}

static enum step bring_back(struct injection *in, struct cpu *c)
{
	char path[64];
	int err = machine_set(in->machine, cpu_path(path, sizeof(path), c->number), "1", LIMIT);

	if (err) {
		inject_note(in, "CPU %u does not come back: %s", c->number, strerror(err));
		return STEP_REFUSED;
	}
	c->away = false;
	bound_again(in, c->number, &c->bound);
	return STEP_DONE;
}

static struct cpu *draw_cpu(struct injection *in, struct cpus *all)
{
	size_t first = all->count ? stream_below(&in->random, all->count) : 0;

	for (size_t i = 0; i < all->count; i++) {
		struct cpu *c = &all->cpu[(first + i) % all->count];

		if (!c->away && !c->refused)
			return c;
	}
	return NULL;
}

static enum step cycle(struct injection *in, struct cpus *all)
{
	struct cpu *c = draw_cpu(in, all);
	enum step step;

	if (!c)
		return inject_idle(in, "no CPU can go offline");
	step = take_away(in, c);
	if (step != STEP_DONE)
		return step;
	inject_pause(in, in->params->value[AWAY]);
	step = bring_back(in, c);
	inject_pause(in, in->params->value[PAUSE]);
	return step;
}

static enum step shrink(struct injection *in, struct cpus *all)
{
	struct cpu *c = online_count() > in->params->value[LEFT] ? draw_cpu(in, all) : NULL;

	if (c)
		return take_away(in, c);
	inject_pause(in, NSEC_PER_SEC);
	return inject_idle(in, "%zu CPUs are left", online_count());
}

/* ---- the injector ---- */

/* Cpu0 mostly has no such file: then it can't go. */
static bool can_go(unsigned int number)
{
	char path[64];

	return !access(cpu_path(path, sizeof(path), number), W_OK);
}

static int cpu_start(struct injection *in, struct error *e)
{
	unsigned int numbers[CPUS_MAX];
	size_t online = machine_list(CPU_DIR "online", numbers, ARRAY_SIZE(numbers));
	struct cpus *all = inject_state(in, sizeof(*all) + online * sizeof(all->cpu[0]), e);

	if (!all)
		return -1;
	for (size_t i = 0; i < online; i++) {
		if (can_go(numbers[i]))
			all->cpu[all->count++] = (struct cpu){.number = numbers[i]};
	}
	if (!all->count || online <= in->params->value[LEFT])
		return error_set(e, EXIT_CANNOT, "of %zu CPUs online none can go", online);
	return 0;
}

/* What comes to be bound during the phase is not seen: looking takes some milliseconds for a hundred
 * processes.
 */
static int cpu_phase(struct injection *in, struct error *e)
{
	struct cpus *all = in->state;
	char why[160];

	for (size_t i = 0; i < all->count; i++) {
		struct cpu *c = &all->cpu[i];

		if (!c->refused && bound_for_good(c->number, why, sizeof(why)))
			refuse(in, c, why);
	}
	return 0;
}

static enum step cpu_step(struct injection *in)
{
	return !strcmp(in->phase_arg, "shrink") ? shrink(in, in->state) : cycle(in, in->state);
}

static void cpu_rest(struct injection *in)
{
	struct cpus *all = in->state;

	for (size_t i = 0; i < all->count; i++) {
		if (all->cpu[i].away)
			bring_back(in, &all->cpu[i]);
	}
}

const struct injector injector_cpu = {
	.name = "cpu",
	.summary = "CPUs offline and back",
	.needs = NEED_ROOT | NEED_CPU_HOTPLUG,
	.params = cpu_params,
	.param_count = ARRAY_SIZE(cpu_params),
	.phase_args = cpu_args,
	.start = cpu_start,
	.phase = cpu_phase,
	.step = cpu_step,
	.rest = cpu_rest,
	.finish = inject_finish,
};
