/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations that make and remove names: create, mkdir, symlink, link, unlink, rmdir. (rename.c has the
 * rest.) */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/ops/address.h"
#include "src/ops/choose.h"
#include "src/ops/fits.h"
#include "src/ops/judge.h"
#include "src/ops/line.h"
#include "src/ops/table.h"

/* Once in so many times a name is given that must be refused: it exists where a new one is wanted, or the
 * other way round. */
#define REFUSAL_ONE_IN 64

/* The longest target of a symbolic link: XFS takes 1,023 bytes, ext4 with blocks of 1 KiB as many. */
#define SYMLINK_MAX 1000

/* ---- new names */

/* object: what is made; dir, name: where. One time in REFUSAL_ONE_IN an existing name (EEXIST). */
static bool draw_new(const struct op_ctx *c, struct stream *s, struct op_args *args, uint32_t depth)
{
	struct chosen existing;

	if (stream_chance(s, REFUSAL_ONE_IN) && choose(c, s, CHOOSE_ANY, &existing)) {
		choose_subject(&existing, args);
		return true;
	}
	args->object = model_next_object(c->model);
	args->dir = choose_directory(c, s, depth);
	args->name = choose_name(s, model_next_name(c->model));
	return args->dir != OBJECT_NONE;
}

static struct expectation expect_new(const struct op_ctx *c, uint32_t dir, struct nameref ref)
{
	struct name n;

	return address_lookup(&c->model->head, dir, ref, &n) ? expect_error(EEXIST) : expect_success();
}

/* What draw_new() drew. aux is the mode, or the length of a symbolic link's target. */
static void learn_new(struct op_ctx *c, const struct op *op, const struct op_args *args,
		      const struct op_answer *a, enum object_type type)
{
	const struct expectation x = expect_new(c, args->dir, args->name);
	const bool symlink = type == OBJECT_SYMLINK;
	const struct model_create what = {
		.object = args->object,
		.type = type,
		.parent = args->dir,
		.name = args->name,
		.mode = symlink ? 0777 : (uint16_t)args->aux,
		.size = symlink ? args->aux : 0,
		.time_min = a->time_min,
		.time_max = a->time_max,
	};

	if (judge_name(c, op, args, a, &x, args->dir))
		model_create(c->model, c->operation, &what);
}

/* ---- create: object, dir, name as draw_new(); aux: mode */

static bool create_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	args->aux = (uint32_t)stream_below(s, 01000);
	return draw_new(c, s, args, choose_depth(c));
}

static bool fits_new_leaf(const struct op_ctx *c, const struct op_args *args)
{
	return fits_new(c, args, DEPTH_MAX);
}

static void create_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const char *path = address_path(c, 0, args->dir, args->name, args->object);
	int fd;

	answer_begin(a);
	fd = openat(c->target, path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, (mode_t)args->aux);
	answer_end(a, fd < 0 ? -1 : 0);
	if (fd >= 0)
		close(fd);
}

static void create_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	learn_new(c, &op_create, args, a, OBJECT_FILE);
}

static void create_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_call(r, namer, buf, len, "open", ", O_CREAT|O_EXCL, 0%03o", r->args.aux);
}

const struct op op_create = {
	.name = "create",
	.summary = "make an empty file, O_EXCL (at times over an existing name)",
	.id = OP_CREATE,
	.group = GROUP_NAMES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_GROWS,
	.errors = errors_of_names,
	.draw = create_draw,
	.fits = fits_new_leaf,
	.call = create_call,
	.learn = create_learn,
	.show = create_show,
};

/* ---- mkdir: object, dir, name as draw_new(); aux: mode */

static bool mkdir_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	uint32_t dirs = choose_own_directories(c);

	if (choose_depth(c) == 0 || dirs > c->shape->dirs + c->shape->dirs / 4)
		return false;
	args->aux = (uint32_t)stream_below(s, 01000) | (stream_chance(s, 8) ? S_ISVTX : 0);
	return draw_new(c, s, args, choose_depth(c) - 1);
}

static bool mkdir_fits(const struct op_ctx *c, const struct op_args *args)
{
	return fits_new(c, args, DEPTH_MAX - 1);
}

