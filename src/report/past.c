/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the journal says of the objects of stories. */
#include <string.h>

#include "src/ops/op.h"
#include "src/report/story.h"

#define NAME_ROOM 64 /* longer names are cut, */
#define NAME_ENDS 28 /* to so much of both ends */

/* ---- who wants what */

static bool has_object(const struct story *s)
{
	return s->first.object != 0;
}

/* An entry that no object stands behind is known by its path. */
static bool by_path(const struct story *s)
{
	return !has_object(s) && s->first.path[0] != '\0';
}

static bool wants_worker(const struct story *s, uint32_t worker)
{
	if (by_path(s) || (has_object(s) && s->first.worker == worker) || values_want_worker(s, worker))
		return true;
	for (unsigned int i = 1; i < s->writers; i++) {
		if (s->writer[i].worker == worker)
			return true;
	}
	return false;
}

bool stories_want_worker(const struct stories *all, uint32_t worker)
{
	for (unsigned int i = 0; i < all->count; i++) {
		if (wants_worker(all->story[i], worker))
			return true;
	}
	return false;
}

bool stories_want_paths(const struct stories *all)
{
	for (unsigned int i = 0; i < all->count; i++) {
		if (by_path(all->story[i]))
			return true;
	}
	return false;
}

void stories_journal(struct stories *all, uint32_t worker, uint64_t first)
{
	all->dropped |= first > 1;
	for (unsigned int i = 0; i < all->count; i++)
		values_journal(all->story[i], worker, first);
}

static bool is_own(const struct story *s, const struct story_record *r)
{
	if (has_object(s))
		return s->first.worker == r->worker && s->first.object == r->record->args.object;
	for (unsigned int i = 0; i < r->paths; i++) {
		if (by_path(s) && strcmp(r->path[i], s->first.path) == 0)
			return true;
	}
	return false;
}

static bool is_writer(const struct story *s, const struct story_record *r)
{
	for (unsigned int i = 0; i < s->writers; i++) {
		const struct story_writer *w = &s->writer[i];

		if (w->operation && w->worker == r->worker &&
		    (w->operation == r->record->operation || w->object == r->record->args.object))
			return true;
	}
	return false;
}

bool stories_want(const struct stories *all, const struct story_record *r)
{
	for (unsigned int i = 0; i < all->count; i++) {
		const struct story *s = all->story[i];

		if (r->record->start <= s->last && (is_own(s, r) || is_writer(s, r) || values_want(s, r)))
			return true;
	}
	return false;
}

/* ---- taking a record in */

/* Length of the quoted string that the text begins with, 0 if it begins with none. */
static size_t quoted_length(const char *text)
{
	if (*text != '"')
		return 0;
	for (size_t i = 1; text[i]; i++) {
		if (text[i] == '"')
			return i + 1;
		if (text[i] == '\\' && text[i + 1])
			i++;
	}
	return 0;
}

/* The text with quoted names that are long cut in their middle: both ends tell them apart. */
static void shorten(char *out, size_t len, const char *text)
{
	size_t used = 0;

	while (*text && used + 1 < len) {
		size_t whole = MAX(quoted_length(text), (size_t)1);

		if (whole > NAME_ROOM)
			used += (size_t)snprintf(out + used, len - used, "%.*s...%.*s", NAME_ENDS, text,
						 NAME_ENDS, text + whole - NAME_ENDS);
		else
			used += (size_t)snprintf(out + used, len - used, "%.*s", (int)whole, text);
		text += whole;
	}
	out[MIN(used, len - 1)] = '\0';
}

static struct story_op make_op(uint32_t worker, const struct journal_record *r, const char *text)
{
	struct story_op op = {.known = true,
			      .worker = worker,
			      .took = r->took,
			      .operation = r->operation,
			      .start = r->start};

	shorten(op.text, sizeof(op.text), text);
	return op;
}

static bool makes(const struct journal_record *r, const struct op *op)
{
	static const char *const makers[] = {"create", "mkdir", "symlink", "tmpfile", "subvol_create"};

	for (size_t i = 0; op && r->answer >= 0 && i < ARRAY_SIZE(makers); i++) {
		if (strcmp(op->name, makers[i]) == 0)
			return true;
	}
	return false;
}

static void take_past(struct story *s, const struct journal_record *r, const struct op *op,
		      const struct story_op *line)
{
	bool reads = op && op->reads;

	/* Numbers of objects are used again: what is made now has no past. */
	if (has_object(s) && makes(r, op))
		s->past_count = 0;
	s->past[s->past_count++ % STORY_PAST] = *line;
	if (r->answer >= 0 && !reads && (!op || op->group != GROUP_DURABILITY))
		s->changed = r->start;
}

static void take_writer(struct story_writer *w, const struct journal_record *r, const struct op *op,
			const struct story_op *line)
{
	if (w->operation == r->operation && !w->op.known)
		w->op = *line;
	else if (w->op.known && !w->sync.known && r->operation > w->operation &&
		 r->args.object == w->object && op && op->group == GROUP_DURABILITY && r->answer >= 0)
		w->sync = *line;
}

/* Foreign bytes of the same worker: did this operation clone them here? */
static void take_clone(struct story *s, const struct story_record *r, const struct story_op *line)
{
	const struct finding *f = &s->first;

	if (r->worker != f->worker || r->record->args.object != f->object || r->record->answer < 0)
		return;
	for (unsigned int i = 0; i < f->ranges; i++) {
		const struct finding_range *range = &f->range[i];
		const uint64_t at = f->offset / BLOCK_SIZE * BLOCK_SIZE + range->start;

		if (range->class == FINDING_FOREIGN && range->origin.worker == f->worker &&
		    effects_cloned(r->followed, f->object, at, range->object, range->offset,
				   range->origin.operation))
			s->cloned[i] = *line;
	}
}

enum finding_class story_class(const struct story *s)
{
	const struct finding *f = &s->first;
	bool cloned = false;

	if (f->class != FINDING_FOREIGN)
		return f->class;
	for (unsigned int i = 0; i < f->ranges; i++) {
		if (f->range[i].class == FINDING_FOREIGN && !s->cloned[i].known)
			return FINDING_FOREIGN;
		cloned |= s->cloned[i].known;
	}
	return cloned ? FINDING_STALE : FINDING_FOREIGN;
}

void stories_record(struct stories *all, const struct story_record *r, const char *text)
{
	const struct story_op line = make_op(r->worker, r->record, text);
	const struct op *op = op_by_id(r->record->kind);

	for (unsigned int i = 0; i < all->count; i++) {
		struct story *s = all->story[i];

		if (r->record->start > s->last)
			continue;
		if (is_own(s, r))
			take_past(s, r->record, op, &line);
		for (unsigned int k = 0; k < s->writers; k++) {
			if (s->writer[k].operation && s->writer[k].worker == r->worker)
				take_writer(&s->writer[k], r->record, op, &line);
		}
		take_clone(s, r, &line);
		values_record(s, r, &line);
	}
}

void stories_barrier(struct stories *all, uint32_t worker, uint64_t start)
{
	for (unsigned int i = 0; i < all->count; i++) {
		struct story *s = all->story[i];

		if (s->writer[0].op.known && s->first.worker == worker && start <= s->first.time)
			s->barriers++;
	}
}
