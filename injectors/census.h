/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages lie in a stretch of physical memory, as /proc/kpageflags and /proc/kpagecgroup tell
 * (Documentation/admin-guide/mm/pagemap.rst). Only root sees them. A block of 128 MiB takes some 5 ms.
 */
#ifndef RECOW_CENSUS_H
#define RECOW_CENSUS_H

#include "src/base/base.h"

struct census {
	int flags, cgroups; /* descriptors; -1: this kernel doesn't show them */
};

void census_open(struct census *c);
void census_close(struct census *c);

struct census_count {
	uint64_t cached;    /* file pages on an LRU list */
	uint64_t dirty;     /* dirty ones among them */
	uint64_t writeback; /* being written */
};

/*
 * Count the file pages charged to the memory cgroup with this inode, in `count` page frames from `first`.
 * `sample`: only one stretch of frames in so many is looked at, and the counts are estimates; 1: all are.
 * Returns 0, or -1 when it can't be known here (then *out is zero). Pages come and go while it counts.
 */
int census_take(const struct census *c, uint64_t cgroup, uint64_t first, uint64_t count, unsigned int sample,
		struct census_count *out);

/*
 * Find dirty file pages among `count` page frames from `first`: those charged to this memory cgroup, or any
 * (cgroup 0; dirty metadata is charged to the root cgroup). Their frame numbers, ascending, go into `out`.
 * Returns how many; 0 also when it can't be known here. By the time anybody acts on it some are clean or
 * gone.
 */
size_t census_find_dirty(const struct census *c, uint64_t cgroup, uint64_t first, uint64_t count,
			 uint64_t *out, size_t room);

/* Inode of the memory cgroup that a page frame is charged to, 0 when it can't be known. */
uint64_t census_cgroup(const struct census *c, uint64_t pfn);

/* Flags of one page frame as /proc/kpageflags gives them, 0 when they can't be known. */
uint64_t census_flags(const struct census *c, uint64_t pfn);

#endif
