/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes memory scarce, so that the kernel reclaims the target's pages while they are used:
 *
 *	mixed	(default) all of the following, drawn from the seed
 *	anon	anonymous memory down to the floor: filled, rewritten, given back
 *	squeeze	the limit of churn's memory cgroup down to what it can't give, and up again
 *	drop	drop_caches
 *
 * For anonymous memory to matter, huge pages of the pool first take what is more than that
 * (injectors/ballast.h). The floor is one of MemAvailable and is the run's (memory_floor).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "injectors/arena.h"
#include "injectors/ballast.h"
#include "injectors/growth.h"
#include "injectors/injector.h"
#include "injectors/setting.h"
#include "injectors/squeeze.h"
#include "src/base/clock.h"

enum { ANON, KEEP, HOLD, PAUSE, SWAP };

static const struct param pressure_params[] = {
	[ANON] = {.name = "anon",
		  .summary = "most anonymous memory",
		  .unit = PARAM_SIZE,
		  .fallback = "1g",
		  .min = MiB,
		  .max = TiB},
	[KEEP] = {.name = "keep",
		  .summary = "part of its clean page cache that a squeezed churn keeps",
		  .unit = PARAM_PERCENT,
		  .fallback = "25",
		  .min = 1,
		  .max = 100},
	[HOLD] = {.name = "hold",
		  .summary = "how long churn is squeezed",
		  .unit = PARAM_DURATION,
		  .fallback = "300ms",
		  .min = 10 * NSEC_PER_MSEC,
		  .max = 10 * NSEC_PER_SEC},
	[PAUSE] = {.name = "pause",
		   .summary = "between two steps",
		   .unit = PARAM_DURATION,
		   .fallback = "10ms",
		   .max = 60 * NSEC_PER_SEC},
	[SWAP] = {.name = "swap",
		  .summary = "swap on an idle zram disk of this size; 0: none",
		  .unit = PARAM_SIZE,
		  .fallback = "0",
		  .max = TiB},
};

enum mode { MIXED, MEMORY, SQUEEZE, DROP, MODES };

static const char *const pressure_args[] = {[MIXED] = "mixed", "anon", "squeeze", "drop", NULL};

#define DROP_CACHES "/proc/sys/vm/drop_caches"

/* Anonymous memory is taken in pieces, so many of them in a step. */
#define PIECE       MiB
#define PIECES_STEP 64

/* Full, it is given back once in so many steps; else rewritten. */
#define GIVE_ONE_IN 12

/* Disks looked at for swap. */
#define DISKS 16

/* zram0 ... are set up and swapped on within this time, or not at all. */
#define SWAP_LIMIT (20 * NSEC_PER_SEC)

static const struct setting with_swap[] = {{.path = "/proc/sys/vm/swappiness", .value = "100"}};

static const char *const counters[] = {
	"pgsteal_kswapd", "pgsteal_direct", "allocstall_normal", "allocstall_movable",
	"pswpout",        "pswpin",         "oom_kill"};

struct pressure {
	struct ballast ballast;
	struct arena *arena;
	void **piece;
	uint64_t room, taken; /* pieces */
	struct squeeze squeeze;
	struct setting setting[ARRAY_SIZE(with_swap)];
	bool swapping;
	bool unable[MODES];
	enum mode mode;
	uint64_t squeezes, hits; /* when the phase began */
	struct growth growth;    /* since the phase began */
};

/* ---- anonymous memory ---- */

static uint64_t lowest(const struct injection *in)
{
	return in->memory_floor + MEMORY_MARGIN;
}

/* Words that compress, as memory does, but not to nothing: one in eight differs from its neighbours. */
static void write_piece(struct injection *in, void *piece)
{
	uint64_t *word = piece, key = stream_u64(&in->random);

	for (uint64_t i = 0; i < PIECE / sizeof(*word); i++)
		word[i] = i % 8 ? key : mix64(key + i);
}

static void give_back(struct pressure *p, uint64_t keep)
{
	while (p->taken > keep)
		arena_give(p->arena, p->piece[--p->taken]);
	arena_purge(p->arena);
}

/* Pieces that can be taken now. */
static uint64_t spare_pieces(const struct injection *in, const struct pressure *p)
{
	uint64_t available = memory_available(), low = lowest(in);
	uint64_t spare = available > low ? (available - low) / PIECE : 0;

	spare = MIN(spare, p->room - p->taken);
	return MIN(spare, (uint64_t)PIECES_STEP);
}

