/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory blocks go offline and come back, so that the kernel migrates every page in them.
 *
 * Page cache is allocated from ZONE_MOVABLE first. So a few blocks are made movable (they attract what the
 * target writes next), and the one with most dirty pages of the target is taken offline, again and again. The
 * zone that a block had is brought back by the guard's undo; blocks that were taken for "squeeze" come back
 * at the end of the phase.
 */
#include <string.h>

#include "injectors/blocks.h"
#include "injectors/injector.h"
#include "src/base/clock.h"

/* Longest that start() may spend on making blocks movable, and the most tries in a row. */
#define FILL_LIMIT (3 * NSEC_PER_SEC)
#define FILL_TRIES 24

/* How long a step waits for pages that are attracted. */
#define ATTRACT_PAUSE (200 * NSEC_PER_MSEC)

#define FLOOR_MOST (2 * GiB)

enum { BLOCKS, LIMIT, FLOOR };

static const struct param hotplug_params[] = {
	[BLOCKS] = {.name = "blocks",
		    .summary = "memory blocks made movable and cycled",
		    .unit = PARAM_COUNT,
		    .fallback = "4",
		    .min = 1,
		    .max = 256},
	[LIMIT] = {.name = "limit",
		   .summary = "longest attempt to take a block offline",
		   .unit = PARAM_DURATION,
		   .fallback = "2s",
		   .min = 10 * NSEC_PER_MSEC,
		   .max = 60 * NSEC_PER_SEC},
	[FLOOR] = {.name = "floor",
		   .summary = "MemAvailable that stays when a block is offline; 0: 2g, at most a quarter of "
			      "all memory",
		   .unit = PARAM_SIZE,
		   .fallback = "0",
		   .min = 0,
		   .max = TiB},
};

static const char *const hotplug_args[] = {"cycle", "drain", "attract", "squeeze", NULL};

static bool mode_is(const struct injection *in, const char *word)
{
	return !strcmp(in->phase_arg, word);
}

/* ---- making blocks movable ---- */

/* Make one more block movable. Idle when there are enough, or none that agrees. */
static enum step widen(struct injection *in, struct blocks *b)
{
	struct block *k = b->held < in->params->value[BLOCKS] ? blocks_spare(b) : NULL;
	uint64_t moved;
	enum step step;

	if (!k)
		return inject_idle(in, "no further block is to be made movable");
	step = blocks_take(in, b, k, &moved);
	if (step != STEP_DONE)
		return step;
	k->movable = k->held = true;
	b->held++;
	return blocks_return(in, b, k);
}

/* Make blocks movable until there are enough, none is left to try, or the time is over. */
static void fill(struct injection *in, struct blocks *b)
{
	uint64_t end = clock_mono() + FILL_LIMIT;

	for (unsigned int i = 0; i < FILL_TRIES && clock_mono() < end && !atomic_load(in->stop); i++) {
		if (widen(in, b) == STEP_IDLE)
			return;
	}
}

/* ---- one step of each mode ---- */

static enum step nothing_to_move(struct injection *in)
{
	return inject_idle(in, "the movable blocks hold nothing to move");
}

/* The block with many dirty pages that was left alone longest goes away and comes back. Its pages go where
 * the movable blocks have room: mostly to the one that came back empty before. */
static enum step cycle(struct injection *in, struct blocks *b)
{
	struct block *k;
	uint64_t moved;
	enum step step;

	blocks_look(in, b);
	k = blocks_dirtiest(b, true);
	if (!k)
		return inject_idle(in, "all movable blocks refused lately");
	step = blocks_take(in, b, k, &moved);
	if (step != STEP_DONE)
		return step;
	step = blocks_return(in, b, k);
	return step == STEP_DONE && !moved ? nothing_to_move(in) : step;
}

static struct block *away_of_held(struct blocks *b)
{
	for (size_t i = 0; i < b->count; i++) {
		if (b->block[i].held && b->block[i].away)
			return &b->block[i];
	}
	return NULL;
}

/* As cycle, but a block stays away until the next one leaves. So the room for the pages of that one is made
 * at the moment when they need it, and nobody else has filled it: the same pages are driven from block to
 * block. */
