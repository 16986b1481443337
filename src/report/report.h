/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reading side of the report: a run directory, and nothing else. */
#ifndef RECOW_REPORT_H
#define RECOW_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "src/base/error.h"
#include "src/finding/finding.h"

#include "src/report/chart.h"

/* One run as its directory tells it. */
struct report {
	char path[4096];
	json_t *run;                           /* run.json; without "outcome" when the run had no end */
	json_t *status;                        /* last whole line of status.jsonl, NULL if none */
	unsigned int classes[FINDING_CLASSES]; /* findings by class */
	unsigned int findings;
	struct chart chart;
};

/* Read RUN. Errors (EXIT_USAGE) say what is missing. Free with report_free() after success. */
int report_load(struct report *r, const char *path, struct error *e);
void report_free(struct report *r);

/* The report of one run; its last line is the verdict. Findings are printed in front by the caller. */
void report_print(const struct report *r, FILE *out);

/* The middle part alone, from what run.json holds. */
void report_print_outcome(const json_t *run, FILE *out);

/* Sums over several runs, and the bound that clean ones support together. */
void report_print_merged(const struct report *runs, size_t count, FILE *out);

/* All that is known about a run as one object: run.json with "findings" and, of a run without an end,
 * "last_status". New reference. */
json_t *report_json(const struct report *r);

/* Replace RUN/name by this object, whole or not at all. */
int report_write(const char *run, const char *name, const json_t *j, struct error *e);

/* Append one line to RUN/name. */
int report_append(const char *run, const char *name, const json_t *j, struct error *e);

#endif
