/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cli/differences.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/base/json.h"
#include "src/cli/namer.h"
#include "src/journal/file.h"
#include "src/run/rundir.h"

#define FIRST 20U     /* in run.json, and printed */
#define LINES 100000U /* in differences.jsonl */

/* The journal of one worker, operation by operation. */
struct track {
	struct journal_reader *reader;
	struct journal_record first; /* of the present operation; args.dir2 as the operation has it */
	struct journal_record ahead; /* the record behind it */
	int32_t answers[OP_BATCH];
	unsigned int count; /* of answers; 0: there is no operation any more */
	bool more;          /* `ahead` is one */
	uint64_t reached;   /* the last operation that a barrier says was taken */
};

struct search {
	FILE *lines;
	json_t *first; /* list */
	uint64_t operations, same, differing, skipped, not_reached, listed;
};

static int look_ahead(struct track *t, struct error *e)
{
	int got = journal_reader_next(t->reader, &t->ahead, NULL, e);

	t->more = got > 0;
	if (t->more && t->ahead.flags & JOURNAL_MARK)
		t->reached = t->ahead.operation;
	return got < 0 ? -1 : 0;
}

static int track_open(struct track *t, const char *run, uint32_t worker, struct error *e)
{
	char dir[4096 + 16];

	*t = (struct track){
		.reader = journal_reader_open(rundir_path(dir, sizeof(dir), run, "journal"), worker, e)};
	return t->reader ? look_ahead(t, e) : -1;
}

static int track_next(struct track *t, struct error *e)
{
	bool parts = true;

	t->count = 0;
	while (t->more && t->ahead.flags & JOURNAL_MARK) {
		if (look_ahead(t, e))
			return -1;
	}
	t->first = t->ahead;
	while (parts && t->more && t->ahead.operation == t->first.operation &&
	       !(t->ahead.flags & JOURNAL_MARK)) {
		if (t->count < OP_BATCH)
			t->answers[t->count++] = t->ahead.answer;
		parts = t->ahead.flags & JOURNAL_MORE;
		if (look_ahead(t, e))
			return -1;
	}
	return 0;
}

/* The first answer in which they differ; that of the longer one when one is a batch that wasn't begun. */
static bool same_answers(const struct track *was, const struct track *is, unsigned int *where)
{
	unsigned int i = 0;

	while (i < was->count && i < is->count && was->answers[i] == is->answers[i])
		i++;
	*where = i < was->count && i < is->count ? i : 0;
	return i == was->count && i == is->count;
}

static void add_line(struct search *s, json_t *line)
{
	if (s->listed++ < LINES && s->lines) {
		json_dumpf(line, s->lines, JSON_COMPACT | JSON_ENSURE_ASCII);
		fputc('\n', s->lines);
	}
	if (json_array_size(s->first) < FIRST)
		json_array_append(s->first, line);
	json_decref(line);
}

/* `is`: NULL when it was not done again. */
static void add(struct search *s, const struct namer *namer, const struct track *was, const struct track *is,
		unsigned int where)
{
	const struct op_namer show = namer_for_show(namer);
	const struct op *op = op_by_id(was->first.kind);
	struct journal_record record = was->first;
	char text[4 * 4096 * 2 + 512];

	record.answer = was->answers[where];
	if (was->count > 1)
		record.args.dir2 = where;
	if (op)
		op->show(&record, &show, text, sizeof(text));
	else
		snprintf(text, sizeof(text), "unknown operation %u = %d", record.kind, record.answer);
	add_line(s, json_pack("{s:i, s:I, s:s, s:o, s:i, s:o}", "worker", (int)namer->worker, "operation",
			      (json_int_t)record.operation, "op", op ? op->name : "unknown", "text",
			      json_text(text), "was", record.answer, "is",
			      is ? json_integer(is->answers[where]) : json_null()));
}

static int compare(struct search *s, struct namer *namer, struct track *was, struct track *is,
		   struct error *e)
{
	unsigned int where;

	if (track_next(is, e))
		return -1;
	for (;;) {
		if (track_next(was, e))
			return -1;
		if (!was->count)
			return 0;
		s->operations++;
		if (is->count && is->first.operation == was->first.operation) {
			if (same_answers(was, is, &where)) {
				s->same++;
			} else {
				s->differing++;
				add(s, namer, was, is, where);
			}
			if (track_next(is, e))
				return -1;
		} else if (is->count || was->first.operation <= is->reached) {
			s->skipped++;
			add(s, namer, was, NULL, 0);
		} else {
			s->not_reached++;
		}
		namer_learn(namer, &was->first);
	}
}

static int compare_worker(struct search *s, const char *run, const char *replay, uint32_t worker,
			  unsigned int shared_dirs, struct error *e)
{
	struct track was = {0}, is = {0};
	struct namer namer;
	int ret;

	if (namer_begin(&namer, run, worker, shared_dirs, e))
		return -1;
	ret = track_open(&was, run, worker, e) || track_open(&is, replay, worker, e) ||
	      compare(s, &namer, &was, &is, e);
	journal_reader_close(was.reader);
	journal_reader_close(is.reader);
	namer_end(&namer);
	return ret ? -1 : 0;
}

json_t *differences_find(const char *run, const char *replay, unsigned int workers, unsigned int shared_dirs,
			 struct error *e)
{
	struct search s = {.first = json_array()};
	char path[4096 + 32];
	bool bad = false;

	s.lines = fopen(rundir_path(path, sizeof(path), replay, "differences.jsonl"), "we");
	if (!s.lines) {
		json_decref(s.first);
		error_errno(e, EXIT_HARNESS, errno, "cannot make %s", path);
		return NULL;
	}
	for (uint32_t i = 0; i < workers && !bad; i++)
		bad = compare_worker(&s, run, replay, i, shared_dirs, e);
	if (fclose(s.lines) && !bad)
		bad = error_errno(e, EXIT_HARNESS, errno, "cannot write %s", path);
	if (bad) {
		json_decref(s.first);
		return NULL;
	}
	return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:o}", "of", json_text(run), "operations",
			 (json_int_t)s.operations, "same", (json_int_t)s.same, "differing",
			 (json_int_t)s.differing, "skipped", (json_int_t)s.skipped, "not_reached",
			 (json_int_t)s.not_reached, "differences", s.first);
}