static void mkdir_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const char *path = address_path(c, 0, args->dir, args->name, args->object);

	answer_begin(a);
	answer_end(a, mkdirat(c->target, path, (mode_t)args->aux));
}

static void mkdir_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	learn_new(c, &op_mkdir, args, a, OBJECT_DIR);
}

static void mkdir_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_call(r, namer, buf, len, "mkdir", ", 0%03o", r->args.aux);
}

/* The number of directories is held by draw itself, whatever the number of files. */
const struct op op_mkdir = {
	.name = "mkdir",
	.summary = "make a directory (at times over an existing name)",
	.id = OP_MKDIR,
	.group = GROUP_NAMES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.errors = errors_of_names,
	.draw = mkdir_draw,
	.fits = mkdir_fits,
	.call = mkdir_call,
	.learn = mkdir_learn,
	.show = mkdir_show,
};

/* ---- symlink: object, dir, name as draw_new(); aux: length of the target, which comes from
 * content_symlink() */

static bool symlink_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	args->aux = (uint32_t)stream_log(s, 1, SYMLINK_MAX);
	return draw_new(c, s, args, choose_depth(c));
}

static void symlink_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const char *path = address_path(c, 0, args->dir, args->name, args->object);
	const struct content_key key = address_key(c, args->object);

	content_symlink(&key, (char *)c->buffer, args->aux);
	answer_begin(a);
	answer_end(a, symlinkat((char *)c->buffer, c->target, path));
}

static void symlink_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	learn_new(c, &op_symlink, args, a, OBJECT_SYMLINK);
}

static void symlink_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	struct line l = line_begin(r, namer, buf, len);

	line_add(&l, "symlink(%u bytes, ", r->args.aux);
	line_path(&l);
	line_add(&l, ")");
	line_answer(&l);
}

const struct op op_symlink = {
	.name = "symlink",
	.summary = "make a symbolic link with a target of 1 to 1,000 bytes",
	.id = OP_SYMLINK,
	.group = GROUP_NAMES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_GROWS,
	.errors = errors_of_names,
	.draw = symlink_draw,
	.fits = fits_new_leaf,
	.call = symlink_call,
	.learn = symlink_learn,
	.show = symlink_show,
};

/* ---- link: object, dir, name: anything but a directory, as it is; dir2, name2: its further name */

static bool link_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen from, existing;

	if (!choose(c, s, CHOOSE_ANY & ~CHOOSE_DIR, &from))
		return false;
	choose_subject(&from, args);
	if (stream_chance(s, REFUSAL_ONE_IN) && choose(c, s, CHOOSE_ANY, &existing)) {
		args->dir2 = existing.name.parent;
		args->name2 = choose_ref(&existing);
		return true;
	}
	args->dir2 = choose_destination(c, s, args->dir, choose_depth(c));
	args->name2 = choose_name(s, model_next_name(c->model));
	return args->dir2 != OBJECT_NONE;
}

static bool link_fits(const struct op_ctx *c, const struct op_args *args)
{
	return fits_subject(c, args, CHOOSE_ANY & ~CHOOSE_DIR, NULL) &&
	       fits_second(c, args, NAME_NONE, DEPTH_MAX);
}

static void link_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const char *from = address_path(c, 0, args->dir, args->name, args->object);
	const char *to = address_path(c, 1, args->dir2, args->name2, OBJECT_NONE);

	answer_begin(a);
	answer_end(a, linkat(c->target, from, c->target, to, 0));
}

static void link_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	struct expectation x = expect_new(c, args->dir2, args->name2);

	if (x.success && address_realms_differ(&c->model->head, args->dir, args->dir2))
		expect_also(&x, EXDEV);
	if (judge_name(c, &op_link, args, a, &x, args->dir2))
		model_link(c->model, c->operation, args->object, args->dir2, args->name2);
}

static void link_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_pair(r, namer, buf, len, "link", "");
}

const struct op op_link = {
	.name = "link",
	.summary = "give a file or symbolic link a further name",
	.id = OP_LINK,
	.group = GROUP_NAMES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_GROWS,
	.errors = errors_of_names,
	.draw = link_draw,
	.fits = link_fits,
	.call = link_call,
	.learn = link_learn,
	.show = link_show,
};

/* ---- removing */

