/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RUN/steps.jsonl: after how many operations injectors made their steps, one JSON object a line
 * (docs/formats.md), for a replay. Beyond STEPS_BYTES it says so and ends: a replay paces what follows by
 * time.
 */
#ifndef RECOW_STEPS_H
#define RECOW_STEPS_H

#include "src/base/error.h"
#include "src/machine/messages.h"

#define STEPS_BYTES (64 * MiB)

struct steps {
	int fd;         /* -1: nothing is written (any more) */
	uint64_t bytes; /* in it */
};

int steps_open(struct steps *s, const char *run, struct error *e);

/* Append what injector `who` says. Returns 0 or the errno of a failure, after which no more is written. */
int steps_add(struct steps *s, const char *who, const struct message_steps *m);

void steps_close(struct steps *s);

#endif
