/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Subvolumes in the tree: directories that no link and, but for another subvolume, no rename leads into or
 * out of. rmdir takes an empty one away, subvol_delete also one with something in it. object, dir, name: what
 * is made or deleted.
 */
#include <errno.h>

#include "src/ops/address.h"
#include "src/ops/choose.h"
#include "src/ops/fits.h"
#include "src/ops/judge.h"
#include "src/ops/line.h"
#include "src/ops/table.h"
#include "src/target/target.h"

#define REFUSAL_ONE_IN 32 /* over an existing name */
#define FULL_ONE_IN    4  /* deleted with all that is in it */

/* btrfs gives it all permissions less the umask, which is 0. */
#define MODE 0777

/* ---- subvol_create */

static bool create_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	uint32_t dirs = choose_own_directories(c);
	struct chosen existing;

	if (choose_depth(c) == 0 || dirs > c->shape->dirs + c->shape->dirs / 4)
		return false;
	if (stream_chance(s, REFUSAL_ONE_IN) && choose(c, s, CHOOSE_ANY, &existing)) {
		choose_subject(&existing, args);
		return true;
	}
	args->object = model_next_object(c->model);
	args->dir = choose_directory(c, s, choose_depth(c) - 1);
	args->name = choose_name(s, model_next_name(c->model));
	return args->dir != OBJECT_NONE;
}

static bool create_fits(const struct op_ctx *c, const struct op_args *args)
{
	return fits_new(c, args, DEPTH_MAX - 1);
}

static void create_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const char *path = address_path(c, 0, args->dir, args->name, args->object);

	answer_begin(a);
	answer_end(a, target_subvolume(c->target, path));
}

static void create_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct model_create what = {
		.object = args->object,
		.type = OBJECT_DIR,
		.subvolume = true,
		.parent = args->dir,
		.name = args->name,
		.mode = MODE,
		.time_min = a->time_min,
		.time_max = a->time_max,
	};
	struct expectation x = expect_success();
	struct name n;

	if (address_lookup(&c->model->head, args->dir, args->name, &n))
		x = expect_error(EEXIST);
	if (judge_name(c, &op_subvol_create, args, a, &x, args->dir))
		model_create(c->model, c->operation, &what);
}

static void create_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_call(r, namer, buf, len, "subvol_create", "%s", "");
}

const struct op op_subvol_create = {
	.name = "subvol_create",
	.summary = "make a subvolume in the tree (at times over an existing name)",
	.id = OP_SUBVOL_CREATE,
	.group = GROUP_SNAPSHOTS,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.needs = NEED_BTRFS,
	.errors = errors_of_names,
	.draw = create_draw,
	.fits = create_fits,
	.call = create_call,
	.learn = create_learn,
	.show = create_show,
};

/* ---- subvol_delete */

/* Does another subvolume lie in it? Looks at each directory of the model. */
static bool holds_another(const struct model_view *v, uint32_t subvolume)
{
	for (uint32_t id = 1; id < v->objects.count; id++) {
		struct object o;
		struct name n;

		if (!view_object(v, id, &o) || !(o.flags & OBJECT_SUBVOLUME) || id == subvolume)
			continue;
		if (view_name(v, o.first_name, &n) && address_within(v, n.parent, subvolume))
			return true;
	}
	return false;
}

static bool delete_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen victim;

	for (int i = 0; i < 4 * CHOOSE_TRIES; i++) {
		if (!choose(c, s, CHOOSE_DIR, &victim))
			return false;
		if (!(victim.object.flags & OBJECT_SUBVOLUME))
			continue;
		choose_subject(&victim, args);
		return victim.object.children == 0 || stream_chance(s, FULL_ONE_IN);
	}
	return false;
}

static bool delete_fits(const struct op_ctx *c, const struct op_args *args)
{
	struct chosen victim;

	return fits_subject(c, args, CHOOSE_DIR, &victim) && victim.object.flags & OBJECT_SUBVOLUME;
}

static void delete_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const char *path = address_path(c, 0, args->dir, args->name, args->object);

	answer_begin(a);
	answer_end(a, target_snapshot_delete(c->target, path));
}

static struct expectation expect_delete(const struct op_ctx *c, const struct op_args *args)
{
	const struct model_view *v = &c->model->head;
	struct name n;

	if (!address_lookup(v, args->dir, args->name, &n))
		return expect_error(ENOENT);
	return holds_another(v, n.object) ? expect_error(ENOTEMPTY) : expect_success();
}

static void delete_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_delete(c, args);

	if (judge_name(c, &op_subvol_delete, args, a, &x, args->dir) &&
	    model_unlink_subvolume(c->model, c->operation, args->name.number))
		judge_report(c, &op_subvol_delete, args, a, FINDING_HARNESS,
			     "no memory to forget what was in it");
}

static void delete_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_call(r, namer, buf, len, "subvol_delete", "%s", "");
}

const struct op op_subvol_delete = {
	.name = "subvol_delete",
	.summary = "delete a subvolume, one time in four with all that is in it",
	.id = OP_SUBVOL_DELETE,
	.group = GROUP_SNAPSHOTS,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.needs = NEED_BTRFS,
	.errors = errors_of_space,
	.draw = delete_draw,
	.fits = delete_fits,
	.call = delete_call,
	.learn = delete_learn,
	.show = delete_show,
};
