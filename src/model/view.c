/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading a model, live or frozen. */
#include <stdio.h>
#include <string.h>

#include "src/model/private.h"

bool view_object(const struct model_view *v, uint32_t object, struct object *out)
{
	const struct object *o = view_record(v, &v->objects, object);

	if (!o || o->type == OBJECT_FREE)
		return false;
	memcpy(out, o, sizeof(*out));
	return true;
}

bool view_xattr(const struct model_view *v, uint32_t number, struct xattr *out)
{
	const struct stored_xattr *x = view_record(v, &v->xattrs, number);

	if (!x || !x->operation)
		return false;
	*out = (struct xattr){
		.next = x->next,
		.number = x->number,
		.operation = x->operation,
		.length = x->length,
	};
	return true;
}

size_t view_blocks(const struct model_view *v, const struct object *o, uint64_t first, size_t count,
		   struct block_entry *out)
{
	uint32_t got;

	if (first >= o->mapped)
		return 0;
	got = map_read(v, o->blocks, o->mapped, (uint32_t)first, (uint32_t)MIN(count, o->mapped - first),
		       out);
	for (uint32_t i = 0; i < got; i++) {
		if (out[i].writer == WRITER_HOLE)
			out[i].hash = content_hash_of_zeroes();
	}
	return got;
}

/* ---- names and paths --------------------------------------------------------------------- */

int anchor_path(uint32_t worker, uint32_t object, char *buf, size_t len)
{
	bool own = object < OBJECT_FIRST_SHARED, file = object >= OBJECT_FIRST_SHARED_FILE;
	const char *prefix = own ? "w" : file ? "shared/f" : "shared/d";
	size_t prefix_len = strlen(prefix), end = prefix_len + (own ? 4 : 2);
	uint32_t first = file ? OBJECT_FIRST_SHARED_FILE : OBJECT_FIRST_SHARED;
	uint32_t number = own ? worker : object - first;

	for (uint32_t rest = number / (own ? 10000 : 100); rest; rest /= 10)
		end++;
	if (end >= len)
		return -1;
	memcpy(buf, prefix, prefix_len);
	for (size_t at = end; at > prefix_len; number /= 10)
		buf[--at] = (char)('0' + number % 10);
	buf[end] = '\0';
	return (int)end;
}

int held_label(uint32_t worker, uint32_t object, char *buf, size_t len)
{
	return snprintf(buf, len, "w%04u/(unlinked #%u)", worker, object);
}

size_t view_name_bytes(const struct model_view *v, const struct name *n, uint32_t number, char buf[256])
{
	struct nameref ref = {.number = number, .tag = n->tag};

	if (n->parent == OBJECT_NONE)
		return (size_t)anchor_path(v->worker, n->object, buf, 256);
	return content_name(ref, v->worker, view_is_shared(v, n->parent), buf);
}

/* Put `part` and, unless it is the last, a slash in front of what `buf` holds from *at on. */
static bool prepend(char *buf, size_t *at, size_t end, const char *part, size_t len)
{
	size_t slash = *at != end;

	if (len + slash > *at)
		return false;
	*at -= slash;
	if (slash)
		buf[*at] = '/';
	*at -= len;
	memcpy(buf + *at, part, len);
	return true;
}

int view_path(const struct model_view *v, uint32_t number, char *buf, size_t len)
{
	size_t end = len ? len - 1 : 0, at = end;
	struct object dir;
	struct name n;
	char part[256];

	if (view_name(v, number, &n) && n.parent == OBJECT_HELD) {
		int label = held_label(v->worker, n.object, buf, len);

		return (size_t)label < len ? label : -1;
	}
	for (;;) {
		size_t part_len;

		if (!view_name(v, number, &n))
			return -1;
		part_len = view_name_bytes(v, &n, number, part);
		if (!part_len || !prepend(buf, &at, end, part, part_len))
			return -1;
		if (n.parent == OBJECT_NONE)
			break;
		if (view_is_anchor(v, n.parent)) {
			part_len = (size_t)anchor_path(v->worker, n.parent, part, sizeof(part));
			if (!prepend(buf, &at, end, part, part_len))
				return -1;
			break;
		}
		if (!view_object(v, n.parent, &dir))
			return -1;
		number = dir.first_name;
	}
	memmove(buf, buf + at, end - at);
	buf[end - at] = '\0';
	return (int)(end - at);
}

/* ---- statistics -------------------------------------------------------------------------- */

static uint64_t array_bytes(const struct array *a)
{
	return (uint64_t)a->pages * PAGE_BYTES;
}

void view_stats(const struct model_view *v, struct model_stats *out)
{
	uint64_t name_bytes = array_bytes(&v->names);
	uint32_t further;

	memset(out, 0, sizeof(*out));
	for (unsigned int i = 0; i < PICKS; i++)
		name_bytes += array_bytes(&v->picks[i]);
	for (unsigned int i = 0; i < BLOCK_CLASSES; i++)
		out->block_bytes += array_bytes(&v->blocks[i]);
	out->objects = v->objects.live - v->anchors - v->shared_files - 1;
	out->names = v->names.live - v->anchors - v->shared_files;
	out->xattrs = v->xattrs.live;
	out->blocks = v->blocks_used;
	out->mapped = v->mapped;
	out->fragments = v->fragments.live;
	further = v->names.live - (v->objects.live - 1);
	out->link_bytes = name_bytes * further / MAX(v->names.live, 1U);
	out->object_bytes = array_bytes(&v->objects) + name_bytes - out->link_bytes;
	out->xattr_bytes = array_bytes(&v->xattrs);
	out->fragment_bytes = array_bytes(&v->fragments);
	out->total_bytes = out->object_bytes + out->link_bytes + out->xattr_bytes + out->fragment_bytes +
			   out->block_bytes;
}
