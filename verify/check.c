/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/base/units.h"

#define HARNESS_REPORTS 8U

void check_start(struct check *c, struct verification *v, const char *verifier, enum finding_place place)
{
	memset(c, 0, sizeof(*c));
	c->v = v;
	c->verifier = verifier;
	c->place = place;
}

bool check_stopped(const struct check *c)
{
	return (c->v->stop && *c->v->stop) || (c->v->gone && *c->v->gone);
}

const char *check_place(const struct verification *v, const char *path)
{
	const char *below = strchr(path, '/');

	if (v->scope == SCOPE_ALL)
		return *path ? path : ".";
	return below ? below + 1 : ".";
}

bool check_full(const struct check *c)
{
	return c->emitted >= CHECK_FINDINGS_MAX;
}

void check_emit(struct check *c, struct finding *f)
{
	if (c->emitted++ >= CHECK_FINDINGS_MAX) {
		c->last_dropped = f->class;
		c->dropped++;
		return;
	}
	snprintf(f->verifier, sizeof(f->verifier), "%s", c->verifier);
	f->place = c->place;
	finding_emit(c->v->findings, f);
}

void check_end(struct check *c)
{
	static const struct finding none;
	struct finding f = none;

	if (!c->dropped)
		return;
	f.class = (enum finding_class)c->last_dropped;
	f.place = c->place;
	f.still = true;
	snprintf(f.verifier, sizeof(f.verifier), "%s", c->verifier);
	snprintf(f.detail, sizeof(f.detail), "%llu more findings of this pass are not reported one by one",
		 (unsigned long long)c->dropped);
	finding_emit(c->v->findings, &f);
}

void check_append(struct finding *f, const char *text)
{
	const size_t most = sizeof(f->detail) - 1;
	size_t used = strlen(f->detail), room = most - MIN(strlen(text), most / 2);

	if (used > room) {
		used = room;
		memcpy(f->detail + used - 3, "...", 3);
	}
	snprintf(f->detail + used, sizeof(f->detail) - used, "%s", text);
}

void check_finding(struct finding *f, const struct subject *s, enum finding_class class)
{
	struct object o;
	char path[4096];
	int len = -1;

	memset(f, 0, sizeof(*f));
	f->class = class;
	if (view_object(s->view, s->object, &o))
		f->operation = o.changed;
	f->worker = s->view->worker;
	f->object = s->object;
	f->still = true;
	if (s->name != NAME_NONE)
		len = view_path(s->view, s->name, path, sizeof(path));
	if (len > 0)
		bytes_escape(f->path, sizeof(f->path), path, (size_t)len);
}

void check_report(struct check *c, const struct subject *s, enum finding_class class, const char *fmt, ...)
{
	struct finding f;
	va_list ap;

	check_finding(&f, s, class);
	va_start(ap, fmt);
	vsnprintf(f.detail, sizeof(f.detail), fmt, ap);
	va_end(ap);
	check_emit(c, &f);
}

struct attribute_seen check_seen(const struct subject *s, enum finding_attribute which, uint64_t found)
{
	return (struct attribute_seen){
		.which = (uint8_t)which, .found = found, .learned = s->view->operations};
}

void check_report_attribute(struct check *c, const struct subject *s, const struct attribute_seen *a,
			    const char *fmt, ...)
{
	struct finding f;
	char whose[128];
	va_list ap;

	check_finding(&f, s, FINDING_ATTRIBUTE);
	f.attribute = *a;
	va_start(ap, fmt);
	vsnprintf(f.detail, sizeof(f.detail), fmt, ap);
	va_end(ap);
	check_append(&f, attribute_describe(whose, sizeof(whose), &f));
	check_emit(c, &f);
}

void check_report_path(struct check *c, const char *dir, const char *name, enum finding_class class,
		       const char *fmt, ...)
{
	struct finding f;
	char path[4096];
	va_list ap;

	memset(&f, 0, sizeof(f));
	f.class = class;
	f.still = true;
	snprintf(path, sizeof(path), "%s%s%s", dir, *dir && *name ? "/" : "", name);
	bytes_escape(f.path, sizeof(f.path), path, strlen(path));
	va_start(ap, fmt);
	vsnprintf(f.detail, sizeof(f.detail), fmt, ap);
	va_end(ap);
	check_emit(c, &f);
}

void check_harness(struct check *c, const struct subject *s, const char *what)
{
	if (c->harness++ >= HARNESS_REPORTS)
		return;
	check_report(c, s, FINDING_HARNESS, "the recorded state of worker %u is damaged in memory: %s %u",
		     s->view->worker, what, s->object);
}

enum finding_class check_errno_class(int err)
{
	if (finding_errno_is_gone(err))
		return FINDING_TARGET;
	switch (err) {
	case ENOENT:
	case ENOTDIR:
		return FINDING_MISSING;
	case EROFS:
		return FINDING_EROFS;
	case EIO:
	case EUCLEAN:
	case ESTALE:
	case EBADMSG:
	case ENXIO:
	case ENODATA:
		return FINDING_EIO;
	default:
		return FINDING_ANSWER;
	}
}

bool check_page(const struct model_view *view, const struct array *a, uint32_t i)
{
	return i >= a->count || array_frozen(view->pool, a, i) != NULL;
}
