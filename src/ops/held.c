/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files without a name: tmpfile makes one, orphan takes a file's last name away, linkat gives one its first
 * name, release lets it go. The model keeps them under OBJECT_HELD, the worker by a descriptor. Other
 * operations on files and attributes meet them now and then (CHOOSE_HELD).
 */
#include "src/ops/held.h"
#include "src/ops/fits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "src/ops/address.h"
#include "src/ops/choose.h"
#include "src/ops/judge.h"
#include "src/ops/line.h"
#include "src/ops/table.h"

/* Once in so many times linkat is given a name that exists. */
#define REFUSAL_ONE_IN 16

/* ---- the table */

static struct held *find(struct op_ctx *c, uint32_t object)
{
	for (unsigned int i = 0; i < HELD_MAX; i++) {
		if (c->held[i].object == object)
			return &c->held[i];
	}
	return NULL;
}

int held_fd(const struct op_ctx *c, uint32_t object)
{
	for (unsigned int i = 0; i < HELD_MAX && object != OBJECT_NONE; i++) {
		if (c->held[i].object == object)
			return c->held[i].fd;
	}
	return -1;
}

/* Take the descriptor over. The model has as many such files as the table, so that draw() sees when it is
 * full. */
static int keep(struct op_ctx *c, uint32_t object, int fd)
{
	struct held *h = find(c, OBJECT_NONE);

	if (h) {
		*h = (struct held){.object = object, .fd = fd};
		return 0;
	}
	close(fd);
	errno = EMFILE;
	return -1;
}

/* As close(2) answers; the descriptor is gone whatever that is. */
static int let_go(struct op_ctx *c, uint32_t object)
{
	struct held *h = find(c, object);
	int fd = h ? h->fd : -1;

	if (h)
		h->object = OBJECT_NONE;
	return close(fd);
}

void held_close_all(struct op_ctx *c)
{
	for (unsigned int i = 0; i < HELD_MAX; i++) {
		if (c->held[i].object != OBJECT_NONE)
			let_go(c, c->held[i].object);
	}
}

static bool is_own(const struct op_ctx *c, uint32_t object)
{
	struct object o;

	return view_object(&c->model->head, object, &o) && !(o.flags & OBJECT_REALM);
}

void held_close_own(struct op_ctx *c)
{
	for (unsigned int i = 0; i < HELD_MAX; i++) {
		if (is_own(c, c->held[i].object))
			let_go(c, c->held[i].object);
	}
}

void held_forget_own(struct op_ctx *c)
{
	const struct model_view *v = &c->model->head;
	uint32_t place = model_pick_count(c->model, PICK_HELD);
	struct name n;

	while (place--) { /* backwards: who goes is replaced by the last one */
		const uint32_t number = view_pick(v, PICK_HELD, place);

		if (view_name(v, number, &n) && is_own(c, n.object))
			model_unlink(c->model, c->operation, number);
	}
}

static bool is_full(const struct op_ctx *c)
{
	return model_pick_count(c->model, PICK_HELD) >= HELD_MAX;
}

/* ---- tmpfile: object: the new file; dir, name: its record, in OBJECT_HELD; dir2: the directory in whose
 * filesystem it is made; aux: mode, and TMPFILE_EXCL */

#define TMPFILE_EXCL 010000U

/* EOPNOTSUPP: the filesystem has no O_TMPFILE (vfat, many FUSE filesystems); EISDIR: nor has the kernel. */
static const int errors_of_tmpfile[] = {ENOSPC, EDQUOT, ENOMEM, ENFILE, EINTR, EOPNOTSUPP, EISDIR, 0};

static bool tmpfile_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	if (is_full(c))
		return false;
	args->object = model_next_object(c->model);
	args->dir = OBJECT_HELD;
	args->name = choose_name(s, model_next_name(c->model));
	args->dir2 = choose_directory(c, s, choose_depth(c));
	args->aux = (uint32_t)stream_below(s, 01000) | (stream_chance(s, 4) ? TMPFILE_EXCL : 0);
	return args->dir2 != OBJECT_NONE;
}

static bool tmpfile_fits(const struct op_ctx *c, const struct op_args *args)
{
	return !is_full(c) && args->dir == OBJECT_HELD && fits_free_object(c, args->object) &&
	       fits_free_name(c, args->name) && fits_directory(c, args->dir2, DEPTH_MAX);
}

