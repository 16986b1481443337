/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exposure so far, summed over the counters in shared memory. */
#ifndef RECOW_EXPOSURE_H
#define RECOW_EXPOSURE_H

#include "src/run/shared.h"

/* Since the start of the run, by measure. What this machine doesn't show is 0. */
void exposure_take(const struct shared *s, uint64_t out[MEASURES]);

/* Note that this machine doesn't show these measures (bits), or something that is no measure (0). `what`: the
 * name that people read. One writer at a time. */
void exposure_hidden(struct shared *s, uint64_t measures, const char *what, const char *why, ...)
	__attribute__((format(printf, 4, 5)));

/* The bits of the measures that tracepoints and probes give: migrations by cause; all of them. */
uint64_t exposure_causes(void);
uint64_t exposure_traced(void);

/* Bit i: this machine doesn't show measure i. */
uint64_t exposure_unseen(const struct shared *s);

#endif
