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

#endif
