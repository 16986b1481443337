/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters of /proc/vmstat and how much they grew in a phase, for the timeline. */
#ifndef RECOW_GROWTH_H
#define RECOW_GROWTH_H

#include "src/base/base.h"

#define GROWTH_MAX 8

struct growth {
	const char *const *name; /* the caller's, and stays so */
	size_t count;            /* at most GROWTH_MAX */
	uint64_t before[GROWTH_MAX];
};

void growth_begin(struct growth *g, const char *const *name, size_t count);

/* ", pgmigrate_success +12, compact_stall +0"; returns buf. What the kernel doesn't have did not grow. */
const char *growth_show(const struct growth *g, char *buf, size_t len);

#endif
