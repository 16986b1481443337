/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an answer of the kernel means, given what the model knows; and the marks that all learn() share. */
#ifndef RECOW_OPS_JUDGE_H
#define RECOW_OPS_JUDGE_H

#include "src/ops/op.h"

/* What a sound filesystem may answer here, beside the operation's ordinary errors. */
struct expectation {
	bool success;
	int error[3]; /* errnos, 0-terminated unless full */
};

static inline struct expectation expect_success(void)
{
	return (struct expectation){.success = true};
}

static inline struct expectation expect_error(int err)
{
	return (struct expectation){.error = {err}};
}

/* Allow one more errno. */
void expect_also(struct expectation *x, int err);

enum outcome {
	OUTCOME_DONE,    /* it was done */
	OUTCOME_REFUSED, /* it was refused as it had to be: nothing was touched */
	OUTCOME_FAILED,  /* an ordinary error: no space and its like */
	OUTCOME_WRONG,   /* neither may be; the finding has been emitted */
};

/* Compare answer and expectation. Emits the finding if there is one. */
enum outcome judge(const struct op_ctx *c, const struct op *op, const struct op_args *args,
		   const struct op_answer *a, const struct expectation *x);

/* Emit a finding about this operation's answer. `why` ends the detail line: "; <why>". */
void judge_report(const struct op_ctx *c, const struct op *op, const struct op_args *args,
		  const struct op_answer *a, enum finding_class class, const char *why);

/* Fill what all findings of operations share: verifier, place, worker, object, operation, path. */
void judge_fill(const struct op_ctx *c, const struct op *op, const struct op_args *args, struct finding *f);

/* Judge what was to make or remove a name in directory `dir`, whose time changes with it. True when it was
 * done. */
bool judge_name(const struct op_ctx *c, const struct op *op, const struct op_args *args,
		const struct op_answer *a, const struct expectation *x, uint32_t dir);

/* The modification time of `object` lies within the call. Anchors are left alone. */
void judge_touch(const struct op_ctx *c, uint32_t object, const struct op_answer *a);

/* It may have been set by the call, or not. */
void judge_maybe_touch(const struct op_ctx *c, uint32_t object, const struct op_answer *a);

/* Note the times around a call. answer_end() takes a system call's return value and errno. */
void answer_begin(struct op_answer *a);
void answer_end(struct op_answer *a, int64_t ret);

/* What answer_end() does with the clocks (ns): CLOCK_REALTIME and CLOCK_MONOTONIC after the call. */
void answer_times(struct op_answer *a, int64_t real, int64_t mono);

/* answer_begin() and address_open() in one: what opens a file to do something with it. Returns a descriptor,
 * or -1: then that is the answer. */
int answer_open(struct op_ctx *c, const struct op_args *args, int flags, struct op_answer *a);

/* Ordinary errors that groups of operations share. */
extern const int errors_of_names[];
extern const int errors_of_space[];
extern const int errors_of_writing[];
extern const int errors_of_opening[]; /* nothing but opening and reading */

#endif
