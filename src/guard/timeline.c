/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/timeline.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/guard/count.h"
#include "src/machine/machine.h"
#include "src/run/rundir.h"

static int open_file(const char *run, const char *name)
{
	char path[PATH_MAX];

	return open(rundir_path(path, sizeof(path), run, name), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
		    0600);
}

int timeline_open(struct timeline *t, const char *run, uint64_t start, struct error *e)
{
	t->start = start;
	t->err = 0;
	t->events = open_file(run, "timeline.jsonl");
	t->status = open_file(run, "status.jsonl");
	if (t->events >= 0 && t->status >= 0)
		return 0;
	error_errno(e, EXIT_CANNOT, errno, "cannot make timeline.jsonl and status.jsonl in %s", run);
	timeline_close(t);
	return -1;
}

void timeline_close(struct timeline *t)
{
	if (t->events >= 0)
		close(t->events);
	if (t->status >= 0)
		close(t->status);
	t->events = t->status = -1;
}

/* Takes over `object`. */
static void put_line(struct timeline *t, int fd, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(12));
	size_t len;

	json_decref(object);
	if (!text)
		return;
	len = strlen(text);
	text[len] = '\n'; /* in place of the NUL: one write, one line */
	if (write(fd, text, len + 1) != (ssize_t)len + 1 && !t->err)
		t->err = errno ? errno : ENOSPC;
	free(text);
}

static double seconds_since(uint64_t start)
{
	return (double)((clock_mono() - start) / NSEC_PER_USEC) / 1e6;
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
	put_line(t, t->events, line);
}

static json_t *exposures(const struct shared *s)
{
	json_t *all = json_object();

	for (unsigned int i = 0; i < s->plan.injection_count; i++) {
		const struct exposure *x = &s->exposure[i];

		json_object_set_new(all, s->plan.injection[i].injector->name,
				    json_pack("{s:I, s:I, s:I, s:I, s:I}", "steps",
					      (json_int_t)atomic_load(&x->steps), "idle",
					      (json_int_t)atomic_load(&x->idle), "failed",
					      (json_int_t)atomic_load(&x->failed), "pages",
					      (json_int_t)atomic_load(&x->pages), "dirty",
					      (json_int_t)atomic_load(&x->dirty)));
	}
	return all;
}

static json_t *counters(const struct shared *s)
{
	struct counts c;

	count_all(s, &c);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "rounds", (json_int_t)c.rounds,
			 "operations", (json_int_t)c.operations, "errors", (json_int_t)c.errors,
			 "bytes_written", (json_int_t)c.written, "bytes_read", (json_int_t)c.read,
			 "bytes_verified", (json_int_t)c.verified_bytes, "objects_verified",
			 (json_int_t)c.verified_objects, "trials", (json_int_t)c.trials, "findings",
			 (json_int_t)atomic_load(&s->findings), "injectors", exposures(s));
}

void timeline_status(struct timeline *t, const struct shared *s)
{
	json_t *line = json_pack("{s:f, s:i, s:i, s:i, s:I, s:I, s:I}", "t", seconds_since(t->start), "stage",
				 (int)atomic_load(&s->stage), "round", (int)atomic_load(&s->round), "phase",
				 (int)atomic_load(&s->phase), "migrated",
				 (json_int_t)machine_vmstat("pgmigrate_success"), "dirty_kib",
				 (json_int_t)machine_meminfo_kib("Dirty"), "available_kib",
				 (json_int_t)machine_meminfo_kib("MemAvailable"));
	json_t *more = counters(s);

	json_object_update(line, more);
	json_decref(more);
	put_line(t, t->status, line);
}