static enum step drain(struct injection *in, struct blocks *b)
{
	struct block *room = away_of_held(b), *k;
	uint64_t moved;
	enum step step;

	blocks_look(in, b);
	k = blocks_dirtiest(b, false);
	if (room && blocks_return(in, b, room) != STEP_DONE)
		return STEP_REFUSED;
	if (!k)
		k = room;
	if (!k)
		return inject_idle(in, "all movable blocks refused lately");
	step = blocks_take(in, b, k, &moved);
	return step == STEP_DONE && !moved ? nothing_to_move(in) : step;
}

/* As many blocks as agree go away, beside the movable ones, down to the floor. Then what is left is cycled,
 * in a machine that is small and crowded; room of one block is kept for that. When others need memory, a
 * block comes back. */
static enum step squeeze(struct injection *in, struct blocks *b)
{
	struct block *spare = blocks_spare(b), *last = blocks_last_taken(b);
	int64_t room = blocks_room(b);
	uint64_t moved;

	if (room < 0 && last)
		return blocks_return(in, b, last);
	if (spare && room >= 2 * (int64_t)b->bytes)
		return blocks_take(in, b, spare, &moved);
	return cycle(in, b);
}

/* ---- begin and end of phases ---- */

/* All movable blocks away at once, then back: what they held lies elsewhere, and they are empty. */
static void empty(struct injection *in, struct blocks *b)
{
	for (size_t i = 0; i < b->count && !inject_over(in); i++) {
		struct block *k = &b->block[i];
		uint64_t moved;

		if (k->held && !k->away && k->retry <= clock_mono() &&
		    blocks_take(in, b, k, &moved) == STEP_IDLE)
			break;
	}
	blocks_return_all(in, b);
}

/* What was asked for, or what leaves a small machine something to do. The run's floor holds for every
 * injector. */
static uint64_t floor_of(const struct injection *in)
{
	uint64_t floor = in->params->value[FLOOR];

	if (!floor)
		floor = MIN(FLOOR_MOST, machine_meminfo_kib("MemTotal") * KiB / 4);
	return MAX(floor, in->memory_floor);
}

static int hotplug_start(struct injection *in, struct error *e)
{
	uint64_t floor = floor_of(in);
	struct blocks *b = blocks_open(&in->random, in->params->value[LIMIT], floor, e);

	if (!b)
		return -1;
	in->state = b;
	fill(in, b);
	return 0;
}

static int hotplug_phase(struct injection *in, struct error *e)
{
	struct blocks *b = in->state;

	fill(in, b);
	if (!b->held)
		return error_set(e, EXIT_CANNOT, "%s",
				 in->idle_reason[0] ? in->idle_reason
						    : "no memory block agrees to be movable");
	if (mode_is(in, "attract"))
		empty(in, b);
	return 0;
}

static enum step hotplug_step(struct injection *in)
{
	struct blocks *b = in->state;
	enum step step;

	if (mode_is(in, "squeeze"))
		return squeeze(in, b);
	if (!mode_is(in, "drain"))
		blocks_return_all(in, b);
	step = widen(in, b);
	if (step != STEP_IDLE)
		return step;
	if (mode_is(in, "drain"))
		return drain(in, b);
	if (!mode_is(in, "attract"))
		return cycle(in, b);
	inject_pause(in, ATTRACT_PAUSE);
	return inject_idle(in, "%zu empty movable blocks attract pages", b->held);
}

static void hotplug_rest(struct injection *in)
{
	blocks_return_all(in, in->state);
}

static void hotplug_finish(struct injection *in)
{
	blocks_close(in->state);
	in->state = NULL;
}

const struct injector injector_hotplug = {
	.name = "hotplug",
	.summary = "memory blocks offline and back, so that the pages in them migrate",
	.needs = NEED_ROOT | NEED_MEMORY_HOTPLUG,
	.params = hotplug_params,
	.param_count = ARRAY_SIZE(hotplug_params),
	.phase_args = hotplug_args,
	.start = hotplug_start,
	.phase = hotplug_phase,
	.step = hotplug_step,
	.rest = hotplug_rest,
	.finish = hotplug_finish,
};
