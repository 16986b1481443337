/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/ops/fits.h"

#include "src/ops/address.h"

static unsigned int kind_of(const struct chosen *x)
{
	static const unsigned int kinds[] = {
		[OBJECT_FILE] = CHOOSE_FILE,
		[OBJECT_DIR] = CHOOSE_DIR,
		[OBJECT_SYMLINK] = CHOOSE_SYMLINK,
		[OBJECT_WHITEOUT] = CHOOSE_WHITEOUT,
	};

	if (x->object.flags & OBJECT_ANCHOR)
		return x->object.type == OBJECT_DIR ? CHOOSE_ANCHOR : 0;
	if (x->name.parent == OBJECT_HELD)
		return CHOOSE_HELD;
	return x->object.type < ARRAY_SIZE(kinds) ? kinds[x->object.type] : 0;
}

/* The name `ref` in directory `dir` exists. Fills *out. */
static bool existing(const struct op_ctx *c, uint32_t dir, struct nameref ref, struct chosen *out)
{
	out->number = ref.number;
	return address_lookup(&c->model->head, dir, ref, &out->name) &&
	       view_object(&c->model->head, out->name.object, &out->object);
}

bool fits_subject(const struct op_ctx *c, const struct op_args *args, unsigned int kinds, struct chosen *out)
{
	struct chosen x;

	if (!existing(c, args->dir, args->name, &x) || x.name.object != args->object ||
	    !(kind_of(&x) & kinds))
		return false;
	if (out)
		*out = x;
	return true;
}

bool fits_directory(const struct op_ctx *c, uint32_t dir, uint32_t depth)
{
	struct lineage up;
	struct object o;

	return view_object(&c->model->head, dir, &o) && o.type == OBJECT_DIR &&
	       address_lineage(&c->model->head, dir, &up) && up.depth <= depth;
}

bool fits_free_object(const struct op_ctx *c, uint32_t object)
{
	struct object o;

	return object != OBJECT_NONE && object != OBJECT_HELD && !view_object(&c->model->head, object, &o);
}

bool fits_free_name(const struct op_ctx *c, struct nameref ref)
{
	struct name n;

	return ref.number != NAME_NONE && ref.tag >> 24 && !view_name(&c->model->head, ref.number, &n);
}

bool fits_new(const struct op_ctx *c, const struct op_args *args, uint32_t depth)
{
	return fits_subject(c, args, CHOOSE_ANY, NULL) ||
	       (fits_free_object(c, args->object) && fits_free_name(c, args->name) &&
		fits_directory(c, args->dir, depth));
}

bool fits_target(const struct op_ctx *c, const struct op_args *args, struct chosen *out)
{
	return existing(c, args->dir2, args->name2, out) && kind_of(out) & CHOOSE_ANY;
}

bool fits_second(const struct op_ctx *c, const struct op_args *args, uint32_t number, uint32_t depth)
{
	struct chosen x;

	if (fits_target(c, args, &x))
		return true;
	if (number == NAME_NONE ? !fits_free_name(c, args->name2) : args->name2.number != number)
		return false;
	return fits_directory(c, args->dir2, depth);
}

bool fits_removal(const struct op_ctx *c, const struct op_args *args)
{
	if (args->object != OBJECT_NONE)
		return fits_subject(c, args, CHOOSE_ANY, NULL);
	return fits_free_name(c, args->name) && fits_directory(c, args->dir, DEPTH_MAX);
}

bool fits_named_file(const struct op_ctx *c, const struct op_args *args)
{
	return fits_subject(c, args, CHOOSE_FILE, NULL);
}

bool fits_file(const struct op_ctx *c, const struct op_args *args)
{
	return fits_subject(c, args, CHOOSE_FILE | CHOOSE_HELD, NULL);
}

bool fits_anything(const struct op_ctx *c, const struct op_args *args)
{
	return fits_subject(c, args, CHOOSE_ANY | CHOOSE_HELD, NULL);
}

bool fits_range(const struct op_ctx *c, const struct op_args *args)
{
	struct chosen file;

	return fits_subject(c, args, CHOOSE_FILE, &file) && args->aux && args->aux <= file.object.size &&
	       args->offset <= file.object.size - args->aux;
}
