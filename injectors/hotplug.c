/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory blocks go offline and come back, so that the kernel migrates every page in them.
 *
 * Page cache is allocated from ZONE_MOVABLE first. So a few blocks are made movable (they attract what the
 * target writes next), and then taken offline and back in turn. While they are full this is a ring: the pages
 * of the block that goes offline move into the block that came back empty before, hence no page gets away and
 * each step moves a whole block. "attract" empties the ring at once, so that it fills with the pages that are
 * written from then on.
 *
 * The zone that a block had is brought back by the guard's undo.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "injectors/census.h"
#include "injectors/injector.h"
#include "src/base/clock.h"

#define BLOCKS_MAX 4096 /* memory blocks looked at: 512 GiB of 128 MiB each */

/* A block that refused is tried again after this time, which doubles with each refusal in a row. */
#define FADE_FIRST     (5 * NSEC_PER_SEC)
#define FADE_DOUBLINGS 7 /* at most 640 s */

/* Longest that start() may spend on making blocks movable, and the most tries in a row. */
#define FILL_LIMIT (3 * NSEC_PER_SEC)
#define FILL_TRIES 24

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
		   .summary = "MemAvailable that stays when a block is offline",
		   .unit = PARAM_SIZE,
		   .fallback = "2g",
		   .min = 64 * MiB,
		   .max = TiB},
};

static const char *const hotplug_args[] = {"cycle", "attract", NULL};

enum presence { ELSEWHERE, HELD, AWAY };

/* A block that can be worked with. */
struct candidate {
	unsigned int number;
	enum presence presence; /* HELD: movable and online, in the ring; AWAY: offline, to be brought back */
	unsigned int refusals;  /* in a row */
	uint64_t retry;         /* CLOCK_MONOTONIC ns: not before */
};

struct hotplug {
	uint64_t block_bytes;
	struct census census;
	size_t next;  /* where the ring goes on */
	size_t held;  /* candidates that are HELD or AWAY */
	size_t count; /* in order of preference for becoming movable */
	struct candidate candidate[];
};

/* ---- which blocks ---- */

static bool same_zone(const struct memory_block *b, const struct memory_block *neighbour)
{
	int distance = (int)neighbour->number - (int)b->number;

	return neighbour->online && abs(distance) == 1 && !strcmp(b->zone, neighbour->zone);
}

/*
 * Can the block get back the zone that it has? Online_kernel picks the lowest kernel zone whose span covers
 * the block, and ZONE_NORMAL if none does (default_kernel_zone_for_pfn() in mm/memory_hotplug.c). A zone
 * shrinks when the block at its edge leaves, hence a block at the edge of DMA32 would come back as Normal.
 */
static bool returns_to_its_zone(const struct memory_block *all, size_t count, size_t i)
{
	if (!strcmp(all[i].zone, "Normal") || !strcmp(all[i].zone, "Movable"))
		return true;
	return i > 0 && i + 1 < count && same_zone(&all[i], &all[i - 1]) && same_zone(&all[i], &all[i + 1]);
}

/*
 * Lower is tried earlier. The kernel fills the highest zone first with what it cannot move, so the zones
 * below Normal hold the blocks that agree.
 */
static int preference(const struct memory_block *b)
{
	if (!strcmp(b->zone, "Movable"))
		return 0;
	return strcmp(b->zone, "Normal") ? 1 : 2;
}

static bool usable(const struct memory_block *all, size_t count, size_t i)
{
	return all[i].online && all[i].zone[0] && strcmp(all[i].zone, "none") != 0 &&
	       returns_to_its_zone(all, count, i);
}

static void swap_candidates(struct candidate *a, struct candidate *b)
{
	struct candidate kept = *a;

	*a = *b;
	*b = kept;
}

