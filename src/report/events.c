/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happened to the machine between the last change of an object and the check that found it wrong. */
#include <stdlib.h>
#include <string.h>

#include "src/base/units.h"
#include "src/report/print.h"
#include "src/report/story.h"

/* Where the journal doesn't know of a change: so long before the check. */
#define BEFORE (5 * NSEC_PER_SEC)

/* ---- reading lines */

typedef void take_fn(struct stories *all, const char *line, void *arg);

static void each_line(const char *run, const char *name, take_fn *take, struct stories *all, void *arg)
{
	char path[4096 + 64], *line = NULL;
	size_t room = 0;
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", run, name);
	in = fopen(path, "re");
	if (!in)
		return;
	while (getline(&line, &room, in) > 0)
		take(all, line, arg);
	free(line);
	fclose(in);
}

/* ---- the stretch that a story is about */

static uint64_t begin_of(const struct story *s)
{
	uint64_t check = s->first.time;

	if (s->writer[0].op.known && s->writer[0].op.start <= check)
		return s->writer[0].op.start;
	if (s->changed && s->changed <= check)
		return s->changed;
	return check > BEFORE ? check - BEFORE : 0;
}

static bool covers(const struct story *s, uint64_t t)
{
	return t >= begin_of(s) && t <= s->first.time;
}

/* The first stays, it is nearest to the write; of the others the newest. */
static void push(struct story *s, const struct story_event *event)
{
	if (s->events == STORY_EVENTS) {
		memmove(&s->event[1], &s->event[2], (STORY_EVENTS - 2) * sizeof(s->event[0]));
		s->events--;
		s->events_left_out++;
	}
	s->event[s->events++] = *event;
}

/* ---- what injectors did, phase by phase */

struct phase {
	char label[80];
	uint64_t from;
};

static struct story_actor *actor_of(struct story *s, const char *who)
{
	unsigned int i = 0;

	while (i < s->now.actors && strcmp(s->now.actor[i].who, who) != 0)
		i++;
	if (i == STORY_ACTORS)
		return NULL;
	if (i == s->now.actors) {
		s->now.actor[i] = (struct story_actor){0};
		snprintf(s->now.actor[i].who, sizeof(s->now.actor[i].who), "%s", who);
		s->now.actors++;
	}
	return &s->now.actor[i];
}

/* "hotplug cycle: 4 steps, 3 memory blocks offline, 92817 pages moved, 9016 of them dirty ones of the
 * target". */
static void tell_actor(char *text, size_t len, const struct story_actor *a)
{
	const struct {
		uint64_t count;
		const char *one, *more;
	} parts[] = {
		{a->steps, "step", "steps"},
		{a->offline, "memory block offline", "memory blocks offline"},
		{a->freezes, "freeze", "freezes"},
		{a->changes, "setting changed", "settings changed"},
		{a->refused, "refused", "refused"},
	};
	const char *comma = ": ";

	text_add(text, len, "; %s%s%s", a->who, a->word[0] ? " " : "", a->word);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!parts[i].count)
			continue;
		text_add(text, len, "%s%llu %s", comma, (unsigned long long)parts[i].count,
			 parts[i].count == 1 ? parts[i].one : parts[i].more);
		comma = ", ";
	}
	if (a->pages)
		text_add(text, len, "%s%llu pages moved, %llu of them dirty ones of the target", comma,
			 (unsigned long long)a->pages, (unsigned long long)a->dirty);
}

static void close_stretch(struct story *s, uint64_t end)
{
	struct story_event event = {.from = s->now.from, .to = end};

	if (!s->now.open)
		return;
	s->now.open = false;
	if (!s->now.actors)
		return; /* nothing was done to the machine */
	snprintf(event.text, sizeof(event.text), "%s", s->now.label);
	for (unsigned int i = 0; i < s->now.actors; i++)
		tell_actor(event.text, sizeof(event.text), &s->now.actor[i]);
	push(s, &event);
}

static void open_stretch(struct story *s, const char *label, uint64_t from)
{
	s->now.open = s->now.entered = true;
	s->now.from = from;
	s->now.actors = 0;
	snprintf(s->now.label, sizeof(s->now.label), "%s", label);
}

