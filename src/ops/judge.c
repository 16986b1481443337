/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/ops/judge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/base/units.h"
#include "src/ops/address.h"

/* CLOCK_REALTIME_COARSE, of which the kernel takes its timestamps, lags behind by up to one; HZ is at least
 * 100. */
#define TICK ((int64_t)(10 * NSEC_PER_MSEC))

const int errors_of_names[] = {ENOSPC, EDQUOT, ENOMEM, ENFILE, EINTR, EMLINK, 0};
const int errors_of_space[] = {ENOSPC, EDQUOT, ENOMEM, ENFILE, EINTR, 0};
/* EAGAIN: btrfs answers so, rarely, when there is no room and it looks whether it may write in place, into a
 * range that was allocated (seen on Linux 6.18). */
const int errors_of_writing[] = {ENOSPC, EDQUOT, ENOMEM, ENFILE, EINTR, EAGAIN, 0};
const int errors_of_opening[] = {ENOMEM, ENFILE, EINTR, 0};

void expect_also(struct expectation *x, int err)
{
	for (size_t i = 0; i < ARRAY_SIZE(x->error); i++) {
		if (x->error[i] == 0) {
			x->error[i] = err;
			return;
		}
	}
}

static bool expects(const struct expectation *x, int err)
{
	for (size_t i = 0; i < ARRAY_SIZE(x->error) && x->error[i]; i++) {
		if (x->error[i] == err)
			return true;
	}
	return false;
}

static bool is_ordinary(const struct op *op, int err)
{
	for (const int *e = op->errors; *e; e++) {
		if (*e == err)
			return true;
	}
	return false;
}

static enum finding_class class_of_success(const struct expectation *x)
{
	/* It worked although the name must exist (or must not): there is a name that should not be there. */
	return expects(x, EEXIST) || expects(x, ENOENT) ? FINDING_EXTRA : FINDING_ANSWER;
}

static enum finding_class class_of_error(int err, const struct expectation *x)
{
	if (finding_errno_is_gone(err))
		return FINDING_TARGET;
	switch (err) {
	case EIO:
		return FINDING_EIO;
	case EROFS:
		return FINDING_EROFS;
	case ENOENT:
		return FINDING_MISSING;
	case EEXIST:
		return x->success ? FINDING_EXTRA : FINDING_ANSWER;
	default:
		return FINDING_ANSWER;
	}
}

/* "success", "ENOTEMPTY or EEXIST", ... */
static void show_expectation(const struct expectation *x, char *buf, size_t len)
{
	size_t used = (size_t)snprintf(buf, len, "%s", x->success ? "success" : "");

	for (size_t i = 0; i < ARRAY_SIZE(x->error) && x->error[i] && used < len; i++)
		used += (size_t)snprintf(buf + used, len - used, "%s%s", used ? " or " : "",
					 strerrorname_np(x->error[i]));
}

enum outcome judge(const struct op_ctx *c, const struct op *op, const struct op_args *args,
		   const struct op_answer *a, const struct expectation *x)
{
	enum finding_class class;
	char wanted[80], why[96];

	if (a->ret >= 0) {
		if (x->success)
			return OUTCOME_DONE;
		class = class_of_success(x);
	} else {
		if (expects(x, (int)-a->ret))
			return OUTCOME_REFUSED;
		if (is_ordinary(op, (int)-a->ret))
			return OUTCOME_FAILED;
		class = class_of_error((int)-a->ret, x);
	}
	show_expectation(x, wanted, sizeof(wanted));
	snprintf(why, sizeof(why), "must be %s", wanted);
	judge_report(c, op, args, a, class, why);
	return OUTCOME_WRONG;
}

void judge_fill(const struct op_ctx *c, const struct op *op, const struct op_args *args, struct finding *f)
{
	char path[4096];

	snprintf(f->verifier, sizeof(f->verifier), "%s", op->name);
	f->place = SEEN_CHURN;
	f->worker = c->model->head.worker;
	f->object = args->object;
	f->operation = c->operation;
	if (address_write(&c->model->head, args->dir, args->name, args->object, path, sizeof(path)) == 0)
		bytes_escape(f->path, sizeof(f->path), path, strlen(path));
}

