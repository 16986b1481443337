/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A limit on churn's memory cgroup that takes page cache away from it and nothing that it can't give: v1
 * memory.limit_in_bytes, v2 memory.high (which slows down and reclaims, and never kills; memory.max would).
 * Sources: Documentation/admin-guide/cgroup-v1/memory.rst, cgroup-v2.rst.
 */
#ifndef RECOW_SQUEEZE_H
#define RECOW_SQUEEZE_H

#include "injectors/setting.h"

struct squeeze {
	char limit[300], usage[300], stat[300], oom[300]; /* paths; oom: v1 only, else "" */
	struct setting hold_oom;                          /* v1: no OOM kill in this cgroup */
	char found[32];                                   /* the limit before */
	const char *hits;                                 /* counter file that grows with each hit */
	char hits_path[300];
};

/* Returns 0, or an errno when churn has no cgroup or its limit can't be set. */
int squeeze_open(struct injection *in, struct squeeze *s);

/* What the cgroup holds, in bytes. */
struct squeeze_usage {
	uint64_t all;
	uint64_t cache; /* file pages on the LRU lists: what can be reclaimed */
	uint64_t busy;  /* dirty ones and those under writeback: not before they are written */
};
void squeeze_look(const struct squeeze *s, struct squeeze_usage *u);

/*
 * The limit that leaves `percent` of the cache that isn't busy, and at least SQUEEZE_ROOM of it; everything
 * else stays. 0 when there is nothing to take. Pure.
 */
uint64_t squeeze_limit(const struct squeeze_usage *u, uint64_t percent);
#define SQUEEZE_ROOM (32 * MiB)

/* Has what can't be given grown so near to the limit that it must be lifted? Pure. */
bool squeeze_tight(const struct squeeze_usage *u, uint64_t limit);

/* Set it for `ns`, lift it when that is over, or earlier when the phase ends or the cgroup runs short. */
enum step squeeze_once(struct injection *in, struct squeeze *s, uint64_t percent, uint64_t ns);

/* How often the limit was hit since the cgroup was made. */
uint64_t squeeze_hits(const struct squeeze *s);

#endif
