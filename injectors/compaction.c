/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes the kernel compact memory: by compact_memory, by more and fewer huge pages in the pool, by collapsing
 * transparent huge pages. All of it moves pages only where free memory is scarce and lies in pieces, so the
 * memory is made crowded first: huge pages of the pool take most of what is free (injectors/ballast.h), and
 * half of the rest is held page by page with holes between (injectors/fragmenter.h).
 *
 * Unlike memory hotplug this reaches pages that are not in movable zones: those of metadata.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "injectors/arena.h"
#include "injectors/ballast.h"
#include "injectors/fragmenter.h"
#include "injectors/growth.h"
#include "injectors/injector.h"
#include "injectors/setting.h"
#include "src/base/clock.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* linux/mman.h since 6.1; an older kernel answers EINVAL */
#endif

enum { CROWD, LEAVE, SCATTER, HUGEPAGES, PAUSE, LIMIT };

static const struct param compaction_params[] = {
	[CROWD] = {.name = "crowd",
		   .summary = "make memory scarce and fragmented first",
		   .unit = PARAM_BOOL,
		   .fallback = "yes"},
	[LEAVE] = {.name = "leave",
		   .summary = "MemAvailable in crowded memory",
		   .unit = PARAM_SIZE,
		   .fallback = "1g",
		   .min = 64 * MiB,
		   .max = TiB},
	[SCATTER] = {.name = "scatter",
		     .summary = "memory taken page by page, of which half is freed",
		     .unit = PARAM_SIZE,
		     .fallback = "1g",
		     .min = MiB,
		     .max = TiB},
	[HUGEPAGES] = {.name = "hugepages",
		       .summary = "most huge pages asked for at a time",
		       .unit = PARAM_COUNT,
		       .fallback = "128",
		       .min = 1,
		       .max = 1 << 20},
	[PAUSE] = {.name = "pause",
		   .summary = "between two steps",
		   .unit = PARAM_DURATION,
		   .fallback = "10ms",
		   .min = 0,
		   .max = 60 * NSEC_PER_SEC},
	[LIMIT] = {.name = "limit",
		   .summary = "longest compaction",
		   .unit = PARAM_DURATION,
		   .fallback = "2s",
		   .min = 10 * NSEC_PER_MSEC,
		   .max = 60 * NSEC_PER_SEC},
};

enum mode { MIXED, COMPACT, POOL, COLLAPSE, MODES };

static const char *const compaction_args[] = {[MIXED] = "mixed", "compact", "hugepages", "thp", NULL};

#define COMPACT_MEMORY "/proc/sys/vm/compact_memory"
#define THP            "/sys/kernel/mm/transparent_hugepage/"

/* kcompactd gets on by itself; khugepaged looks for pages to collapse in every process, ten times a second.
 */
static const struct setting settings[] = {
	{.path = "/proc/sys/vm/compaction_proactiveness", .value = "100"},
	{.path = THP "enabled", .value = "always"},
	{.path = THP "khugepaged/defrag", .value = "1"},
	{.path = THP "khugepaged/scan_sleep_millisecs", .value = "100"},
	{.path = THP "khugepaged/alloc_sleep_millisecs", .value = "100"},
};

/* Pieces that are collapsed at a time, each one huge page. */
#define PIECES 32

/* Counters of the kernel whose growth in a phase goes to the timeline. */
static const char *const counters[] = {
	"pgmigrate_success", "pgmigrate_fail",   "compact_stall",      "compact_success",
	"compact_fail",      "compact_isolated", "thp_collapse_alloc",
};

struct compactor {
	struct setting setting[ARRAY_SIZE(settings)];
	struct ballast ballast;
	struct fragmenter fragmenter;
	struct arena *pieces; /* for collapsing; NULL: there are no huge pages */
	uint64_t huge;        /* bytes of a transparent huge page */
	bool crowd;           /* there is a fragmenter */
	bool unable[MODES];   /* that kind of action can't be had here; the timeline said why */
	enum mode mode;
	struct growth growth; /* since the phase began */
};

/* ---- a crowd ---- */

/* MemAvailable that is to be left. */
static uint64_t to_leave(const struct injection *in)
{
	return MAX(in->params->value[LEAVE], in->memory_floor + MEMORY_MARGIN);
}

