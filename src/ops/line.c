/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/ops/line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct line line_begin(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	if (len)
		buf[0] = '\0';
	return (struct line){.buf = buf, .len = len, .record = r, .namer = namer};
}

static void add(struct line *l, const char *fmt, va_list ap)
{
	int n;

	if (l->used >= l->len)
		return;
	n = vsnprintf(l->buf + l->used, l->len - l->used, fmt, ap);
	if (n > 0)
		l->used = MIN(l->used + (size_t)n, l->len);
}

void line_add(struct line *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(l, fmt, ap);
	va_end(ap);
}

static void add_path(struct line *l, uint32_t dir, struct nameref ref, bool shared)
{
	if (l->used >= l->len)
		return;
	l->buf[l->used] = '\0';
	l->namer->path(l->namer->self, dir, ref, shared, l->buf + l->used, l->len - l->used);
	l->used += strlen(l->buf + l->used);
}

void line_path(struct line *l)
{
	const struct op_args *args = &l->record->args;
	char text[64];

	if (args->dir == OBJECT_HELD)
		held_label(l->namer->worker, args->object, text, sizeof(text));
	else if (args->dir != OBJECT_NONE ||
		 anchor_path(l->namer->worker, args->object, text, sizeof(text)) < 0)
		text[0] = '\0';
	if (text[0])
		line_add(l, "\"%s\"", text);
	else if (args->dir != OBJECT_NONE)
		add_path(l, args->dir, args->name, l->record->flags & JOURNAL_SHARED);
}

void line_path2(struct line *l)
{
	const struct op_args *args = &l->record->args;

	add_path(l, args->dir2, args->name2, l->record->flags & JOURNAL_SHARED2);
}

void line_answer(struct line *l)
{
	int answer = l->record->answer;
	const char *name;

	if (answer >= 0) {
		line_add(l, " = %d", answer);
		return;
	}
	name = strerrorname_np(-answer);
	line_add(l, " = -1 %s (%s)", name ? name : "?", strerrordesc_np(-answer) ?: "unknown error");
}

void line_call(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len,
	       const char *call, const char *fmt, ...)
{
	struct line l = line_begin(r, namer, buf, len);
	va_list ap;

	line_add(&l, "%s(", call);
	line_path(&l);
	va_start(ap, fmt);
	add(&l, fmt, ap);
	va_end(ap);
	line_add(&l, ")");
	line_answer(&l);
}

void line_pair(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len,
	       const char *call, const char *more)
{
	struct line l = line_begin(r, namer, buf, len);

	line_add(&l, "%s(", call);
	line_path(&l);
	line_add(&l, " -> ");
	line_path2(&l);
	line_add(&l, "%s)", more);
	line_answer(&l);
}
