/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/durable/syncs.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/ops/table.h"

/* Times in the timeline are rounded, those of operations are not. */
#define ROUNDING (1 * NSEC_PER_MSEC)

void syncs_end(struct syncs *s)
{
	free(s->object);
	*s = (struct syncs){0};
}

static struct synced *object_at(struct syncs *s, uint32_t id)
{
	static struct synced nobody;

	if (id == OBJECT_HELD)
		return &nobody;
	if (id >= s->objects) {
		size_t objects = MAX(2 * s->objects, (size_t)id + 1024);
		struct synced *grown = reallocarray(s->object, objects, sizeof(*grown));

		if (!grown) {
			s->failed = true;
			return &nobody;
		}
		memset(grown + s->objects, 0, (objects - s->objects) * sizeof(*grown));
		s->object = grown;
		s->objects = objects;
	}
	return &s->object[id];
}

struct synced syncs_of(const struct syncs *s, uint32_t object, uint64_t born)
{
	struct synced found = object < s->objects ? s->object[object] : (struct synced){0};

	if (found.data <= born && born)
		found.data = 0;
	if (found.all <= born && born)
		found.all = 0;
	return found;
}

static void take_object(struct syncs *s, const struct journal_record *r, bool all)
{
	struct synced *o = object_at(s, r->args.object);

	o->data = r->operation;
	if (all)
		o->all = r->operation;
}

/* How shared_sync syncs. */
enum { BY_FSYNC };

void syncs_take(struct syncs *s, const struct done *d)
{
	const struct journal_record *r = &d->part[0];

	if (d->mark || d->pending || r->answer < 0)
		return;
	switch (r->kind) {
	case OP_FSYNC:
		take_object(s, r, true);
		break;
	case OP_FDATASYNC:
		take_object(s, r, false);
		break;
	case OP_SHARED_SYNC:
		take_object(s, r, r->args.aux == BY_FSYNC);
		break;
	case OP_SNAPSHOT:
	case OP_SNAPSHOT_SWITCH:
		s->snapshot = r->operation;
		if (r->args.aux)
			s->whole = MAX(s->whole, r->start);
		break;
	default:
		break;
	}
}

/* ---- the timeline */

static double number_of(const json_t *j, const char *name)
{
	return json_number_value(json_object_get(j, name));
}

/* A freeze writes all out, too; its line comes when it is over. */
static double begin_of(const json_t *j)
{
	const char *event = json_string_value(json_object_get(j, "event"));

	if (event && strcmp(event, "sync") == 0)
		return number_of(j, "from");
	if (event && strcmp(event, "freeze") == 0 && number_of(j, "frozen") > 0)
		return number_of(j, "t") - number_of(j, "took") - number_of(j, "frozen");
	return 0;
}

uint64_t syncs_timeline(const char *run)
{
	static const char *const names[] = {"timeline.old.jsonl", "timeline.jsonl"};
	char path[4096 + 32], *line = NULL;
	uint64_t last = 0;
	size_t room = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		FILE *in;

		snprintf(path, sizeof(path), "%s/%s", run, names[i]);
		in = fopen(path, "re");
		while (in && getline(&line, &room, in) > 0) {
			json_t *j = json_loads(line, 0, NULL);
			double begin = begin_of(j);

			if (begin > 0)
				last = MAX(last, (uint64_t)(begin * NSEC_PER_SEC));
			json_decref(j);
		}
		if (in)
			fclose(in);
	}
	free(line);
	return last > ROUNDING ? last - ROUNDING : 0;
}
