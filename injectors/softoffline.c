/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dirty file pages are soft-offlined: the kernel moves what they hold to other frames, as if the old ones
 *were about to fail, and takes the frames from use. Then they are given back. It is the one way to make the
 *kernel migrate a page of one's choice whatever its zone, dirty metadata included.
 *
 *	any	(default) any dirty file page of the machine: also the target's metadata, which is charged to
 *		nobody in particular
 *	target	pages that are charged to churn's memory cgroup
 */
#include <errno.h>
#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "injectors/census.h"
#include "injectors/injector.h"

#define BLOCKS_MAX 4096 /* memory blocks looked at: 512 GiB of 128 MiB each */

/* Blocks looked into until one has dirty pages; a block takes some 5 ms. */
#define LOOKS 16U

/* A page under writeback makes the kernel wait. */
#define LIMIT (5 * NSEC_PER_SEC)

enum { BATCH, PAUSE };

static const struct param softoffline_params[] = {
	[BATCH] = {.name = "batch",
		   .summary = "pages taken before they are given back",
		   .unit = PARAM_COUNT,
		   .fallback = "128",
		   .min = 1,
		   .max = MACHINE_PAGES},
	[PAUSE] = {.name = "pause",
		   .summary = "between two batches",
		   .unit = PARAM_DURATION,
		   .fallback = "0s",
		   .min = 0,
		   .max = 60 * NSEC_PER_SEC},
};

static const char *const softoffline_args[] = {"any", "target", NULL};

struct offliner {
	struct census census;
	uint64_t frames; /* in a memory block */
	bool stuck;      /* frames did not come back: no more are taken */
	size_t count;
	unsigned int block[BLOCKS_MAX]; /* online ones */
};

static bool poisoned(const struct offliner *o, uint64_t pfn)
{
	return census_flags(&o->census, pfn) >> KPF_HWPOISON & 1;
}

static unsigned int count_poisoned(const struct offliner *o, const uint64_t *pfn, size_t count)
{
	unsigned int n = 0;

	for (size_t i = 0; i < count; i++)
		n += poisoned(o, pfn[i]);
	return n;
}

/* Frames that hold the target's data; metadata is not among them. Asked before they are taken. */
static void look_whose(const struct injection *in, const struct offliner *o, const uint64_t *pfn,
		       size_t count, bool *targets)
{
	for (size_t i = 0; i < count; i++)
		targets[i] = in->cgroup && census_cgroup(&o->census, pfn[i]) == in->cgroup;
}

/* What was taken. A page that was written out in the meantime is clean, and the kernel drops a clean page
 * instead of moving it: then fewer pages migrate than frames are taken. */
static unsigned int count_taken(struct injection *in, const struct offliner *o, const uint64_t *pfn,
				size_t count, const bool *targets, uint64_t migrated)
{
	unsigned int taken = 0, dirty = 0;

	for (size_t i = 0; i < count; i++) {
		if (!poisoned(o, pfn[i]))
			continue;
		taken++;
		dirty += targets[i];
	}
	atomic_fetch_add(&in->exposure->pages, taken);
	atomic_fetch_add(&in->exposure->dirty, dirty);
	if (migrated < taken)
		atomic_fetch_add(&in->exposure->unsure, MIN(taken - migrated, (uint64_t)dirty));
	return taken;
}

/* Dirty pages of one block, from a random place in it on. */
static size_t find_pages(struct injection *in, const struct offliner *o, uint64_t *pfn)
{
	uint64_t cgroup = strcmp(in->phase_arg, "target") ? 0 : in->cgroup;
	size_t found = 0;

	for (unsigned int i = 0; i < LOOKS && !found && !inject_over(in); i++) {
		uint64_t first = o->block[stream_below(&in->random, o->count)] * o->frames;
		uint64_t skip = stream_below(&in->random, o->frames);

		found = census_find_dirty(&o->census, cgroup, first + skip, o->frames - skip, pfn,
					  in->params->value[BATCH]);
	}
	return found;
}

/* Every frame that was taken comes back; one that doesn't is the guard's, and the last that is taken. */
static void give_back(struct injection *in, struct offliner *o, const uint64_t *pfn, size_t count)
{
	int err = machine_unpoison(in->machine, pfn, (unsigned int)count, LIMIT);
	unsigned int left = count_poisoned(o, pfn, count);

	if (!err && !left)
		return;
	o->stuck = true;
	inject_note(in, "%u pages could not be given back%s%s: no more are taken", left, err ? ": " : "",
		    err ? strerror(err) : "");
}

static enum step softoffline_step(struct injection *in)
{
	struct offliner *o = in->state;
	uint64_t pfn[MACHINE_PAGES], before;
	bool targets[MACHINE_PAGES];
	unsigned int taken;
	size_t count;
	int err;

	if (o->stuck)
		return inject_idle(in, "pages could not be given back");
	count = find_pages(in, o, pfn);
	if (!count)
		return inject_idle(in, "no dirty page in %u blocks", LOOKS);
	look_whose(in, o, pfn, count, targets);
	before = machine_vmstat("pgmigrate_success");
	err = machine_soft_offline(in->machine, pfn, (unsigned int)count, LIMIT);
	taken = count_taken(in, o, pfn, count, targets, machine_vmstat("pgmigrate_success") - before);
	give_back(in, o, pfn, count);
	if (err)
		return inject_idle(in, "soft offline: %s", strerror(err));
	inject_pause(in, in->params->value[PAUSE]);
	return taken ? STEP_DONE : STEP_REFUSED;
}

/* ---- the injector ---- */

static int find_blocks(struct offliner *o, struct error *e)
{
	struct memory_block *all = calloc(BLOCKS_MAX, sizeof(*all));
	size_t count;

	if (!all)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "softoffline");
	count = machine_memory_blocks(all, BLOCKS_MAX);
	for (size_t i = 0; i < count; i++) {
		if (all[i].online)
			o->block[o->count++] = all[i].number;
	}
	free(all);
	o->frames = machine_memory_block_size() / (uint64_t)sysconf(_SC_PAGESIZE);
	if (!o->count || !o->frames)
		return error_set(e, EXIT_CANNOT, "no memory blocks in /sys/devices/system/memory");
	return 0;
}

static int softoffline_start(struct injection *in, struct error *e)
{
	struct offliner *o = inject_state(in, sizeof(*o), e);

	if (!o)
		return -1;
	census_open(&o->census);
	if (o->census.flags < 0)
		return error_set(e, EXIT_CANNOT, "/proc/kpageflags can't be read");
	return find_blocks(o, e);
}

static int softoffline_phase(struct injection *in, struct error *e)
{
	const struct offliner *o = in->state;

	if (!strcmp(in->phase_arg, "target") && (!in->cgroup || o->census.cgroups < 0))
		return error_set(e, EXIT_CANNOT, "the target's pages can't be told from others here");
	return 0;
}

static void softoffline_finish(struct injection *in)
{
	struct offliner *o = in->state;

	if (!o)
		return;
	census_close(&o->census);
	free(o);
	in->state = NULL;
}

const struct injector injector_softoffline = {
	.name = "softoffline",
	.summary = "dirty file pages moved one by one by soft offline, and given back",
	.needs = NEED_ROOT | NEED_SOFT_OFFLINE,
	.params = softoffline_params,
	.param_count = ARRAY_SIZE(softoffline_params),
	.phase_args = softoffline_args,
	.start = softoffline_start,
	.phase = softoffline_phase,
	.step = softoffline_step,
	.finish = softoffline_finish,
};
