/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run did over its time, in at most CHART_ROWS pieces of equal length: from RUN/status.jsonl
 * (counters) and RUN/timeline.jsonl (freezes, findings). */
#ifndef RECOW_CHART_H
#define RECOW_CHART_H

#include <jansson.h>
#include <stdio.h>

#include "src/base/base.h"

#define CHART_ROWS      40
#define CHART_INJECTORS 32

enum chart_mark {
	CHART_VERIFY = 1 << 0,
	CHART_REMOUNT = 1 << 1,
	CHART_FREEZE = 1 << 2,
	CHART_FINDING = 1 << 3,
};

struct chart_row {
	double operations, pages, dirty; /* done, migrated, dirty ones of the target moved; in the piece */
	double covered;                  /* seconds of it that the run lasted */
	uint32_t marks;                  /* set of enum chart_mark */
	uint32_t injectors;              /* bit i: injector[i] was in its phase */
};

struct chart {
	double seconds; /* length of a piece */
	unsigned int rows;
	struct chart_row row[CHART_ROWS];
	unsigned int injectors;
	char injector[CHART_INJECTORS][32];
};

/* Read a run directory. A file that isn't there leaves the chart empty; lines that don't parse are skipped.
 */
void chart_load(struct chart *c, const char *run);

/* For people; nothing when the chart is empty. */
void chart_print(const struct chart *c, FILE *out);

/* A list, one object for each piece. New reference. */
json_t *chart_json(const struct chart *c);

#endif
