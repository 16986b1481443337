/* SPDX-License-Identifier: GPL-2.0-or-later */
/* renameat2(2) with a flag: exchange, noreplace, whiteout. Where the target doesn't know a flag its operation
 * is not drawn (NEED_EXCHANGE and its like): so EINVAL is no ordinary answer. */
#include <errno.h>
#include <stdio.h>

#include "src/ops/address.h"
#include "src/ops/fits.h"
#include "src/ops/line.h"
#include "src/ops/rename.h"
#include "src/ops/table.h"

/* Once in so many times noreplace is given a name that exists. */
#define REFUSAL_ONE_IN 16

/* Once in so many times exchange takes a directory and something in it, which cannot be. */
#define NESTED_ONE_IN 16

/* Whiteouts are at most one for so many files. */
#define FILES_PER_WHITEOUT 16

static void rename_flag_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a,
			     unsigned int flag)
{
	const char *from = address_path(c, 0, args->dir, args->name, args->object);
	const char *to = address_path(c, 1, args->dir2, args->name2, OBJECT_NONE);

	answer_begin(a);
	answer_end(a, renameat2(c->target, from, c->target, to, flag));
}

/* What Linux answers for a new name: moving is possible, and may be refused between subvolumes. */
static struct expectation expect_move(const struct op_ctx *c, const struct op_args *args)
{
	struct expectation x = expect_success();

	if (address_realms_differ(&c->model->head, args->dir, args->dir2))
		expect_also(&x, EXDEV);
	return x;
}

/* Judge what changes both directories. True when it was done. */
static bool learn_both(struct op_ctx *c, const struct op *op, const struct op_args *args,
		       const struct op_answer *a, const struct expectation *x)
{
	switch (judge(c, op, args, a, x)) {
	case OUTCOME_DONE:
		return true;
	case OUTCOME_FAILED:
	case OUTCOME_WRONG:
		judge_maybe_touch(c, args->dir, a);
		judge_maybe_touch(c, args->dir2, a);
		break;
	case OUTCOME_REFUSED:
		break;
	}
	return false;
}

/* ---- exchange: object, dir, name and dir2, name2: two existing names; aux: the object of the second */

static bool nested(const struct op_ctx *c, const struct chosen *top, const struct chosen *below)
{
	return top->object.type == OBJECT_DIR &&
	       address_within(&c->model->head, below->name.parent, top->name.object);
}

/* The directory in which it lies. */
static bool choose_parent(const struct op_ctx *c, const struct chosen *from, struct chosen *parent)
{
	const struct model_view *v = &c->model->head;

	if (view_is_anchor(v, from->name.parent) || !view_object(v, from->name.parent, &parent->object))
		return false;
	parent->number = parent->object.first_name;
	return view_name(v, parent->number, &parent->name);
}

/* Anything that may stand in its place, mostly of its realm, while it goes there. */
static bool choose_other(const struct op_ctx *c, struct stream *s, const struct chosen *from,
			 struct chosen *other)
{
	for (int i = 0; i < 4 * CHOOSE_TRIES; i++) {
		if (!choose(c, s, CHOOSE_ANY, other) || other->number == from->number)
			continue;
		if (address_realms_differ(&c->model->head, from->name.parent, other->name.parent) &&
		    !stream_chance(s, 32))
			continue;
		if (rename_fits(c, from, other) && rename_fits(c, other, from))
			return true;
	}
	return false;
}

static bool exchange_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen from, other;

	if (!choose(c, s, CHOOSE_ANY, &from))
		return false;
	if (!(stream_chance(s, NESTED_ONE_IN) && choose_parent(c, &from, &other)) &&
	    !(stream_chance(s, 8) && rename_choose_twin(c, &from, &other)) &&
	    !choose_other(c, s, &from, &other))
		return false;
	if (stream_chance(s, 2)) {
		struct chosen swap = from;

		from = other;
		other = swap;
	}
	choose_subject(&from, args);
	args->dir2 = other.name.parent;
	args->name2 = choose_ref(&other);
	args->aux = other.name.object;
	return true;
}

/* What can't be, on purpose, or changes nothing; or both may stand where the other does. */
static bool exchange_fits(const struct op_ctx *c, const struct op_args *args)
{
	struct chosen from, other;

	if (!fits_subject(c, args, CHOOSE_ANY, &from) || !fits_target(c, args, &other) ||
	    other.name.object != args->aux || other.number == from.number)
		return false;
	return nested(c, &from, &other) || nested(c, &other, &from) ||
	       from.name.object == other.name.object ||
	       (rename_fits(c, &from, &other) && rename_fits(c, &other, &from));
}

static void exchange_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	rename_flag_call(c, args, a, RENAME_EXCHANGE);
}

/* Linux looks at ancestors first (fs/namei.c, do_renameat2). */
static struct expectation expect_exchange(const struct op_ctx *c, const struct op_args *args,
					  struct chosen *from, struct chosen *other)
{
	const struct model_view *v = &c->model->head;

	if (!address_lookup(v, args->dir, args->name, &from->name) ||
	    !address_lookup(v, args->dir2, args->name2, &other->name) ||
	    !view_object(v, from->name.object, &from->object) ||
	    !view_object(v, other->name.object, &other->object))
		return expect_error(ENOENT);
	if (nested(c, from, other) || nested(c, other, from))
		return expect_error(EINVAL);
	if (from->name.object == other->name.object)
		return expect_success();
	return expect_move(c, args);
}

