/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/ops/choose.h"

#include "src/ops/address.h"

/* Of the few that are only met now and then. */
#define RARE_ONE_IN 24

static bool choose_rarity(const struct op_ctx *c, struct stream *s, enum pick list)
{
	return model_pick_count(c->model, list) && stream_chance(s, RARE_ONE_IN);
}

static enum pick choose_list(const struct op_ctx *c, struct stream *s, unsigned int kinds)
{
	static const unsigned int bit[PICK_WHITEOUT] = {
		[PICK_FILE] = CHOOSE_FILE, [PICK_DIR] = CHOOSE_DIR, [PICK_SYMLINK] = CHOOSE_SYMLINK};
	static const enum pick tenths[10] = {PICK_FILE, PICK_FILE, PICK_FILE, PICK_FILE, PICK_FILE,
					     PICK_FILE, PICK_FILE, PICK_DIR,  PICK_DIR,  PICK_SYMLINK};
	enum pick list;

	if (!(kinds & (CHOOSE_FILE | CHOOSE_DIR | CHOOSE_SYMLINK)))
		return kinds & CHOOSE_HELD ? PICK_HELD : PICK_WHITEOUT;
	if ((kinds & CHOOSE_HELD) && choose_rarity(c, s, PICK_HELD))
		return PICK_HELD;
	if ((kinds & CHOOSE_WHITEOUT) && choose_rarity(c, s, PICK_WHITEOUT))
		return PICK_WHITEOUT;
	list = tenths[stream_below(s, ARRAY_SIZE(tenths))];
	while (!(kinds & bit[list]))
		list = (list + 1) % ARRAY_SIZE(bit);
	return list;
}

bool choose(const struct op_ctx *c, struct stream *s, unsigned int kinds, struct chosen *out)
{
	const struct model_view *v = &c->model->head;

	for (int i = 0; i < CHOOSE_TRIES; i++) {
		out->number = model_pick(c->model, choose_list(c, s, kinds), stream_u64(s));
		if (out->number == NAME_NONE || !view_name(v, out->number, &out->name) ||
		    !view_object(v, out->name.object, &out->object))
			continue;
		if ((kinds & CHOOSE_ANCHOR) || !(out->object.flags & OBJECT_ANCHOR))
			return true;
	}
	return false;
}

void choose_subject(const struct chosen *from, struct op_args *args)
{
	args->object = from->name.object;
	args->dir = from->name.parent;
	args->name = choose_ref(from);
}

/* All anchors but OBJECT_ROOT. */
static uint32_t shared_count(const struct model_view *v)
{
	return v->anchors - 1;
}

uint32_t choose_own_directories(const struct op_ctx *c)
{
	return model_pick_count(c->model, PICK_DIR) - 1 - shared_count(&c->model->head);
}

/*
 * A directory takes in new names for a time that is drawn from its birth: from a few operations to several
 * times the number of files. Afterwards unlink and rename drain it, until rmdir finds it empty. Without this
 * every directory would fill up and stay for good.
 */
static bool is_open(const struct op_ctx *c, const struct object *dir)
{
	struct stream own = stream_make(c->model->head.run, dir->born, PICK_DIR);
	uint64_t life = stream_log(&own, 1 + c->shape->files / 64, 1 + 8 * (uint64_t)c->shape->files);

	return (dir->flags & OBJECT_ANCHOR) || c->operation - dir->born < life;
}

/* Any directory of one realm, or OBJECT_NONE. */
static uint32_t directory_in_realm(const struct op_ctx *c, struct stream *s, bool shared, uint32_t depth)
{
	for (int i = 0; i < 2 * CHOOSE_TRIES; i++) {
		struct chosen dir;
		struct lineage up;

		if (!choose(c, s, CHOOSE_DIR | CHOOSE_ANCHOR, &dir) || !is_open(c, &dir.object) ||
		    !address_lineage(&c->model->head, dir.name.object, &up))
			continue;
		if (up.depth <= depth && (up.anchor != OBJECT_ROOT) == shared)
			return dir.name.object;
	}
	return OBJECT_NONE;
}

uint32_t choose_directory(const struct op_ctx *c, struct stream *s, uint32_t depth)
{
	uint32_t anchors = c->shape->shared_dirs ? shared_count(&c->model->head) : 0;
	bool shared = anchors && stream_chance(s, 2);
	uint32_t dir;

	if (shared && stream_chance(s, 2))
		return OBJECT_FIRST_SHARED + (uint32_t)stream_below(s, anchors);
	dir = directory_in_realm(c, s, shared, depth);
	if (dir != OBJECT_NONE)
		return dir;
	return shared ? OBJECT_FIRST_SHARED + (uint32_t)stream_below(s, anchors) : OBJECT_ROOT;
}

uint32_t choose_destination(const struct op_ctx *c, struct stream *s, uint32_t dir, uint32_t depth)
{
	struct lineage from;

	if (stream_chance(s, 64))
		return choose_directory(c, s, depth);
	if (!address_lineage(&c->model->head, dir, &from))
		return OBJECT_NONE;
	if (from.depth <= depth && stream_chance(s, 2))
		return dir;
	return directory_in_realm(c, s, from.anchor != OBJECT_ROOT, depth);
}

static unsigned int name_length(struct stream *s)
{
	switch (stream_below(s, 32)) {
	case 0:
	case 1:
		return 1;
	case 2:
	case 3:
		return 2;
	case 4:
		return 255;
	case 5:
	case 6:
		return (unsigned int)stream_range(s, 1, 255);
	default:
		return (unsigned int)stream_range(s, 3, 24);
	}
}

struct nameref choose_name(struct stream *s, uint32_t number)
{
	unsigned int length = name_length(s);

	return nameref_make(number, length, (uint32_t)stream_below(s, 1 << 16)); /* the model keeps 16 bits */
}

uint32_t choose_depth(const struct op_ctx *c)
{
	return MIN(c->shape->depth, DEPTH_MAX);
}

uint64_t choose_size(const struct op_ctx *c, uint32_t id, const struct object *file)
{
	struct stream own = stream_make(c->model->head.run, id, file->born);
	uint64_t size = stream_log(&own, MAX(c->shape->size[0], 1U), MAX(c->shape->size[1], 1U));

	return MAX(size, file->size);
}
