/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rounds of phases: let the workers and injectors go, bring both to rest, verify. In a run by time the last
 * rounds are shortened so that the final verification still fits; in a run by operations (--ops) nothing
 * depends on time, nor in a replay, whose workers stop where they stopped in the run that is replayed.
 */
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/engine/churn.h"
#include "src/engine/pace.h"
#include "src/machine/messages.h"
#include "src/run/exposure.h"

/* How long injectors may take to come to rest; a step should last well under a second. */
#define REST_LIMIT (60 * NSEC_PER_SEC)

/* A round that would be shortened below this share is not begun. */
#define SHORTEST 0.25

/* Operations per worker and round where --ops names a total and the scenario counts time. */
#define ROUND_OPS 10000

#define POLL (20 * NSEC_PER_MSEC)

static void set_injection(struct shared *s, uint32_t bits)
{
	atomic_store(&s->inject, bits);
	atomic_fetch_add(&s->phase_serial, 1);
	syscall(SYS_futex, &s->phase_serial, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static int rest_injectors(struct shared *s, struct error *e)
{
	uint64_t limit = clock_mono() + REST_LIMIT;

	set_injection(s, 0);
	while (atomic_load(&s->acting)) {
		if (clock_mono() > limit)
			return error_set(e, EXIT_HARNESS, "the injectors did not come to rest within %llu s",
					 REST_LIMIT / NSEC_PER_SEC);
		sleep_ns(NSEC_PER_MSEC);
	}
	return 0;
}

static int check_workers(const struct conductor *c, struct error *e)
{
	for (unsigned int i = 0; i < c->started; i++) {
		const struct worker *w = &c->workers[i];

		if (w->feed.failed) {
			*e = w->feed.error;
			return -1;
		}
		if (w->slot->model.owner.exhausted)
			return error_set(e, EXIT_HARNESS, "the memory for models is used up (worker %u)", i);
		if (atomic_load(&w->idle))
			return error_set(e, EXIT_HARNESS,
					 "workload %s found nothing to do (worker %u, operation %llu)",
					 w->workload->workload->name, i, (unsigned long long)w->done + 1);
	}
	return 0;
}

/* All of a round's phases together, in ns. */
static uint64_t round_duration(const struct plan *p)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < p->phase_count; i++)
		sum += p->phase[i].duration;
	return sum;
}

/* Operations that each worker does in this phase; 0: the phase ends by time. */
static uint64_t phase_quota(const struct plan *p, const struct plan_phase *phase, uint64_t left)
{
	uint64_t total = 0, quota;

	if (!phase->churn)
		return 0;
	if (phase->ops)
		return left ? MIN(phase->ops, left) : phase->ops;
	if (!p->ops)
		return 0;
	for (unsigned int i = 0; i < p->phase_count; i++) {
		if (p->phase[i].churn)
			total += p->phase[i].duration;
	}
	quota = (p->rounds ? p->ops / p->rounds : MIN(p->ops, (uint64_t)ROUND_OPS)) * phase->duration /
		MAX(total, 1ULL);
	return MIN(MAX(quota, 1ULL), left);
}

static bool is_replay(const struct conductor *c)
{
	return c->shared->plan.replay[0];
}

/* Of a replay: has any worker operations left, or barriers? */
static bool anything_left(const struct conductor *c)
{
	for (unsigned int i = 0; i < c->started; i++) {
		if (c->workers[i].feed.more)
			return true;
	}
	return false;
}

/* Of a replay: did the round have a phase behind this one? */
static bool has_next_phase(const struct conductor *c, unsigned int index)
{
	for (unsigned int i = 0; i < c->started; i++) {
		if (feed_goes_beyond(&c->workers[i].feed, index))
			return true;
	}
	return false;
}

static void pass_barrier(struct conductor *c)
{
	for (unsigned int i = 0; i < c->started; i++)
		feed_pass_barrier(&c->workers[i].feed);
}

/* Wait for the end of a phase: its time, its operations, or the run's end. */
static void await_phase(struct conductor *c, const struct plan_phase *phase, uint64_t end, bool by_ops)
{
	for (;;) {
		uint64_t now = clock_mono();

		atomic_fetch_add(&c->shared->beat, 1);
		conductor_look(c);
		if (conductor_ending(c) || (!by_ops && now >= end))
			return;
		if (!phase->churn)
			sleep_ns(MIN(POLL, end - now));
		else if (gang_wait(&c->gang, by_ops ? now + POLL : MIN(end, now + POLL)))
			return; /* all did their operations, or none can go on */
	}
}

/* Of a replay: steps that began when the last operations of the phase were done. */
static void await_steps(struct conductor *c)
{
	const uint64_t limit = clock_mono() + PACE_LIMIT;

	while (is_replay(c) && pace_due(c->shared) <= pace_position(c->shared) && clock_mono() < limit &&
	       !conductor_ending(c)) {
		atomic_fetch_add(&c->shared->beat, 1);
		sleep_ns(NSEC_PER_MSEC);
	}
}

static int run_phase(struct conductor *c, unsigned int index, double scale, uint64_t ops_left,
		     struct error *e)
{
	struct shared *s = c->shared;
	const struct plan_phase *phase = &s->plan.phase[index];
	uint64_t quota = is_replay(c) ? 0 : phase_quota(&s->plan, phase, ops_left);
	const bool by_ops = quota || (is_replay(c) && phase->churn);
	uint64_t begin = clock_mono();
	uint64_t end = begin + (uint64_t)((double)phase->duration * scale);