static enum step fill(struct injection *in, struct pressure *p, uint64_t count)
{
	for (uint64_t i = 0; i < count && !inject_over(in); i++) {
		void *piece = arena_take(p->arena);

		if (!piece)
			break;
		write_piece(in, piece);
		p->piece[p->taken++] = piece;
	}
	return STEP_DONE;
}

static enum step press(struct injection *in, struct pressure *p)
{
	uint64_t count = spare_pieces(in, p);

	if (count == PIECES_STEP || (count && p->taken + count == p->room))
		return fill(in, p, count);
	if (!p->taken)
		return inject_idle(in, "MemAvailable is at the floor of %" PRIu64 " MiB",
				   in->memory_floor / (uint64_t)MiB);
	if (stream_chance(&in->random, GIVE_ONE_IN)) {
		give_back(p, stream_below(&in->random, p->taken));
		return STEP_DONE;
	}
	for (unsigned int i = 0; i < PIECES_STEP / 4 && !inject_over(in); i++)
		write_piece(in, p->piece[stream_below(&in->random, p->taken)]);
	return STEP_DONE;
}

/* ---- the other ways ---- */

static enum step squeeze(struct injection *in, struct pressure *p)
{
	enum step step = squeeze_once(in, &p->squeeze, in->params->value[KEEP], in->params->value[HOLD]);

	p->squeezes += step == STEP_DONE;
	return step;
}

/* 1: page cache, 2: dentries and inodes, 3: both. */
static enum step drop(struct injection *in, struct pressure *p)
{
	static const char *const values[] = {"1", "2", "3"};
	int err = machine_set(in->machine, DROP_CACHES, values[stream_below(&in->random, 3)], 0);

	if (!err)
		return STEP_DONE;
	p->unable[DROP] = err != ETIMEDOUT;
	inject_note(in, "cannot set " DROP_CACHES ": %s", strerror(err));
	return STEP_REFUSED;
}

/* Kinds of steps and how often each is drawn. */
static const struct kind {
	unsigned int weight;
	enum step (*run)(struct injection *in, struct pressure *p);
} kinds[MODES] = {[MEMORY] = {30, press}, [SQUEEZE] = {4, squeeze}, [DROP] = {1, drop}};

static enum mode draw(struct injection *in, const struct pressure *p)
{
	unsigned int weight[MODES] = {0};
	size_t drawn;

	for (unsigned int i = 0; i < MODES; i++)
		weight[i] = p->unable[i] ? 0 : kinds[i].weight;
	drawn = inject_draw(in, weight, MODES);
	return drawn < MODES ? (enum mode)drawn : MIXED;
}

/* ---- the injector ---- */

static int open_memory(struct injection *in, struct pressure *p, struct error *e)
{
	p->room = in->params->value[ANON] / PIECE;
	p->piece = calloc(p->room, sizeof(p->piece[0]));
	p->arena = p->piece ? arena_open(PIECE, in->params->value[ANON], ARENA_ANY_PAGES) : NULL;
	if (!p->arena)
		return error_errno(e, EXIT_HARNESS, errno, "memory for pressure");
	return 0;
}

/* The first disk that nobody has set up. Returns 0 or an errno. */
static int swap_somewhere(struct injection *in)
{
	for (unsigned int i = 0; i < DISKS; i++) {
		char device[16], path[64], size[32];

		snprintf(device, sizeof(device), "zram%u", i);
		snprintf(path, sizeof(path), "/sys/block/%s/disksize", device);
		if (!machine_read(path, size, sizeof(size)) && !strcmp(size, "0"))
			return machine_swap(in->machine, device, in->params->value[SWAP], SWAP_LIMIT);
	}
	return ENODEV;
}

static void open_swap(struct injection *in, struct pressure *p)
{
	int err;

	if (!in->params->value[SWAP])
		return;
	err = swap_somewhere(in);
	p->swapping = !err;
	memcpy(p->setting, with_swap, sizeof(with_swap));
	if (p->swapping)
		settings_find(in, p->setting, ARRAY_SIZE(p->setting));
	else
		inject_note(in, "no swap on an idle zram disk: %s", strerror(err));
}

static void open_squeeze(struct injection *in, struct pressure *p)
{
	int err = squeeze_open(in, &p->squeeze);

	p->unable[SQUEEZE] = err != 0;
	if (err)
		inject_note(in, "churn's memory cgroup can't be squeezed: %s", strerror(err));
}

