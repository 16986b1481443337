/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *e, enum exit_code exit, const char *fmt, ...)
{
	va_list ap;

	e->exit = exit;
	e->err = 0;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return -1;
}

int error_errno(struct error *e, enum exit_code exit, int err, const char *fmt, ...)
{
	va_list ap;
	size_t used;

	e->exit = exit;
	e->err = err;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	used = strlen(e->text);
	snprintf(e->text + used, sizeof(e->text) - used, ": %s", strerror(err));
	return -1;
}

int error_context(struct error *e, const char *fmt, ...)
{
	char inner[sizeof(e->text)];
	va_list ap;
	size_t used;

	memcpy(inner, e->text, sizeof(inner));
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	used = strlen(e->text);
	snprintf(e->text + used, sizeof(e->text) - used, ": %s", inner);
	return -1;
}
