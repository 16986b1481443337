/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/durable/syncs.h"

#include <stdlib.h>
#include <string.h>

#include "src/ops/table.h"

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

	if (d->mark || d->pending || r->answer < 0 || (s->until && done_end(d) >= s->until))
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
