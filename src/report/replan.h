/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan of a run out of its run.json: src/report/describe.c the other way round. */
#ifndef RECOW_REPLAN_H
#define RECOW_REPLAN_H

#include <jansson.h>

#include "src/plan/plan.h"

/* The newest `format` of run.json that is understood. */
#define RUN_FORMAT 1

/* Fill *p from run.json of the run directory `run`, for a replay of it: no limits, no output, nothing kept.
 * Target and needs have not been looked at. Errors: EXIT_CANNOT, what this version of recow doesn't have;
 * EXIT_USAGE, what is no run.json. */
int replan(struct plan *p, const json_t *run_json, const char *run, struct error *e);

#endif
