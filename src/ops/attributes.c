/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations on attributes: chmod, chown, utimensat, setxattr, removexattr. The bits setuid and setgid are
 * never set: when the kernel clears them on a write or chown is its own science. Directories may get the
 * sticky bit.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "src/ops/address.h"
#include "src/ops/choose.h"
#include "src/ops/fits.h"
#include "src/ops/judge.h"
#include "src/ops/line.h"
#include "src/ops/table.h"

static bool draw_subject(const struct op_ctx *c, struct stream *s, struct op_args *args, unsigned int kinds,
			 struct chosen *chosen)
{
	if (!choose(c, s, kinds, chosen))
		return false;
	choose_subject(chosen, args);
	return true;
}

/*
 * btrfs changes the inode in memory before it finds that there is no room to write it, and answers ENOSPC;
 * the old state comes back when memory forgets the new one (seen on Linux 6.18). So after a failure mode and
 * owner are set back: then memory and disk agree, even when that is refused, too.
 */
static bool must_set_back(const struct op_ctx *c, const struct op_args *args, const struct op_answer *a,
			  struct object *old)
{
	return a->ret < 0 && view_object(&c->model->head, args->object, old);
}

/* ---- chmod: object, dir, name: anything but a symbolic link; aux: mode */

static bool chmod_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen subject;

	if (!draw_subject(c, s, args, (CHOOSE_ANY & ~CHOOSE_SYMLINK) | CHOOSE_HELD, &subject))
		return false;
	args->aux = (uint32_t)stream_below(s, 01000);
	if (subject.object.type == OBJECT_DIR && stream_chance(s, 8))
		args->aux |= S_ISVTX;
	return true;
}

static bool chmod_fits(const struct op_ctx *c, const struct op_args *args)
{
	return fits_subject(c, args, (CHOOSE_ANY & ~CHOOSE_SYMLINK) | CHOOSE_HELD, NULL);
}

static void chmod_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const char *path = address_path(c, 0, args->dir, args->name, args->object);
	struct object old;

	answer_begin(a);
	answer_end(a, fchmodat(c->target, path, (mode_t)args->aux, 0));
	if (must_set_back(c, args, a, &old))
		(void)!fchmodat(c->target, path, old.mode, 0);
}

static void chmod_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_success();

	if (judge(c, &op_chmod, args, a, &x) == OUTCOME_DONE)
		model_set_mode(c->model, c->operation, args->object, (uint16_t)args->aux);
}

static void chmod_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_call(r, namer, buf, len, "chmod", ", 0%03o", r->args.aux);
}

const struct op op_chmod = {
	.name = "chmod",
	.summary = "change the permission bits of a file or directory",
	.id = OP_CHMOD,
	.group = GROUP_ATTRIBUTES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.errors = errors_of_space,
	.draw = chmod_draw,
	.fits = chmod_fits,
	.call = chmod_call,
	.learn = chmod_learn,
	.show = chmod_show,
};

/* ---- chown: object, dir, name: anything; aux: uid; offset: gid */

/* User and group numbers; the highest is UINT32_MAX - 1, since -1 means "leave it". */
static uint32_t draw_id(struct stream *s)
{
	if (stream_chance(s, 4))
		return 0;
	return (uint32_t)stream_log(s, 1, UINT32_MAX - 1);
}

static bool chown_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen subject;

	if (!draw_subject(c, s, args, CHOOSE_ANY | CHOOSE_HELD, &subject))
		return false;
	args->aux = draw_id(s);
	args->offset = draw_id(s);
	return true;
}

static void chown_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const char *path = address_path(c, 0, args->dir, args->name, args->object);
	struct object old;

	answer_begin(a);
	answer_end(a, fchownat(c->target, path, args->aux, (gid_t)args->offset, address_nofollow(args)));
	if (must_set_back(c, args, a, &old))
		(void)!fchownat(c->target, path, old.uid, old.gid, address_nofollow(args));
}

static void chown_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_success();

	if (judge(c, &op_chown, args, a, &x) == OUTCOME_DONE)
		model_set_owner(c->model, c->operation, args->object, args->aux, (uint32_t)args->offset);
}

static void chown_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_call(r, namer, buf, len, "lchown", ", %u, %u", r->args.aux, (uint32_t)r->args.offset);
}

const struct op op_chown = {
	.name = "chown",
	.summary = "change owner and group",
	.id = OP_CHOWN,
	.group = GROUP_ATTRIBUTES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.errors = errors_of_space,
	.draw = chown_draw,
	.fits = fits_anything,
	.call = chown_call,
	.learn = chown_learn,
	.show = chown_show,
};