/* A name that doesn't exist: ENOENT is the only right answer. */
static bool draw_missing(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	args->dir = choose_directory(c, s, choose_depth(c));
	args->name = choose_name(s, model_next_name(c->model));
	return args->dir != OBJECT_NONE;
}

/* Must removing this name work? `directory`: by rmdir. */
static struct expectation expect_removal(const struct op_ctx *c, const struct op_args *args, bool directory)
{
	struct expectation x;
	struct object o;
	struct name n;

	if (!address_lookup(&c->model->head, args->dir, args->name, &n) ||
	    !view_object(&c->model->head, n.object, &o))
		return expect_error(ENOENT);
	if (directory != (o.type == OBJECT_DIR))
		return expect_error(directory ? ENOTDIR : EISDIR);
	if (!directory || o.children == 0)
		return expect_success();
	x = expect_error(ENOTEMPTY);
	expect_also(&x, EEXIST); /* rmdir(2): POSIX allows either */
	return x;
}

static void learn_removal(struct op_ctx *c, const struct op *op, const struct op_args *args,
			  const struct op_answer *a, bool directory)
{
	const struct expectation x = expect_removal(c, args, directory);

	if (judge_name(c, op, args, a, &x, args->dir))
		model_unlink(c->model, c->operation, args->name.number);
}

/* ---- unlink: object, dir, name: anything but a directory; at times a directory (EISDIR) or nothing (ENOENT)
 */

static bool unlink_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen victim;
	bool odd = stream_chance(s, REFUSAL_ONE_IN);

	if (odd && stream_chance(s, 2))
		return draw_missing(c, s, args);
	if (!choose(c, s, odd ? CHOOSE_DIR : CHOOSE_ANY & ~CHOOSE_DIR, &victim))
		return false;
	choose_subject(&victim, args);
	return true;
}

static void unlink_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const char *path = address_path(c, 0, args->dir, args->name, args->object);

	answer_begin(a);
	answer_end(a, unlinkat(c->target, path, 0));
}

static void unlink_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	learn_removal(c, &op_unlink, args, a, false);
}

static void unlink_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_call(r, namer, buf, len, "unlink", "%s", "");
}

const struct op op_unlink = {
	.name = "unlink",
	.summary = "remove a name of a file, symbolic link or whiteout",
	.id = OP_UNLINK,
	.group = GROUP_NAMES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_SHRINKS,
	.errors = errors_of_names,
	.draw = unlink_draw,
	.fits = fits_removal,
	.call = unlink_call,
	.learn = unlink_learn,
	.show = unlink_show,
};

/* ---- rmdir: object, dir, name: a directory; at times one that isn't empty, a file or nothing */

static bool rmdir_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen victim;

	if (stream_chance(s, REFUSAL_ONE_IN))
		return draw_missing(c, s, args);
	if (stream_chance(s, REFUSAL_ONE_IN) && choose(c, s, CHOOSE_ANY & ~CHOOSE_DIR, &victim)) {
		choose_subject(&victim, args);
		return true;
	}
	if (choose_own_directories(c) < c->shape->dirs - c->shape->dirs / 4)
		return false;
	for (int i = 0; i < CHOOSE_TRIES; i++) {
		if (!choose(c, s, CHOOSE_DIR, &victim))
			return false;
		if (victim.object.children == 0)
			break;
	}
	choose_subject(&victim, args);
	return victim.object.children == 0 || stream_chance(s, 8);
}

static void rmdir_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const char *path = address_path(c, 0, args->dir, args->name, args->object);

	answer_begin(a);
	answer_end(a, unlinkat(c->target, path, AT_REMOVEDIR));
}

static void rmdir_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	learn_removal(c, &op_rmdir, args, a, true);
}

static void rmdir_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_call(r, namer, buf, len, "rmdir", "%s", "");
}

const struct op op_rmdir = {
	.name = "rmdir",
	.summary = "remove an empty directory (at times one that isn't empty)",
	.id = OP_RMDIR,
	.group = GROUP_NAMES,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.errors = errors_of_names,
	.draw = rmdir_draw,
	.fits = fits_removal,
	.call = rmdir_call,
	.learn = rmdir_learn,
	.show = rmdir_show,
};
