/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/inode.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/base/units.h"

#define XATTR_PREFIX "user.recow."

mode_t inode_type(uint8_t type)
{
	switch (type) {
	case OBJECT_DIR:
		return S_IFDIR;
	case OBJECT_SYMLINK:
		return S_IFLNK;
	case OBJECT_WHITEOUT:
		return S_IFCHR;
	default:
		return S_IFREG;
	}
}

unsigned char inode_dtype(uint8_t type)
{
	return IFTODT(inode_type(type));
}

const char *inode_type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "a file";
	case S_IFDIR:
		return "a directory";
	case S_IFLNK:
		return "a symbolic link";
	case S_IFCHR:
		return "a character device";
	default:
		return "something else";
	}
}

static int64_t mtime_ns(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * (int64_t)NSEC_PER_SEC + st->st_mtim.tv_nsec;
}

static void compare_number(struct check *c, const struct subject *s, enum finding_attribute which,
			   const char *what, uint64_t expected, uint64_t found)
{
	const struct attribute_seen seen = check_seen(s, which, found);

	if (expected != found)
		check_report_attribute(c, s, &seen, "%s: expected %llu, found %llu", what,
				       (unsigned long long)expected, (unsigned long long)found);
}

static void compare_mode(struct check *c, const struct subject *s, const struct object *o, mode_t found)
{
	const struct attribute_seen seen = check_seen(s, ATTRIBUTE_MODE, found);

	if (found != o->mode)
		check_report_attribute(c, s, &seen, "mode: expected %04o, found %04o", o->mode, found);
}

static void compare_times(struct check *c, const struct subject *s, const struct object *o,
			  const struct stat *st)
{
	const int64_t found = mtime_ns(st);
	const struct attribute_seen seen = check_seen(s, ATTRIBUTE_MTIME, (uint64_t)found);

	if (found < o->mtime_min || found > o->mtime_max)
		check_report_attribute(c, s, &seen, "mtime: expected %lld to %lld ns, found %lld",
				       (long long)o->mtime_min, (long long)o->mtime_max, (long long)found);
}

static void compare_stat(struct check *c, const struct subject *s, const struct object *o,
			 const struct stat *st)
{
	bool unsure = o->flags & OBJECT_UNSURE;

	if (o->type != OBJECT_DIR && !unsure)
		compare_number(c, s, ATTRIBUTE_SIZE, "size", o->size, (uint64_t)st->st_size);
	if (o->type != OBJECT_SYMLINK)
		compare_mode(c, s, o, st->st_mode & 07777);
	compare_number(c, s, ATTRIBUTE_OWNER, "owner", o->uid, st->st_uid);
	compare_number(c, s, ATTRIBUTE_GROUP, "group", o->gid, st->st_gid);
	if (o->type != OBJECT_DIR)
		compare_number(c, s, ATTRIBUTE_LINKS, "link count", o->links, st->st_nlink);
	if (o->type == OBJECT_WHITEOUT)
		compare_number(c, s, ATTRIBUTE_NONE, "device number", 0, st->st_rdev);
	if (!unsure)
		compare_times(c, s, o, st);
}

/* ---- targets of symbolic links */

/* Is this the target of object `id`? */
static bool is_target(const struct model_view *view, uint32_t id, const char *found, size_t len)
{
	struct content_key key = {view->run, {view->worker, 0}, id};
	char target[4097];
	struct object o;

	if (!view_object(view, id, &o) || o.type != OBJECT_SYMLINK || o.size != len || len >= sizeof(target))
		return false;
	key.origin.operation = o.born;
	content_symlink(&key, target, len);
	return memcmp(target, found, len) == 0;
}

/* Another symbolic link whose target it is, of those that there are. */
static void find_target(struct check *c, struct attribute_seen *a, const char *found, size_t len)
{
	for (size_t i = 0; i < c->v->view_count; i++) {
		const struct model_view *view = c->v->views[i];
		struct object o;

		for (uint32_t id = 0; id < view->objects.count && !a->value; id++) {
			if (!is_target(view, id, found, len) || !view_object(view, id, &o))
				continue;
			a->value = VALUE_FOREIGN;
			a->origin = (struct origin){view->worker, o.born};
			a->object = id;
		}
	}
}

static void report_target(struct check *c, const struct subject *s, const char *expected, size_t expected_len,
			  const char *found, size_t len)
{
	struct attribute_seen seen = check_seen(s, ATTRIBUTE_TARGET, len);
	char shown[2][128];

	attribute_bytes(&seen, found, len);
	if (!check_full(c))
		find_target(c, &seen, found, len);
	check_report_attribute(c, s, &seen, "target: expected \"%s\", found \"%s\"",
			       bytes_escape(shown[0], sizeof(shown[0]), expected, expected_len),
			       bytes_escape(shown[1], sizeof(shown[1]), found, len));
}

static void compare_target(struct check *c, int dir, const char *name, const struct subject *s,
			   const struct object *o)
{
	struct content_key key = {s->view->run, {s->view->worker, o->born}, s->object};
	char expected[4097], found[4097];
	ssize_t n = readlinkat(dir, name, found, sizeof(found));

	if (n < 0) {
		check_report(c, s, check_errno_class(errno), "readlink: %s", strerror(errno));
		return;
	}
	if (o->size >= sizeof(expected))
		return; /* no symbolic link is that long: the size was reported */
	content_symlink(&key, expected, (size_t)o->size);
	if ((uint64_t)n != o->size || memcmp(expected, found, (size_t)n) != 0)
		report_target(c, s, expected, (size_t)o->size, found, (size_t)n);
}

