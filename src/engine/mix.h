/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A workload's weighted operations, drawn in O(1). */
#ifndef RECOW_MIX_H
#define RECOW_MIX_H

#include "workloads/workload.h"

#define MIX_MAX 64

/* Walker's alias method (A. J. Walker, 1977): each row is kept with probability `keep` / 2^32, else its alias
 * is taken. */
struct mix {
	unsigned int count;
	const struct op *op[MIX_MAX];
	uint64_t keep[MIX_MAX];
	unsigned int alias[MIX_MAX];
};

/* What a verifier of snapshots makes every worker do that doesn't anyway: so many thousandths of its
 * operations. Most of them find that it is too early for the next snapshot, and another one is drawn. */
extern const struct weight mix_of_witnesses[];

/* From the names and weights of a workload, without what needs more than is `met` (set of enum need). Unknown
 * operations and an empty mix are errors. `more` (NULL: nothing) is added, in thousandths of the sum of all
 * weights, if none of it is there. */
int mix_init(struct mix *m, const struct weight *weights, const struct weight *more, uint32_t met,
	     struct error *e);

const struct op *mix_draw(const struct mix *m, struct stream *s);

#endif
