/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/durable/timeline.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Times of syncs and freezes are rounded, those of operations are not. */
#define ROUNDING (1 * NSEC_PER_MSEC)

static uint64_t ns_of(double seconds)
{
	return seconds > 0 ? (uint64_t)(seconds * NSEC_PER_SEC) : 0;
}

static double number_of(const json_t *j, const char *name)
{
	return json_number_value(json_object_get(j, name));
}

static bool is(const json_t *j, const char *event)
{
	const char *is = json_string_value(json_object_get(j, "event"));

	return is && strcmp(is, event) == 0;
}

/* From when to when the whole target was written out. A freeze writes all out, too; its line comes when it is
 * over. */
static bool wrote_all(const json_t *j, uint64_t *begin, uint64_t *end)
{
	const double frozen = number_of(j, "frozen");
	double from;

	if (is(j, "sync")) {
		*begin = ns_of(number_of(j, "from"));
		*end = ns_of(number_of(j, "to"));
		return true;
	}
	from = number_of(j, "t") - number_of(j, "took") - frozen;
	*begin = ns_of(from);
	*end = ns_of(from + number_of(j, "took"));
	return is(j, "freeze") && frozen > 0;
}

static uint64_t moment_of(const json_t *j)
{
	return (uint64_t)json_integer_value(json_object_get(j, "ns"));
}

/* A sync that was over before the target began to fail may be told behind it, but not one that was over
 * later. */
static void take(struct told_times *t, const json_t *j)
{
	uint64_t begin, end;

	if (is(j, "fault"))
		t->failing = moment_of(j);
	else if (is(j, "failed") && !number_of(j, "errno"))
		t->failed = moment_of(j);
	else if (wrote_all(j, &begin, &end) && (!t->failing || end + ROUNDING < t->failing))
		t->whole = MAX(t->whole, begin);
}

static void read_lines(struct told_times *t, FILE *in)
{
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, in) > 0) {
		json_t *j = json_loads(line, 0, NULL);

		take(t, j);
		json_decref(j);
	}
	free(line);
}

struct told_times timeline_times(const char *run)
{
	static const char *const names[] = {"timeline.old.jsonl", "timeline.jsonl"};
	struct told_times t = {0};
	char path[4096 + 32];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		FILE *in;

		snprintf(path, sizeof(path), "%s/%s", run, names[i]);
		in = fopen(path, "re");
		if (in)
			read_lines(&t, in);
		if (in)
			fclose(in);
	}
	t.whole -= MIN(t.whole, ROUNDING);
	return t;
}
