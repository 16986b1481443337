/* SPDX-License-Identifier: GPL-2.0-or-later */
/* After a power cut: attributes. Each has the value that was durable last, or one that it got since. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/base/units.h"
#include "src/ops/table.h"
#include "verify/durable.h"

static void set_path(struct finding *f, const char *path)
{
	bytes_escape(f->path, sizeof(f->path), path, strlen(path));
}

void durable_report(struct durable_pass *p, const struct durable_found *f, enum finding_class class,
		    const struct attribute_seen *a, const char *fmt, ...)
{
	const struct subject s = {history_end(f->w), f->thing.object, NAME_NONE};
	struct finding finding;
	va_list ap;

	p->wrong++;
	if (p->quiet)
		return;
	check_finding(&finding, &s, class);
	set_path(&finding, f->path);
	if (a)
		finding.attribute = *a;
	va_start(ap, fmt);
	vsnprintf(finding.detail, sizeof(finding.detail), fmt, ap);
	va_end(ap);
	check_emit(&p->check, &finding);
}

/* ---- values since an attribute was durable last */

/* From the least to the greatest of all that it had, and whether a value is one of them. */
struct span {
	uint64_t floor;
	struct object first; /* as it was at the floor; type OBJECT_FREE: there was nothing */
	const struct touches *touches;
	uint32_t object;
};

static struct span span_of(const struct durable_found *f, enum history_part part)
{
	struct span s = {
		.floor = history_floor(f->w, f->thing, part),
		.touches = &f->w->touches,
		.object = f->thing.object,
	};

	if (!history_at(f->w, f->thing, s.floor, &s.first))
		s.first.type = OBJECT_FREE;
	s.floor = MAX(s.floor, f->thing.born ? f->thing.born - 1 : 0);
	return s;
}

typedef bool has_value(const struct object *o, uint64_t value);

static bool has_mode(const struct object *o, uint64_t value)
{
	return o->mode == value;
}

static bool has_owner(const struct object *o, uint64_t value)
{
	return o->uid == value;
}

static bool has_group(const struct object *o, uint64_t value)
{
	return o->gid == value;
}

static bool had(const struct span *s, has_value *has, uint64_t value)
{
	if (s->first.type != OBJECT_FREE && has(&s->first, value))
		return true;
	for (const struct touch *t = touches_newest(s->touches, s->object, s->floor); t;
	     t = touches_before(s->touches, t, s->floor)) {
		if (t->after.type != OBJECT_FREE && has(&t->after, value))
			return true;
	}
	return false;
}

/* The greatest and the least of sizes and of times; true when there is any. */
struct extremes {
	uint64_t size[2];
	int64_t mtime[2];
	bool any, unsure;
};

static void take_extremes(struct extremes *x, const struct object *o)
{
	if (o->type == OBJECT_FREE)
		return;
	x->size[0] = x->any ? MIN(x->size[0], o->size) : o->size;
	x->size[1] = x->any ? MAX(x->size[1], o->size) : o->size;
	x->mtime[0] = x->any ? MIN(x->mtime[0], o->mtime_min) : o->mtime_min;
	x->mtime[1] = x->any ? MAX(x->mtime[1], o->mtime_max) : o->mtime_max;
	x->unsure |= o->flags & OBJECT_UNSURE;
	x->any = true;
}

static struct extremes extremes_of(const struct span *s)
{
	struct extremes x = {.any = false};

	take_extremes(&x, &s->first);
	for (const struct touch *t = touches_newest(s->touches, s->object, s->floor); t;
	     t = touches_before(s->touches, t, s->floor))
		take_extremes(&x, &t->after);
	return x;
}

/* ---- what stat tells */

static struct attribute_seen seen(const struct durable_found *f, enum finding_attribute which, uint64_t value)
{
	const struct subject s = {history_end(f->w), f->thing.object, NAME_NONE};

	return check_seen(&s, which, value);
}

static void check_number(struct durable_pass *p, const struct durable_found *f, const struct span *s,
			 enum finding_attribute which, has_value *has, uint64_t value)
{
	static const char *const names[] = {
		[ATTRIBUTE_MODE] = "mode", [ATTRIBUTE_OWNER] = "owner", [ATTRIBUTE_GROUP] = "group"};
	const struct attribute_seen a = seen(f, which, value);

