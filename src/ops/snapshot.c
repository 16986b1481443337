/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Witnesses: a worker takes read-only snapshots of its own subvolume, which it alone changes, each together
 * with its model as it is at that moment; the verifier `snapshots` compares both until the snapshot is
 * deleted. Or it goes on in a writable one, and what it leaves is the witness: both trees share all of their
 * blocks, and what is changed from then on must be copied. object: the anchor; offset: the snapshot's number.
 */
#include <errno.h>
#include <stdio.h>

#include "src/base/clock.h"
#include "src/ops/held.h"
#include "src/ops/judge.h"
#include "src/ops/line.h"
#include "src/ops/table.h"
#include "src/ops/window.h"
#include "src/target/target.h"

/* One in so many is taken behind a syncfs; the others find the changes in the transaction that they end. */
#define SYNC_ONE_IN 4

/* Paths of the worker's subvolume and of its snapshot. */
struct places {
	char own[16], snapshot[40];
};

static struct places find_places(uint32_t worker, const struct op_args *args)
{
	struct places p = {.own = ""};

	anchor_path(worker, OBJECT_ROOT, p.own, sizeof(p.own));
	witness_path(p.snapshot, sizeof(p.snapshot), p.own, args->offset);
	return p;
}

/* ---- snapshot: aux: 1 behind a syncfs */

/* All that the living ones may keep on disk. */
static uint64_t bytes_kept(const struct witness_list *l)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < l->live; i++)
		sum += l->witness[i]->bytes;
	return sum;
}

/* A snapshot costs a transaction, and one of what has hardly changed since the last shows little. So many
 * operations lie between two, and it lives for as many at least, unless there is no room for another. */
static uint64_t spacing(const struct op_ctx *c)
{
	return 4 * (uint64_t)c->shape->files;
}

static bool snapshot_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	const struct witness_list *l = c->witnesses;

	if (l->live == WITNESSES_MAX || c->operation - l->operation < spacing(c) ||
	    bytes_kept(l) + c->model->head.bytes > c->bytes_limit)
		return false;
	args->object = OBJECT_ROOT;
	args->aux = stream_chance(s, SYNC_ONE_IN);
	args->offset = l->taken + 1;
	return true;
}

/* Numbers rise. How much all of them may keep is not asked: there is room, or the kernel says no. */
static bool snapshot_fits(const struct op_ctx *c, const struct op_args *args)
{
	return args->object == OBJECT_ROOT && c->witnesses->live < WITNESSES_MAX &&
	       args->offset > c->witnesses->taken;
}

static void snapshot_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const struct places p = find_places(c->model->head.worker, args);

	answer_begin(a);
	answer_end(a, target_snapshot(c->target, p.own, p.snapshot, SNAPSHOT_READONLY, args->aux));
}

/* Without memory for its model it stays a witness of nothing, until it is deleted. */
static struct witness *make_witness(struct op_ctx *c, const struct op_args *args)
{
	const struct places p = find_places(c->model->head.worker, args);
	struct frozen *frozen = model_freeze(c->model);

	return witness_make(p.own, args->offset, SCOPE_PRIVATE, &frozen, frozen ? 1 : 0);
}

/* What lies there is the model as it is now. Returns whether anything does. */
static bool learn_witness(struct op_ctx *c, const struct op *op, const struct op_args *args,
			  const struct op_answer *a)
{
	const struct expectation x = expect_success();
	struct witness *w;

	if (judge(c, op, args, a, &x) != OUTCOME_DONE)
		return false;
	w = make_witness(c, args);
	if (!w) {
		judge_report(c, op, args, a, FINDING_HARNESS, "no memory to keep what it holds");
		return true;
	}
	w->operation = c->operation;
	w->time = clock_mono();
	witness_add(c->witnesses, w);
	return true;
}

static void snapshot_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	learn_witness(c, &op_snapshot, args, a);
}

static void show_snapshot(struct line *l, const char *call)
{
	const struct places p = find_places(l->namer->worker, &l->record->args);

	line_add(l, "%s(", call);
	if (l->record->kind != OP_SNAPSHOT_DELETE) {
		line_path(l);
		line_add(l, " -> ");
	}
	line_add(l, "\"%s\")", p.snapshot);
	line_answer(l);
}

static void snapshot_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	struct line l = line_begin(r, namer, buf, len);

	show_snapshot(&l, r->args.aux ? "syncfs, snapshot" : "snapshot");
}

