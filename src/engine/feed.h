/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One worker's operations out of the journal of an earlier run, in its order: what a replay does instead of
 * drawing. It stops where the earlier run parked this worker: behind the last operation of a phase, and at
 * the mark of each barrier. Used by the worker, and by the conductor while it is parked.
 */
#ifndef RECOW_FEED_H
#define RECOW_FEED_H

#include "src/journal/file.h"

struct feed {
	struct journal_reader *reader;
	struct journal_record next; /* not used yet */
	bool more;                  /* there is one */
	bool failed;                /* the journal can't be read on: `error` */
	struct error error;
	uint64_t taken; /* records */
};

/* Open the journal of `worker` in RUN, and look at its first record. */
int feed_open(struct feed *f, const char *run, uint32_t worker, struct error *e);
void feed_close(struct feed *f);

/* The next operation of this phase into *out: the first of its records, as they were when it was called.
 * False when the phase has no further one. */
bool feed_take(struct feed *f, uint8_t phase, struct journal_record *out);

/* Did the round go on behind this phase? */
bool feed_goes_beyond(const struct feed *f, unsigned int phase);

/* At a barrier: go on behind its mark. */
void feed_pass_barrier(struct feed *f);

#endif