/* Memory that may be taken for a moment, in bytes. */
static uint64_t to_spare(const struct injection *in)
{
	uint64_t available = memory_available(), keep = in->memory_floor + MEMORY_MARGIN;

	return available > keep ? available - keep : 0;
}

/*
 * Memory is short, or it isn't crowded yet: see to that. True when that was all that there is to do in this
 * step.
 */
static bool see_to_crowd(struct injection *in, struct compactor *c)
{
	struct fragmenter *f = &c->fragmenter;
	uint64_t missing = (f->room - f->taken) * f->page;

	ballast_settle(in, &c->ballast, to_leave(in) + (f->scattered ? 0 : missing));
	if (to_spare(in) < 2 * FRAGMENTER_SLICE) {
		if (f->scattered || !f->taken) {
			fragmenter_yield(f);
			return false;
		}
		fragmenter_scatter(f);
		return true;
	}
	if (f->scattered) {
		fragmenter_mix(f);
		return false;
	}
	fragmenter_fill(f);
	return true;
}

/* ---- what makes the kernel compact ---- */

static enum step refused(struct injection *in, struct compactor *c, enum mode mode, int err)
{
	if (err == ETIMEDOUT || err == EINTR || err == EBUSY || err == EAGAIN || err == ENOMEM)
		return STEP_REFUSED;
	c->unable[mode] = true;
	inject_note(in, "no %s: %s", compaction_args[mode], strerror(err));
	return STEP_REFUSED;
}

static enum step compact(struct injection *in, struct compactor *c)
{
	int err = machine_set(in->machine, COMPACT_MEMORY, "1", in->params->value[LIMIT]);

	return err ? refused(in, c, COMPACT, err) : STEP_DONE;
}

/* Some more huge pages, which the kernel must make room for, and back. */
static enum step grow_pool(struct injection *in, struct compactor *c)
{
	uint64_t most = MIN(to_spare(in) / MAX(c->ballast.page, 1ULL), in->params->value[HUGEPAGES]);
	uint64_t held = c->ballast.held;
	int err;

	if (!most)
		return inject_idle(in, "no memory above the floor to make huge pages of");
	err = ballast_add(in, &c->ballast, (int64_t)stream_range(&in->random, 1, most));
	ballast_add(in, &c->ballast, -(int64_t)(c->ballast.held - MIN(held, c->ballast.held)));
	return err ? refused(in, c, POOL, err) : STEP_DONE;
}

/* One page of each piece is there; the kernel is to find a huge page for it. */
static unsigned int collapse_pieces(struct compactor *c, void **piece, unsigned int count, int *err)
{
	unsigned int done = 0;

	*err = 0;
	for (unsigned int i = 0; i < count; i++) {
		*(volatile unsigned char *)piece[i] = 1;
		if (!madvise(piece[i], c->huge, MADV_COLLAPSE))
			done++;
		else
			*err = errno;
	}
	return done;
}

static enum step collapse(struct injection *in, struct compactor *c)
{
	unsigned int most = (unsigned int)MIN(to_spare(in) / c->huge, (uint64_t)PIECES), count = 0, done;
	void *piece[PIECES];
	int err;

	if (!most)
		return inject_idle(in, "no memory above the floor to collapse");
	while (count < most && (piece[count] = arena_take(c->pieces)))
		count++;
	done = collapse_pieces(c, piece, count, &err);
	for (unsigned int i = 0; i < count; i++)
		arena_give(c->pieces, piece[i]);
	arena_purge(c->pieces);
	if (done || !err)
		return STEP_DONE;
	return refused(in, c, COLLAPSE, err);
}

/* What is drawn, and how often. */
static const struct kind {
	unsigned int weight;
	enum step (*run)(struct injection *in, struct compactor *c);
} kinds[MODES] = {[COMPACT] = {4, compact}, [POOL] = {3, grow_pool}, [COLLAPSE] = {3, collapse}};

static enum mode draw(struct injection *in, const struct compactor *c)
{
	unsigned int weight[MODES] = {0};
	size_t drawn;

	for (unsigned int i = 0; i < MODES; i++)
		weight[i] = c->unable[i] ? 0 : kinds[i].weight;
	drawn = inject_draw(in, weight, MODES);
	return drawn < MODES ? (enum mode)drawn : MIXED;
}

/* ---- the injector ---- */

