/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sums over the counters in shared memory. */
#ifndef RECOW_COUNT_H
#define RECOW_COUNT_H

#include "src/run/shared.h"

struct counts {
	uint64_t rounds;     /* whole ones, with their verification */
	uint64_t operations; /* finished, all workers */
	uint64_t errors, written, read;
	uint64_t verified_bytes, verified_objects;
};

void count_all(const struct shared *s, struct counts *c);

#endif
