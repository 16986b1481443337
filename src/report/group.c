/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings of one cause become one story. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/finding/store.h"
#include "src/report/story.h"

/* ---- is it the same cause? */

static bool is_data(const struct finding *f)
{
	return f->length && f->object;
}

/* A write that did not arrive, or only in part. */
static bool is_lost(const struct finding *f)
{
	return f->operation && (f->class == FINDING_STALE || f->class == FINDING_ZEROES);
}

static bool same_data(const struct story *s, const struct finding *f)
{
	const struct finding *g = &s->first;

	if (g->worker != f->worker || g->object != f->object)
		return false;
	if (is_lost(g) && is_lost(f) && g->operation == f->operation)
		return true;
	return f->offset < s->to && s->from < f->offset + f->length;
}

static size_t parent_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) : 0;
}

static bool same_parent(const char *a, const char *b)
{
	size_t len = parent_length(a);

	return len == parent_length(b) && strncmp(a, b, len) == 0;
}

static bool is_name(const struct finding *f)
{
	return f->path[0] && (f->class == FINDING_MISSING || f->class == FINDING_EXTRA);
}

/* What scrub sees it counts against the device and writes to the log. */
static bool is_copy(const struct finding *f)
{
	static const char *const verifiers[] = {"scrub", "devstats", "mirrors"};

	for (size_t i = 0; i < ARRAY_SIZE(verifiers); i++) {
		if (strcmp(f->verifier, verifiers[i]) == 0)
			return true;
	}
	return f->place == SEEN_LOG && strstr(f->detail, " errs: ");
}

static bool same_cause(const struct story *s, const struct finding *f)
{
	const struct finding *g = &s->first;

	if (g->class == FINDING_EROFS || f->class == FINDING_EROFS)
		return g->class == f->class;
	if (is_copy(g) || is_copy(f))
		return is_copy(g) && is_copy(f);
	if (is_data(g) || is_data(f))
		return is_data(g) && is_data(f) && same_data(s, f);
	if (is_name(g) || is_name(f))
		return is_name(g) && is_name(f) && same_parent(g->path, f->path);
	if (g->class != f->class || strcmp(g->path, f->path) != 0)
		return false;
	return g->path[0] || strcmp(g->detail, f->detail) == 0;
}

/* ---- building */

static void add_member(struct story *s, unsigned int number, const struct finding *f)
{
	if (s->members < STORY_MEMBERS) {
		struct story_member *m = &s->member[s->members];

		m->number = number;
		memcpy(m->verifier, f->verifier, sizeof(m->verifier));
		m->class = (uint8_t)f->class;
		m->place = (uint8_t)f->place;
		m->round = f->round;
		m->time = f->time;
	}
	s->members++;
	if (is_data(f)) {
		s->from = s->members == 1 ? f->offset : MIN(s->from, f->offset);
		s->to = MAX(s->to, f->offset + f->length);
	}
	s->last = MAX(s->last, f->time);
	values_add(s, f);
}

static void add_writer(struct story *s, uint32_t worker, uint64_t operation, uint32_t object)
{
	if (!operation)
		return;
	for (unsigned int i = 1; i < s->writers; i++) {
		if (s->writer[i].worker == worker && s->writer[i].operation == operation)
			return;
	}
	if (s->writers < STORY_WRITERS)
		s->writer[s->writers++] =
			(struct story_writer){.worker = worker, .operation = operation, .object = object};
}

/* Who should have written it comes first, then those whose bytes were found. */
static void take_writers(struct story *s)
{
	const struct finding *f = &s->first;

	s->writers = 1;
	s->writer[0] =
		(struct story_writer){.worker = f->worker, .object = f->object, .operation = f->operation};
	for (unsigned int i = 0; i < f->ranges; i++) {
		const struct finding_range *r = &f->range[i];

		if (r->class == FINDING_STALE || r->class == FINDING_SHIFTED)
			add_writer(s, f->worker, r->origin.operation, f->object);
		if (r->class == FINDING_FOREIGN)
			add_writer(s, r->origin.worker, r->origin.operation, r->object);
	}
}

static struct story *make(struct stories *all, unsigned int number, const struct finding *f)
{
	struct story **grown = realloc(all->story, (all->count + 1) * sizeof(struct story *));
	struct story *s = calloc(1, sizeof(*s));

	if (grown)
		all->story = grown;
	if (!grown || !s) {
		free(s);
		return NULL;
	}
	s->first = *f;
	s->number = number;
	s->commits = -1;
	s->commits_before = -1;
	take_writers(s);
	all->story[all->count++] = s;
	return s;
}

void stories_begin(struct stories *s, const json_t *run_json, unsigned int limit)
{
	*s = (struct stories){.limit = limit};
	story_again(s->again, sizeof(s->again), run_json);
}

void stories_add(struct stories *all, unsigned int number, const struct finding *f)
{
	struct story *s = NULL;

	all->findings++;
	for (unsigned int i = 0; i < all->count && !s; i++) {
		if (same_cause(all->story[i], f))
			s = all->story[i];
	}
	if (!s && all->count < all->limit)
		s = make(all, number, f);
	if (s)
		add_member(s, number, f);
	else
		all->left_out++;
}

static int take(void *self, unsigned int number, const struct finding *f)
{
	stories_add(self, number, f);
	return 0;
}

int stories_load(struct stories *s, const char *run, const json_t *run_json, unsigned int limit,
		 struct error *e)
{
	stories_begin(s, run_json, limit);
	story_replay(s->replay, sizeof(s->replay), run, run_json);
	return finding_load(run, take, s, e) < 0 ? -1 : 0;
}

void stories_free(struct stories *s)
{
	for (unsigned int i = 0; i < s->count; i++)
		free(s->story[i]);
	free(s->story);
	s->story = NULL;
	s->count = 0;
}
