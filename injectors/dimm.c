/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory modules come and go as hardware does it: the machine's firmware (ACPI) tells the kernel that one is
 * to be ejected, and the kernel migrates all that is in it, takes its blocks offline and lets go. Only a
 * virtual machine can do that to itself: the host that serves src/machine/dimm.h does it.
 *
 * A module that comes is onlined by the kernel (memhp_default_state=online_movable): page cache goes there
 * first. Each step plugs one that is away, or unplugs the one with most dirty pages of the target.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "injectors/departure.h"
#include "injectors/injector.h"
#include "src/machine/dimm.h"

enum { FILL, LEFT };

static const struct param dimm_params[] = {
	[FILL] = {.name = "fill",
		  .summary = "how long a module that came may fill before it goes",
		  .unit = PARAM_DURATION,
		  .fallback = "500ms",
		  .min = 0,
		  .max = 60 * NSEC_PER_SEC},
	[LEFT] = {.name = "left",
		  .summary = "modules that stay plugged",
		  .unit = PARAM_COUNT,
		  .fallback = "0",
		  .min = 0,
		  .max = DIMMS_MAX - 1},
};

struct modules {
	struct census census;
	bool stuck[DIMMS_MAX]; /* the kernel kept it in this phase: left alone until the next */
	size_t count;
	struct dimm dimm[DIMMS_MAX];
};

static uint64_t frame(uint64_t bytes)
{
	return bytes / (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t count_dirty(const struct injection *in, const struct modules *m, const struct dimm *d)
{
	struct census_count found;

	census_take(&m->census, in->cgroup, frame(d->start), frame(d->length), 1, &found);
	return found.dirty;
}

/* One that is away, drawn; or `count`. */
static size_t draw_away(struct injection *in, const struct modules *m)
{
	size_t first = stream_below(&in->random, m->count);

	for (size_t i = 0; i < m->count; i++) {
		size_t n = (first + i) % m->count;

		if (!m->dimm[n].plugged && !m->stuck[n])
			return n;
	}
	return m->count;
}

/* The plugged one with most dirty pages; `count` when none may go. */
static size_t dirtiest(const struct injection *in, const struct modules *m)
{
	size_t chosen = m->count, plugged = 0;
	uint64_t most = 0;

	for (size_t n = 0; n < m->count; n++) {
		uint64_t dirty;

		if (!m->dimm[n].plugged)
			continue;
		plugged++;
		if (m->stuck[n])
			continue;
		dirty = count_dirty(in, m, &m->dimm[n]);
		if (chosen == m->count || dirty > most) {
			chosen = n;
			most = dirty;
		}
	}
	return plugged > in->params->value[LEFT] ? chosen : m->count;
}

static enum step change(struct injection *in, struct modules *m, size_t n, bool plugged)
{
	int err = machine_dimm(in->machine, (unsigned int)n, plugged, 0);

	if (!err)
		return STEP_DONE;
	m->stuck[n] = true;
	inject_note(in, "DIMM %zu could not be %s: %s", n, plugged ? "plugged" : "unplugged", strerror(err));
	return STEP_REFUSED;
}

static enum step unplug(struct injection *in, struct modules *m)
{
	size_t n = dirtiest(in, m);
	struct departure d;
	enum step step;

	if (n == m->count)
		return inject_idle(in, "no module may go");
	departure_begin(&d, in, &m->census, frame(m->dimm[n].start), frame(m->dimm[n].length));
	step = change(in, m, n, false);
	departure_end(&d, in->exposure, step == STEP_DONE);
	return step;
}

static enum step dimm_step(struct injection *in)
{
	struct modules *m = in->state;
	int err = dimm_list(DIMM_PORT, m->dimm, DIMMS_MAX, &m->count);
	enum step step;
	size_t n;

	if (err || !m->count)
		return inject_idle(in, "the host's answer: %s", err ? strerror(err) : "no modules");
	n = draw_away(in, m);
	if (n == m->count)
		return unplug(in, m);
	step = change(in, m, n, true);
	if (step == STEP_DONE)
		inject_pause(in, in->params->value[FILL]);
	return step;
}

static int dimm_start(struct injection *in, struct error *e)
{
	struct modules *m = inject_state(in, sizeof(*m), e);

	if (!m)
		return -1;
	census_open(&m->census);
	return 0;
}

static int dimm_phase(struct injection *in, struct error *e)
{
	struct modules *m = in->state;

	memset(m->stuck, 0, sizeof(m->stuck));
	return 0;
}

static void dimm_finish(struct injection *in)
{
	struct modules *m = in->state;

	if (!m)
		return;
	census_close(&m->census);
	free(m);
	in->state = NULL;
}

const struct injector injector_dimm = {
	.name = "dimm",
	.summary = "memory modules unplugged and plugged by the host of a virtual machine",
	.needs = NEED_ROOT | NEED_DIMMS,
	.params = dimm_params,
	.param_count = ARRAY_SIZE(dimm_params),
	.start = dimm_start,
	.phase = dimm_phase,
	.step = dimm_step,
	.finish = dimm_finish,
};
