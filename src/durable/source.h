/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that a worker of a dead run did, in order: its journal, what the guard had not written yet
 * (src/journal/tail.h), and the operation that was in flight. */
#ifndef RECOW_DURABLE_SOURCE_H
#define RECOW_DURABLE_SOURCE_H

#include "src/base/error.h"
#include "src/journal/record.h"

/* One operation. */
struct done {
	const struct journal_record *part; /* its records: of a batch one for each range */
	unsigned int count;
	bool pending; /* it was begun, and nobody knows how far it got; one record, whose answer means nothing
		       */
	bool mark;    /* a barrier, not an operation */
};

/* What the journal says of itself. */
struct source_facts {
	uint64_t first; /* operation of the first record that is left; 1: all are */
	uint64_t start; /* CLOCK_REALTIME of the run's start, ns */
	bool whole;     /* it is known to the end what was done */
};

/* Call each() for all operations of `worker` in RUN. `ended`: the run had an end, so that its journals are
 * all there. Returns -1 when the journal can't be read, or what each() returns if that isn't 0. */
int source_each(const char *run, uint64_t key, uint32_t worker, bool ended, struct source_facts *facts,
		int (*each)(void *self, const struct done *d), void *self, struct error *e);

/* When it was over, ns since the start of the run: not earlier. */
uint64_t done_end(const struct done *d);

#endif
