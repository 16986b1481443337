/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations that move names: rename (to a new name) and rename_over (onto an existing one). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/ops/address.h"
#include "src/ops/choose.h"
#include "src/ops/fits.h"
#include "src/ops/judge.h"
#include "src/ops/line.h"
#include "src/ops/rename.h"
#include "src/ops/table.h"

/* Once in so many times rename_over takes two names that may not fit each other. */
#define MISMATCH_ONE_IN 16

static void rename_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const char *from = address_path(c, 0, args->dir, args->name, args->object);
	const char *to = address_path(c, 1, args->dir2, args->name2, OBJECT_NONE);

	answer_begin(a);
	answer_end(a, renameat(c->target, from, c->target, to));
}

static void rename_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_pair(r, namer, buf, len, "rename", "");
}

void rename_learn_as(struct op_ctx *c, const struct op *op, const struct op_args *args,
		     const struct op_answer *a, const struct expectation *x, bool same_object)
{
	switch (judge(c, op, args, a, x)) {
	case OUTCOME_DONE:
		/* rename(2): two names of one object are left as they are; no time is set. */
		if (same_object)
			break;
		model_rename(c->model, c->operation, args->name.number, args->dir2, args->name2, args->aux);
		judge_touch(c, args->dir, a);
		judge_touch(c, args->dir2, a);
		break;
	case OUTCOME_FAILED:
	case OUTCOME_WRONG:
		judge_maybe_touch(c, args->dir, a);
		judge_maybe_touch(c, args->dir2, a);
		break;
	case OUTCOME_REFUSED:
		break;
	}
}

/* ---- rename: object, dir, name: what moves; dir2, name2: its new name (name2.number is name.number: the
 * record stays); aux: NAME_NONE */

/* How deep may the destination of this object lie? A directory with something in it must not sink. False
 * when it may not go anywhere. */
static bool deepest(const struct op_ctx *c, const struct chosen *from, uint32_t *depth)
{
	struct lineage up;

	*depth = choose_depth(c);
	if (from->object.type != OBJECT_DIR)
		return true;
	if (*depth == 0)
		return false;
	(*depth)--;
	if (from->object.children == 0)
		return true;
	if (!address_lineage(&c->model->head, from->name.parent, &up))
		return false;
	*depth = MIN(*depth, up.depth);
	return true;
}

static bool same_bytes(const struct op_ctx *c, uint32_t dir, struct nameref a, struct nameref b)
{
	const struct model_view *v = &c->model->head;
	bool shared = view_is_shared(v, dir);
	char one[256], other[256];
	size_t len = content_name(a, v->worker, shared, one);

	return content_name(b, v->worker, shared, other) == len && memcmp(one, other, len) == 0;
}

bool rename_draw_new(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen from;
	uint32_t depth;

	if (!choose(c, s, CHOOSE_ANY, &from) || !deepest(c, &from, &depth))
		return false;
	choose_subject(&from, args);
	args->aux = NAME_NONE;
	args->dir2 = choose_destination(c, s, args->dir, depth);
	if (args->dir2 == OBJECT_NONE || address_within(&c->model->head, args->dir2, args->object))
		return false;
	for (int i = 0; i < CHOOSE_TRIES; i++) {
		args->name2 = choose_name(s, from.number);
		if (args->dir2 != args->dir || !same_bytes(c, args->dir, args->name, args->name2))
			return true;
	}
	return false;
}

bool rename_fits_new(const struct op_ctx *c, const struct op_args *args)
{
	struct chosen from;
	uint32_t depth;

	return fits_subject(c, args, CHOOSE_ANY, &from) && deepest(c, &from, &depth) &&
	       fits_directory(c, args->dir2, depth) &&
	       !address_within(&c->model->head, args->dir2, args->object);
}

/* The record stays; its own name is none to move to. */
static bool rename_plain_fits(const struct op_ctx *c, const struct op_args *args)
{
	return rename_fits_new(c, args) && args->name2.number == args->name.number &&
	       (args->dir2 != args->dir || !same_bytes(c, args->dir, args->name, args->name2));
}

static void rename_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	struct expectation x = expect_success();

	if (address_realms_differ(&c->model->head, args->dir, args->dir2))
		expect_also(&x, EXDEV);
	rename_learn_as(c, &op_rename, args, a, &x, false);
}

const struct op op_rename = {
	.name = "rename",
	.summary = "move a file, symbolic link or whole directory to a new name, here or elsewhere",
	.id = OP_RENAME,
	.group = GROUP_NAMES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.errors = errors_of_names,
	.draw = rename_draw_new,
	.fits = rename_plain_fits,
	.call = rename_call,
	.learn = rename_learn,
	.show = rename_show,
};

/* ---- rename_over: object, dir, name: what moves; dir2, name2: an existing name; aux: its number */

