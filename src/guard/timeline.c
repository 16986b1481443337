/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/timeline.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/run/rundir.h"

static void open_file(struct timeline *t)
{
	t->bytes = 0;
	t->events = open(t->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* It goes on as it is when it can't be set aside. */
static void set_aside(struct timeline *t)
{
	t->bytes = 0;
	if (rename(t->path, t->old))
		return;
	close(t->events);
	open_file(t);
	if (t->events < 0)
		t->err = errno;
}

int timeline_open(struct timeline *t, const char *run, uint64_t start, struct error *e)
{
	rundir_path(t->path, sizeof(t->path), run, "timeline.jsonl");
	rundir_path(t->old, sizeof(t->old), run, "timeline.old.jsonl");
	t->start = start;
	t->err = 0;
	open_file(t);
	return t->events >= 0 ? 0 : error_errno(e, EXIT_CANNOT, errno, "cannot make %s", t->path);
}

void timeline_close(struct timeline *t)
{
	if (t->events >= 0)
		close(t->events);
	t->events = -1;
}

/* Takes over `object`. */
static void put_line(struct timeline *t, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(12));
	size_t len;

	json_decref(object);
	if (!text)
		return;
	len = strlen(text);
	text[len] = '\n'; /* in place of the NUL: one write, one line */
	if (write(t->events, text, len + 1) != (ssize_t)len + 1 && !t->err)
		t->err = errno ? errno : ENOSPC;
	free(text);
	t->bytes += len + 1;
	if (t->bytes >= TIMELINE_BYTES)
		set_aside(t);
}

static double seconds_since(uint64_t start)
{
	return (double)(clock_mono() - start) / NSEC_PER_SEC;
}

void timeline_event(struct timeline *t, const char *event, const char *fmt, ...)
{
	json_t *line, *more;
	va_list ap;

	if (t->events < 0)
		return;
	va_start(ap, fmt);
	more = json_vpack_ex(NULL, 0, fmt, ap);
	va_end(ap);
	line = json_pack("{s:f, s:s}", "t", seconds_since(t->start), "event", event);
	if (more) {
		json_object_update(line, more);
		json_decref(more);
	}
	put_line(t, line);
}
