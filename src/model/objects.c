/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects and their attributes. */
#include <string.h>

#include "src/model/private.h"

void object_get(const struct model *m, uint32_t id, struct object *out)
{
	memcpy(out, array_at(m->head.pool, &m->head.objects, id), sizeof(*out));
}

void object_put(struct model *m, uint32_t id, const struct object *o)
{
	array_put(&m->owner, &m->head.objects, id, 0, o, sizeof(*o));
}

void model_learned(struct model *m, uint64_t op)
{
	m->head.operations = MAX(m->head.operations, op);
}

/* Get a live object for a change by operation op. */
static bool object_change(struct model *m, uint64_t op, uint32_t id, struct object *out)
{
	model_learned(m, op);
	object_get(m, id, out);
	out->changed = op;
	return out->type != OBJECT_FREE;
}

void model_set_mode(struct model *m, uint64_t op, uint32_t object, uint16_t mode)
{
	struct object o;

	if (!object_change(m, op, object, &o))
		return;
	o.mode = mode & 07777;
	object_put(m, object, &o);
}

void model_set_owner(struct model *m, uint64_t op, uint32_t object, uint32_t uid, uint32_t gid)
{
	struct object o;

	if (!object_change(m, op, object, &o))
		return;
	o.uid = uid;
	o.gid = gid;
	object_put(m, object, &o);
}

void model_set_mtime(struct model *m, uint64_t op, uint32_t object, int64_t min, int64_t max)
{
	struct object o;

	if (!object_change(m, op, object, &o) || o.flags & OBJECT_ANCHOR)
		return;
	o.mtime_min = min;
	o.mtime_max = max;
	object_put(m, object, &o);
}

void model_set_synced(struct model *m, uint64_t op, uint32_t object)
{
	struct object o;

	model_learned(m, op);
	object_get(m, object, &o);
	if (o.type == OBJECT_FREE)
		return;
	o.synced = op;
	object_put(m, object, &o);
}

void model_set_unsure(struct model *m, uint64_t op, uint32_t object)
{
	struct object o;

	if (!object_change(m, op, object, &o))
		return;
	o.flags |= OBJECT_UNSURE;
	object_put(m, object, &o);
}

/* ---- extended attributes ----------------------------------------------------------------- */

static void xattr_get(const struct model *m, uint32_t record, struct stored_xattr *out)
{
	memcpy(out, array_at(m->head.pool, &m->head.xattrs, record), sizeof(*out));
}

static void xattr_put(struct model *m, uint32_t record, const struct stored_xattr *x)
{
	array_put(&m->owner, &m->head.xattrs, record, 0, x, sizeof(*x));
}

/* 1 + the record of attribute `number`, 0 if there is none; *before is that of the one in front of it. */
static uint32_t xattr_find(const struct model *m, const struct object *o, uint32_t number, uint32_t *before)
{
	uint32_t left = m->head.xattrs.live;
	uint32_t at = o->first_xattr;
	struct stored_xattr x;

	*before = 0;
	while (at && left--) {
		xattr_get(m, at - 1, &x);
		if (x.number == number)
			return at;
		*before = at;
		at = x.next;
	}
	return 0;
}

static void xattr_remove(struct model *m, struct object *o, uint32_t at, uint32_t before)
{
	struct stored_xattr x, b;

	xattr_get(m, at - 1, &x);
	if (before) {
		xattr_get(m, before - 1, &b);
		b.next = x.next;
		xattr_put(m, before - 1, &b);
	} else {
		o->first_xattr = x.next;
	}
	array_free(&m->owner, &m->head.xattrs, at - 1);
}

static void xattr_set(struct model *m, struct object *o, uint32_t at, const struct stored_xattr *x)
{
	if (!at) {
		uint32_t record = array_new(&m->owner, &m->head.xattrs);

		if (record == ARRAY_NONE)
			return;
		at = o->first_xattr = record + 1;
	}
	xattr_put(m, at - 1, x);
}

void model_set_xattr(struct model *m, uint64_t op, uint32_t object, uint32_t number, uint32_t length)
{
	struct object o;
	uint32_t at, before;

	if (!object_change(m, op, object, &o))
		return;
	at = xattr_find(m, &o, number, &before);
	if (length != UINT32_MAX) {
		struct stored_xattr old, x = {.number = number, .operation = op, .length = length};

		if (at)
			xattr_get(m, at - 1, &old);
		x.next = at ? old.next : o.first_xattr;
		xattr_set(m, &o, at, &x);
	} else if (at) {
		xattr_remove(m, &o, at, before);
	}
	object_put(m, object, &o);
}

static void xattrs_free(struct model *m, struct object *o)
{
	while (o->first_xattr) {
		uint32_t live = m->head.xattrs.live;

		xattr_remove(m, o, o->first_xattr, 0);
		if (m->head.xattrs.live == live) /* a damaged list */
			return;
	}
}

void object_free(struct model *m, uint32_t id, struct object *o)
{
	xattrs_free(m, o);
	if (o->type == OBJECT_FILE)
		data_resize(m, id, o, 0);
	array_free(&m->owner, &m->head.objects, id);
}