static void tmpfile_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const char *path = address_path(c, 0, args->dir2, (struct nameref){0}, OBJECT_NONE);
	const int exclusive = args->aux & TMPFILE_EXCL ? O_EXCL : 0;
	int fd;

	answer_begin(a);
	fd = openat(c->target, path, O_TMPFILE | O_RDWR | O_CLOEXEC | exclusive, (mode_t)args->aux & 0777);
	answer_end(a, fd < 0 ? -1 : keep(c, args->object, fd));
}

static void tmpfile_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_success();
	const struct model_create what = {
		.object = args->object,
		.type = OBJECT_FILE,
		.parent = OBJECT_HELD,
		.home = args->dir2,
		.linkable = !(args->aux & TMPFILE_EXCL),
		.name = args->name,
		.mode = args->aux & 0777,
		.time_min = a->time_min,
		.time_max = a->time_max,
	};

	if (judge(c, &op_tmpfile, args, a, &x) == OUTCOME_DONE)
		model_create(c->model, c->operation, &what);
}

static void tmpfile_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	struct line l = line_begin(r, namer, buf, len);

	line_add(&l, "open(");
	line_path2(&l);
	line_add(&l, ", O_TMPFILE|O_RDWR%s, 0%03o)", r->args.aux & TMPFILE_EXCL ? "|O_EXCL" : "",
		 r->args.aux & 0777);
	line_answer(&l);
	if (r->answer < 0)
		return;
	line_add(&l, " /* ");
	line_path(&l);
	line_add(&l, " */");
}

const struct op op_tmpfile = {
	.name = "tmpfile",
	.summary = "make a file without a name (O_TMPFILE), kept open",
	.id = OP_TMPFILE,
	.group = GROUP_NAMES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.errors = errors_of_tmpfile,
	.draw = tmpfile_draw,
	.fits = tmpfile_fits,
	.call = tmpfile_call,
	.learn = tmpfile_learn,
	.show = tmpfile_show,
};

/* ---- linkat: object, dir, name: a file without a name; dir2, name2: the one that it gets; its record moves
 * there */

/* One that can be linked, mostly. */
static bool choose_linkable(const struct op_ctx *c, struct stream *s, struct chosen *from)
{
	for (int i = 0; i < CHOOSE_TRIES; i++) {
		if (!choose(c, s, CHOOSE_HELD, from))
			return false;
		if ((from->object.flags & OBJECT_LINKABLE) || stream_chance(s, 16))
			return true;
	}
	return false;
}

static bool linkat_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen from, existing;
	uint32_t home;

	if (!choose_linkable(c, s, &from))
		return false;
	choose_subject(&from, args);
	if (stream_chance(s, REFUSAL_ONE_IN) && choose(c, s, CHOOSE_ANY, &existing)) {
		args->dir2 = existing.name.parent;
		args->name2 = choose_ref(&existing);
		return true;
	}
	home = from.object.flags & OBJECT_REALM ? OBJECT_FIRST_SHARED : OBJECT_ROOT;
	args->dir2 = choose_destination(c, s, home, choose_depth(c));
	args->name2 = choose_name(s, from.number);
	return args->dir2 != OBJECT_NONE;
}

static bool linkat_fits(const struct op_ctx *c, const struct op_args *args)
{
	return fits_subject(c, args, CHOOSE_HELD, NULL) && fits_second(c, args, args->name.number, DEPTH_MAX);
}

/* Through /proc: AT_EMPTY_PATH wants CAP_DAC_READ_SEARCH, and without it answers ENOENT. */
static void linkat_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const char *from = address_path(c, 0, args->dir, args->name, args->object);
	const char *to = address_path(c, 1, args->dir2, args->name2, OBJECT_NONE);

	answer_begin(a);
	answer_end(a, linkat(c->target, from, c->target, to, AT_SYMLINK_FOLLOW));
	if (a->ret == 0)
		let_go(c, args->object);
}

/* Linux looks for the new name first, then whether the file may have one (fs/namei.c, vfs_link), and asks the
 * filesystem last. */