/* A directory that goes to another one has its ".." changed: XFS counts that as a modification, others don't.
 */
static void touch_moved(struct op_ctx *c, const struct chosen *moved, const struct op_answer *a)
{
	if (moved->object.type == OBJECT_DIR)
		judge_maybe_touch(c, moved->name.object, a);
}

static void exchange_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	struct chosen from = {0}, other = {0};
	const struct expectation x = expect_exchange(c, args, &from, &other);

	/* Two names of one object are left as they are; no time is set. */
	if (!learn_both(c, &op_exchange, args, a, &x) || from.name.object == other.name.object)
		return;
	model_exchange(c->model, c->operation, args->name.number, args->name2.number);
	if (args->dir != args->dir2) {
		touch_moved(c, &from, a);
		touch_moved(c, &other, a);
	}
	judge_touch(c, args->dir, a);
	judge_touch(c, args->dir2, a);
}

static void exchange_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_pair(r, namer, buf, len, "renameat2", ", RENAME_EXCHANGE");
}

const struct op op_exchange = {
	.name = "exchange",
	.summary = "two names of any kind change places (RENAME_EXCHANGE)",
	.id = OP_EXCHANGE,
	.group = GROUP_NAMES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.needs = NEED_EXCHANGE,
	.errors = errors_of_names,
	.draw = exchange_draw,
	.fits = exchange_fits,
	.call = exchange_call,
	.learn = exchange_learn,
	.show = exchange_show,
};

/* ---- noreplace: object, dir, name: what moves; dir2, name2: its new name, at times an existing one; aux:
 * NAME_NONE */

static bool noreplace_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen from, existing;

	if (!stream_chance(s, REFUSAL_ONE_IN))
		return rename_draw_new(c, s, args);
	if (!choose(c, s, CHOOSE_ANY, &from) || !choose(c, s, CHOOSE_ANY, &existing))
		return false;
	choose_subject(&from, args);
	args->dir2 = existing.name.parent;
	args->name2 = choose_ref(&existing);
	args->aux = NAME_NONE;
	return true;
}

static bool noreplace_fits(const struct op_ctx *c, const struct op_args *args)
{
	struct chosen existing;

	if (fits_target(c, args, &existing))
		return fits_subject(c, args, CHOOSE_ANY, NULL);
	return args->name2.number == args->name.number && rename_fits_new(c, args);
}

static void noreplace_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	rename_flag_call(c, args, a, RENAME_NOREPLACE);
}

/* An existing name is refused before anything else is looked at. */
static void noreplace_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	struct expectation x = expect_move(c, args);
	struct name n;

	if (address_lookup(&c->model->head, args->dir2, args->name2, &n))
		x = expect_error(EEXIST);
	rename_learn_as(c, &op_noreplace, args, a, &x, false);
}

static void noreplace_show(const struct journal_record *r, const struct op_namer *namer, char *buf,
			   size_t len)
{
	line_pair(r, namer, buf, len, "renameat2", ", RENAME_NOREPLACE");
}

const struct op op_noreplace = {
	.name = "noreplace",
	.summary = "rename to a new name, never onto an existing one (RENAME_NOREPLACE)",
	.id = OP_NOREPLACE,
	.group = GROUP_NAMES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.needs = NEED_NOREPLACE,
	.errors = errors_of_names,
	.draw = noreplace_draw,
	.fits = noreplace_fits,
	.call = noreplace_call,
	.learn = noreplace_learn,
	.show = noreplace_show,
};

/* ---- whiteout: object, dir, name: what moves; dir2, name2: its new name, a record of its own; aux: the
 * whiteout, which gets the old one */

static bool whiteout_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	if (model_pick_count(c->model, PICK_WHITEOUT) > c->shape->files / FILES_PER_WHITEOUT ||
	    !rename_draw_new(c, s, args))
		return false;
	args->name2 = choose_name(s, model_next_name(c->model));
	args->aux = model_next_object(c->model);
	return true;
}

static bool whiteout_fits(const struct op_ctx *c, const struct op_args *args)
{
	return rename_fits_new(c, args) && fits_free_name(c, args->name2) && fits_free_object(c, args->aux);
}

static void whiteout_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	rename_flag_call(c, args, a, RENAME_WHITEOUT);
}

static void whiteout_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_move(c, args);

	if (!learn_both(c, &op_whiteout, args, a, &x))
		return;
	model_whiteout(c->model, c->operation, args->name.number, args->dir2, args->name2, args->aux,
		       a->time_min, a->time_max);
	judge_touch(c, args->dir, a);
	judge_touch(c, args->dir2, a);
}

static void whiteout_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_pair(r, namer, buf, len, "renameat2", ", RENAME_WHITEOUT");
}

const struct op op_whiteout = {
	.name = "whiteout",
	.summary = "rename, leaving a character device 0:0 under the old name (RENAME_WHITEOUT)",
	.id = OP_WHITEOUT,
	.group = GROUP_NAMES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.needs = NEED_WHITEOUT,
	.errors = errors_of_names,
	.draw = whiteout_draw,
	.fits = whiteout_fits,
	.call = whiteout_call,
	.learn = whiteout_learn,
	.show = whiteout_show,
};