static void open_crowd(struct injection *in, struct compactor *c)
{
	int err;

	if (!in->params->value[CROWD])
		return;
	err = fragmenter_open(&c->fragmenter, in->params->value[SCATTER]);
	c->crowd = !err;
	if (err)
		inject_note(in, "no fragmenter: %s", strerror(err));
}

static void probe(struct injection *in, struct compactor *c)
{
	char size[32];

	if (access(COMPACT_MEMORY, W_OK))
		refused(in, c, COMPACT, ENOTSUP);
	c->unable[POOL] = !c->ballast.page;
	if (!machine_read(THP "hpage_pmd_size", size, sizeof(size)))
		c->huge = strtoull(size, NULL, 10);
	if (c->huge)
		c->pieces = arena_open(c->huge, PIECES * c->huge, ARENA_ANY_PAGES);
	if (!c->pieces)
		refused(in, c, COLLAPSE, ENOTSUP);
}

static int compaction_start(struct injection *in, struct error *e)
{
	struct compactor *c = inject_state(in, sizeof(*c), e);

	if (!c)
		return -1;
	memcpy(c->setting, settings, sizeof(settings));
	settings_find(in, c->setting, ARRAY_SIZE(c->setting));
	ballast_open(in, &c->ballast);
	probe(in, c);
	if (c->unable[COMPACT] && c->unable[POOL] && c->unable[COLLAPSE])
		return error_set(e, EXIT_CANNOT, "this kernel compacts no memory on demand");
	open_crowd(in, c);
	return 0;
}

static int compaction_phase(struct injection *in, struct error *e)
{
	struct compactor *c = in->state;

	c->mode = (enum mode)inject_word(in, compaction_args);
	if (c->unable[c->mode])
		return error_set(e, EXIT_CANNOT, "no %s here", compaction_args[c->mode]);
	if (c->mode == MIXED || c->mode == COLLAPSE)
		settings_hold(in, c->setting, ARRAY_SIZE(c->setting));
	growth_begin(&c->growth, counters, ARRAY_SIZE(counters));
	return 0;
}

static enum step compaction_step(struct injection *in)
{
	struct compactor *c = in->state;
	uint64_t before = machine_vmstat("pgmigrate_success");
	enum step step = STEP_DONE;
	enum mode mode;

	if (!c->crowd || !see_to_crowd(in, c)) {
		mode = c->mode == MIXED ? draw(in, c) : c->mode;
		if (mode == MIXED || c->unable[mode])
			return inject_idle(in, "nothing is left that makes the kernel compact");
		step = kinds[mode].run(in, c);
	}
	atomic_fetch_add(&in->exposure->pages, machine_vmstat("pgmigrate_success") - before);
	if (step == STEP_DONE)
		inject_pause(in, in->params->value[PAUSE]);
	return step;
}

/* What the kernel counted in this phase, and how crowded it was. */
static void note_counters(struct injection *in, const struct compactor *c)
{
	char text[320];

	inject_note(in,
		    "%" PRIu64 " MiB in huge pages, %" PRIu64 " MiB held page by page, %" PRIu64
		    " MiB available%s",
		    c->ballast.held * c->ballast.page / (uint64_t)MiB,
		    c->crowd ? fragmenter_held(&c->fragmenter) / (uint64_t)MiB : 0,
		    memory_available() / (uint64_t)MiB, growth_show(&c->growth, text, sizeof(text)));
}

/* The huge pages go, for verifiers to have memory; what is held page by page stays. */
static void compaction_rest(struct injection *in)
{
	struct compactor *c = in->state;

	note_counters(in, c);
	ballast_drop(in, &c->ballast);
	if (c->mode == MIXED || c->mode == COLLAPSE)
		settings_let_go(in, c->setting, ARRAY_SIZE(c->setting));
}

static void compaction_finish(struct injection *in)
{
	struct compactor *c = in->state;

	if (!c)
		return;
	if (c->crowd)
		fragmenter_close(&c->fragmenter);
	arena_close(c->pieces);
	free(c);
	in->state = NULL;
}

const struct injector injector_compaction = {
	.name = "compaction",
	.summary = "crowded, fragmented memory that the kernel compacts: metadata pages move too",
	.needs = NEED_ROOT,
	.params = compaction_params,
	.param_count = ARRAY_SIZE(compaction_params),
	.phase_args = compaction_args,
	.start = compaction_start,
	.phase = compaction_phase,
	.step = compaction_step,
	.rest = compaction_rest,
	.finish = compaction_finish,
};
