/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names: which object is called what, where; and the lists from which operations draw. */
#include <stdlib.h>
#include <string.h>

#include "src/model/private.h"

static void name_unpack(const struct stored_name *s, struct name *out)
{
	*out = (struct name){
		.object = s->object,
		.parent = s->parent,
		.next = s->next,
		.place = s->place,
		.tag = (uint32_t)s->length << 24 | s->seed,
	};
}

bool view_name(const struct model_view *v, uint32_t number, struct name *out)
{
	const struct stored_name *s = view_record(v, &v->names, number);

	if (!s || !s->length)
		return false;
	name_unpack(s, out);
	return true;
}

void name_get(const struct model *m, uint32_t number, struct name *out)
{
	name_unpack(array_at(m->head.pool, &m->head.names, number), out);
}

static void name_put(struct model *m, uint32_t number, const struct name *n)
{
	uint8_t length = n->tag >> 24;
	struct stored_name s = {
		.object = n->object,
		.parent = n->parent,
		.next = n->next,
		.place = n->place,
		.seed = (uint16_t)n->tag,
		.length = length ? length : 1,
	};

	array_put(&m->owner, &m->head.names, number, 0, &s, sizeof(s));
}

/* ---- pick lists -------------------------------------------------------------------------- */

/* Rows of name numbers without gaps: the last one moves into the place of one that goes. */

static enum pick pick_of(uint8_t type, uint32_t parent)
{
	static const enum pick lists[] = {
		[OBJECT_FILE] = PICK_FILE,
		[OBJECT_DIR] = PICK_DIR,
		[OBJECT_SYMLINK] = PICK_SYMLINK,
		[OBJECT_WHITEOUT] = PICK_WHITEOUT,
	};

	return parent == OBJECT_HELD ? PICK_HELD : type < ARRAY_SIZE(lists) ? lists[type] : PICK_FILE;
}

static uint32_t pick_at(const struct model *m, enum pick list, uint32_t place)
{
	uint32_t number;

	memcpy(&number, array_at(m->head.pool, &m->head.picks[list], place), sizeof(number));
	return number;
}

static uint32_t pick_add(struct model *m, enum pick list, uint32_t number)
{
	struct array *a = &m->head.picks[list];
	uint32_t place = array_new(&m->owner, a);

	array_put(&m->owner, a, place, 0, &number, sizeof(number));
	return place;
}

static void pick_remove(struct model *m, enum pick list, uint32_t place)
{
	struct array *a = &m->head.picks[list];
	uint32_t last = a->live - 1;
	uint32_t moved = pick_at(m, list, last);
	struct name n;

	if (place != last) {
		array_put(&m->owner, a, place, 0, &moved, sizeof(moved));
		name_get(m, moved, &n);
		n.place = place;
		name_put(m, moved, &n);
	}
	array_free(&m->owner, a, last);
}

uint32_t model_pick_count(const struct model *m, enum pick list)
{
	return m->head.picks[list].live;
}

uint32_t view_pick(const struct model_view *v, enum pick list, uint32_t place)
{
	const void *record = place < v->picks[list].live ? view_record(v, &v->picks[list], place) : NULL;
	uint32_t number = NAME_NONE;

	if (record)
		memcpy(&number, record, sizeof(number));
	return number;
}

uint32_t model_pick(const struct model *m, enum pick list, uint64_t r)
{
	uint32_t count = model_pick_count(m, list);

	return count ? pick_at(m, list, (uint32_t)(((unsigned __int128)r * count) >> 64)) : NAME_NONE;
}

/* ---- links of an object ------------------------------------------------------------------ */

void link_add(struct model *m, uint32_t number, struct name *n, uint32_t id, struct object *o)
{
	n->object = id;
	n->next = o->first_name;
	n->place = pick_add(m, pick_of(o->type, n->parent), number);
	name_put(m, number, n);
	o->first_name = number;
	o->links += n->parent != OBJECT_HELD;
}

void link_remove(struct model *m, uint32_t number, struct object *o)
{
	struct name n, before = {0};
	uint32_t at = o->first_name;

	name_get(m, number, &n);
	if (at == number) {
		o->first_name = n.next;
	} else {
		for (uint32_t left = o->links; left; left--) {
			name_get(m, at, &before);
			if (before.next == number)
				break;
			at = before.next;
		}
		before.next = n.next;
		name_put(m, at, &before);
	}
	o->links -= n.parent != OBJECT_HELD;
	pick_remove(m, pick_of(o->type, n.parent), n.place);
}

