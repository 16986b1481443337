/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The writing side of the report: what a run is and what came of it, as JSON for RUN/run.json
 * and RUN/status.jsonl (docs/formats.md), and the status line. Reads the shared memory; the reading side
 * (report.h) reads the run directory and nothing else.
 */
#ifndef RECOW_SUMMARY_H
#define RECOW_SUMMARY_H

#include <jansson.h>

#include "src/guard/guard.h"

/* What the counters of a running run say at one moment. */
struct status {
	uint64_t time; /* ns since the start */
	enum run_stage stage;
	unsigned int round, phase;
	uint64_t left; /* ns to the planned end, 0 if there is none or it is over */
	uint64_t operations, bytes_written, bytes_read, errors;
	uint64_t verified;           /* bytes, all verifiers */
	uint64_t rounds;             /* whole ones */
	uint64_t trials;             /* exposure in them, in the scenario's measure */
	uint64_t exposure[MEASURES]; /* since the start */
	unsigned int findings;
};

void status_take(struct status *st, const struct shared *s);

/* One line for people, of at most `len` - 1 bytes; `before` (may be NULL) gives the rate. Returns buf. */
char *status_show(char *buf, size_t len, const struct shared *s, const struct status *st,
		  const struct status *before);

/* The line of RUN/status.jsonl. New reference. */
json_t *status_json(const struct shared *s, const struct status *st);

/* What each injector did, by name. New reference. */
json_t *exposures_json(const struct shared *s);

/* exposure_json.c: exposure since the start, by measure; what this machine doesn't show is left out. New
 * reference. */
json_t *exposure_measures_json(const struct shared *s);

/* The member "exposure" of the outcome. New reference. */
json_t *exposure_json(const struct shared *s);

/* RUN/run.json at the start: version, kernel, machine, plan. New reference. */
json_t *describe_run(const struct plan *p, uint64_t start_real);

/* "btrfs on a throw-away image of 4.00 GiB". Returns buf. */
char *describe_target(char *buf, size_t len, const struct target_spec *t);

/* The member "outcome" of run.json at the end. New reference. */
json_t *outcome_json(const struct shared *s, const struct status *st, const struct outcome *o);

#endif
