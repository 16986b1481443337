/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

void ref_init(struct reference *r, uint32_t worker, uint64_t run, uint32_t anchors)
{
	memset(r, 0, sizeof(*r));
	r->worker = worker;
	r->run = run;
	r->anchors = anchors;
	for (uint32_t i = 0; i < anchors; i++) {
		r->object[i + 1] = (struct ref_object){.type = OBJECT_DIR, .mode = 0755};
		r->name[i].object = i + 1;
		if (i == 0)
			snprintf(r->name[i].bytes, 256, "w%04u", worker);
		else
			snprintf(r->name[i].bytes, 256, "shared/d%02u", i - 1);
	}
}

struct reference *ref_copy(const struct reference *r)
{
	struct reference *copy = malloc(sizeof(*copy));

	assert_non_null(copy);
	memcpy(copy, r, sizeof(*copy));
	for (uint32_t i = 0; i < REF_OBJECTS; i++) {
		if (!r->object[i].data)
			continue;
		copy->object[i].data = malloc(REF_BYTES);
		assert_non_null(copy->object[i].data);
		memcpy(copy->object[i].data, r->object[i].data, r->object[i].size);
	}
	return copy;
}

void ref_free(struct reference *r)
{
	for (uint32_t i = 0; i < REF_OBJECTS; i++)
		free(r->object[i].data);
	free(r);
}

/* ---- changes ----------------------------------------------------------------------------- */

static void ref_grow(struct ref_object *o, uint64_t size)
{
	if (!o->data)
		o->data = calloc(1, REF_BYTES);
	assert_non_null(o->data);
	assert_true(size <= REF_BYTES);
	if (size > o->size)
		memset(o->data + o->size, 0, size - o->size);
	o->size = size;
}

void ref_write(struct reference *r, uint64_t op, uint32_t object, uint64_t offset, const void *data,
	       size_t len)
{
	struct ref_object *o = &r->object[object];

	if (!len)
		return;
	if (offset + len > o->size)
		ref_grow(o, offset + len);
	memcpy(o->data + offset, data, len);
	o->changed = op;
}

void ref_truncate(struct reference *r, uint64_t op, uint32_t object, uint64_t size)
{
	ref_grow(&r->object[object], size);
	r->object[object].changed = op;
}

void ref_zero(struct reference *r, uint64_t op, uint32_t object, uint64_t offset, uint64_t len)
{
	struct ref_object *o = &r->object[object];

	if (!len || offset >= o->size)
		return;
	memset(o->data + offset, 0, MIN(len, o->size - offset));
	o->changed = op;
}

void ref_name_set(struct reference *r, uint32_t number, uint32_t object, uint32_t parent, struct nameref ref)
{
	bool shared = parent > OBJECT_ROOT && parent <= r->anchors;

	r->name[number].object = object;
	r->name[number].parent = parent;
	content_name(ref, r->worker, shared, r->name[number].bytes);
}

void ref_unlink(struct reference *r, uint64_t op, uint32_t number)
{
	uint32_t object = r->name[number].object;

	memset(&r->name[number], 0, sizeof(r->name[number]));
	r->object[object].changed = op;
	if (ref_links(r, object))
		return;
	free(r->object[object].data);
	memset(&r->object[object], 0, sizeof(r->object[object]));
}

uint32_t ref_links(const struct reference *r, uint32_t object)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < REF_NAMES; i++)
		count += r->name[i].object == object;
	return count;
}

uint32_t ref_children(const struct reference *r, uint32_t dir)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < REF_NAMES; i++)
		count += r->name[i].object && r->name[i].parent == dir;
	return count;
}

static uint32_t ref_parent(const struct reference *r, uint32_t dir)
{
	for (uint32_t i = 0; i < REF_NAMES; i++) {
		if (r->name[i].object == dir)
			return r->name[i].parent;
	}
	return OBJECT_NONE;
}

bool ref_is_above(const struct reference *r, uint32_t dir, uint32_t below)
{
	while (below != OBJECT_NONE && below != dir)
		below = ref_parent(r, below);
	return below == dir;
}

/* ---- comparison -------------------------------------------------------------------------- */

