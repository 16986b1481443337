/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/engine/feed.h"

#include "src/run/rundir.h"

/* Churn's page cache is to be the target's: so often what was read is forgotten. */
#define FORGET_EVERY 8192U /* records: 512 KiB */

/* What a torn journal has behind its last whole record is not known, and not replayed. */
static void advance(struct feed *f)
{
	int got = journal_reader_next(f->reader, &f->next, NULL, &f->error);

	f->more = got > 0;
	f->failed = got < 0;
	if (++f->taken % FORGET_EVERY == 0)
		journal_reader_forget(f->reader);
}

int feed_open(struct feed *f, const char *run, uint32_t worker, struct error *e)
{
	char dir[4096 + 16];

	*f = (struct feed){
		.reader = journal_reader_open(rundir_path(dir, sizeof(dir), run, "journal"), worker, e)};
	if (!f->reader)
		return -1;
	advance(f);
	if (!f->failed)
		return 0;
	*e = f->error;
	feed_close(f);
	return -1;
}

void feed_close(struct feed *f)
{
	journal_reader_close(f->reader);
	f->reader = NULL;
	f->more = false;
}

static bool is_mark(const struct feed *f)
{
	return f->next.flags & JOURNAL_MARK;
}

bool feed_take(struct feed *f, uint8_t phase, struct journal_record *out)
{
	bool parts;

	if (!f->more || is_mark(f) || f->next.phase != phase)
		return false;
	*out = f->next;
	do {
		parts = f->next.flags & JOURNAL_MORE;
		advance(f);
	} while (parts && f->more && f->next.operation == out->operation);
	return true;
}

bool feed_goes_beyond(const struct feed *f, unsigned int phase)
{
	if (!f->more)
		return false;
	return is_mark(f) ? f->next.answer > (int32_t)phase : f->next.phase > phase;
}

void feed_pass_barrier(struct feed *f)
{
	if (f->more && is_mark(f))
		advance(f);
}