static void name_phase(struct phase *p, const json_t *j, uint64_t t)
{
	const char *stage = json_text(j, "stage"), *phase = json_text(j, "phase");
	unsigned int round = (unsigned int)json_uint(j, "round");

	p->from = t;
	if (phase[0])
		snprintf(p->label, sizeof(p->label), "round %u, phase %.40s", round, phase);
	else
		snprintf(p->label, sizeof(p->label), "round %u, %s", round,
			 !strcmp(stage, "verify")    ? "verification"
			 : !strcmp(stage, "remount") ? "unmounted, checked, mounted again"
						     : stage);
}

static bool is_offline(const json_t *j)
{
	return strstr(json_text(j, "path"), "/memory/memory") && !strcmp(json_text(j, "value"), "offline");
}

/* "cycle: 4 steps, 1 refused, 3 idle (...), 92817 pages moved, 9016 of them seen dirty": what an injector
 * says at the end of its phase. Others of its notes are left out. */
static void take_note(struct story *s, const json_t *j)
{
	const char *text = json_text(j, "text"), *pages = strstr(text, " pages moved, ");
	struct story_actor *a;
	unsigned int steps;
	char word[16];

	if (sscanf(text, "%15[a-z]: %u steps", word, &steps) != 2)
		return;
	a = actor_of(s, json_text(j, "who"));
	if (!a)
		return;
	memcpy(a->word, word, sizeof(a->word));
	a->steps += steps;
	if (!pages)
		return;
	a->dirty += strtoull(pages + strlen(" pages moved, "), NULL, 10);
	while (pages > text && pages[-1] >= '0' && pages[-1] <= '9')
		pages--;
	a->pages += strtoull(pages, NULL, 10);
}

static void count_event(struct story *s, const json_t *j)
{
	const char *event = json_text(j, "event");
	bool change = !strcmp(event, "change"), freeze = !strcmp(event, "freeze");
	struct story_actor *a = change || freeze ? actor_of(s, json_text(j, "who")) : NULL;

	if (!strcmp(event, "note"))
		take_note(s, j);

	if (!a)
		return;
	if (json_uint(j, "errno"))
		a->refused++;
	else if (freeze)
		a->freezes++;
	else if (is_offline(j))
		a->offline++;
	else
		a->changes++;
}

/* ---- syncs of the whole target */

/* It counts for what had answered before. */
static void sync_writer(struct story_writer *w, const struct story_whole_sync *sync, uint64_t end)
{
	const uint64_t answered = w->op.start + (uint64_t)w->op.took * NSEC_PER_USEC;

	if (w->op.known && sync->from > answered && sync->from <= end &&
	    (!w->whole.known || sync->from < w->whole.from))
		w->whole = *sync;
}

static void sync_story(struct story *s, const struct story_whole_sync *sync)
{
	for (unsigned int i = 0; i < s->writers; i++)
		sync_writer(&s->writer[i], sync, s->first.time);
	for (unsigned int i = 0; i < s->values; i++) {
		struct story_value *v = &s->value[i];

		sync_writer(&v->should, sync, v->time);
		sync_writer(&v->set, sync, v->replaced.known ? v->replaced.start : v->time);
	}
}

/* Was this event one? A freeze writes all out, too; its line comes when it is over. */
static bool is_whole_sync(const json_t *j, uint64_t t, struct story_whole_sync *sync)
{
	const bool freeze = !strcmp(json_text(j, "event"), "freeze");
	const double lasted = json_number(j, "took") + json_number(j, "frozen");
	double from = json_number(j, "from");

	*sync = (struct story_whole_sync){.known = true};
	snprintf(sync->who, sizeof(sync->who), "%s", json_text(j, "who"));
	snprintf(sync->how, sizeof(sync->how), "%s", freeze ? "freeze" : json_text(j, "how"));
	if (freeze)
		from = MAX((double)t / NSEC_PER_SEC - lasted, 0.0);
	sync->from = (uint64_t)(from * NSEC_PER_SEC);
	return !strcmp(json_text(j, "event"), "sync") || (freeze && json_number(j, "frozen") > 0);
}

