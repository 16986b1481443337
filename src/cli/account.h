/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings of a run directory with their stories, read from it and nothing else. */
#ifndef RECOW_ACCOUNT_H
#define RECOW_ACCOUNT_H

#include "src/report/story.h"

/* Groups that are told in full. */
#define ACCOUNT_STORIES 20

/* Read findings, journals, timeline and kernel log of RUN. What is missing or damaged of these costs its part
 * of the stories, nothing else. Free with stories_free(). */
int account_load(struct stories *s, const char *run, const json_t *run_json, struct error *e);

/* The same for findings that were added already: journals, timeline and kernel log of RUN. */
void account_tell(struct stories *s, const char *run, const json_t *run_json);

/* All stories, and how many findings there are in no story. */
void account_print(const struct stories *s, FILE *out);

/* A list, new reference. */
json_t *account_json(const struct stories *s);

#endif
