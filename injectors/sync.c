/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes the target's dirty pages out at moments that the workers don't choose, and decides for how long
 * pages stay dirty at all.
 *
 *	mixed		(default) one sync of some kind every `pause`; dirty_* as they were found
 *	hold		no sync; dirty_* such that pages stay dirty
 *	release		no sync; dirty_* such that pages are written at once
 *	storm		one sync of some kind every `storm_pause`; dirty_* as for release
 *	alternate	hold and release by turns, each for `turn`
 *	freeze		the target is frozen for up to `frozen` every `freeze_pause`; dirty_* as they were
 *found
 *
 * The dirty_* settings stay when the phase ends, until another phase of this injector changes them: what
 * "hold" keeps dirty is to be moved in the phases behind it. At the end the guard's undo puts them back.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "injectors/dirty.h"
#include "injectors/flush.h"

#define THREADS_MAX 256

enum { PAUSE, STORM_PAUSE, THREADS, TURN, FROZEN, FREEZE_PAUSE };

static const struct param sync_params[] = {
	[PAUSE] = {.name = "pause",
		   .summary = "between two syncs",
		   .unit = PARAM_DURATION,
		   .fallback = "100ms",
		   .min = NSEC_PER_MSEC,
		   .max = 60 * NSEC_PER_SEC},
	[STORM_PAUSE] = {.name = "storm_pause",
			 .summary = "between two syncs of a storm",
			 .unit = PARAM_DURATION,
			 .fallback = "5ms",
			 .min = 10 * NSEC_PER_USEC,
			 .max = 60 * NSEC_PER_SEC},
	[THREADS] = {.name = "threads",
		     .summary = "how many sync at the same time, each with its own pauses",
		     .unit = PARAM_COUNT,
		     .fallback = "1",
		     .min = 1,
		     .max = THREADS_MAX},
	[TURN] = {.name = "turn",
		  .summary = "alternate: how long pages are held, and how long they are written at once",
		  .unit = PARAM_DURATION,
		  .fallback = "500ms",
		  .min = 10 * NSEC_PER_MSEC,
		  .max = 600 * NSEC_PER_SEC},
	[FROZEN] = {.name = "frozen",
		    .summary = "the longest time that the target is frozen",
		    .unit = PARAM_DURATION,
		    .fallback = "50ms",
		    .min = NSEC_PER_MSEC,
		    .max = 30 * NSEC_PER_SEC},
	[FREEZE_PAUSE] = {.name = "freeze_pause",
			  .summary = "between a thaw and the next freeze",
			  .unit = PARAM_DURATION,
			  .fallback = "100ms",
			  .min = NSEC_PER_MSEC,
			  .max = 60 * NSEC_PER_SEC},
};

enum mode { MIXED, HOLD, RELEASE, STORM, ALTERNATE, FREEZE };

static const char *const sync_args[] = {
	[MIXED] = "mixed", "hold", "release", "storm", "alternate", "freeze", NULL,
};

static const enum dirty_mode dirty_of[] = {
	[MIXED] = DIRTY_FOUND,   [HOLD] = DIRTY_HOLD,       [RELEASE] = DIRTY_AT_ONCE,
	[STORM] = DIRTY_AT_ONCE, [ALTERNATE] = DIRTY_FOUND, [FREEZE] = DIRTY_FOUND,
};

/* Why a phase without syncs is idle. */
static const char *const reasons[] = {
	[HOLD] = "pages are held dirty",
	[RELEASE] = "pages are written at once",
};

/* One more thread that syncs. It has an injection of its own: a random stream, and a reason to be idle. */
struct helper {
	pthread_t thread;
	struct injection in;
	uint64_t pause;
	int root;
};

struct syncer {
	struct dirty_knobs *knobs;
	struct helper *helper;
	unsigned int helpers; /* running */
	enum mode mode;
	bool holding;      /* alternate: whose turn it is */
	bool not_freezing; /* the service refused, for good */
	int root;          /* the target opened for reading, -1 */
};

/* ---- many threads ---- */

static void *helper_main(void *arg)
{
	struct helper *h = arg;

	while (!inject_over(&h->in)) {
		enum step step = flush_drawn(&h->in, h->root);
		struct exposure *x = h->in.exposure;

		atomic_fetch_add(step == STEP_DONE   ? &x->steps
				 : step == STEP_IDLE ? &x->idle
						     : &x->failed,
				 1);
		inject_pause(&h->in, h->pause);
	}
	return NULL;
}

static uint64_t pause_of(const struct injection *in, enum mode mode)
{
	return in->params->value[mode == STORM ? STORM_PAUSE : mode == FREEZE ? FREEZE_PAUSE : PAUSE];
}

