/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/engine/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/engine/pace.h"
#include "src/model/stripes.h"
#include "src/ops/direct.h"
#include "src/ops/held.h"
#include "src/ops/window.h"

/* Draws that may come to nothing before the workload is said to have nothing to do. */
#define DRAWS_MAX 1000

/* Between two calls pass some microseconds, some dozens after the largest write. In so long a time the thread
 * was off its CPU. */
#define PREEMPTED_NS (1 * NSEC_PER_MSEC)

/* The tree is held steady around the shape's number of files. */
static bool out_of_balance(const struct worker *w, const struct op *op)
{
	uint32_t files = model_pick_count(&w->slot->model, PICK_FILE);
	uint32_t wanted = w->workload->shape.files;

	if (op->balance == BALANCE_GROWS)
		return files >= wanted;
	return op->balance == BALANCE_SHRINKS && files < wanted - wanted / 10;
}

/* Draw the operation with number w->done + 1: the same one whenever seed, worker, number and model are the
 * same. */
static const struct op *draw(struct worker *w, struct op_args *args)
{
	struct stream s = stream_make(w->shared->plan.seed, w->number, w->done + 1);

	for (int i = 0; i < DRAWS_MAX; i++) {
		const struct op *op = mix_draw(&w->mix, &s);

		*args = (struct op_args){0};
		if (!out_of_balance(w, op) && op->draw(&w->ctx, &s, args))
			return op;
	}
	return NULL;
}

/* Add to a counter that nobody else writes. */
static void count(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, now + n, memory_order_relaxed);
}

static void count_answer(struct worker *w, const struct op *op, int64_t ret)
{
	uint64_t code = ret < 0 ? (uint64_t)-ret : 0;

	if (code)
		count(&w->slot->errors, 1);
	count(&w->slot->answers[op->id][MIN(code, (uint64_t)SHARED_ANSWERS - 1)], 1);
	if (ret > 0 && op->group == GROUP_DATA)
		count(op->reads ? &w->slot->bytes_read : &w->slot->bytes_written, (uint64_t)ret);
}

/* Of a replay: the next operation of this phase that still makes sense; its number is the journal's. */
static const struct op *take(struct worker *w, struct op_args *args)
{
	const uint8_t phase = (uint8_t)atomic_load_explicit(&w->shared->phase, memory_order_relaxed);
	struct journal_record r;

	while (feed_take(&w->feed, phase, &r)) {
		const struct op *op = op_by_id(r.kind);

		w->done = r.operation - 1;
		w->ctx.operation = r.operation;
		*args = r.args;
		if (op && !(op->needs & ~w->met) && op->fits(&w->ctx, args))
			return op;
		w->done = r.operation; /* left out: the journals side by side tell */
		atomic_store_explicit(&w->slot->taken, w->done, memory_order_relaxed);
	}
	return NULL;
}

/* Of a replay: a step of an injector is due before the next operation. */
static void await_steps(struct worker *w)
{
	const uint64_t due = pace_due(w->shared);
	const uint64_t limit = clock_mono() + PACE_LIMIT;

	if (due == w->given_up || pace_position(w->shared) < due)
		return;
	while (pace_due(w->shared) == due && !atomic_load(&w->gang->halt)) {
		if (clock_mono() > limit)
			w->given_up = due;
		if (w->given_up == due)
			return;
		sleep_ns(100 * NSEC_PER_USEC);
	}
	w->answered = 0;
}

static bool is_replay(const struct worker *w)
{
	return w->shared->plan.replay[0];
}

static struct journal_record record_of(const struct worker *w, const struct op *op,
				       const struct op_args *args, uint64_t begin, uint8_t flags)
{
	return (struct journal_record){
		.operation = w->done + 1,
		.start = begin - w->shared->start_mono,
		.kind = op->id,
		.flags = flags,
		.phase = (uint8_t)atomic_load_explicit(&w->shared->phase, memory_order_relaxed),
		.args = *args,
	};
}

static bool journal(struct worker *w, const struct op *op, const struct op_args *args, int64_t ret,
		    uint64_t begin, uint64_t end, uint8_t flags)
{
	struct journal_record r = record_of(w, op, args, begin, flags);

	r.took = (uint32_t)MIN((end - begin) / NSEC_PER_USEC, (uint64_t)UINT32_MAX);
	r.answer = (int32_t)MIN(ret, (int64_t)INT32_MAX);
	return ring_put(w->slot->ring, &r, &w->shared->abandon);
}

