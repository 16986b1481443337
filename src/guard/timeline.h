/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RUN/timeline.jsonl: what happened, one JSON object a line (docs/guard.md describes the fields). Failing to
 * write is remembered, never fatal here. Beyond TIMELINE_BYTES it is set aside as timeline.old.jsonl, in
 * place of the one before: the end of a long run is whole, its begin is not kept.
 */
#ifndef RECOW_TIMELINE_H
#define RECOW_TIMELINE_H

#include "src/guard/guard.h"

#define TIMELINE_BYTES (64 * MiB)

struct timeline {
	char path[4096], old[4096]; /* timeline.jsonl; what it is called when it has become too long */
	int events;                 /* the file, -1 while closed */
	uint64_t bytes;             /* in it */
	uint64_t start;             /* CLOCK_MONOTONIC ns of the run's start */
	int err;                    /* the first failure to write */
};

int timeline_open(struct timeline *t, const char *run, uint64_t start, struct error *e);
void timeline_close(struct timeline *t);

/* Append {"t": seconds, "event": event, ...}; the rest as json_pack() of an object with `fmt`. */
void timeline_event(struct timeline *t, const char *event, const char *fmt, ...);

#endif