static void start_helpers(struct injection *in, struct syncer *s)
{
	while (s->helpers + 1 < in->params->value[THREADS]) {
		struct helper *h = &s->helper[s->helpers];
		int err;

		*h = (struct helper){.in = *in, .pause = pause_of(in, s->mode), .root = s->root};
		h->in.random = stream_make(stream_u64(&in->random), s->helpers, 0);
		err = pthread_create(&h->thread, NULL, helper_main, h);
		if (err) {
			inject_note(in, "%u threads instead of %llu: %s", s->helpers + 1,
				    (unsigned long long)in->params->value[THREADS], strerror(err));
			return;
		}
		s->helpers++;
	}
}

static void join_helpers(struct syncer *s)
{
	while (s->helpers)
		pthread_join(s->helper[--s->helpers].thread, NULL);
}

/* ---- steps ---- */

static enum step wait_idle(struct injection *in, const struct syncer *s)
{
	inject_pause(in, NSEC_PER_SEC);
	return inject_idle(in, "%s", reasons[s->mode]);
}

static enum step take_turn(struct injection *in, struct syncer *s)
{
	s->holding = !s->holding;
	dirty_set(in, s->knobs, s->holding ? DIRTY_HOLD : DIRTY_AT_ONCE);
	inject_pause(in, in->params->value[TURN]);
	return STEP_DONE;
}

static enum step freeze_refused(struct injection *in, struct syncer *s, int err)
{
	if (err == EPERM || err == EOPNOTSUPP) {
		s->not_freezing = true;
		inject_note(in, "the target is not frozen in this run: %s", strerror(err));
	}
	return STEP_REFUSED;
}

/* Nothing is opened or closed while it is frozen. The limit is the guard's, for the case that this thread
 * does not come back. */
static enum step freeze_once(struct injection *in, struct syncer *s)
{
	uint64_t frozen = stream_range(&in->random, NSEC_PER_MSEC, in->params->value[FROZEN]);
	int err;

	if (s->not_freezing) {
		inject_pause(in, NSEC_PER_SEC);
		return inject_idle(in, "the target may not be frozen");
	}
	err = machine_freeze(in->machine, s->root, frozen + NSEC_PER_SEC);
	if (err)
		return freeze_refused(in, s, err);
	inject_pause(in, frozen);
	err = machine_thaw(in->machine);
	if (err && !inject_over(in))
		inject_note(in, "the target was thawed before its time: %s", strerror(err));
	inject_pause(in, pause_of(in, FREEZE));
	return STEP_DONE;
}

/* ---- the injector ---- */

static int sync_start(struct injection *in, struct error *e)
{
	struct syncer *s = inject_state(in, sizeof(*s), e);

	if (!s)
		return -1;
	s->root = -1;
	s->knobs = dirty_look(in);
	s->helper = calloc(in->params->value[THREADS], sizeof(*s->helper));
	if (!s->knobs || !s->helper)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "%s", in->name);
	return 0;
}

static bool needs_target(enum mode mode)
{
	return mode == MIXED || mode == STORM || mode == FREEZE;
}

static int sync_phase(struct injection *in, struct error *e)
{
	struct syncer *s = in->state;

	s->mode = (enum mode)inject_word(in, sync_args);
	s->holding = false;
	if (s->mode != ALTERNATE)
		dirty_set(in, s->knobs, dirty_of[s->mode]);
	if (!needs_target(s->mode))
		return 0;
	if (in->target < 0)
		return error_set(e, EXIT_CANNOT, "the target is not mounted");
	s->root = openat(in->target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root < 0)
		return error_errno(e, EXIT_CANNOT, errno, "cannot open the target");
	start_helpers(in, s);
	return 0;
}

static enum step sync_step(struct injection *in)
{
	struct syncer *s = in->state;
	enum step step;

	if (s->mode == HOLD || s->mode == RELEASE)
		return wait_idle(in, s);
	if (s->mode == ALTERNATE)
		return take_turn(in, s);
	if (s->mode == FREEZE)
		return freeze_once(in, s);
	step = flush_drawn(in, s->root);
	inject_pause(in, pause_of(in, s->mode));
	return step;
}

static void sync_rest(struct injection *in)
{
	struct syncer *s = in->state;

	join_helpers(s);
	if (s->root >= 0)
		close(s->root);
	s->root = -1;
}

static void sync_finish(struct injection *in)
{
	struct syncer *s = in->state;

	if (!s)
		return;
	dirty_free(s->knobs);
	free(s->helper);
	free(s);
	in->state = NULL;
}

const struct injector injector_sync = {
	.name = "sync",
	.summary = "syncs of every kind, freezes; pages held dirty, or written at once",
	.needs = NEED_NOTHING,
	.params = sync_params,
	.param_count = ARRAY_SIZE(sync_params),
	.phase_args = sync_args,
	.start = sync_start,
	.phase = sync_phase,
	.step = sync_step,
	.rest = sync_rest,
	.finish = sync_finish,
};