/* What is about to be done: it may be in the target, and never in the journal. */
static void announce(struct worker *w, const struct op *op, const struct op_args *args, uint64_t begin,
		     uint8_t flags)
{
	const struct journal_record r = record_of(w, op, args, begin, flags);

	ring_announce(w->slot->ring, &r);
}

/* A batch has a record for each of its parts. */
static bool journal_all(struct worker *w, const struct op *op, const struct op_args *args,
			const struct op_answer *a, uint64_t begin, uint64_t end, uint8_t flags)
{
	struct op_args one = *args;

	if (!a->parts)
		return journal(w, op, args, a->ret, begin, end, flags);
	for (one.dir2 = 0; one.dir2 < a->parts; one.dir2++) {
		const uint8_t more = one.dir2 + 1 < a->parts ? JOURNAL_MORE : 0;

		if (!journal(w, op, &one, a->part[one.dir2], begin, end, flags | more))
			return false;
	}
	return true;
}

/* From the last answer to this call: learn, journal, draw. */
static void count_outside(struct worker *w, uint64_t begin)
{
	if (w->answered && begin - w->answered < PREEMPTED_NS)
		count(&w->slot->outside_ns, begin - w->answered);
}

/* While the target comes to fail, who was refused waits until it has: what is refused in between may have
 * left a part, what is refused later nothing. So that the one stays little, and the rest can be compared. */
static void await_failure(const struct worker *w, int64_t ret)
{
	const struct fault *f = &w->shared->fault;

	while (ret < 0 && atomic_load(&f->at) && !atomic_load(&f->made) && !atomic_load(&w->gang->halt))
		sleep_ns(100 * NSEC_PER_USEC);
}

/* One operation from draw to journal. False: there is nothing more to do (in this phase, of a replay). */
static bool operate(struct worker *w)
{
	struct op_answer answer = {0};
	struct op_args args;
	const struct op *op;
	uint64_t begin, end;
	uint8_t flags;

	w->ctx.operation = w->done + 1;
	op = is_replay(w) ? take(w, &args) : draw(w, &args);
	if (!op)
		return false;
	flags = op_journal_flags(&w->ctx, &args);
	begin = clock_mono();
	count_outside(w, begin);
	announce(w, op, &args, begin, flags);
	atomic_store_explicit(&w->slot->kind, op->id, memory_order_relaxed);
	atomic_store_explicit(&w->slot->started, begin, memory_order_release);
	op->call(&w->ctx, &args, &answer);
	w->answered = end = clock_mono();
	atomic_store_explicit(&w->slot->started, 0, memory_order_release);
	op->learn(&w->ctx, &args, &answer);
	windows_settle(&w->ctx);
	w->slot->model.head.operations = w->done + 1;
	if (!journal_all(w, op, &args, &answer, begin, end, flags))
		return false;
	count_answer(w, op, answer.ret);
	w->done++;
	atomic_store_explicit(&w->slot->journalled, w->done, memory_order_release);
	count(&w->slot->operations, 1);
	atomic_store_explicit(&w->slot->taken, w->done, memory_order_relaxed);
	await_failure(w, answer.ret);
	return true;
}

static uint64_t timeval_ns(struct timeval t)
{
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_usec * NSEC_PER_USEC;
}

static void count_cpu(struct worker *w)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	atomic_store_explicit(&w->slot->user_ns, timeval_ns(usage.ru_utime), memory_order_relaxed);
	atomic_store_explicit(&w->slot->system_ns, timeval_ns(usage.ru_stime), memory_order_relaxed);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	uint64_t seen = 0, quota = 0;

	atomic_store(&w->slot->tid, (pid_t)syscall(SYS_gettid));
	while (gang_park(w->gang, &seen, &quota)) {
		w->answered = 0;
		for (uint64_t n = 0; !quota || n < quota; n++) {
			if (is_replay(w))
				await_steps(w);
			if (atomic_load_explicit(&w->gang->halt, memory_order_relaxed) ||
			    w->slot->model.owner.exhausted)
				break;
			if (!operate(w)) {
				atomic_store(&w->idle, !is_replay(w));
				break;
			}
		}
		count_cpu(w);
	}
	windows_close(&w->ctx);
	held_close_all(&w->ctx);
	return NULL;
}

