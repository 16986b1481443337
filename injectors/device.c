/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device below the target is slow, or stands still for a moment. So what is written stays under writeback
 * for long, and what is read is awaited for long: reclaim, migration and those who come back to the page meet
 * it there. No request fails and none is lost: whatever happens above is the filesystem's.
 *
 * The target lies on a device-mapper device for it, whose table is changed while it is mounted: dm-linear or
 * dm-delay, and suspended for a hold.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "injectors/injector.h"

enum { HOLD, DELAY, TURN, PAUSE };

static const struct param device_params[] = {
	[HOLD] = {.name = "hold",
		  .summary = "longest time that the device stands still",
		  .unit = PARAM_DURATION,
		  .fallback = "200ms",
		  .min = NSEC_PER_MSEC,
		  .max = MACHINE_HOLD},
	[DELAY] = {.name = "delay",
		   .summary = "most that each request of a slow device takes longer",
		   .unit = PARAM_DURATION,
		   .fallback = "20ms",
		   .min = NSEC_PER_MSEC,
		   .max = MACHINE_DELAY * NSEC_PER_MSEC},
	[TURN] = {.name = "turn",
		  .summary = "how long it is equally slow",
		  .unit = PARAM_DURATION,
		  .fallback = "500ms",
		  .min = NSEC_PER_MSEC,
		  .max = 60 * NSEC_PER_SEC},
	[PAUSE] = {.name = "pause",
		   .summary = "between two times that it stands still",
		   .unit = PARAM_DURATION,
		   .fallback = "100ms",
		   .min = 0,
		   .max = 60 * NSEC_PER_SEC},
};

enum word { MIXED, STILL, SLOW };
static const char *const words[] = {[MIXED] = "mixed", [STILL] = "hold", [SLOW] = "slow", NULL};

/* Of `mixed`: standing still, slow, and as it is. */
static const unsigned int odds[] = {5, 3, 2};

struct device {
	bool cannot_delay;      /* the kernel has no dm-delay: it only stands still */
	uint64_t holds, spells; /* in this phase */
	uint64_t held;          /* ns in all */
};

static enum step ask(struct injection *in, const struct machine_way *way)
{
	struct device *d = in->state;
	int err = machine_mapping(in->machine, way);

	if (!err)
		return STEP_DONE;
	inject_note(in, "the device refuses to %s: %s",
		    way->kind == WAY_HOLD    ? "stand still"
		    : way->kind == WAY_DELAY ? "be slow"
					     : "be itself",
		    strerror(err));
	/* What dm answers to a table of a kind that it doesn't have. */
	d->cannot_delay |= way->kind == WAY_DELAY && err == EINVAL;
	return STEP_REFUSED;
}

static enum step stand_still(struct injection *in)
{
	const uint64_t ms = 1 + stream_below(&in->random, in->params->value[HOLD] / NSEC_PER_MSEC);
	const struct machine_way way = {.kind = WAY_HOLD, .hold_ns = ms * NSEC_PER_MSEC};
	struct device *d = in->state;
	enum step step = ask(in, &way);

	if (step != STEP_DONE)
		return step;
	d->holds++;
	d->held += way.hold_ns;
	inject_pause(in, in->params->value[PAUSE]);
	return step;
}

/* Reads and writes are not equally slow. */
static enum step be_slow(struct injection *in)
{
	const uint64_t most = in->params->value[DELAY] / NSEC_PER_MSEC;
	const struct machine_way way = {
		.kind = WAY_DELAY,
		.read_ms = (unsigned int)stream_below(&in->random, most + 1),
		.write_ms = (unsigned int)(1 + stream_below(&in->random, most)),
	};
	struct device *d = in->state;
	enum step step;

	if (d->cannot_delay)
		return inject_idle(in, "this kernel has no dm-delay (CONFIG_DM_DELAY)");
	step = ask(in, &way);
	if (step != STEP_DONE)
		return step;
	d->spells++;
	inject_pause(in, in->params->value[TURN]);
	return step;
}

static enum step be_itself(struct injection *in)
{
	const struct machine_way way = {.kind = WAY_PLAIN};
	enum step step = ask(in, &way);

	if (step == STEP_DONE)
		inject_pause(in, in->params->value[TURN]);
	return step;
}

static enum step device_step(struct injection *in)
{
	static enum step (*const ways[])(struct injection * in) = {stand_still, be_slow, be_itself};

	switch ((enum word)inject_word(in, words)) {
	case STILL:
		return stand_still(in);
	case SLOW:
		return be_slow(in);
	case MIXED:
		break;
	}
	return ways[inject_draw(in, odds, ARRAY_SIZE(odds))](in);
}

static int device_start(struct injection *in, struct error *e)
{
	in->state = calloc(1, sizeof(struct device));
	return in->state ? 0 : error_errno(e, EXIT_HARNESS, ENOMEM, "device");
}

static int device_phase(struct injection *in, struct error *e)
{
	struct device *d = in->state;

	d->holds = d->spells = d->held = 0;
	return 0;
}

/* Verification is not to be slow. */
static void device_rest(struct injection *in)
{
	const struct machine_way way = {.kind = WAY_PLAIN};
	const struct device *d = in->state;

	ask(in, &way);
	inject_note(in,
		    "it stood still %" PRIu64 " times, %" PRIu64 " ms in all, and was slow %" PRIu64 " times",
		    d->holds, (uint64_t)(d->held / NSEC_PER_MSEC), d->spells);
}

const struct injector injector_device = {
	.name = "device",
	.summary = "the device below the target is slow, or stands still",
	.needs = NEED_ROOT | NEED_OWN_TARGET | NEED_MAPPING,
	.params = device_params,
	.param_count = ARRAY_SIZE(device_params),
	.phase_args = words,
	.start = device_start,
	.phase = device_phase,
	.step = device_step,
	.rest = device_rest,
	.finish = inject_finish,
};