/* In order of preference; among equals the seed decides. */
static void list_candidates(struct injection *in, struct hotplug *h, const struct memory_block *all,
			    size_t count)
{
	for (int rank = 0; rank <= 2; rank++) {
		size_t first = h->count;

		for (size_t i = 0; i < count; i++) {
			if (preference(&all[i]) == rank && usable(all, count, i))
				h->candidate[h->count++] = (struct candidate){.number = all[i].number};
		}
		for (size_t i = h->count; i > first + 1; i--)
			swap_candidates(&h->candidate[i - 1],
					&h->candidate[first + stream_below(&in->random, i - first)]);
	}
}

/* The next block to make movable, NULL if all are held or refused lately. */
static struct candidate *choose_new(struct hotplug *h)
{
	uint64_t now = clock_mono();

	for (size_t i = 0; i < h->count; i++) {
		if (h->candidate[i].presence == ELSEWHERE && h->candidate[i].retry <= now)
			return &h->candidate[i];
	}
	return NULL;
}

/* The next block to cycle: round the ring. What aims better replaces this function. */
static struct candidate *choose_held(struct hotplug *h)
{
	uint64_t now = clock_mono();

	for (size_t i = 0; i < h->count; i++) {
		struct candidate *c = &h->candidate[(h->next + i) % h->count];

		if (c->presence == HELD && c->retry <= now) {
			h->next = (size_t)(c - h->candidate) + 1;
			return c;
		}
	}
	return NULL;
}

/* ---- moving ---- */

static void remember_refusal(struct injection *in, struct candidate *c, const char *what, int err)
{
	unsigned int doublings = MIN(c->refusals, (unsigned int)FADE_DOUBLINGS);

	c->refusals++;
	c->retry = clock_mono() + (FADE_FIRST << doublings);
	if (c->refusals == 1)
		inject_note(in, "block %u refused to go %s: %s", c->number, what, strerror(err));
}

static bool above_floor(struct injection *in, const struct hotplug *h)
{
	uint64_t available = machine_meminfo_kib("MemAvailable") * KiB;

	if (available >= in->params->value[FLOOR] + h->block_bytes)
		return true;
	inject_idle(in, "MemAvailable of %llu MiB less a block is below the floor of %llu MiB",
		    (unsigned long long)(available / MiB),
		    (unsigned long long)(in->params->value[FLOOR] / MiB));
	return false;
}

/* The target's dirty pages in a block; 0 where the kernel doesn't show them. */
static uint64_t dirty_pages(const struct injection *in, const struct hotplug *h, const struct candidate *c)
{
	uint64_t frames = h->block_bytes / (uint64_t)sysconf(_SC_PAGESIZE);
	struct census_count count;

	census_take(&h->census, in->cgroup, c->number * frames, frames, &count);
	return count.dirty;
}

/* Offline. `moved`: pages that the machine migrated meanwhile. */
static enum step take_away(struct injection *in, struct hotplug *h, struct candidate *c, uint64_t *moved)
{
	uint64_t before, dirty;
	int err;

	*moved = 0;
	if (!above_floor(in, h))
		return STEP_IDLE;
	dirty = dirty_pages(in, h, c);
	before = machine_vmstat("pgmigrate_success");
	err = machine_memory_block(in->machine, c->number, "offline", in->params->value[LIMIT]);
	*moved = machine_vmstat("pgmigrate_success") - before;
	atomic_fetch_add(&in->exposure->pages, *moved);
	if (err) {
		remember_refusal(in, c, "offline", err);
		return STEP_REFUSED;
	}
	atomic_fetch_add(&in->exposure->dirty, dirty);
	if (c->presence == ELSEWHERE)
		h->held++;
	c->presence = AWAY;
	c->refusals = 0;
	return STEP_DONE;
}

static enum step bring_back(struct injection *in, struct candidate *c)
{
	int err = machine_memory_block(in->machine, c->number, "online_movable", in->params->value[LIMIT]);

	if (err) {
		remember_refusal(in, c, "online", err);
		return STEP_REFUSED;
	}
	c->presence = HELD;
	return STEP_DONE;
}