	atomic_store(&s->phase, index);
	atomic_store(&s->phase_end, by_ops ? 0 : end);
	set_injection(s, phase->inject);
	if (phase->churn)
		gang_start(&c->gang, quota);
	await_phase(c, phase, end, by_ops);
	if (phase->churn) {
		await_steps(c);
		gang_halt(&c->gang);
		atomic_fetch_add(&s->churn_ns, clock_mono() - begin);
	}
	/* Two neighbouring phases with the same injectors still bring them to rest: each phase has its own
	 * argument. */
	if (rest_injectors(s, e))
		return -1;
	return shared_failing(s) ? 0 : check_workers(c, e);
}

static uint64_t operations(const struct conductor *c)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < c->started; i++)
		sum += c->workers[i].done;
	return sum;
}

/* Behind a checkpoint old journals can go; so it is worth one whenever half of what may be kept was written
 * since. */
static int checkpoint(struct conductor *c, struct error *e)
{
	uint64_t written = (operations(c) - c->journalled) * sizeof(struct journal_record);

	if (!c->shared->plan.journal_keep || written < c->shared->plan.journal_keep / 2)
		return 0;
	c->journalled = operations(c);
	return tell_request(c, MESSAGE_CHECKPOINT, e);
}

/* Only a whole round counts, and only what was verified afterwards is a trial: not what moved while it was
 * verified. */
static void count_round(struct conductor *c, const uint64_t before[MEASURES], const uint64_t after[MEASURES])
{
	struct shared *s = c->shared;

	if (atomic_load(&s->stop))
		return;
	for (unsigned int i = 0; i < MEASURES; i++)
		atomic_fetch_add(&s->trials[i], after[i] - before[i]);
	atomic_fetch_add(&s->rounds_done, 1);
}

static int run_phases(struct conductor *c, double scale, uint64_t *ops_left, struct error *e)
{
	const struct shared *s = c->shared;
	uint64_t done = c->workers[0].done;

	for (unsigned int i = 0; i < s->plan.phase_count && !conductor_ending(c); i++) {
		if (run_phase(c, i, scale, *ops_left, e))
			return -1;
		*ops_left -= MIN(*ops_left, c->workers[0].done - done);
		done = c->workers[0].done;
		if (s->plan.ops && !*ops_left)
			break;
		if (is_replay(c) && !has_next_phase(c, i))
			break;
	}
	return 0;
}

/* All phases, with the verifiers that run meanwhile. */
static int churn(struct conductor *c, double scale, uint64_t *ops_left, struct error *e)
{
	struct error late = {0};
	int result = during_start(c, e);

	if (!result)
		result = run_phases(c, scale, ops_left, e);
	if (!during_end(c, &late) || result || shared_failing(c->shared))
		return result;
	*e = late;
	return -1;
}

static int run_round(struct conductor *c, double scale, uint64_t *ops_left, struct error *e)
{
	struct shared *s = c->shared;
	uint64_t begin = clock_mono(), verify;
	uint64_t before[MEASURES], after[MEASURES];

	exposure_take(s, before);
	atomic_fetch_add(&s->round, 1);
	atomic_store(&s->stage, STAGE_CHURN);
	if (churn(c, scale, ops_left, e))
		return -1;
	if (shared_failing(s)) /* what is cached, and the models, have what the disk has not */
		return 0;
	pass_barrier(c);
	exposure_take(s, after);
	atomic_store(&s->stage, STAGE_VERIFY);
	verify = clock_mono();
	if (barrier_freeze(c, e) || verify_run(c, VERIFY_ROUND, e) || checkpoint(c, e))
		return -1;
	witnesses_take_shared(c);
	c->verify_ns = clock_mono() - verify;
	c->round_ns = clock_mono() - begin;
	count_round(c, before, after);
	return 0;
}

/* How much of its full length the next round can have; 0: the run is over. */
static double next_scale(const struct conductor *c, uint64_t begin, uint64_t ops_left)
{
	const struct plan *p = &c->shared->plan;
	uint64_t used = clock_mono() - begin, full = round_duration(p), reserve;
	double scale;

	if (conductor_ending(c) || (p->rounds && atomic_load(&c->shared->rounds_done) >= p->rounds))
		return 0;
	if (is_replay(c))
		return anything_left(c) ? 1 : 0;
	if (p->ops)
		return ops_left ? 1 : 0;
	if (!p->duration)
		return 1;
	/* Kept free: this round's verification, and at the end as much again for fsck and the fresh one. */
	reserve = c->round_ns ? 2 * c->verify_ns : p->duration / 2;
	if (used + reserve >= p->duration)
		return c->round_ns ? 0 : SHORTEST;
	if (!full)
		return 1;
	scale = (double)(p->duration - used - reserve) / (double)full;
	if (c->round_ns && scale < SHORTEST)
		return 0;
	return MIN(MAX(scale, SHORTEST), 1.0);
}

int rounds_run(struct conductor *c, struct error *e)
{
	uint64_t begin = c->shared->start_mono, ops_left = c->shared->plan.ops;
	double scale;

	while ((scale = next_scale(c, begin, ops_left)) > 0) {
		if (run_round(c, scale, &ops_left, e))
			return -1;
	}
	return 0;
}