/* ---- utimensat: object, dir, name: anything; offset: modification time in ns, or TIME_NOW */

#define TIME_NOW UINT64_MAX

static bool utimensat_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	/* Up to the end of 32-bit seconds: XFS without bigtime keeps no later ones. */
	const uint64_t latest = (uint64_t)INT32_MAX * NSEC_PER_SEC;
	struct chosen subject;

	if (!draw_subject(c, s, args, CHOOSE_ANY | CHOOSE_HELD, &subject))
		return false;
	args->offset = stream_chance(s, 4) ? TIME_NOW : stream_below(s, latest);
	return true;
}

static void utimensat_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const char *path = address_path(c, 0, args->dir, args->name, args->object);
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}};

	if (args->offset != TIME_NOW) {
		times[1].tv_sec = (time_t)(args->offset / NSEC_PER_SEC);
		times[1].tv_nsec = (long)(args->offset % NSEC_PER_SEC);
	}
	answer_begin(a);
	answer_end(a, utimensat(c->target, path, times, address_nofollow(args)));
}

/* A failure may have set it in memory and not on disk, as with mode and owner: from now on it is either. */
static void learn_failed_time(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const int64_t time = (int64_t)args->offset;
	struct op_answer either = *a;

	if (args->offset != TIME_NOW)
		either.time_min = either.time_max = time;
	judge_maybe_touch(c, args->object, &either);
}

static void utimensat_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_success();
	int64_t time = (int64_t)args->offset;

	if (judge(c, &op_utimensat, args, a, &x) != OUTCOME_DONE)
		learn_failed_time(c, args, a);
	else if (args->offset == TIME_NOW)
		judge_touch(c, args->object, a);
	else
		model_set_mtime(c->model, c->operation, args->object, time, time);
}

static void utimensat_show(const struct journal_record *r, const struct op_namer *namer, char *buf,
			   size_t len)
{
	uint64_t time = r->args.offset;

	if (time == TIME_NOW)
		line_call(r, namer, buf, len, "utimensat", ", [OMIT, NOW]");
	else
		line_call(r, namer, buf, len, "utimensat", ", [OMIT, %llu.%09llu]",
			  (unsigned long long)(time / NSEC_PER_SEC),
			  (unsigned long long)(time % NSEC_PER_SEC));
}

const struct op op_utimensat = {
	.name = "utimensat",
	.summary = "set the modification time, to the nanosecond or to now",
	.id = OP_UTIMENSAT,
	.group = GROUP_ATTRIBUTES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.errors = errors_of_space,
	.draw = utimensat_draw,
	.fits = fits_anything,
	.call = utimensat_call,
	.learn = utimensat_learn,
	.show = utimensat_show,
};

/* ---- extended attributes. In args, name2.number is the attribute's number and name2.tag the flags. */

/* ext4 keeps all attributes of a file in its inode and one block; what does not fit gets ENOSPC. */
#define XATTR_VALUE_MAX 6000

static const int errors_of_xattrs[] = {ENOSPC, EDQUOT, ENOMEM, ENFILE, EINTR, E2BIG, EOPNOTSUPP, 0};

static bool find_xattr(const struct op_ctx *c, uint32_t object, uint32_t number)
{
	const struct model_view *v = &c->model->head;
	struct object o;
	struct xattr x;

	if (!view_object(v, object, &o))
		return false;
	for (uint32_t next = o.first_xattr; next; next = x.next) {
		if (!view_xattr(v, next - 1, &x))
			return false;
		if (x.number == number)
			return true;
	}
	return false;
}

static void xattr_name(char buf[32], uint32_t number)
{
	snprintf(buf, 32, "user.recow.%u", number);
}

/* The attribute calls that take a directory descriptor and a path are too new to count on: what has the
 * attribute is opened. */

/* ---- setxattr: object, dir, name: a file or directory; name2: attribute and flags; aux: length of the
 * value, which comes from content_xattr() */

static bool setxattr_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	static const int flags[8] = {[0] = XATTR_CREATE, [1] = XATTR_REPLACE};
	struct chosen subject;

	if (!draw_subject(c, s, args, CHOOSE_FILE | CHOOSE_DIR | CHOOSE_HELD, &subject))
		return false;
	args->name2.number = (uint32_t)stream_below(s, CONTENT_XATTRS);
	args->name2.tag = (uint32_t)flags[stream_below(s, ARRAY_SIZE(flags))];
	args->aux = stream_chance(s, 32)
			    ? 0
			    : (uint32_t)stream_log(s, 1, stream_chance(s, 4) ? XATTR_VALUE_MAX : 200);
	return true;
}