	if (had(s, has, value))
		return;
	durable_report(
		p, f, FINDING_ATTRIBUTE, &a,
		which == ATTRIBUTE_MODE
			? "%s: found %04llo, which it has not had since operation %llu, when it was durable"
			: "%s: found %llu, which it has not had since operation %llu, when it was durable",
		names[which], (unsigned long long)value, (unsigned long long)s->floor);
}

/* What is written out of a file that grows or shrinks can end anywhere between two sizes. */
static void check_size(struct durable_pass *p, const struct durable_found *f, const struct span *s,
		       const struct extremes *x)
{
	const uint64_t size = (uint64_t)f->st.st_size;
	const struct attribute_seen a = seen(f, ATTRIBUTE_SIZE, size);

	if (size < (s->first.type == OBJECT_FREE ? 0 : x->size[0]) || size > x->size[1])
		durable_report(
			p, f, FINDING_ATTRIBUTE, &a,
			"size: found %llu; since operation %llu, when it was durable, it was %llu to %llu",
			(unsigned long long)size, (unsigned long long)s->floor,
			(unsigned long long)x->size[0], (unsigned long long)x->size[1]);
}

/* What is done when the filesystem is mounted again may set times of its own: ext4 cuts files off then that
 * were to be. */
static void check_time(struct durable_pass *p, const struct durable_found *f, const struct span *s,
		       const struct extremes *x)
{
	const int64_t found = (int64_t)f->st.st_mtim.tv_sec * (int64_t)NSEC_PER_SEC + f->st.st_mtim.tv_nsec;
	const struct attribute_seen a = seen(f, ATTRIBUTE_MTIME, (uint64_t)found);

	if (found < x->mtime[0] || (found > x->mtime[1] && (uint64_t)found < f->w->of->over))
		durable_report(p, f, FINDING_ATTRIBUTE, &a,
			       "mtime: found %lld; since operation %llu, when it was durable, it was %lld to "
			       "%lld ns",
			       (long long)found, (unsigned long long)s->floor, (long long)x->mtime[0],
			       (long long)x->mtime[1]);
}

/* ---- extended attributes */

/* One value that the attribute may have; length UINT32_MAX: it may be missing. */
static bool is_value(struct durable_pass *p, const struct durable_found *f, const struct xattr *x, ssize_t n)
{
	const struct content_key key = {f->w->model.head.run, {f->w->worker, x->operation}, f->thing.object};

	if (n < 0 || x->length == UINT32_MAX)
		return n < 0 && x->length == UINT32_MAX;
	if ((size_t)n != x->length || x->length > sizeof(p->room->expected))
		return false;
	content_xattr(&key, x->number, p->room->expected, x->length);
	return memcmp(p->room->expected, p->room->found, (size_t)n) == 0;
}

/* As it was at the floor. */
static struct xattr xattr_at(const struct durable_found *f, const struct span *s, uint32_t number)
{
	const struct model_view *v;
	struct xattr x, none = {.number = number, .length = UINT32_MAX};
	struct object o;

	v = history_at(f->w, f->thing, history_floor(f->w, f->thing, HISTORY_ALL), &o);
	for (uint32_t at = v ? o.first_xattr : 0; at; at = x.next) {
		if (!view_xattr(v, at - 1, &x))
			break;
		if (x.number == number)
			return x;
	}
	return none;
}

/* One that was refused for want of room may be there all the same, or not: the kernel's promise is weak
 * there. */
static bool had_value(struct durable_pass *p, const struct durable_found *f, const struct span *s,
		      uint32_t number, ssize_t n)
{
	struct xattr x = xattr_at(f, s, number);

	if (is_value(p, f, &x, n))
		return true;
	for (const struct touch *t = touches_newest(s->touches, s->object, s->floor); t;
	     t = touches_before(s->touches, t, s->floor)) {
		const struct journal_record *r = &t->record;

		if ((r->kind != OP_SETXATTR && r->kind != OP_REMOVEXATTR) || r->args.name2.number != number)
			continue;
		x = (struct xattr){.number = number,
				   .operation = r->operation,
				   .length = r->kind == OP_SETXATTR ? r->args.aux : UINT32_MAX};
		if (is_value(p, f, &x, n))
			return true;
	}
	return false;
}