void count_child(struct model *m, uint64_t op, uint32_t dir, int by)
{
	struct object o;

	if (dir == OBJECT_HELD)
		return;
	object_get(m, dir, &o);
	o.children += (uint32_t)by;
	o.changed = op;
	object_put(m, dir, &o);
}

/* ---- changes ----------------------------------------------------------------------------- */

uint32_t model_next_object(const struct model *m)
{
	return array_next(&m->head.objects);
}

uint32_t model_next_name(const struct model *m)
{
	return array_next(&m->head.names);
}

void names_add_anchor(struct model *m, uint32_t id)
{
	struct object o = {.type = OBJECT_DIR, .first_name = NAME_NONE, .mode = 0755, .flags = OBJECT_ANCHOR};
	struct name n = {.parent = OBJECT_NONE};
	uint32_t number;

	if (id >= OBJECT_FIRST_SHARED)
		o.flags |= OBJECT_SHARED | OBJECT_REALM;
	array_new(&m->owner, &m->head.objects);
	number = array_new(&m->owner, &m->head.names);
	link_add(m, number, &n, id, &o);
	object_put(m, id, &o);
	m->head.anchors++;
}

/* What an object has of the directory that it lies in. */
static uint8_t flags_of_place(const struct object *dir)
{
	bool nested = dir->flags & (OBJECT_SUBVOLUME | OBJECT_NESTED);

	return (uint8_t)((dir->flags & OBJECT_REALM) | (nested ? OBJECT_NESTED : 0));
}

/* A subvolume leads from place to place with all that is in it, whose flags stay right: it is nested for
 * good, and the rest is a hint. Nothing else leaves the subvolume that it was made in. */
void moved_to(struct object *o, const struct object *dir)
{
	o->depth = (uint16_t)(dir->depth + 1);
	if (o->flags & OBJECT_SUBVOLUME)
		o->flags = (uint8_t)((o->flags & ~(OBJECT_REALM | OBJECT_NESTED)) | flags_of_place(dir));
}

/* Operations on it have their own way to choose it: it is in no list. */
bool model_add_shared_file(struct model *m, uint64_t size)
{
	const uint32_t id = OBJECT_FIRST_SHARED_FILE + m->head.shared_files;
	struct object o = {
		.type = OBJECT_FILE,
		.mode = 0644,
		.links = 1,
		.flags = OBJECT_ANCHOR | OBJECT_SHARED | OBJECT_REALM,
	};
	const struct name n = {.object = id, .parent = OBJECT_NONE, .next = NAME_NONE};

	o.first_name = array_new(&m->owner, &m->head.names);
	if (o.first_name == ARRAY_NONE || array_take(&m->owner, &m->head.objects, id))
		return false;
	name_put(m, o.first_name, &n);
	data_resize(m, id, &o, size);
	m->head.bytes -= size;
	object_put(m, id, &o);
	m->head.shared_files++;
	return !m->owner.exhausted;
}

struct object object_fresh(uint64_t op, const struct model_create *c, const struct object *parent)
{
	return (struct object){
		.size = c->type == OBJECT_SYMLINK ? c->size : 0,
		.mtime_min = c->time_min,
		.mtime_max = c->time_max,
		.born = op,
		.changed = op,
		.first_name = NAME_NONE,
		.uid = c->uid,
		.gid = c->gid,
		.mode = c->mode,
		.type = (uint8_t)c->type,
		.flags = (uint8_t)(flags_of_place(parent) | (c->subvolume ? OBJECT_SUBVOLUME : 0) |
				   (c->linkable ? OBJECT_LINKABLE : 0)),
		.depth = (uint16_t)(parent->depth + 1),
	};
}

uint32_t model_create(struct model *m, uint64_t op, const struct model_create *c)
{
	struct name n = {.parent = c->parent, .tag = c->name.tag};
	const uint32_t id = c->object != OBJECT_NONE ? c->object : model_next_object(m);
	const uint32_t number = c->name.number;
	struct object o, parent;

	model_learned(m, op);
	if (array_take(&m->owner, &m->head.objects, id) || array_take(&m->owner, &m->head.names, number))
		return OBJECT_NONE;
	object_get(m, c->parent == OBJECT_HELD ? c->home : c->parent, &parent);
	o = object_fresh(op, c, &parent);
	link_add(m, number, &n, id, &o);
	object_put(m, id, &o);
	count_child(m, op, c->parent, 1);
	return id;
}

void model_link(struct model *m, uint64_t op, uint32_t object, uint32_t parent, struct nameref name)
{
	struct name n = {.parent = parent, .tag = name.tag};
	struct object o;

	model_learned(m, op);
	if (array_take(&m->owner, &m->head.names, name.number))
		return;
	object_get(m, object, &o);
	link_add(m, name.number, &n, object, &o);
	o.changed = op;
	object_put(m, object, &o);
	count_child(m, op, parent, 1);
}

