/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/departure.h"

void departure_begin(struct departure *d, const struct injection *in, const struct census *c, uint64_t first,
		     uint64_t frames)
{
	d->written = machine_vmstat("nr_written");
	census_take(c, in->cgroup, first, frames, 1, &d->before);
	d->migrated = machine_vmstat("pgmigrate_success");
}

/*
 * Of `dirty` pages that it held, how many were dirty when they moved? What was dropped did not move; and one
 * that was written out before its turn came is among those that the machine wrote meanwhile: so many are
 * unsure.
 */
static void count_dirty(struct exposure *x, uint64_t dirty, uint64_t written, uint64_t moved)
{
	uint64_t left = MIN(dirty, moved);
	uint64_t unsure = MIN(left, written);

	atomic_fetch_add(&x->dirty, left - unsure);
	atomic_fetch_add(&x->unsure, unsure);
}

uint64_t departure_end(const struct departure *d, struct exposure *x, bool gone)
{
	uint64_t moved = machine_vmstat("pgmigrate_success") - d->migrated;
	uint64_t written = machine_vmstat("nr_written") - d->written;

	atomic_fetch_add(&x->pages, moved);
	if (!gone)
		return moved;
	count_dirty(x, d->before.dirty, written, moved);
	/* The kernel waits for the writeback of a page and moves it then; again, what was dropped did not
	 * move. */
	atomic_fetch_add(&x->writeback, MIN(d->before.writeback, moved));
	return moved;
}
