/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/ops/address.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "src/ops/held.h"

static int object_path(const struct model_view *v, uint32_t object, char *buf, size_t len)
{
	struct object o;

	if (view_is_anchor(v, object))
		return anchor_path(v->worker, object, buf, len);
	return view_object(v, object, &o) ? view_path(v, o.first_name, buf, len) : -1;
}

int address_write(const struct model_view *v, uint32_t dir, struct nameref ref, uint32_t object, char *buf,
		  size_t len)
{
	char name[256];
	size_t name_len;
	int used;

	if (dir == OBJECT_NONE)
		return anchor_path(v->worker, object, buf, len) < 0 ? -1 : 0;
	if (dir == OBJECT_HELD)
		return (size_t)held_label(v->worker, object, buf, len) < len ? 0 : -1;
	used = object_path(v, dir, buf, len);
	if (used < 0 || ref.tag == 0)
		return used < 0 ? -1 : 0;
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
	int fd = dir == OBJECT_HELD ? held_fd(c, object) : -1;

	if (fd >= 0)
		snprintf(c->path[slot], sizeof(c->path[slot]), "/proc/self/fd/%d", fd);
	else if (dir == OBJECT_HELD ||
		 address_write(&c->model->head, dir, ref, object, c->path[slot], sizeof(c->path[slot])))
		c->path[slot][0] = '\0';
	return c->path[slot];
}

int address_nofollow(const struct op_args *args)
{
	return args->dir == OBJECT_HELD ? 0 : AT_SYMLINK_NOFOLLOW;
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

	if (args->dir != OBJECT_HELD)
		flags |= O_NOFOLLOW;
	return openat(c->target, path, flags | O_NONBLOCK | O_CLOEXEC);
}

int address_open_object(struct op_ctx *c, uint32_t object, int flags)
{
	char *path = c->path[1];

	if (object_path(&c->model->head, object, path, sizeof(c->path[1])) < 0)
		path[0] = '\0';
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

void address_fill(struct op_ctx *c, const struct op_args *args)
{
	const struct content_key key = address_key(c, args->object);

	content_fill(&key, args->offset, c->buffer, MIN(args->aux, (uint32_t)OP_BUFFER));
}
