/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/durable/touches.h"

#include <stdlib.h>
#include <string.h>

void touches_end(struct touches *t)
{
	free(t->touch);
	free(t->newest);
	*t = (struct touches){0};
}

static bool make_room(struct touches *t, uint32_t object)
{
	if (t->count == t->room) {
		size_t room = MAX(2 * t->room, (size_t)1024);
		struct touch *grown = reallocarray(t->touch, room, sizeof(*grown));

		if (!grown)
			return false;
		t->touch = grown;
		t->room = room;
	}
	if (object >= t->objects) {
		size_t objects = MAX(2 * t->objects, (size_t)object + 1);
		uint32_t *grown = reallocarray(t->newest, objects, sizeof(*grown));

		if (!grown)
			return false;
		memset(grown + t->objects, 0, (objects - t->objects) * sizeof(*grown));
		t->newest = grown;
		t->objects = objects;
	}
	return true;
}

void touches_add(struct touches *t, const struct done *d, uint32_t object, const struct object *after)
{
	for (unsigned int i = 0; i < d->count; i++) {
		if (object == OBJECT_HELD || !make_room(t, object)) {
			t->failed |= object != OBJECT_HELD;
			return;
		}
		t->touch[t->count] = (struct touch){d->part[i], d->pending, *after, t->newest[object]};
		t->newest[object] = (uint32_t)++t->count;
	}
}

static const struct touch *behind(const struct touches *t, uint32_t at, uint64_t operation)
{
	const struct touch *found = at ? &t->touch[at - 1] : NULL;

	return found && found->record.operation > operation ? found : NULL;
}

const struct touch *touches_newest(const struct touches *t, uint32_t object, uint64_t operation)
{
	return object < t->objects ? behind(t, t->newest[object], operation) : NULL;
}

const struct touch *touches_before(const struct touches *t, const struct touch *at, uint64_t operation)
{
	return behind(t, at->before, operation);
}