static bool xattr_fits(const struct op_ctx *c, const struct op_args *args)
{
	return fits_subject(c, args, CHOOSE_FILE | CHOOSE_DIR | CHOOSE_HELD, NULL) &&
	       args->name2.number < CONTENT_XATTRS;
}

static void setxattr_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const struct content_key key = address_key(c, args->object);
	char name[32];
	int fd;

	xattr_name(name, args->name2.number);
	content_xattr(&key, args->name2.number, c->buffer, args->aux);
	fd = answer_open(c, args, O_RDONLY, a);
	if (fd < 0)
		return;
	answer_end(a, fsetxattr(fd, name, c->buffer, args->aux, (int)args->name2.tag));
	close(fd);
}

static void setxattr_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const bool there = find_xattr(c, args->object, args->name2.number);
	struct expectation x = expect_success();

	if (there && args->name2.tag == XATTR_CREATE)
		x = expect_error(EEXIST);
	if (!there && args->name2.tag == XATTR_REPLACE)
		x = expect_error(ENODATA);
	if (judge(c, &op_setxattr, args, a, &x) == OUTCOME_DONE)
		model_set_xattr(c->model, c->operation, args->object, args->name2.number, args->aux);
}

static void setxattr_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	static const char *const flags[] = {
		[0] = "0", [XATTR_CREATE] = "XATTR_CREATE", [XATTR_REPLACE] = "XATTR_REPLACE"};

	line_call(r, namer, buf, len, "setxattr", ", \"user.recow.%u\", %u bytes, %s", r->args.name2.number,
		  r->args.aux, r->args.name2.tag < ARRAY_SIZE(flags) ? flags[r->args.name2.tag] : "?");
}

const struct op op_setxattr = {
	.name = "setxattr",
	.summary = "create or replace an extended attribute, up to some KiB",
	.id = OP_SETXATTR,
	.group = GROUP_ATTRIBUTES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.errors = errors_of_xattrs,
	.draw = setxattr_draw,
	.fits = xattr_fits,
	.call = setxattr_call,
	.learn = setxattr_learn,
	.show = setxattr_show,
};

/* ---- removexattr: object, dir, name: a file or directory; name2: attribute. At times a missing one
 * (ENODATA). */

static bool removexattr_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	const bool missing = stream_chance(s, 64);
	struct chosen subject;
	struct xattr x;

	for (int i = 0; i < CHOOSE_TRIES; i++) {
		if (!draw_subject(c, s, args, CHOOSE_FILE | CHOOSE_DIR | CHOOSE_HELD, &subject))
			return false;
		args->name2 = (struct nameref){.number = (uint32_t)stream_below(s, CONTENT_XATTRS)};
		if (missing)
			return true;
		if (subject.object.first_xattr &&
		    view_xattr(&c->model->head, subject.object.first_xattr - 1, &x)) {
			if (!find_xattr(c, args->object, args->name2.number))
				args->name2.number = x.number;
			return true;
		}
	}
	return false;
}

static void removexattr_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	char name[32];
	int fd;

	xattr_name(name, args->name2.number);
	fd = answer_open(c, args, O_RDONLY, a);
	if (fd < 0)
		return;
	answer_end(a, fremovexattr(fd, name));
	close(fd);
}

static void removexattr_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const bool there = find_xattr(c, args->object, args->name2.number);
	const struct expectation x = there ? expect_success() : expect_error(ENODATA);

	if (judge(c, &op_removexattr, args, a, &x) == OUTCOME_DONE)
		model_set_xattr(c->model, c->operation, args->object, args->name2.number, UINT32_MAX);
}

static void removexattr_show(const struct journal_record *r, const struct op_namer *namer, char *buf,
			     size_t len)
{
	line_call(r, namer, buf, len, "removexattr", ", \"user.recow.%u\"", r->args.name2.number);
}

const struct op op_removexattr = {
	.name = "removexattr",
	.summary = "remove an extended attribute (at times a missing one)",
	.id = OP_REMOVEXATTR,
	.group = GROUP_ATTRIBUTES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.errors = errors_of_xattrs,
	.draw = removexattr_draw,
	.fits = xattr_fits,
	.call = removexattr_call,
	.learn = removexattr_learn,
	.show = removexattr_show,
};
