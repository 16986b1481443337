/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Barriers: freezing the models, and running verifiers on what was frozen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/engine/churn.h"
#include "src/machine/machine.h"
#include "src/machine/messages.h"
#include "src/ops/held.h"
#include "src/run/rundir.h"

/* A line between the operations before and after the barrier. */
static void mark_journal(const struct conductor *c, unsigned int worker)
{
	struct shared *s = c->shared;
	struct journal_record mark = {
		.operation = c->workers[worker].done,
		.start = clock_mono() - s->start_mono,
		.answer = (int32_t)atomic_load(&s->phase),
		.flags = JOURNAL_MARK,
		.args.offset = atomic_load(&s->round),
	};

	ring_put(s->worker[worker].ring, &mark, &s->abandon);
}

/* The workers are parked, so the conductor stands in for each as the owner of its model. The roots of the
 * last barrier stay pinned until the new ones are in place: the guard can save a checkpoint at any moment. */
int barrier_freeze(struct conductor *c, struct error *e)
{
	struct shared *s = c->shared;

	atomic_store(&s->barrier_valid, false);
	for (unsigned int i = 0; i < s->plan.workers; i++) {
		struct frozen *f = model_freeze(&s->worker[i].model);

		if (!f)
			return error_set(e, EXIT_HARNESS, "no memory to freeze the model of worker %u", i);
		s->worker[i].barrier = f->view;
		if (c->barrier[i])
			model_release(c->barrier[i]);
		c->barrier[i] = f;
		mark_journal(c, i);
	}
	atomic_store(&s->barrier_valid, true);
	return tell_request(c, MESSAGE_DURABLE, e);
}

/* Workers are parked: their descriptors are those of the frozen models. */
static int descriptor_of(const struct verification *v, size_t view, uint32_t object)
{
	const struct conductor *c = v->holder;

	return held_fd(&c->workers[view].ctx, object);
}

static int verify_call(struct conductor *c, unsigned int index, enum verify_when when,
		       const _Atomic bool *stop, bool begin, struct error *e)
{
	struct shared *s = c->shared;
	const struct model_view **views = calloc(s->plan.workers, sizeof(const struct model_view *));
	const struct verifier *verifier = s->plan.verification[index].verifier;
	struct machine machine = {.socket = c->socket}; /* the conductor asks for nothing else meanwhile */
	struct verification v = {
		.machine = when == VERIFY_ROUND ? &machine : NULL,
		.target = &s->target,
		.mount = c->mount,
		.run = s->plan.run_key,
		.views = views,
		.view_count = s->plan.workers,
		.threads = (unsigned int)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1L),
		.findings = &c->findings,
		.counters = &s->verified[index],
		.stop = stop,
		.held = verifier->when == VERIFY_ROUND ? descriptor_of : NULL,
		.holder = c,
		.when = when,
		.witnesses = c->witnesses,
		.witness_lists = s->plan.workers + 1,
		.durable = c->durable,
		.mkfs_options = s->plan.target.mkfs_options,
	};
	uint64_t start = clock_mono();
	char name[64], log[4096];
	int result;

	if (!views)
		return error_set(e, EXIT_HARNESS, "no memory to verify");
	for (unsigned int i = 0; i < s->plan.workers; i++)
		views[i] = &s->worker[i].barrier;
	snprintf(name, sizeof(name), "%s.log", verifier->name);
	v.log = rundir_path(log, sizeof(log), s->plan.output, name);
	result = begin ? verifier->begin(&v, e) : verifier->run(&v, e);
	if (result)
		error_context(e, "verifier %s", verifier->name);
	if (when != VERIFY_DURING) /* which rests now and then */
		atomic_fetch_add(&s->verified[index].time_ns, clock_mono() - start);
	free(views);
	return result;
}

int verify_one(struct conductor *c, unsigned int index, enum verify_when when, const _Atomic bool *stop,
	       struct error *e)
{
	return verify_call(c, index, when, stop, false, e);
}

int verify_begin(struct conductor *c, struct error *e)
{
	const struct plan *plan = &c->shared->plan;

	for (unsigned int i = 0; i < plan->verification_count; i++) {
		const struct plan_verification *p = &plan->verification[i];

		if (p->verifier->begin && !p->unavailable &&
		    verify_call(c, i, p->verifier->when, &c->shared->stop, true, e))
			return -1;
	}
	return 0;
}

static int verify_kind(struct conductor *c, enum verify_when wanted, enum verify_when when, struct error *e)
{
	const struct plan *plan = &c->shared->plan;

	for (unsigned int i = 0; i < plan->verification_count; i++) {
		const struct plan_verification *p = &plan->verification[i];

		if (!verifier_has_turn(p->verifier, wanted) || p->unavailable)
			continue;
		if (atomic_load(&c->shared->stop))
			return 0;
		atomic_fetch_add(&c->shared->beat, 1);
		if (verify_one(c, i, when, &c->shared->stop, e))
			return -1;
		conductor_look(c);
	}
	return 0;
}

int verify_run(struct conductor *c, enum verify_when when, struct error *e)
{
	if (verify_kind(c, when, when, e))
		return -1;
	if (when != VERIFY_ROUND && when != VERIFY_REMOUNTED)
		return 0;
	return verify_kind(c, VERIFY_DURING, when, e);
}
