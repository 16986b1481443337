/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes most of the free memory out of play, so that what happens in the rest happens in a crowd: as huge
 * pages of the kernel's pool (vm.nr_hugepages), which are reserved without being touched. That takes tens of
 * milliseconds for what would take a process half a minute to fill, and the guard knows the way back.
 */
#ifndef RECOW_BALLAST_H
#define RECOW_BALLAST_H

#include "injectors/injector.h"

struct ballast {
	uint64_t page; /* bytes of a huge page; 0: there is no pool here */
	uint64_t held; /* huge pages added by this injector */
};

/* Look for the pool. Where there is none the timeline says so and nothing below does anything. */
void ballast_open(struct injection *in, struct ballast *b);

/*
 * Huge pages to add (or, negative, to give back) so that `leave` bytes of MemAvailable are left. Only free
 * memory is taken, and not the last quarter of `leave`: a pool that wants more makes the kernel reclaim and
 * compact for seconds. Pure.
 */
int64_t ballast_change(const struct ballast *b, uint64_t available, uint64_t free, uint64_t leave);

/* Make it so. Small differences are left alone unless memory is short. */
void ballast_settle(struct injection *in, struct ballast *b, uint64_t leave);

/* Add `pages` (negative: give back, what is held at most). Returns 0 or an errno; b->held is what came of it.
 */
int ballast_add(struct injection *in, struct ballast *b, int64_t pages);

/* All back. */
void ballast_drop(struct injection *in, struct ballast *b);

/* MemAvailable is kept this much above the run's floor: others allocate while a step goes on. */
#define MEMORY_MARGIN (192 * MiB)

/* Memory that can be had, in bytes. */
uint64_t memory_available(void);

#endif
