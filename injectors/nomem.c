/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is refused: the kernel's fault injection lets allocations fail
 * (Documentation/fault-injection/fault-injection.rst), of slab objects and of pages. Only those that may not
 * wait for memory (GFP_ATOMIC, GFP_NOWAIT): they fail on every machine that is short of memory, and whoever
 * asks so must have an answer to it. Those that may wait are left alone, since guard and injectors live by
 * them.
 *
 * `times`, which the kernel counts down, tells how many have failed.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "injectors/injector.h"
#include "injectors/setting.h"

enum { PROBABILITY, PAUSE };

static const struct param nomem_params[] = {
	[PROBABILITY] = {.name = "probability",
			 .summary = "of those allocations so many fail",
			 .unit = PARAM_PERCENT,
			 .fallback = "10",
			 .min = 1,
			 .max = 50}, /* who asks again and again must have it in the end */
	[PAUSE] = {.name = "pause",
		   .summary = "between two looks at how many failed",
		   .unit = PARAM_DURATION,
		   .fallback = "50ms",
		   .min = 0,
		   .max = 10 * NSEC_PER_SEC},
};

enum word { BOTH, SLAB, PAGES };
static const char *const words[] = {[BOTH] = "both", [SLAB] = "slab", [PAGES] = "pages", NULL};

/* More than ever fail in a phase. */
#define MANY "1000000000"

/* In the order of setting; put back from the last to the first. */
enum { WAIT, FILTER, SPACE, VERBOSE, INTERVAL, TIMES, CHANCE, COMMON, ORDER = COMMON, HIGHMEM, SETTINGS };

#define COMMON_SETTINGS(dir)                                                                                 \
	[WAIT] = {.path = dir "ignore-gfp-wait", .value = "Y"},                                              \
	[FILTER] = {.path = dir "task-filter", .value = "N"}, [SPACE] = {.path = dir "space", .value = "0"}, \
	[VERBOSE] = {.path = dir "verbose", .value = "0"},                                                   \
	[INTERVAL] = {.path = dir "interval", .value = "1"}, [TIMES] = {.path = dir "times", .value = MANY}, \
	[CHANCE] = {.path = dir "probability"}

static const struct setting slab_settings[COMMON] = {COMMON_SETTINGS(MACHINE_FAIL_SLAB)};
static const struct setting page_settings[SETTINGS] = {
	COMMON_SETTINGS(MACHINE_FAIL_PAGES),
	[ORDER] = {.path = MACHINE_FAIL_PAGES "min-order", .value = "0"},
	[HIGHMEM] = {.path = MACHINE_FAIL_PAGES "ignore-gfp-highmem", .value = "N"},
};

struct knob {
	struct setting setting[SETTINGS];
	size_t count;    /* of its settings; 0: this kernel doesn't have it */
	bool held;       /* in this phase */
	uint64_t failed; /* allocations in this phase, as of the last look */
};

struct nomem {
	struct knob slab, pages;
	char probability[8];
};

static void find(struct injection *in, struct knob *k, const struct setting *settings, size_t count)
{
	const struct nomem *n = in->state;
	char value[32];

	if (machine_read(settings[CHANCE].path, value, sizeof(value)))
		return;
	memcpy(k->setting, settings, count * sizeof(*settings));
	k->setting[CHANCE].value = n->probability;
	k->count = count;
	settings_find(in, k->setting, count);
}

static int nomem_start(struct injection *in, struct error *e)
{
	struct nomem *n = calloc(1, sizeof(*n));

	in->state = n;
	if (!n)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "nomem");
	snprintf(n->probability, sizeof(n->probability), "%u", (unsigned int)in->params->value[PROBABILITY]);
	find(in, &n->slab, slab_settings, ARRAY_SIZE(slab_settings));
	find(in, &n->pages, page_settings, ARRAY_SIZE(page_settings));
	return 0;
}

static void hold(struct injection *in, struct knob *k, bool wanted)
{
	k->failed = 0;
	k->held = false;
	if (!wanted || !k->count)
		return;
	/* Without this one those who may wait would fail as well, the guard among them. */
	settings_hold(in, &k->setting[WAIT], 1);
	k->held = !k->setting[WAIT].refused;
	if (k->held)
		settings_hold(in, k->setting, k->count);
}

static int nomem_phase(struct injection *in, struct error *e)
{
	const enum word word = (enum word)inject_word(in, words);
	struct nomem *n = in->state;

	hold(in, &n->slab, word != PAGES);
	hold(in, &n->pages, word != SLAB);
	if (n->slab.held || n->pages.held)
		return 0;
	return error_set(e, EXIT_CANNOT, "this kernel lets no allocation of %s fail",
			 word == BOTH ? "these" : words[word]);
}

/* How many more have failed since the last look. */
static uint64_t look(struct knob *k)
{
	const uint64_t before = k->failed;
	char left[32];

	if (!k->held || machine_read(k->setting[TIMES].path, left, sizeof(left)))
		return 0;
	k->failed = strtoull(MANY, NULL, 10) - strtoull(left, NULL, 10);
	return k->failed - before;
}

static enum step nomem_step(struct injection *in)
{
	struct nomem *n = in->state;
	uint64_t more;

	inject_pause(in, in->params->value[PAUSE]);
	more = look(&n->slab) + look(&n->pages);
	return more ? STEP_DONE : inject_idle(in, "nobody asked for memory without waiting for it");
}

static void let_go(struct injection *in, struct knob *k)
{
	if (k->held)
		settings_let_go(in, k->setting, k->count);
}

static void nomem_rest(struct injection *in)
{
	struct nomem *n = in->state;

	let_go(in, &n->pages);
	let_go(in, &n->slab);
	inject_note(in, "refused %" PRIu64 " allocations of slab objects, %" PRIu64 " of pages",
		    n->slab.failed, n->pages.failed);
}

const struct injector injector_nomem = {
	.name = "nomem",
	.summary = "memory refused to those in the kernel who can't wait for it (fault injection)",
	.needs = NEED_ROOT | NEED_FAILING_MEMORY,
	.params = nomem_params,
	.param_count = ARRAY_SIZE(nomem_params),
	.phase_args = words,
	.start = nomem_start,
	.phase = nomem_phase,
	.step = nomem_step,
	.rest = nomem_rest,
	.finish = inject_finish,
};
