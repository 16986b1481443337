/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/durable/source.h"

#include <errno.h>
#include <stdio.h>

#include "src/journal/file.h"
#include "src/journal/tail.h"
#include "src/ops/op.h"

/* Records on their way from a journal to operations. */
struct gathering {
	struct journal_record part[OP_BATCH];
	unsigned int count;
	struct journal_record last; /* record of all */
	bool any;
	int (*each)(void *self, const struct done *d);
	void *self;
};

uint64_t done_end(const struct done *d)
{
	const struct journal_record *r = &d->part[0];

	return d->pending || r->took == UINT32_MAX ? UINT64_MAX
						   : r->start + ((uint64_t)r->took + 1) * NSEC_PER_USEC;
}

static int hand_on(struct gathering *g, bool pending)
{
	const struct done d = {
		.part = g->part,
		.count = g->count,
		.pending = pending,
		.mark = g->part[0].flags & JOURNAL_MARK,
	};

	g->count = 0;
	return g->each(g->self, &d);
}

static int take(struct gathering *g, const struct journal_record *r)
{
	g->last = *r;
	g->any = true;
	if (g->count < OP_BATCH)
		g->part[g->count++] = *r;
	return r->flags & JOURNAL_MORE ? 0 : hand_on(g, false);
}

/* Of a batch that is there in part nobody knows how far it got. */
static int take_pending(struct gathering *g, const struct journal_record *pending)
{
	if (pending->operation)
		g->part[0] = *pending;
	else if (!g->count)
		return 0;
	g->part[0].flags &= (uint8_t)~JOURNAL_MORE;
	g->count = 1;
	return hand_on(g, true);
}

static int take_tail(struct gathering *g, const char *run, uint64_t key, uint32_t worker, bool ended,
		     struct source_facts *facts)
{
	struct tail tail;
	int rc = 0;

	facts->whole = tail_read(run, key, worker, g->any ? &g->last : NULL, &tail) == 0 || ended;
	for (size_t i = 0; !rc && i < tail.count; i++)
		rc = take(g, &tail.record[i]);
	if (!rc)
		rc = take_pending(g, &tail.pending);
	tail_free(&tail);
	return rc;
}

int source_each(const char *run, uint64_t key, uint32_t worker, bool ended, struct source_facts *facts,
		int (*each)(void *self, const struct done *d), void *self, struct error *e)
{
	struct gathering g = {.each = each, .self = self};
	struct journal_reader *reader;
	struct journal_record r;
	char dir[4096 + 16];
	int more = 1, rc = 0;

	snprintf(dir, sizeof(dir), "%s/journal", run);
	reader = journal_reader_open(dir, worker, e);
	if (!reader)
		return -1;
	*facts = (struct source_facts){
		.first = journal_reader_header(reader)->first,
		.start = journal_reader_header(reader)->start,
	};
	if (journal_reader_header(reader)->run != key)
		rc = error_set(e, EXIT_USAGE, "%s: the journal of worker %u is another run's", run, worker);
	while (!rc && (more = journal_reader_next(reader, &r, NULL, e)) > 0)
		rc = take(&g, &r);
	journal_reader_close(reader);
	if (more < 0)
		return -1;
	return rc ? rc : take_tail(&g, run, key, worker, ended, facts);
}
