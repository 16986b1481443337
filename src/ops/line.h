/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building the one line that show() writes, as strace would. */
#ifndef RECOW_OPS_LINE_H
#define RECOW_OPS_LINE_H

#include "src/ops/op.h"

struct line {
	char *buf;
	size_t len, used;
	const struct journal_record *record;
	const struct op_namer *namer;
};

struct line line_begin(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len);

void line_add(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The quoted paths of (dir, name) and (dir2, name2). */
void line_path(struct line *l);
void line_path2(struct line *l);

/* " = 8192", " = 0" or " = -1 ENOSPC (No space left on device)". */
void line_answer(struct line *l);

/* The commonest line of all: call("path"<more>) = answer. */
void line_call(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len,
	       const char *call, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* The same of two names: call("path" -> "path2"<more>) = answer. */
void line_pair(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len,
	       const char *call, const char *more);

#endif