static struct expectation expect_linkat(const struct op_ctx *c, const struct op_args *args)
{
	const struct model_view *v = &c->model->head;
	struct expectation x = expect_success();
	struct lineage up;
	struct object o;
	struct name n;

	if (address_lookup(v, args->dir2, args->name2, &n))
		return expect_error(EEXIST);
	if (!view_object(v, args->object, &o) || !(o.flags & OBJECT_LINKABLE))
		return expect_error(ENOENT);
	if (address_lineage(v, args->dir2, &up) &&
	    (up.anchor != OBJECT_ROOT) != ((o.flags & OBJECT_REALM) != 0))
		expect_also(&x, EXDEV);
	return x;
}

static void linkat_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_linkat(c, args);

	if (judge_name(c, &op_linkat, args, a, &x, args->dir2))
		model_link_held(c->model, c->operation, args->name.number, args->dir2, args->name2);
}

static void linkat_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_pair(r, namer, buf, len, "linkat", ", AT_SYMLINK_FOLLOW");
}

const struct op op_linkat = {
	.name = "linkat",
	.summary = "give a file without a name its first one (at times one that can't have any)",
	.id = OP_LINKAT,
	.group = GROUP_NAMES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_GROWS,
	.errors = errors_of_names,
	.draw = linkat_draw,
	.fits = linkat_fits,
	.call = linkat_call,
	.learn = linkat_learn,
	.show = linkat_show,
};

/* ---- orphan: object, dir, name: a file and its only name */

static bool orphan_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen file;

	for (int i = 0; i < CHOOSE_TRIES && !is_full(c); i++) {
		if (!choose(c, s, CHOOSE_FILE, &file))
			return false;
		if (file.object.links != 1)
			continue;
		choose_subject(&file, args);
		return true;
	}
	return false;
}

static bool orphan_fits(const struct op_ctx *c, const struct op_args *args)
{
	struct chosen file;

	return !is_full(c) && fits_subject(c, args, CHOOSE_FILE, &file) && file.object.links == 1;
}

static void orphan_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	int fd = answer_open(c, args, O_RDWR, a);

	if (fd < 0)
		return;
	answer_end(a, unlinkat(c->target, address_path(c, 0, args->dir, args->name, args->object), 0));
	if (a->ret < 0)
		close(fd);
	else if (keep(c, args->object, fd))
		a->ret = -errno;
}

static void orphan_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_success();

	if (judge_name(c, &op_orphan, args, a, &x, args->dir))
		model_orphan(c->model, c->operation, args->name.number);
}

static void orphan_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	char label[64];
	struct line l = line_begin(r, namer, buf, len);

	line_add(&l, "unlink(");
	line_path(&l);
	line_add(&l, ")");
	line_answer(&l);
	if (r->answer < 0)
		return;
	held_label(namer->worker, r->args.object, label, sizeof(label));
	line_add(&l, " /* kept open: \"%s\" */", label);
}

const struct op op_orphan = {
	.name = "orphan",
	.summary = "remove the last name of a file that is kept open",
	.id = OP_ORPHAN,
	.group = GROUP_NAMES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_SHRINKS,
	.errors = errors_of_names,
	.draw = orphan_draw,
	.fits = orphan_fits,
	.call = orphan_call,
	.learn = orphan_learn,
	.show = orphan_show,
};

/* ---- release: object, dir, name: a file without a name */

static bool release_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen file;

	if (!choose(c, s, CHOOSE_HELD, &file))
		return false;
	choose_subject(&file, args);
	return true;
}

static bool release_fits(const struct op_ctx *c, const struct op_args *args)
{
	return fits_subject(c, args, CHOOSE_HELD, NULL);
}

static void release_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	answer_begin(a);
	answer_end(a, let_go(c, args->object));
}

/* The descriptor is gone whatever close() answered, and the file with it. */
static void release_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_success();

	judge(c, &op_release, args, a, &x);
	model_unlink(c->model, c->operation, args->name.number);
}

static void release_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_call(r, namer, buf, len, "close", "%s", "");
}

const struct op op_release = {
	.name = "release",
	.summary = "close a file without a name: it is gone",
	.id = OP_RELEASE,
	.group = GROUP_NAMES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.errors = errors_of_space,
	.draw = release_draw,
	.fits = release_fits,
	.call = release_call,
	.learn = release_learn,
	.show = release_show,
};