static void check_xattrs(struct durable_pass *p, const struct durable_found *f, const struct span *s, int fd)
{
	for (uint32_t i = 0; i < CONTENT_XATTRS; i++) {
		struct attribute_seen a = seen(f, ATTRIBUTE_XATTR, 0);
		char name[32];
		ssize_t n;

		snprintf(name, sizeof(name), "user.recow.%u", i);
		n = fgetxattr(fd, name, p->room->found, sizeof(p->room->found));
		if (n < 0 && errno != ENODATA && errno != ENOTSUP) {
			durable_report(p, f, check_errno_class(errno), NULL, "getxattr %s: %s", name,
				       strerror(errno));
			continue;
		}
		if ((n < 0 && errno == ENOTSUP) || had_value(p, f, s, i, n))
			continue;
		a.number = i;
		a.absent = n < 0;
		if (n >= 0)
			attribute_judge_xattr(&a, f->w->model.head.run, f->w->worker, f->thing.object, 0,
					      p->room->found, (size_t)n);
		durable_report(p, f, FINDING_ATTRIBUTE, &a,
			       "xattr %s %s, which it has not had since operation %llu, when it was durable",
			       name, n < 0 ? "is missing" : "has a value", (unsigned long long)s->floor);
	}
}

/* ---- one object */

/* It was made with it, and never gets another one. */
static void check_target(struct durable_pass *p, const struct durable_found *f, const struct object *o)
{
	const struct content_key key = {f->w->model.head.run, {f->w->worker, o->born}, f->thing.object};
	char expected[4097], found[4097];
	ssize_t n = readlinkat(f->dir, f->name, found, sizeof(found));
	struct attribute_seen a = seen(f, ATTRIBUTE_TARGET, n < 0 ? 0 : (uint64_t)n);

	if (n < 0) {
		durable_report(p, f, check_errno_class(errno), NULL, "readlink: %s", strerror(errno));
		return;
	}
	if (o->size >= sizeof(expected))
		return;
	content_symlink(&key, expected, (size_t)o->size);
	if ((uint64_t)n != o->size || memcmp(expected, found, (size_t)n) != 0) {
		attribute_bytes(&a, found, (size_t)n);
		durable_report(p, f, FINDING_ATTRIBUTE, &a,
			       "target: %zd bytes are not those with which it was made", n);
	}
}

static void check_attributes(struct durable_pass *p, const struct durable_found *f, const struct object *o,
			     int fd)
{
	const struct span s = span_of(f, HISTORY_ALL);
	const struct extremes x = extremes_of(&s);

	if (!history_knows(f->w, f->thing, HISTORY_ALL))
		return;
	if (o->type != OBJECT_SYMLINK)
		check_number(p, f, &s, ATTRIBUTE_MODE, has_mode, f->st.st_mode & 07777);
	check_number(p, f, &s, ATTRIBUTE_OWNER, has_owner, f->st.st_uid);
	check_number(p, f, &s, ATTRIBUTE_GROUP, has_group, f->st.st_gid);
	if (o->type == OBJECT_FILE && x.any && !x.unsure)
		check_time(p, f, &s, &x);
	if (fd >= 0)
		check_xattrs(p, f, &s, fd);
}

static void check_content(struct durable_pass *p, const struct durable_found *f, int fd)
{
	const struct span s = span_of(f, HISTORY_DATA);
	const struct extremes x = extremes_of(&s);

	if (!history_knows(f->w, f->thing, HISTORY_DATA) || !x.any || x.unsure) {
		p->check.v->counters->unsure += div_up_u64((uint64_t)f->st.st_size, BLOCK_SIZE);
		return;
	}
	check_size(p, f, &s, &x);
	durable_data(p, f, fd);
}

void durable_object(struct durable_pass *p, const struct durable_found *f)
{
	struct object o;
	int fd = -1;

	if (!history_lives(f->w, f->thing, &o))
		return;
	p->check.v->counters->objects++;
	p->objects += history_floor(f->w, f->thing, HISTORY_DATA) != 0;
	if (o.type == OBJECT_FILE || o.type == OBJECT_DIR) {
		fd = openat(f->dir, f->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			durable_report(p, f, check_errno_class(errno), NULL, "open: %s", strerror(errno));
	}
	check_attributes(p, f, &o, fd);
	if (o.type == OBJECT_SYMLINK)
		check_target(p, f, &o);
	if (o.type == OBJECT_FILE && fd >= 0)
		check_content(p, f, fd);
	if (fd >= 0)
		close(fd);
}