const struct op op_snapshot = {
	.name = "snapshot",
	.summary = "take a read-only snapshot of the worker's subvolume, to be verified until it is deleted",
	.id = OP_SNAPSHOT,
	.group = GROUP_SNAPSHOTS,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.needs = NEED_BTRFS,
	.errors = errors_of_space,
	.draw = snapshot_draw,
	.fits = snapshot_fits,
	.call = snapshot_call,
	.learn = snapshot_learn,
	.show = snapshot_show,
};

/*
 * ---- snapshot_switch: aux: 1 behind a syncfs
 *
 * A writable snapshot is taken and exchanges its name with the subvolume, which becomes the read-only
 * witness. Whatever of that fails: once the snapshot is there, both trees hold the model of this moment, and
 * nobody writes to the one that is called the snapshot.
 */

/* A snapshot has none of what lies in further subvolumes: it would stay behind. */
static bool has_nested(const struct model_view *v)
{
	struct object o;

	for (uint32_t id = OBJECT_ROOT; id < v->objects.count; id++) {
		if (view_object(v, id, &o) && o.flags & OBJECT_SUBVOLUME && !(o.flags & OBJECT_REALM))
			return true;
	}
	return false;
}

static bool switch_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	return snapshot_draw(c, s, args) && !has_nested(&c->model->head);
}

static bool switch_fits(const struct op_ctx *c, const struct op_args *args)
{
	return snapshot_fits(c, args) && !has_nested(&c->model->head);
}

static int switch_to(int target, const struct places *p)
{
	if (renameat2(target, p->own, target, p->snapshot, RENAME_EXCHANGE))
		return -1;
	return target_set_readonly(target, p->snapshot);
}

static void switch_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const struct places p = find_places(c->model->head.worker, args);
	int ret;

	/* Nothing must reach the files that are left any more; those without a name are in no snapshot. */
	windows_close(c);
	held_close_own(c);
	answer_begin(a);
	ret = target_snapshot(c->target, p.own, p.snapshot, SNAPSHOT_WRITABLE, args->aux);
	if (ret == 0 && switch_to(c->target, &p))
		a->stopped = errno;
	answer_end(a, ret);
}

static void switch_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_success();
	struct op_answer why = *a;

	held_forget_own(c);
	if (!learn_witness(c, &op_snapshot_switch, args, a) || !a->stopped)
		return;
	why.ret = -a->stopped;
	judge(c, &op_snapshot_switch, args, &why, &x);
}

static void switch_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	struct line l = line_begin(r, namer, buf, len);

	show_snapshot(&l, r->args.aux ? "syncfs, snapshot_switch" : "snapshot_switch");
}

const struct op op_snapshot_switch = {
	.name = "snapshot_switch",
	.summary = "go on in a writable snapshot of the worker's subvolume, which becomes a read-only one",
	.id = OP_SNAPSHOT_SWITCH,
	.group = GROUP_SNAPSHOTS,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.needs = NEED_BTRFS,
	.errors = errors_of_space,
	.draw = switch_draw,
	.fits = switch_fits,
	.call = switch_call,
	.learn = switch_learn,
	.show = switch_show,
};

/* ---- snapshot_delete: the oldest */

static bool delete_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	const struct witness_list *l = c->witnesses;

	if (!l->live || (l->live < WITNESSES_MAX && c->operation - l->witness[0]->operation < spacing(c)))
		return false;
	args->object = OBJECT_ROOT;
	args->offset = l->witness[0]->number;
	return true;
}

static bool delete_fits(const struct op_ctx *c, const struct op_args *args)
{
	const struct witness_list *l = c->witnesses;

	return args->object == OBJECT_ROOT && l->live && l->witness[0]->number == args->offset;
}

static void delete_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const struct places p = find_places(c->model->head.worker, args);

	c->witnesses->witness[0]->dying = true; /* before anybody can see the first of it go */
	answer_begin(a);
	answer_end(a, target_snapshot_delete(c->target, p.snapshot));
}

static void delete_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_success();

	if (judge(c, &op_snapshot_delete, args, a, &x) == OUTCOME_DONE)
		witness_put(witness_take_oldest(c->witnesses));
	else
		c->witnesses->witness[0]->dying = false;
}

static void delete_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	struct line l = line_begin(r, namer, buf, len);

	show_snapshot(&l, "snapshot_delete");
}

const struct op op_snapshot_delete = {
	.name = "snapshot_delete",
	.summary = "delete the worker's oldest snapshot",
	.id = OP_SNAPSHOT_DELETE,
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