/* A story's first stretch begins amid a phase. */
static void enter(struct story *s, const struct phase *p)
{
	if (!s->now.open && !s->now.entered && p->label[0])
		open_stretch(s, p->label, MAX(p->from, begin_of(s)));
}

static void take_event(struct stories *all, const char *line, void *arg)
{
	json_t *j = json_loads(line, 0, NULL);
	struct phase *p = arg, before = *p;
	uint64_t t = (uint64_t)(json_number(j, "t") * NSEC_PER_SEC);
	bool phase = !strcmp(json_text(j, "event"), "phase");
	struct story_whole_sync sync;
	bool synced = is_whole_sync(j, t, &sync);

	if (phase)
		name_phase(p, j, t);
	for (unsigned int i = 0; i < all->count; i++) {
		struct story *s = all->story[i];

		if (synced)
			sync_story(s, &sync);
		if (!covers(s, t))
			continue;
		enter(s, &before);
		if (phase) {
			close_stretch(s, t);
			open_stretch(s, p->label, t);
		} else {
			count_event(s, j);
		}
	}
	json_decref(j);
}

static void close_all(struct stories *all, const struct phase *p)
{
	for (unsigned int i = 0; i < all->count; i++) {
		struct story *s = all->story[i];

		if (p->from <= s->first.time)
			enter(s, p);
		close_stretch(s, s->first.time);
	}
}

/* ---- the kernel log */

/* What the kernel prints of each page that it could not move: many lines, asked for by the injectors. */
static bool is_page_dump(const char *text)
{
	static const char *const starts[] = {
		"page:", "page dumped because:", "head:",      "raw:",     "flags:", "memcg:",
		"aops:", "migrating pfn ",       "page_owner", "page last"};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		if (strncmp(text, starts[i], strlen(starts[i])) == 0)
			return true;
	}
	return false;
}

static void push_line(struct story *s, const struct story_event *event)
{
	if (s->lines == STORY_LINES) {
		memmove(&s->line[0], &s->line[1], (STORY_LINES - 1) * sizeof(s->line[0]));
		s->lines--;
		s->lines_left_out++;
	}
	s->line[s->lines++] = *event;
}

/* "prio,seq,usec,flags;text": microseconds of the kernel's own clock, which began with CLOCK_MONOTONIC. */
static void take_line(struct stories *all, const char *line, void *arg)
{
	const uint64_t *start = arg;
	const char *text = strchr(line, ';');
	unsigned long long usec;
	uint64_t t;

	if (!text || sscanf(line, "%*u,%*u,%llu,", &usec) != 1 || usec * 1000 < *start)
		return;
	t = usec * 1000 - *start;
	for (unsigned int i = 0; i < all->count; i++) {
		struct story_event event = {.from = t, .to = t};

		if (!covers(all->story[i], t) || is_page_dump(text + 1))
			continue;
		snprintf(event.text, sizeof(event.text), "kernel: %.*s", (int)strcspn(text + 1, "\n"),
			 text + 1);
		push_line(all->story[i], &event);
	}
}

/* ---- transactions */

/* Counted once a second or less often: what was committed in the stretch, and a little around it. */
static void take_status(struct stories *all, const char *line, void *arg)
{
	json_t *j = json_loads(line, 0, NULL), *commits = json_object_get(j, "commits");
	uint64_t t = (uint64_t)(json_number(j, "t") * NSEC_PER_SEC);

	for (unsigned int i = 0; json_is_integer(commits) && i < all->count; i++) {
		struct story *s = all->story[i];
		double now = (double)json_integer_value(commits);

		if (t <= begin_of(s) || s->commits_before < 0)
			s->commits_before = now;
		if (t <= s->first.time)
			s->commits = (long)(now - s->commits_before);
	}
	json_decref(j);
}

void stories_events(struct stories *s, const char *run, const json_t *run_json)
{
	uint64_t start = json_uint(run_json, "started_mono_ns");
	struct phase phase = {0};

	each_line(run, "timeline.old.jsonl", take_event, s, &phase);
	each_line(run, "timeline.jsonl", take_event, s, &phase);
	close_all(s, &phase);
	if (start)
		each_line(run, "kmsg.log", take_line, s, &start);
	each_line(run, "status.jsonl", take_status, s, NULL);
}