static void compare_blocks(const struct ref_object *ro, const struct model_view *v, uint32_t id,
			   const struct object *o)
{
	static struct block_entry entries[REF_BYTES / BLOCK_SIZE];
	unsigned char expected[BLOCK_SIZE], made[BLOCK_SIZE];
	size_t count = div_up_u64(ro->size, BLOCK_SIZE);

	assert_int_equal(o->mapped, count);
	assert_int_equal(view_blocks(v, o, 0, count + 1, entries), count);
	for (size_t i = 0; i < count; i++) {
		size_t len = MIN(ro->size - i * BLOCK_SIZE, (uint64_t)BLOCK_SIZE);
		struct block_entry one;

		memcpy(expected, ro->data + i * BLOCK_SIZE, len);
		memset(expected + len, 0, BLOCK_SIZE - len);
		view_regenerate(v, id, i, &entries[i], made);
		assert_memory_equal(made, expected, BLOCK_SIZE);
		assert_int_equal(entries[i].hash, content_hash(expected));
		assert_int_equal(view_blocks(v, o, i, 1, &one), 1);
		assert_memory_equal(&one, &entries[i], sizeof(one));
	}
}

static void compare_xattrs(const struct ref_object *ro, const struct model_view *v, const struct object *o)
{
	uint32_t expected = 0, seen = 0;
	struct xattr x;

	for (uint32_t i = 0; i < REF_XATTRS; i++)
		expected += ro->xattr_op[i] != 0;
	for (uint32_t at = o->first_xattr; at; at = x.next) {
		assert_true(view_xattr(v, at - 1, &x));
		assert_in_range(x.number, 0, REF_XATTRS - 1);
		assert_int_equal(x.operation, ro->xattr_op[x.number]);
		assert_int_equal(x.length, ro->xattr_len[x.number]);
		assert_in_range(++seen, 1, expected);
	}
	assert_int_equal(seen, expected);
}

static void compare_links(const struct reference *r, const struct model_view *v, uint32_t id,
			  const struct object *o)
{
	uint32_t links = ref_links(r, id), seen = 0;
	struct name n;

	assert_int_equal(o->links, links);
	for (uint32_t at = o->first_name; at != NAME_NONE; at = n.next) {
		assert_true(view_name(v, at, &n));
		assert_int_equal(r->name[at].object, id);
		assert_in_range(++seen, 1, links);
	}
	assert_int_equal(seen, links);
}

static void compare_object(const struct reference *r, const struct model_view *v, uint32_t id)
{
	const struct ref_object *ro = &r->object[id];
	struct object o;

	if (!ro->type) {
		assert_false(view_object(v, id, &o));
		return;
	}
	assert_true(view_object(v, id, &o));
	assert_int_equal(o.type, ro->type);
	assert_int_equal(o.size, ro->size);
	assert_int_equal(o.mode, ro->mode);
	assert_int_equal(o.uid, ro->uid);
	assert_int_equal(o.gid, ro->gid);
	assert_int_equal(o.synced, ro->synced);
	if (id > r->anchors) {
		assert_int_equal(o.born, ro->born);
		assert_int_equal(o.mtime_min, ro->mtime);
		assert_int_equal(o.mtime_max, ro->mtime + 1000);
		if (o.type != OBJECT_DIR) /* a directory changes with its names too */
			assert_int_equal(o.changed, ro->changed);
	}
	assert_int_equal(o.children, ref_children(r, id));
	compare_links(r, v, id, &o);
	compare_xattrs(ro, v, &o);
	if (ro->type == OBJECT_FILE)
		compare_blocks(ro, v, id, &o);
}

static int ref_path(const struct reference *r, uint32_t number, char *buf)
{
	char above[16384] = "";
	uint32_t parent = r->name[number].parent;

	for (uint32_t i = 0; parent && i < REF_NAMES; i++) {
		if (r->name[i].object == parent) {
			ref_path(r, i, above);
			memcpy(above + strlen(above), "/", 2);
			break;
		}
	}
	return sprintf(buf, "%s%s", above, r->name[number].bytes);
}