/* An object has lost a name; the last one takes it along. */
static void object_lost_name(struct model *m, uint64_t op, uint32_t id, struct object *o)
{
	if (o->links) {
		o->changed = op;
		object_put(m, id, o);
	} else {
		object_free(m, id, o);
	}
}

void model_unlink(struct model *m, uint64_t op, uint32_t name)
{
	struct object o;
	struct name n;

	model_learned(m, op);
	if (!view_name(&m->head, name, &n))
		return;
	object_get(m, n.object, &o);
	link_remove(m, name, &o);
	object_lost_name(m, op, n.object, &o);
	count_child(m, op, n.parent, -1);
	array_free(&m->owner, &m->head.names, name);
}

/* How many levels the directory `dir` lies below `top`, and 1; 0: it doesn't. */
static unsigned int levels_below(const struct model *m, uint32_t dir, uint32_t top)
{
	unsigned int levels = 1;
	struct object o;
	struct name n;

	for (; dir != top; levels++) {
		if (dir == OBJECT_NONE || view_is_anchor(&m->head, dir))
			return 0;
		object_get(m, dir, &o);
		if (!view_name(&m->head, o.first_name, &n))
			return 0;
		dir = n.parent;
	}
	return levels;
}

struct below {
	uint32_t name;
	unsigned int level;
};

static int deepest_first(const void *a, const void *b)
{
	const struct below *x = a, *y = b;

	if (x->level != y->level)
		return x->level < y->level ? 1 : -1;
	return x->name < y->name ? -1 : x->name > y->name;
}

/* All names below the directory `top`, the deepest first. Returns how many. */
static size_t list_below(const struct model *m, uint32_t top, struct below *list)
{
	size_t count = 0;
	struct name n;

	for (uint32_t i = 0; i < m->head.names.count; i++) {
		if (!view_name(&m->head, i, &n) || n.parent == OBJECT_NONE)
			continue;
		list[count] = (struct below){i, levels_below(m, n.parent, top)};
		count += list[count].level != 0;
	}
	qsort(list, count, sizeof(*list), deepest_first);
	return count;
}

int model_unlink_subvolume(struct model *m, uint64_t op, uint32_t name)
{
	struct below *list = malloc(MAX(m->head.names.live, 1U) * sizeof(*list));
	struct name top;

	if (!list)
		return -1;
	if (view_name(&m->head, name, &top)) {
		size_t count = list_below(m, top.object, list);

		for (size_t i = 0; i < count; i++)
			model_unlink(m, op, list[i].name);
		model_unlink(m, op, name);
	}
	free(list);
	return 0;
}

/* Another directory, another name, the same record. */
static void rename_plain(struct model *m, uint64_t op, uint32_t name, uint32_t parent, struct nameref to)
{
	struct object o, dir;
	struct name n;

	name_get(m, name, &n);
	object_get(m, n.object, &o);
	object_get(m, parent, &dir);
	count_child(m, op, n.parent, -1);
	count_child(m, op, parent, 1);
	n.parent = parent;
	n.tag = to.tag;
	name_put(m, name, &n);
	moved_to(&o, &dir);
	o.changed = op;
	object_put(m, n.object, &o);
}

/* The victim's record carries on under the object of `name`, whose own record goes. */
static void rename_over(struct model *m, uint64_t op, uint32_t name, uint32_t victim)
{
	struct object lost, moved, dir;
	struct name n, v;

	name_get(m, name, &n);
	name_get(m, victim, &v);
	object_get(m, v.object, &lost);
	link_remove(m, victim, &lost);
	object_lost_name(m, op, v.object, &lost);

	object_get(m, n.object, &moved);
	object_get(m, v.parent, &dir);
	link_remove(m, name, &moved);
	array_free(&m->owner, &m->head.names, name);
	link_add(m, victim, &v, n.object, &moved);
	moved_to(&moved, &dir);
	moved.changed = op;
	object_put(m, n.object, &moved);
	count_child(m, op, n.parent, -1);
}

void model_rename(struct model *m, uint64_t op, uint32_t name, uint32_t parent, struct nameref to,
		  uint32_t victim)
{
	struct name n, v;

	model_learned(m, op);
	if (!view_name(&m->head, name, &n))
		return;
	if (victim == NAME_NONE)
		rename_plain(m, op, name, parent, to);
	else if (view_name(&m->head, victim, &v) && v.object != n.object)
		rename_over(m, op, name, victim);
}