/* Workers are dealt out to the workloads by their shares: with 3:1, three of four get the first. */
static const struct plan_workload *workload_of(const struct plan *p, unsigned int number)
{
	unsigned int sum = 0, place;

	for (unsigned int i = 0; i < p->workload_count; i++)
		sum += p->workload[i].share;
	place = number % MAX(sum, 1U);
	for (unsigned int i = 0; i < p->workload_count; i++) {
		if (place < p->workload[i].share)
			return &p->workload[i];
		place -= p->workload[i].share;
	}
	return &p->workload[0];
}

/* A workload at the brim isn't held back: there is no room, when the target says so. */
static uint64_t limit_of(const struct worker *w, uint64_t share)
{
	return w->workload->shape.brim && !w->shared->plan.target.fill ? UINT64_MAX / 2 : share;
}

/* Before there is anything in it. */
static int make_nocow(const struct worker *w, struct error *e)
{
	char name[64];

	anchor_path(w->number, OBJECT_ROOT, name, sizeof(name));
	return target_make_nocow(w->ctx.target, name, e);
}

/* Where its operations come from. At the brim there is no room for what snapshots keep. */
static int make_source(struct worker *w, struct error *e)
{
	const struct plan *plan = &w->shared->plan;
	const bool witnesses = plan_wants_witnesses(plan) && !w->workload->shape.brim;

	w->met = plan->met & ~w->shared->target.unmet;
	if (is_replay(w))
		return feed_open(&w->feed, plan->replay, w->number, e);
	if (mix_init(&w->mix, w->workload->workload->mix, witnesses ? mix_of_witnesses : NULL, w->met, e) ==
	    0)
		return 0;
	error_context(e, "workload %s", w->workload->workload->name);
	return -1;
}

static int make_model(struct worker *w, struct error *e)
{
	const struct plan *plan = &w->shared->plan;
	struct model *m = &w->slot->model;

	if (model_init(m, w->shared->pool, w->number, plan->run_key, plan->shared_dirs, e))
		return -1;
	for (unsigned int k = 0; k < plan->shared_files; k++) {
		if (model_add_shared_file(m, stripes_size(k)))
			continue;
		model_destroy(m);
		return error_set(e, EXIT_HARNESS, "the pool of model pages is too small");
	}
	return 0;
}

int worker_start(struct worker *w, struct shared *s, struct gang *gang, unsigned int number,
		 uint64_t bytes_limit, int target, const struct finding_sink *findings, struct error *e)
{
	char name[16];
	int err;

	*w = (struct worker){
		.shared = s,
		.slot = &s->worker[number],
		.gang = gang,
		.number = number,
		.workload = workload_of(&s->plan, number),
		.given_up = UINT64_MAX,
	};
	w->ctx = (struct op_ctx){
		.model = &w->slot->model,
		.shape = &w->workload->shape,
		.bytes_limit = limit_of(w, bytes_limit),
		.target = target,
		.where = &s->target,
		.findings = findings,
		.workers = s->plan.workers,
		.witnesses = &w->witnesses,
		.buffer = aligned_alloc(BLOCK_SIZE, OP_BUFFER),
	};
	witness_list_init(&w->witnesses);
	if (!w->ctx.buffer)
		return error_set(e, EXIT_HARNESS, "no memory for the buffer of worker %u", number);
	if (direct_begin(&w->ctx, e) || (w->ctx.shape->nocow && make_nocow(w, e)))
		goto fail;
	if (make_source(w, e) || make_model(w, e))
		goto fail;
	err = pthread_create(&w->thread, NULL, worker_main, w);
	if (err) {
		error_errno(e, EXIT_HARNESS, err, "cannot start worker %u", number);
		model_destroy(&w->slot->model);
		goto fail;
	}
	gang_enlist(gang);
	snprintf(name, sizeof(name), "worker:%u", number);
	pthread_setname_np(w->thread, name);
	return 0;
fail:
	feed_close(&w->feed);
	direct_end(&w->ctx);
	free(w->ctx.buffer);
	return -1;
}

void worker_join(struct worker *w)
{
	pthread_join(w->thread, NULL);
	feed_close(&w->feed);
	direct_end(&w->ctx);
	free(w->ctx.buffer);
}
