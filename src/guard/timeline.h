/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run tells in RUN: timeline.jsonl (events), status.jsonl (counters, once a second) and run.json (what
 * ran and how it ended). docs/guard.md describes the fields. Failing to write is remembered, never fatal
 * here.
 */
#ifndef RECOW_TIMELINE_H
#define RECOW_TIMELINE_H

#include "src/guard/guard.h"

struct timeline {
	int events, status; /* files, -1 while closed */
	uint64_t start;     /* CLOCK_MONOTONIC ns of the run's start */
	int err;            /* the first failure to write */
};

int timeline_open(struct timeline *t, const char *run, uint64_t start, struct error *e);
void timeline_close(struct timeline *t);

/* Append {"t": seconds, "event": event, ...}; the rest as json_pack() of an object with `fmt`. */
void timeline_event(struct timeline *t, const char *event, const char *fmt, ...);

/* Append the present counters. */
void timeline_status(struct timeline *t, const struct shared *s);

/* Write RUN/run.json, replacing it in one step. `o` is NULL at the start. Returns 0 or an errno. */
int summary_write(const char *run, const struct shared *s, const struct outcome *o);

#endif