/* Paths for the detail line, quoted; only the end of a long one, so that the reason fits behind it. */
static void short_path(const void *self, uint32_t dir, struct nameref ref, bool shared, char *buf, size_t len)
{
	const struct op_ctx *c = self;
	const size_t most = 96;
	char path[4096], text[4 * 96 + 1];
	size_t full;

	if (address_write(&c->model->head, dir, ref, OBJECT_NONE, path, sizeof(path)))
		snprintf(path, sizeof(path), "?");
	full = strlen(path);
	bytes_escape(text, sizeof(text), full > most ? path + full - most : path, MIN(full, most));
	snprintf(buf, len, "\"%s%s\"", full > most ? "..." : "", text);
}

/* What the model knows of the object: who made it, who changed it. */
static void show_history(const struct op_ctx *c, const struct op_args *args, char *buf, size_t len)
{
	struct object o;
	struct name n;

	if (!address_lookup(&c->model->head, args->dir, args->name, &n) ||
	    !view_object(&c->model->head, n.object, &o)) {
		snprintf(buf, len, "the model has no such name");
		return;
	}
	snprintf(buf, len, "object %u has this name: made by operation %llu, last changed by operation %llu",
		 n.object, (unsigned long long)o.born, (unsigned long long)o.changed);
}

void judge_report(const struct op_ctx *c, const struct op *op, const struct op_args *args,
		  const struct op_answer *a, enum finding_class class, const char *why)
{
	const struct op_namer namer = {.path = short_path, .self = c, .worker = c->model->head.worker};
	const struct journal_record record = {
		.operation = c->operation,
		.answer = (int32_t)a->ret,
		.kind = op->id,
		.flags = op_journal_flags(c, args),
		.args = *args,
	};
	struct finding f = {.class = class, .still = true};
	char line[300], history[160];

	judge_fill(c, op, args, &f);
	op->show(&record, &namer, line, sizeof(line));
	show_history(c, args, history, sizeof(history));
	snprintf(f.detail, sizeof(f.detail), "%s; %s; %s", line, why, history);
	finding_emit(c->findings, &f);
}

void judge_touch(const struct op_ctx *c, uint32_t object, const struct op_answer *a)
{
	model_set_mtime(c->model, c->operation, object, a->time_min, a->time_max);
}

void judge_maybe_touch(const struct op_ctx *c, uint32_t object, const struct op_answer *a)
{
	struct object o;

	if (view_object(&c->model->head, object, &o) && !(o.flags & OBJECT_ANCHOR))
		model_set_mtime(c->model, c->operation, object, MIN(o.mtime_min, a->time_min),
				MAX(o.mtime_max, a->time_max));
}

bool judge_name(const struct op_ctx *c, const struct op *op, const struct op_args *args,
		const struct op_answer *a, const struct expectation *x, uint32_t dir)
{
	switch (judge(c, op, args, a, x)) {
	case OUTCOME_DONE:
		judge_touch(c, dir, a);
		return true;
	case OUTCOME_FAILED:
	case OUTCOME_WRONG:
		judge_maybe_touch(c, dir, a);
		break;
	case OUTCOME_REFUSED:
		break;
	}
	return false;
}

void answer_begin(struct op_answer *a)
{
	*a = (struct op_answer){.time_min = (int64_t)clock_ns(CLOCK_REALTIME_COARSE)};
	a->mono = (int64_t)clock_mono();
}

/* The call lies within its monotonic time both after time_min, as the clock went before it was set back, and
 * before `real`, as it went afterwards. What is set back by less than a tick is not noticed. */
void answer_times(struct op_answer *a, int64_t real, int64_t mono)
{
	int64_t took = mono - a->mono, before = a->time_min;

	a->time_max = real;
	if (real - before >= took)
		return;
	a->time_min = MIN(before, real - took) - TICK;
	a->time_max = MAX(real, before + took) + TICK;
}

void answer_end(struct op_answer *a, int64_t ret)
{
	int64_t mono;

	a->ret = ret < 0 ? -errno : ret;
	mono = (int64_t)clock_mono();
	answer_times(a, (int64_t)clock_ns(CLOCK_REALTIME), mono);
}

int answer_open(struct op_ctx *c, const struct op_args *args, int flags, struct op_answer *a)
{
	int fd;

	answer_begin(a);
	fd = address_open(c, args, flags);
	if (fd < 0)
		answer_end(a, -1);
	return fd;
}
