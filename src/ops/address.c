/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/ops/address.h"

#include <fcntl.h>
#include <string.h>

static int directory_path(const struct model_view *v, uint32_t dir, char *buf, size_t len)
{
	struct object o;

	if (view_is_anchor(v, dir))
		return anchor_path(v->worker, dir, buf, len);
	return view_object(v, dir, &o) ? view_path(v, o.first_name, buf, len) : -1;
}

int address_write(const struct model_view *v, uint32_t dir, struct nameref ref, uint32_t object, char *buf,
		  size_t len)
{
	char name[256];
	size_t name_len;
	int used;

	if (dir == OBJECT_NONE)
		return anchor_path(v->worker, object, buf, len) < 0 ? -1 : 0;
	used = directory_path(v, dir, buf, len);
	if (used < 0)
		return -1;
	name_len = content_name(ref, v->worker, view_is_shared(v, dir), name);
	if ((size_t)used + 1 + name_len + 1 > len)
		return -1;
	buf[used] = '/';
	memcpy(buf + used + 1, name, name_len + 1);
	return 0;
}

const char *address_path(struct op_ctx *c, unsigned int slot, uint32_t dir, struct nameref ref,
			 uint32_t object)
{
	if (address_write(&c->model->head, dir, ref, object, c->path[slot], sizeof(c->path[slot])))
		c->path[slot][0] = '\0';
	return c->path[slot];
}

bool address_lookup(const struct model_view *v, uint32_t dir, struct nameref ref, struct name *out)
{
	return view_name(v, ref.number, out) && out->parent == dir && out->tag == ref.tag;
}

/* One level up. OBJECT_NONE above an anchor; false when the model doesn't know `dir`. */
static bool parent_of(const struct model_view *v, uint32_t dir, uint32_t *parent)
{
	struct object o;
	struct name n;

	*parent = OBJECT_NONE;
	if (view_is_anchor(v, dir))
		return true;
	if (!view_object(v, dir, &o) || !view_name(v, o.first_name, &n))
		return false;
	*parent = n.parent;
	return true;
}

bool address_lineage(const struct model_view *v, uint32_t dir, struct lineage *out)
{
	uint32_t parent;

	out->depth = 0;
	for (;;) {
		if (!parent_of(v, dir, &parent))
			return false;
		if (parent == OBJECT_NONE)
			break;
		dir = parent;
		out->depth++;
	}
	out->anchor = dir;
	return true;
}

bool address_within(const struct model_view *v, uint32_t dir, uint32_t top)
{
	while (dir != OBJECT_NONE && dir != top) {
		if (!parent_of(v, dir, &dir))
			return false;
	}
	return dir == top;
}

bool address_realm(const struct model_view *v, uint32_t dir, uint32_t *realm)
{
	struct object o;

	while (!view_is_anchor(v, dir)) {
		if (!view_object(v, dir, &o))
			return false;
		if (o.flags & OBJECT_SUBVOLUME)
			break;
		if (!parent_of(v, dir, &dir))
			return false;
	}
	*realm = view_is_shared(v, dir) ? OBJECT_FIRST_SHARED : dir;
	return true;
}

bool address_realms_differ(const struct model_view *v, uint32_t dir, uint32_t other)
{
	uint32_t a, b;

	return dir != other && address_realm(v, dir, &a) && address_realm(v, other, &b) && a != b;
}

int address_open(struct op_ctx *c, const struct op_args *args, int flags)
{
	const char *path = address_path(c, 0, args->dir, args->name, args->object);

	return openat(c->target, path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

struct content_key address_key(const struct op_ctx *c, uint32_t object)
{
	const struct model_view *v = &c->model->head;

	return (struct content_key){
		.run = v->run,
		.origin = {.worker = v->worker, .operation = c->operation},
		.object = object,
	};
}
