/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/base/units.h"

/* Room for a text before it is cut: two of the longest paths and some words. */
#define WHOLE (2 * 4096 + 512)

/* A text that is too long loses its middle: what was named stands at the start, why it failed at the end. */
static void put(struct error *e, const char *whole)
{
	static const char gap[] = " ... ";
	size_t len = strlen(whole), part = (sizeof(e->text) - sizeof(gap)) / 2;

	if (len < sizeof(e->text))
		memcpy(e->text, whole, len + 1);
	else
		snprintf(e->text, sizeof(e->text), "%.*s%s%s", (int)part, whole, gap, whole + len - part);
	text_plain(e->text);
}

int error_set(struct error *e, enum exit_code exit, const char *fmt, ...)
{
	char whole[WHOLE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(whole, sizeof(whole), fmt, ap);
	va_end(ap);
	e->exit = exit;
	e->err = 0;
	put(e, whole);
	return -1;
}

/* Append ": more" to `whole`. */
static void append(char whole[WHOLE], const char *more)
{
	size_t used = MIN(strlen(whole), WHOLE - strlen(more) - 3);

	snprintf(whole + used, WHOLE - used, ": %s", more);
}

int error_errno(struct error *e, enum exit_code exit, int err, const char *fmt, ...)
{
	char whole[WHOLE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(whole, sizeof(whole), fmt, ap);
	va_end(ap);
	append(whole, strerror(err));
	e->exit = exit;
	e->err = err;
	put(e, whole);
	return -1;
}

int error_context(struct error *e, const char *fmt, ...)
{
	char whole[WHOLE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(whole, sizeof(whole), fmt, ap);
	va_end(ap);
	append(whole, e->text);
	put(e, whole);
	return -1;
}
