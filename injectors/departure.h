/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that goes away, and what of the target moved with it: a memory block that is taken offline, a
 * module that is unplugged.
 */
#ifndef RECOW_DEPARTURE_H
#define RECOW_DEPARTURE_H

#include "injectors/census.h"
#include "injectors/injector.h"

struct departure {
	struct census_count before; /* the target's pages in it */
	uint64_t written, migrated; /* by the machine until then, pages */
};

/* `frames` page frames from `first` are about to go. */
void departure_begin(struct departure *d, const struct injection *in, const struct census *c, uint64_t first,
		     uint64_t frames);

/* They are `gone`, or the kernel kept them: then pages moved, but nobody knows which. Adds to the exposure;
 * returns how many pages the machine migrated meanwhile. */
uint64_t departure_end(const struct departure *d, struct exposure *x, bool gone);

#endif
