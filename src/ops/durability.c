/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fsync and fdatasync of files and directories, anchors too. object, dir, name: what is synced; dir
 * OBJECT_NONE: the anchor `object`. The call itself must not fail: what a failed one leaves is not known, and
 * the kernel reports it once.
 */
#include <fcntl.h>
#include <unistd.h>

#include "src/ops/address.h"
#include "src/ops/choose.h"
#include "src/ops/fits.h"
#include "src/ops/judge.h"
#include "src/ops/line.h"
#include "src/ops/table.h"

/* Rather something that changed since it was synced last. */
static bool sync_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	const unsigned int kinds =
		stream_chance(s, 8) ? CHOOSE_DIR | CHOOSE_ANCHOR : CHOOSE_FILE | CHOOSE_HELD;
	struct chosen subject;

	for (int i = 0; i < CHOOSE_TRIES; i++) {
		if (!choose(c, s, kinds, &subject))
			return false;
		if (subject.object.changed > subject.object.synced)
			break;
	}
	choose_subject(&subject, args);
	return true;
}

static bool sync_fits(const struct op_ctx *c, const struct op_args *args)
{
	return fits_subject(c, args, CHOOSE_DIR | CHOOSE_ANCHOR | CHOOSE_FILE | CHOOSE_HELD, NULL);
}

static void sync_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a, int (*sync)(int))
{
	int fd = answer_open(c, args, O_RDONLY, a);

	if (fd < 0)
		return;
	answer_end(a, sync(fd));
	a->began = true;
	close(fd);
}

static void sync_learn(struct op_ctx *c, const struct op *op, const struct op_args *args,
		       const struct op_answer *a)
{
	const struct expectation x = expect_success();

	switch (judge(c, op, args, a, &x)) {
	case OUTCOME_DONE:
		model_set_synced(c->model, c->operation, args->object);
		break;
	case OUTCOME_FAILED:
		if (a->began) {
			judge_report(c, op, args, a, FINDING_ANSWER, "what it should sync may be lost");
			model_set_unsure(c->model, c->operation, args->object);
		}
		break;
	case OUTCOME_WRONG:
		if (a->began)
			model_set_unsure(c->model, c->operation, args->object);
		break;
	case OUTCOME_REFUSED:
		break;
	}
}

static void fsync_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	sync_call(c, args, a, fsync);
}

static void fsync_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	sync_learn(c, &op_fsync, args, a);
}

static void fsync_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_call(r, namer, buf, len, "fsync", "%s", "");
}

const struct op op_fsync = {
	.name = "fsync",
	.summary = "fsync a file or directory; a failure is a finding",
	.id = OP_FSYNC,
	.group = GROUP_DURABILITY,
	.failure = FAILS_EITHER,
	.balance = BALANCE_NONE,
	.errors = errors_of_opening,
	.draw = sync_draw,
	.fits = sync_fits,
	.call = fsync_call,
	.learn = fsync_learn,
	.show = fsync_show,
};

static void fdatasync_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	sync_call(c, args, a, fdatasync);
}

static void fdatasync_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	sync_learn(c, &op_fdatasync, args, a);
}

static void fdatasync_show(const struct journal_record *r, const struct op_namer *namer, char *buf,
			   size_t len)
{
	line_call(r, namer, buf, len, "fdatasync", "%s", "");
}

const struct op op_fdatasync = {
	.name = "fdatasync",
	.summary = "fdatasync a file or directory; a failure is a finding",
	.id = OP_FDATASYNC,
	.group = GROUP_DURABILITY,
	.failure = FAILS_EITHER,
	.balance = BALANCE_NONE,
	.errors = errors_of_opening,
	.draw = sync_draw,
	.fits = sync_fits,
	.call = fdatasync_call,
	.learn = fdatasync_learn,
	.show = fdatasync_show,
};