bool rename_choose_twin(const struct op_ctx *c, const struct chosen *from, struct chosen *twin)
{
	const struct model_view *v = &c->model->head;

	twin->number = from->object.first_name;
	twin->object = from->object;
	if (from->object.links < 2 || !view_name(v, twin->number, &twin->name))
		return false;
	if (twin->number != from->number)
		return true;
	twin->number = twin->name.next;
	return twin->number != NAME_NONE && view_name(v, twin->number, &twin->name);
}

/* A victim of the same kind that can be replaced: any file or link, an empty directory; mostly of one realm.
 */
static bool choose_victim(const struct op_ctx *c, struct stream *s, const struct chosen *from,
			  struct chosen *victim)
{
	const struct model_view *v = &c->model->head;
	const bool dir = from->object.type == OBJECT_DIR;

	for (int i = 0; i < 2 * CHOOSE_TRIES; i++) {
		if (!choose(c, s, dir ? CHOOSE_DIR : CHOOSE_ANY & ~CHOOSE_DIR, victim))
			return false;
		if (victim->number == from->number || (dir && victim->object.children))
			continue;
		if (address_realms_differ(v, from->name.parent, victim->name.parent) && !stream_chance(s, 32))
			continue;
		return true;
	}
	return false;
}

bool rename_fits(const struct op_ctx *c, const struct chosen *from, const struct chosen *victim)
{
	struct lineage up;
	uint32_t depth;

	return deepest(c, from, &depth) && address_lineage(&c->model->head, victim->name.parent, &up) &&
	       up.depth <= depth;
}

static bool rename_over_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen from, victim;
	bool found;

	if (!choose(c, s, CHOOSE_ANY, &from))
		return false;
	if (stream_chance(s, MISMATCH_ONE_IN))
		found = choose(c, s, CHOOSE_ANY, &victim) && victim.number != from.number;
	else if (stream_chance(s, 2) && rename_choose_twin(c, &from, &victim))
		found = true;
	else
		found = choose_victim(c, s, &from, &victim);
	if (!found || !rename_fits(c, &from, &victim))
		return false;
	choose_subject(&from, args);
	args->dir2 = victim.name.parent;
	args->name2 = choose_ref(&victim);
	args->aux = victim.number;
	return true;
}

static bool rename_over_fits(const struct op_ctx *c, const struct op_args *args)
{
	struct chosen from, victim;

	return fits_subject(c, args, CHOOSE_ANY, &from) && fits_target(c, args, &victim) &&
	       victim.number == args->aux && victim.number != from.number && rename_fits(c, &from, &victim);
}

/*
 * What Linux answers, in its order of checks (fs/namei.c, do_renameat2 and vfs_rename; then the filesystem):
 * ancestors first, then types, then what the filesystem says. POSIX allows EEXIST for ENOTEMPTY (XFS does).
 */
static struct expectation expect_rename_over(const struct op_ctx *c, const struct op_args *args,
					     const struct object *from, uint32_t victim_id,
					     const struct object *victim)
{
	const struct model_view *v = &c->model->head;
	struct expectation x = expect_success();

	if (from->type == OBJECT_DIR && address_within(v, args->dir2, args->object))
		return expect_error(EINVAL);
	if (victim->type == OBJECT_DIR && address_within(v, args->dir, victim_id))
		return expect_error(ENOTEMPTY);
	if (victim_id == args->object)
		return x;
	if (from->type == OBJECT_DIR && victim->type != OBJECT_DIR)
		return expect_error(ENOTDIR);
	if (from->type != OBJECT_DIR && victim->type == OBJECT_DIR)
		return expect_error(EISDIR);
	/* btrfs replaces no subvolume, empty or not. */
	if (victim->type == OBJECT_DIR && (victim->children || victim->flags & OBJECT_SUBVOLUME)) {
		x = expect_error(ENOTEMPTY);
		expect_also(&x, EEXIST);
	}
	if (address_realms_differ(v, args->dir, args->dir2))
		expect_also(&x, EXDEV);
	return x;
}

static void rename_over_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct model_view *v = &c->model->head;
	struct expectation x = expect_error(ENOENT);
	struct object from, victim;
	struct name n;
	bool same = false;

	if (address_lookup(v, args->dir2, args->name2, &n) && view_object(v, n.object, &victim) &&
	    view_object(v, args->object, &from)) {
		x = expect_rename_over(c, args, &from, n.object, &victim);
		same = n.object == args->object;
	}
	rename_learn_as(c, &op_rename_over, args, a, &x, same);
}

const struct op op_rename_over = {
	.name = "rename_over",
	.summary = "rename onto an existing name: a file, another link of itself, an empty directory",
	.id = OP_RENAME_OVER,
	.group = GROUP_NAMES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_SHRINKS,
	.errors = errors_of_names,
	.draw = rename_over_draw,
	.fits = rename_over_fits,
	.call = rename_call,
	.learn = rename_over_learn,
	.show = rename_show,
};
