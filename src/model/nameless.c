/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names beyond rename: two that change places, whiteouts, and files that have none. */
#include "src/model/private.h"

/* The name record is under another directory now, or another object under it. */
static void settle(struct model *m, uint64_t op, uint32_t id, struct object *o, uint32_t parent)
{
	struct object dir;

	if (parent != OBJECT_HELD) {
		object_get(m, parent, &dir);
		moved_to(o, &dir);
	}
	o->changed = op;
	object_put(m, id, o);
}

void model_exchange(struct model *m, uint64_t op, uint32_t name, uint32_t other)
{
	struct object one, two;
	struct name n, o;
	uint32_t first, second;

	model_learned(m, op);
	if (!view_name(&m->head, name, &n) || !view_name(&m->head, other, &o) || n.object == o.object)
		return;
	first = n.object;
	second = o.object;
	object_get(m, first, &one);
	object_get(m, second, &two);
	link_remove(m, name, &one);
	link_remove(m, other, &two);
	link_add(m, name, &n, second, &two);
	link_add(m, other, &o, first, &one);
	settle(m, op, first, &one, o.parent);
	settle(m, op, second, &two, n.parent);
	count_child(m, op, n.parent, 0);
	count_child(m, op, o.parent, 0);
}

uint32_t model_whiteout(struct model *m, uint64_t op, uint32_t name, uint32_t parent, struct nameref to,
			uint32_t whiteout, int64_t time_min, int64_t time_max)
{
	const struct model_create what = {
		.type = OBJECT_WHITEOUT, .time_min = time_min, .time_max = time_max};
	struct name n, moved = {.parent = parent, .tag = to.tag};
	struct object o, dir, fresh;
	uint32_t object;

	model_learned(m, op);
	if (!view_name(&m->head, name, &n) || array_take(&m->owner, &m->head.objects, whiteout) ||
	    array_take(&m->owner, &m->head.names, to.number))
		return OBJECT_NONE;
	object = n.object;
	object_get(m, object, &o);
	link_remove(m, name, &o);
	link_add(m, to.number, &moved, object, &o);
	settle(m, op, object, &o, parent);
	object_get(m, n.parent, &dir);
	fresh = object_fresh(op, &what, &dir);
	link_add(m, name, &n, whiteout, &fresh);
	object_put(m, whiteout, &fresh);
	count_child(m, op, n.parent, 0);
	count_child(m, op, parent, 1);
	return whiteout;
}

/* The only record of a file moves from its parent to another; one of both is OBJECT_HELD. */
static void move_record(struct model *m, uint64_t op, uint32_t name, uint32_t parent, uint32_t tag)
{
	struct object o;
	struct name n;
	uint32_t before;

	model_learned(m, op);
	if (!view_name(&m->head, name, &n))
		return;
	before = n.parent;
	object_get(m, n.object, &o);
	link_remove(m, name, &o);
	n.parent = parent;
	n.tag = tag;
	link_add(m, name, &n, n.object, &o);
	o.flags &= (uint8_t)~OBJECT_LINKABLE;
	settle(m, op, n.object, &o, parent);
	count_child(m, op, before, -1);
	count_child(m, op, parent, 1);
}

void model_orphan(struct model *m, uint64_t op, uint32_t name)
{
	struct name n;

	if (view_name(&m->head, name, &n))
		move_record(m, op, name, OBJECT_HELD, n.tag);
}

void model_link_held(struct model *m, uint64_t op, uint32_t name, uint32_t parent, struct nameref to)
{
	move_record(m, op, name, parent, to.tag);
}
