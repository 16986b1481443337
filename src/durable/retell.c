/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/durable/retell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/ops/direct.h"
#include "src/ops/table.h"

/* Times of files come from another clock than those of the journal. The one is set now and then, by less than
 * a second where it is kept well. */
#define CLOCKS_APART (1 * NSEC_PER_SEC)
#define CLOCKS_DRIFT 2000 /* one part in so many */

static void hear_nothing(void *self, const struct finding *f)
{
}

int retell_begin(struct retelling *t, struct model *m, uint32_t workers, uint64_t start, struct error *e)
{
	*t = (struct retelling){.deaf = {hear_nothing, NULL}, .start = start};
	witness_list_init(&t->witnesses);
	t->ctx = (struct op_ctx){
		.model = m,
		.shape = &t->shape,
		.target = -1,
		.findings = &t->deaf,
		.workers = workers,
		.witnesses = &t->witnesses,
		.buffer = aligned_alloc(BLOCK_SIZE, OP_BUFFER),
	};
	if (!t->ctx.buffer)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "worker %u", m->head.worker);
	return 0;
}

void retell_end(struct retelling *t)
{
	witness_list_destroy(&t->witnesses);
	free(t->ctx.buffer);
	t->ctx.buffer = NULL;
}

bool retell_refused(const struct journal_record *r)
{
	static const int halfway[] = {ENOSPC, EDQUOT, ENOMEM, ENFILE, EINTR, EIO, EROFS, EFAULT, EAGAIN};

	for (size_t i = 0; i < ARRAY_SIZE(halfway); i++) {
		if (-r->answer == halfway[i])
			return false;
	}
	return r->answer < 0;
}

static uint64_t size_of(const struct retelling *t, uint32_t object)
{
	struct object o;

	return view_object(&t->ctx.model->head, object, &o) ? o.size : 0;
}

/* Of one that did all it could: what the kernel would have answered. */
static int32_t whole_answer(const struct op *op, const struct journal_record *r)
{
	switch (op->id) {
	case OP_WRITE:
	case OP_APPEND:
	case OP_MMAP_WRITE:
	case OP_SHARED_WRITE:
	case OP_SHARED_STORE:
	case OP_COPY_RANGE:
		return (int32_t)r->args.aux;
	default:
		return 0;
	}
}

/* A batch that could not be begun has one record as any other operation. */
static void take_parts(const struct done *d, struct op_answer *a)
{
	const unsigned int ranges = direct_count(&d->part[0].args);

	if (!d->pending && d->count == 1 && ranges > 1)
		return;
	a->parts = ranges;
	a->ret = 0;
	for (unsigned int i = 0; i < ranges; i++) {
		a->part[i] = d->pending     ? (int32_t)direct_range(&d->part[0].args, i).length
			     : i < d->count ? d->part[i].answer
					    : 0;
		a->ret = a->part[i] < 0 && a->ret >= 0 ? a->part[i] : a->ret + MAX(a->part[i], 0);
	}
}

static void take_times(const struct retelling *t, const struct journal_record *r, struct op_answer *a)
{
	const uint64_t apart = CLOCKS_APART + r->start / CLOCKS_DRIFT;
	const uint64_t took = ((uint64_t)r->took + 1) * NSEC_PER_USEC;

	a->time_min = (int64_t)(t->start + r->start - apart);
	a->time_max = (int64_t)(t->start + r->start + took + apart);
}

static struct op_answer answer_of(const struct retelling *t, const struct op *op, const struct done *d)
{
	const struct journal_record *r = &d->part[0];
	struct op_answer a = {
		.ret = d->pending ? whole_answer(op, r) : r->answer,
		.size = size_of(t, r->args.object),
	};

	take_times(t, r, &a);
	if (op->id == OP_AIO_WRITE)
		take_parts(d, &a);
	a.began = a.ret >= 0 || a.parts || op->id == OP_WRITE || op->id == OP_APPEND;
	a.done = a.ret > 0 ? (uint32_t)a.ret : 0;
	return a;
}

/* May it have done a part of its work? */
static bool is_partial(const struct op *op, const struct done *d, const struct op_answer *a)
{
	const struct journal_record *r = &d->part[0];

	if (d->pending || op->failure == FAILS_CLEAN || op->id == OP_WRITE || op->id == OP_APPEND)
		return false;
	for (unsigned int i = 0; i < a->parts; i++) {
		if (a->part[i] != (int32_t)direct_range(&r->args, i).length)
			return true;
	}
	if (op->id == OP_COPY_RANGE && a->ret >= 0)
		return (uint32_t)a->ret < r->args.aux;
	return a->ret < 0 && !retell_refused(r);
}

void retell(struct retelling *t, const struct done *d)
{
	const struct journal_record *r = &d->part[0];
	const struct op *op = op_by_id(r->kind);
	struct op_ctx *c = &t->ctx;
	struct op_args args = r->args;
	struct op_answer a;

	if (d->mark || !op)
		return;
	if (op->id == OP_AIO_WRITE)
		args.dir2 = 0;
	c->operation = r->operation;
	a = answer_of(t, op, d);
	c->look.count = 0;
	if (op->id == OP_SNAPSHOT_DELETE && c->witnesses->live)
		c->witnesses->witness[0]->dying = true;
	if (!op->reads) {
		if (op->fill)
			op->fill(c, &args);
		op->learn(c, &args, &a);
	}
	if (is_partial(op, d, &a))
		model_set_unsure(c->model, c->operation, args.object);
	c->model->head.operations = r->operation;
}