/* ---- extended attributes */

static bool modelled(const struct subject *s, const struct object *o, const char *name)
{
	char own[32];
	struct xattr x;

	for (uint32_t at = o->first_xattr; at; at = x.next) {
		if (!view_xattr(s->view, at - 1, &x))
			return true; /* damaged: told by compare_xattrs() */
		snprintf(own, sizeof(own), XATTR_PREFIX "%u", x.number);
		if (strcmp(own, name) == 0)
			return true;
	}
	return false;
}

/* The number in the name; false for a name that no operation makes. */
static bool xattr_number(const char *name, uint32_t *number)
{
	char again[32];

	if (sscanf(name, XATTR_PREFIX "%u", number) != 1)
		return false;
	snprintf(again, sizeof(again), XATTR_PREFIX "%u", *number);
	return strcmp(again, name) == 0;
}

static void report_extra_xattr(struct check *c, int fd, const struct subject *s, const char *name,
			       struct inode_room *room)
{
	struct attribute_seen seen = check_seen(s, ATTRIBUTE_XATTR, 0);
	ssize_t n = fgetxattr(fd, name, room->found, sizeof(room->found));
	char shown[128];

	if (!xattr_number(name, &seen.number))
		seen.value = VALUE_NEVER;
	else if (n >= 0)
		attribute_judge_xattr(&seen, s->view->run, s->view->worker, s->object, 0, room->found,
				      (size_t)n);
	check_report_attribute(c, s, &seen, "xattr %s must not be there",
			       bytes_escape(shown, sizeof(shown), name, strlen(name)));
}

static void find_extra_xattrs(struct check *c, int fd, const struct subject *s, const struct object *o,
			      struct inode_room *room)
{
	ssize_t n = flistxattr(fd, room->list, sizeof(room->list));

	if (n < 0) {
		if (errno != ENOTSUP)
			check_report(c, s, check_errno_class(errno), "listxattr: %s", strerror(errno));
		return;
	}
	for (const char *name = room->list; name < room->list + n; name += strlen(name) + 1) {
		if (strncmp(name, XATTR_PREFIX, strlen(XATTR_PREFIX)) == 0 && !modelled(s, o, name))
			report_extra_xattr(c, fd, s, name, room);
	}
}

/* It is there; *seen says whose value it is. */
static void compare_value(struct check *c, const struct subject *s, const struct xattr *x,
			  struct attribute_seen *seen, struct inode_room *room, size_t n)
{
	const struct content_key key = {s->view->run, {s->view->worker, x->operation}, s->object};
	char name[48];

	content_xattr(&key, x->number, room->expected, x->length);
	if (n == x->length && memcmp(room->expected, room->found, n) == 0)
		return;
	attribute_judge_xattr(seen, s->view->run, s->view->worker, s->object, x->operation, room->found, n);
	attribute_show(name, sizeof(name), seen);
	if (n != x->length)
		check_report_attribute(c, s, seen, "%s: expected %u bytes, found %zu", name, x->length, n);
	else
		check_report_attribute(c, s, seen, "%s: %u bytes are not those of operation %llu", name,
				       x->length, (unsigned long long)x->operation);
}

static void compare_xattr(struct check *c, int fd, const struct subject *s, const struct xattr *x,
			  struct inode_room *room)
{
	struct attribute_seen seen = check_seen(s, ATTRIBUTE_XATTR, 0);
	char name[32];
	ssize_t n;

	seen.number = x->number;
	snprintf(name, sizeof(name), XATTR_PREFIX "%u", x->number);
	n = fgetxattr(fd, name, room->found, sizeof(room->found));
	if (n >= 0) {
		compare_value(c, s, x, &seen, room, (size_t)n);
	} else if (errno == ENODATA) {
		seen.absent = true;
		check_report_attribute(c, s, &seen, "xattr %s is missing", name);
	} else {
		check_report(c, s, check_errno_class(errno), "getxattr %s: %s", name, strerror(errno));
	}
}

static void compare_xattrs(struct check *c, int fd, const struct subject *s, const struct object *o,
			   struct inode_room *room)
{
	struct xattr x;

	find_extra_xattrs(c, fd, s, o, room);
	for (uint32_t at = o->first_xattr; at; at = x.next) {
		if (!view_xattr(s->view, at - 1, &x) || x.length > sizeof(room->expected)) {
			check_harness(c, s, "an extended attribute of object");
			return;
		}
		compare_xattr(c, fd, s, &x, room);
	}
}

static void verify_xattrs(struct check *c, struct inode_room *room, int dir, const char *name,
			  const struct subject *s, const struct object *o)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0) {
		check_report(c, s, check_errno_class(errno), "open: %s", strerror(errno));
		return;
	}
	compare_xattrs(c, fd, s, o, room);
	close(fd);
}

void inode_verify(struct check *c, struct inode_room *room, int dir, const char *name,
		  const struct subject *s, const struct object *o, const struct stat *st)
{
	c->v->counters->objects++;
	compare_stat(c, s, o, st);
	if (o->type == OBJECT_SYMLINK)
		compare_target(c, dir, name, s, o);
	else if (o->type != OBJECT_WHITEOUT) /* which cannot be opened, and has no attributes of its user */
		verify_xattrs(c, room, dir, name, s, o);
}

void inode_verify_open(struct check *c, struct inode_room *room, int fd, const struct subject *s,
		       const struct object *o, const struct stat *st)
{
	c->v->counters->objects++;
	compare_stat(c, s, o, st);
	compare_xattrs(c, fd, s, o, room);
}
