/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RUN/status.jsonl: the counters over the run's time, bounded. It begins with a line a second; whenever it
 * has HISTORY_LINES of them every second one is dropped, and lines come half as often from then on. So a run
 * of any length keeps between half as many and as many, evenly spread.
 */
#ifndef RECOW_HISTORY_H
#define RECOW_HISTORY_H

#include <jansson.h>

#include "src/base/base.h"
#include "src/base/error.h"

#define HISTORY_LINES 4096U

struct history {
	uint64_t every; /* ns between two lines */
	unsigned int lines;
};

struct history history_begin(void);
int history_add(struct history *h, const char *run, const json_t *line, struct error *e);

#endif