static void bring_all_back(struct injection *in, struct hotplug *h)
{
	for (size_t i = 0; i < h->count; i++) {
		if (h->candidate[i].presence == AWAY)
			bring_back(in, &h->candidate[i]);
	}
}

/* Away and back. */
static enum step cycle(struct injection *in, struct hotplug *h, struct candidate *c)
{
	uint64_t moved;
	enum step step = take_away(in, h, c, &moved);

	if (step != STEP_DONE)
		return step;
	step = bring_back(in, c);
	if (step == STEP_DONE && !moved)
		return inject_idle(in, "the movable blocks hold nothing to move");
	return step;
}

/* Make one more block movable. Idle when there are enough, or none that agrees. */
static enum step widen(struct injection *in, struct hotplug *h)
{
	struct candidate *c = h->held < in->params->value[BLOCKS] ? choose_new(h) : NULL;
	uint64_t moved;
	enum step step;

	if (!c)
		return inject_idle(in, "no further block is to be made movable");
	step = take_away(in, h, c, &moved);
	return step == STEP_DONE ? bring_back(in, c) : step;
}

/* Make blocks movable until there are enough, none is left to try, or the time is over. */
static void fill(struct injection *in, struct hotplug *h)
{
	uint64_t end = clock_mono() + FILL_LIMIT;

	for (unsigned int i = 0; i < FILL_TRIES && clock_mono() < end && !atomic_load(in->stop); i++) {
		if (widen(in, h) == STEP_IDLE)
			return;
	}
}

/* All movable blocks away at once, then back: what they held lies elsewhere, and they are empty. */
static void empty(struct injection *in, struct hotplug *h)
{
	for (size_t i = 0; i < h->count && !inject_over(in); i++) {
		uint64_t moved;

		if (h->candidate[i].presence == HELD && h->candidate[i].retry <= clock_mono() &&
		    take_away(in, h, &h->candidate[i], &moved) == STEP_IDLE)
			break;
	}
	bring_all_back(in, h);
}

/* ---- the injector ---- */

static int survey(struct injection *in, struct hotplug *h, struct error *e)
{
	struct memory_block *all = calloc(BLOCKS_MAX, sizeof(*all));

	if (!all)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "hotplug");
	h->block_bytes = machine_memory_block_size();
	list_candidates(in, h, all, machine_memory_blocks(all, BLOCKS_MAX));
	free(all);
	if (!h->count)
		return error_set(e, EXIT_CANNOT, "no memory block could go offline and get its zone back");
	return 0;
}

static int hotplug_start(struct injection *in, struct error *e)
{
	struct hotplug *h = calloc(1, sizeof(*h) + BLOCKS_MAX * sizeof(h->candidate[0]));

	if (!h)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "hotplug");
	in->state = h;
	census_open(&h->census);
	if (survey(in, h, e))
		return -1;
	fill(in, h);
	return 0;
}

static bool attracting(const struct injection *in)
{
	return !strcmp(in->phase_arg, "attract");
}

static int hotplug_phase(struct injection *in, struct error *e)
{
	struct hotplug *h = in->state;

	fill(in, h);
	if (!h->held)
		return error_set(e, EXIT_CANNOT, "no memory block agrees to be movable");
	if (attracting(in))
		empty(in, h);
	return 0;
}

static enum step hotplug_step(struct injection *in)
{
	struct hotplug *h = in->state;
	struct candidate *c;
	enum step step;

	bring_all_back(in, h);
	step = widen(in, h);
	if (step != STEP_IDLE)
		return step;
	if (attracting(in)) {
		inject_pause(in, 200 * NSEC_PER_MSEC);
		return inject_idle(in, "%zu empty movable blocks attract pages", h->held);
	}
	c = choose_held(h);
	return c ? cycle(in, h, c) : inject_idle(in, "all movable blocks refused lately");
}

static void hotplug_rest(struct injection *in)
{
	bring_all_back(in, in->state);
}

static void hotplug_finish(struct injection *in)
{
	struct hotplug *h = in->state;

	if (!h)
		return;
	census_close(&h->census);
	free(h);
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