static int pressure_start(struct injection *in, struct error *e)
{
	struct pressure *p = inject_state(in, sizeof(*p), e);

	if (!p)
		return -1;
	if (open_memory(in, p, e))
		return -1;
	ballast_open(in, &p->ballast);
	open_squeeze(in, p);
	p->unable[DROP] = access(DROP_CACHES, W_OK) != 0;
	if (p->unable[DROP])
		inject_note(in, "cannot set " DROP_CACHES ": %s", strerror(errno));
	open_swap(in, p);
	return 0;
}

static bool uses_memory(const struct pressure *p)
{
	return p->mode == MIXED || p->mode == MEMORY;
}

static bool uses_squeeze(const struct pressure *p)
{
	return (p->mode == MIXED || p->mode == SQUEEZE) && !p->unable[SQUEEZE];
}

static int pressure_phase(struct injection *in, struct error *e)
{
	struct pressure *p = in->state;

	p->mode = (enum mode)inject_word(in, pressure_args);
	if (p->unable[p->mode])
		return error_set(e, EXIT_CANNOT, "no %s here", pressure_args[p->mode]);
	if (p->swapping)
		settings_hold(in, p->setting, ARRAY_SIZE(p->setting));
	if (uses_squeeze(p)) {
		settings_hold(in, &p->squeeze.hold_oom, 1);
		p->hits = squeeze_hits(&p->squeeze);
	}
	p->squeezes = 0;
	growth_begin(&p->growth, counters, ARRAY_SIZE(counters));
	return 0;
}

/* Memory that others took is made up for before anything else is done. */
static void keep_floor(struct injection *in, struct pressure *p)
{
	uint64_t available, low = in->memory_floor + MEMORY_MARGIN / 2;

	if (uses_memory(p))
		ballast_settle(in, &p->ballast, lowest(in) + (p->room - p->taken) * PIECE);
	available = memory_available();
	if (available < low)
		give_back(p, p->taken - MIN(p->taken, (low - available) / PIECE + PIECES_STEP));
}

static enum step pressure_step(struct injection *in)
{
	struct pressure *p = in->state;
	enum step step;
	enum mode mode;

	keep_floor(in, p);
	mode = p->mode == MIXED ? draw(in, p) : p->mode;
	if (p->unable[mode])
		return inject_idle(in, "no %s any more", pressure_args[mode]);
	step = kinds[mode].run(in, p);
	if (step == STEP_DONE)
		inject_pause(in, in->params->value[PAUSE]);
	return step;
}

static void note_counters(struct injection *in, const struct pressure *p)
{
	char text[320];

	inject_note(in,
		    "%" PRIu64 " MiB in huge pages, %" PRIu64 " MiB of its own, %" PRIu64
		    " MiB available, %" PRIu64 " squeezes whose limit was hit %" PRIu64 " times%s",
		    p->ballast.held * p->ballast.page / (uint64_t)MiB,
		    p->taken * (uint64_t)PIECE / (uint64_t)MiB, memory_available() / (uint64_t)MiB,
		    p->squeezes, uses_squeeze(p) ? squeeze_hits(&p->squeeze) - p->hits : 0,
		    growth_show(&p->growth, text, sizeof(text)));
}

static void pressure_rest(struct injection *in)
{
	struct pressure *p = in->state;

	note_counters(in, p);
	give_back(p, 0);
	ballast_drop(in, &p->ballast);
	if (uses_squeeze(p))
		settings_let_go(in, &p->squeeze.hold_oom, 1);
	if (p->swapping)
		settings_let_go(in, p->setting, ARRAY_SIZE(p->setting));
}

static void pressure_finish(struct injection *in)
{
	struct pressure *p = in->state;

	if (!p)
		return;
	arena_close(p->arena);
	free(p->piece);
	free(p);
	in->state = NULL;
}

const struct injector injector_pressure = {
	.name = "pressure",
	.summary = "memory made scarce: anonymous memory, churn's cgroup squeezed, caches dropped",
	.needs = NEED_ROOT,
	.params = pressure_params,
	.param_count = ARRAY_SIZE(pressure_params),
	.phase_args = pressure_args,
	.start = pressure_start,
	.phase = pressure_phase,
	.step = pressure_step,
	.rest = pressure_rest,
	.finish = pressure_finish,
};