static void compare_name(const struct reference *r, const struct model_view *v, uint32_t number)
{
	const struct ref_name *rn = &r->name[number];
	char expected[16384], path[4096], bytes[256];
	struct name n;
	int len;

	if (!rn->object) {
		assert_false(view_name(v, number, &n));
		return;
	}
	assert_true(view_name(v, number, &n));
	assert_int_equal(n.object, rn->object);
	assert_int_equal(n.parent, rn->parent);
	assert_int_equal(view_name_bytes(v, &n, number, bytes), strlen(rn->bytes));
	assert_string_equal(bytes, rn->bytes);
	len = ref_path(r, number, expected);
	if (len < (int)sizeof(path)) {
		assert_int_equal(view_path(v, number, path, sizeof(path)), len);
		assert_string_equal(path, expected);
		assert_int_equal(view_path(v, number, path, (size_t)len), -1);
	} else {
		assert_int_equal(view_path(v, number, path, sizeof(path)), -1);
	}
}

static uint32_t ref_count_names(const struct reference *r, enum object_type type)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < REF_NAMES; i++)
		count += r->name[i].object && r->object[r->name[i].object].type == type;
	return count;
}

/* Every name is in the list of its kind, once, at the place that it remembers. */
static void compare_picks(const struct reference *r, const struct model_view *v)
{
	static const enum object_type types[PICKS] = {OBJECT_FILE, OBJECT_DIR, OBJECT_SYMLINK};

	for (int list = 0; list < PICKS; list++) {
		assert_int_equal(v->picks[list].live, ref_count_names(r, types[list]));
		for (uint32_t i = 0; i < v->picks[list].live; i++) {
			uint32_t number;
			struct name n;

			memcpy(&number, array_at(v->pool, &v->picks[list], i), sizeof(number));
			assert_true(view_name(v, number, &n));
			assert_int_equal(n.place, i);
			assert_int_equal(r->object[r->name[number].object].type, types[list]);
		}
	}
}

static void compare_sums(const struct reference *r, const struct model_view *v)
{
	uint64_t bytes = 0, mapped = 0, objects = 0, names = 0;
	struct model_stats stats;

	for (uint32_t i = r->anchors + 1; i < REF_OBJECTS; i++) {
		objects += r->object[i].type != OBJECT_FREE;
		if (r->object[i].type != OBJECT_FILE)
			continue;
		bytes += r->object[i].size;
		mapped += div_up_u64(r->object[i].size, BLOCK_SIZE);
	}
	for (uint32_t i = r->anchors; i < REF_NAMES; i++)
		names += r->name[i].object != 0;
	view_stats(v, &stats);
	assert_int_equal(v->bytes, bytes);
	assert_int_equal(v->mapped, mapped);
	assert_int_equal(stats.objects, objects);
	assert_int_equal(stats.names, names);
	assert_true(stats.blocks <= mapped);
}

/* No fragment is lost or held twice. */
static void compare_fragments(const struct model_view *v)
{
	static struct fragment list[FRAGMENTS_MAX];
	uint64_t blocks = 0, fragments = 0;
	struct object o;

	for (uint32_t id = 1; id < v->objects.count; id++) {
		struct block_entry b;

		if (!view_object(v, id, &o) || o.type != OBJECT_FILE)
			continue;
		for (uint32_t i = 0; i < o.mapped; i++) {
			assert_int_equal(view_blocks(v, &o, i, 1, &b), 1);
			blocks += b.writer != 0;
			if (b.writer >> 52 == ORIGIN_WORKERS)
				fragments += view_fragments(v, id, &b, list, FRAGMENTS_MAX);
		}
	}
	assert_int_equal(v->blocks_used, blocks);
	assert_int_equal(v->fragments.live, fragments);
}

void ref_compare(const struct reference *r, const struct model_view *v)
{
	assert_true(view_intact(v));
	for (uint32_t i = 1; i < REF_OBJECTS; i++)
		compare_object(r, v, i);
	for (uint32_t i = 0; i < REF_NAMES; i++)
		compare_name(r, v, i);
	assert_true(v->objects.count <= REF_OBJECTS && v->names.count <= REF_NAMES);
	compare_picks(r, v);
	compare_sums(r, v);
	compare_fragments(v);
}
