/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clones and copies within the kernel: FICLONE, FICLONERANGE, copy_file_range. object, dir, name: the file
 * that takes over; dir2: the object whose content it is; for ranges aux: length, offset: where they begin
 * (struct places).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <unistd.h>

#include "src/ops/address.h"
#include "src/ops/choose.h"
#include "src/ops/fits.h"
#include "src/ops/judge.h"
#include "src/ops/line.h"
#include "src/ops/resolve.h"
#include "src/ops/table.h"

/* Longer ones would not be looked at whole after a failure. */
#define CLONE_MAX (LOOK_BLOCKS * (uint64_t)BLOCK_SIZE)
#define RANGE_MAX (CLONE_MAX / 2)

/*
 * EOPNOTSUPP, ENOTTY, EXDEV: filesystems that share no extents. EINVAL: nothing was done, since one file is
 * nodatacow and the other isn't, or the filesystem's blocks are larger than ours and the range does not fit
 * them.
 */
static const int errors_of_cloning[] = {ENOSPC, EDQUOT, ENOMEM, ENFILE,     EINTR,
					EINVAL, ENOTTY, EXDEV,  EOPNOTSUPP, 0};

/* Where a range begins here and in the source: both lie in the first 4 GiB, so that they fit a journal
 * record. */
struct places {
	uint64_t here, there;
};

static uint64_t places_pack(uint64_t here, uint64_t there)
{
	return there << 32 | here;
}

static struct places places_of(const struct op_args *args)
{
	return (struct places){.here = (uint32_t)args->offset, .there = args->offset >> 32};
}

/* ---- drawing */

/* Two files, the second with something in it that is known. */
static bool draw_two(const struct op_ctx *c, struct stream *s, struct op_args *args, struct chosen *to,
		     struct chosen *from)
{
	if (!choose(c, s, CHOOSE_FILE, to) || !choose(c, s, CHOOSE_FILE, from) || !from->object.size ||
	    from->object.flags & OBJECT_UNSURE)
		return false;
	choose_subject(to, args);
	args->dir2 = from->name.object;
	return true;
}

static bool has_room(const struct op_ctx *c, const struct chosen *to, uint64_t end)
{
	return end <= choose_size(c, to->name.object, &to->object) &&
	       (end <= to->object.size || choose_room(c, end - to->object.size));
}

static bool overlap(uint64_t a, uint64_t b, uint64_t length)
{
	return a < b + length && b < a + length;
}

/* The two files of arguments out of a journal. */
static bool fits_two(const struct op_ctx *c, const struct op_args *args, struct chosen *to,
		     struct object *from)
{
	return fits_subject(c, args, CHOOSE_FILE, to) && view_object(&c->model->head, args->dir2, from) &&
	       from->type == OBJECT_FILE && from->links && !(from->flags & (OBJECT_ANCHOR | OBJECT_UNSURE));
}

/* The source holds all of the range; a last block that isn't full goes to the end of the file only. */
static bool fits_places(const struct op_ctx *c, const struct op_args *args, uint32_t unit)
{
	const struct places p = places_of(args);
	struct object from;
	struct chosen to;

	if (!fits_two(c, args, &to, &from) || !args->aux || p.there + args->aux > from.size)
		return false;
	if (args->aux % unit && p.here + args->aux < to.object.size)
		return false;
	return args->object != args->dir2 || !overlap(p.here, p.there, round_up_u64(args->aux, unit));
}

/* ---- calling, learning */

struct pair {
	int to, from;
};

/* Open both, or answer why not. */
static bool open_both(struct op_ctx *c, const struct op_args *args, struct op_answer *a, struct pair *fd)
{
	fd->to = answer_open(c, args, O_RDWR, a);
	if (fd->to < 0)
		return false;
	fd->from = address_open_object(c, args->dir2, O_RDONLY);
	if (fd->from >= 0)
		return true;
	answer_end(a, -1);
	close(fd->to);
	return false;
}

static void close_both(const struct pair *fd)
{
	close(fd->to);
	close(fd->from);
}

/* The bytes that the source has, by the model. */
static uint64_t source_size(const struct op_ctx *c, const struct op_args *args)
{
	struct object o;

	return view_object(&c->model->head, args->dir2, &o) ? o.size : 0;
}

static void clone_part(struct op_ctx *c, const struct op_args *args, uint64_t from, uint64_t to)
{
	const struct places p = places_of(args);

	model_clone(c->model, c->operation, args->object, from, args->dir2, from - p.here + p.there,
		    to - from);
}

/* Bytes [from, to) of the target, as the source has them. */
static void fill_from_source(const struct op_ctx *c, const struct op_args *args, uint64_t from, uint64_t to,
			     unsigned char *bytes)
{
	const struct places p = places_of(args);
	const struct model_view *v = &c->model->head;
	unsigned char block[BLOCK_SIZE];
	struct block_entry entry;
	struct object o;

	memset(bytes, 0, to - from);
	if (!view_object(v, args->dir2, &o))
		return;
	for (uint64_t at = from - p.here + p.there, end = at + to - from, next; at < end; at = next) {
		next = MIN(end, at - at % BLOCK_SIZE + BLOCK_SIZE);
		if (view_blocks(v, &o, at / BLOCK_SIZE, 1, &entry) != 1)
			return;
		view_regenerate(v, args->dir2, at / BLOCK_SIZE, &entry, block);
		memcpy(bytes, block + at % BLOCK_SIZE, next - at);
		bytes += next - at;
	}
}

static void learn_clone(struct op_ctx *c, const struct op *op, const struct op_args *args,
			const struct op_answer *a, uint64_t length)
{
	const struct expectation x = expect_success();
	const struct places p = places_of(args);
	const struct resolve r = {
		.op = op,
		.args = args,
		.offset = p.here,
		.length = length,
		.apply = clone_part,
		.fill = fill_from_source,
	};
	const enum outcome outcome = judge(c, op, args, a, &x);
	struct object o;

	if (outcome == OUTCOME_DONE) {
		clone_part(c, args, p.here, p.here + length);
		judge_touch(c, args->object, a);
	} else if (a->began && view_object(&c->model->head, args->object, &o)) {
		resolve_failure(c, &r, a, MAX(o.size, p.here + length), outcome == OUTCOME_WRONG);
	}
}

/* ---- clone */

static bool clone_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	for (int i = 0; i < CHOOSE_TRIES; i++) {
		struct chosen to, from;

		if (!draw_two(c, s, args, &to, &from) || to.name.object == from.name.object)
			continue;
		/* A last block that isn't full can't be shared where the file goes on behind it. */
		if (from.object.size % BLOCK_SIZE && to.object.size > from.object.size)
			continue;
		if (from.object.size <= CLONE_MAX && has_room(c, &to, from.object.size))
			return true;
	}
	return false;
}

static bool clone_fits(const struct op_ctx *c, const struct op_args *args)
{
	struct object from;
	struct chosen to;

	return fits_two(c, args, &to, &from) && args->object != args->dir2 && from.size &&
	       from.size <= CLONE_MAX && (!(from.size % BLOCK_SIZE) || to.object.size <= from.size);
}

static void clone_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	struct pair fd;

	if (!open_both(c, args, a, &fd))
		return;
	answer_end(a, ioctl(fd.to, FICLONE, fd.from));
	resolve_look_at_size(fd.to, a);
	if (a->ret < 0)
		resolve_look(c, fd.to, 0, source_size(c, args));
	close_both(&fd);
}

static void clone_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	learn_clone(c, &op_clone, args, a, source_size(c, args));
}

static void clone_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_call(r, namer, buf, len, "ficlone", " <- object %u", r->args.dir2);
}

const struct op op_clone = {
	.name = "clone",
	.summary = "FICLONE: a whole file takes over another's content",
	.id = OP_CLONE,
	.group = GROUP_DATA,
	.failure = FAILS_EITHER,
	.balance = BALANCE_NONE,
	.errors = errors_of_cloning,
	.draw = clone_draw,
	.fits = clone_fits,
	.call = clone_call,
	.learn = clone_learn,
	.show = clone_show,
};

/* ---- ranges */

/* Set places and length, in units of `unit` bytes but for the source's end. False when they don't fit. */
static bool draw_places(const struct op_ctx *c, struct stream *s, struct op_args *args,
			const struct chosen *to, const struct chosen *from, uint32_t unit)
{
	const uint64_t size = MIN(from->object.size, (uint64_t)UINT32_MAX);
	const uint64_t wanted = MIN(choose_size(c, to->name.object, &to->object), (uint64_t)UINT32_MAX);
	uint64_t here = stream_below(s, wanted), there = stream_below(s, size);
	uint64_t length = round_up_u64(stream_log(s, 1, RANGE_MAX), unit);

	if (stream_chance(s, 4))
		here = to->object.size < wanted ? to->object.size : 0;
	here -= here % unit;
	there -= there % unit;
	length = MIN(length, size - there);
	if (length % unit && here + length < to->object.size)
		length -= length % unit;
	if (!length || !has_room(c, to, here + length))
		return false;
	if (to->name.object == from->name.object && overlap(here, there, round_up_u64(length, unit)))
		return false;
	args->offset = places_pack(here, there);
	args->aux = (uint32_t)length;
	return true;
}

static bool draw_ranges(const struct op_ctx *c, struct stream *s, struct op_args *args, uint32_t unit)
{
	for (int i = 0; i < 2 * CHOOSE_TRIES; i++) {
		struct chosen to, from;

		if (draw_two(c, s, args, &to, &from) && draw_places(c, s, args, &to, &from, unit))
			return true;
	}
	return false;
}

/* ---- clone_range */

static bool clone_range_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	return draw_ranges(c, s, args, BLOCK_SIZE);
}

static bool clone_range_fits(const struct op_ctx *c, const struct op_args *args)
{
	return fits_places(c, args, BLOCK_SIZE);
}

static void clone_range_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const struct places p = places_of(args);
	struct file_clone_range range = {
		.src_offset = p.there,
		.src_length = args->aux,
		.dest_offset = p.here,
	};
	struct pair fd;

	if (!open_both(c, args, a, &fd))
		return;
	range.src_fd = fd.from;
	answer_end(a, ioctl(fd.to, FICLONERANGE, &range));
	resolve_look_at_size(fd.to, a);
	if (a->ret < 0)
		resolve_look(c, fd.to, p.here, args->aux);
	close_both(&fd);
}

static void clone_range_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	learn_clone(c, &op_clone_range, args, a, args->aux);
}

static void show_range(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len,
		       const char *call)
{
	const struct places p = places_of(&r->args);

	line_call(r, namer, buf, len, call, ", %llu <- object %u, %llu, %u bytes", (unsigned long long)p.here,
		  r->args.dir2, (unsigned long long)p.there, r->args.aux);
}

static void clone_range_show(const struct journal_record *r, const struct op_namer *namer, char *buf,
			     size_t len)
{
	show_range(r, namer, buf, len, "ficlonerange");
}

const struct op op_clone_range = {
	.name = "clone_range",
	.summary = "FICLONERANGE: blocks of a file, also its end, taken over at any place",
	.id = OP_CLONE_RANGE,
	.group = GROUP_DATA,
	.failure = FAILS_EITHER,
	.balance = BALANCE_NONE,
	.errors = errors_of_cloning,
	.draw = clone_range_draw,
	.fits = clone_range_fits,
	.call = clone_range_call,
	.learn = clone_range_learn,
	.show = clone_range_show,
};

/* ---- copy_range */

static bool copy_range_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	return draw_ranges(c, s, args, stream_chance(s, 2) ? BLOCK_SIZE : 1);
}

static bool copy_range_fits(const struct op_ctx *c, const struct op_args *args)
{
	return fits_places(c, args, 1);
}

/* All of it. Returns the bytes copied; *err is why it stopped before, 0 at the source's end. */
static uint64_t copy_whole(const struct pair *fd, const struct op_args *args, int *err)
{
	const struct places p = places_of(args);
	loff_t there = (loff_t)p.there, here = (loff_t)p.here;
	uint64_t done = 0;

	*err = 0;
	while (done < args->aux) {
		ssize_t n = copy_file_range(fd->from, &there, fd->to, &here, args->aux - done, 0);

		if (n < 0)
			*err = errno;
		if (n <= 0)
			break;
		done += (uint64_t)n;
	}
	return done;
}

static void copy_range_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const struct places p = places_of(args);
	struct pair fd;
	uint64_t done;

	if (!open_both(c, args, a, &fd))
		return;
	done = copy_whole(&fd, args, &a->stopped);
	errno = a->stopped;
	answer_end(a, a->stopped && !done ? -1 : (int64_t)done);
	a->began = true;
	if (done < args->aux) {
		a->size = resolve_size_of(fd.to);
		resolve_look(c, fd.to, p.here, args->aux);
	}
	close_both(&fd);
}

/*
 * It stopped on its way. What was answered is there. Behind that it may have shared extents before it fell
 * back to copying bytes: so blocks there may be new, too, and the file may be longer than the answer says.
 */
static void learn_part(struct op_ctx *c, const struct op_args *args, const struct op_answer *a, bool wrong)
{
	const struct places p = places_of(args);
	const uint64_t done = a->ret > 0 ? (uint64_t)a->ret : 0;
	const struct resolve r = {
		.op = &op_copy_range,
		.args = args,
		.offset = p.here + done,
		.length = args->aux - done,
		.apply = clone_part,
		.fill = fill_from_source,
	};
	struct object o;

	if (done)
		clone_part(c, args, p.here, p.here + done);
	if (view_object(&c->model->head, args->object, &o))
		resolve_failure(c, &r, a, MAX(o.size, p.here + args->aux), wrong);
}

static void copy_range_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_success();
	struct op_answer why = *a;
	enum outcome outcome;

	if (a->ret == (int64_t)args->aux) {
		clone_part(c, args, places_of(args).here, places_of(args).here + args->aux);
		judge_touch(c, args->object, a);
		return;
	}
	if (a->stopped)
		why.ret = -a->stopped;
	outcome = judge(c, &op_copy_range, args, &why, &x);
	if (outcome == OUTCOME_DONE)
		judge_report(c, &op_copy_range, args, a, FINDING_ANSWER, "the source holds all of it");
	if (a->began)
		learn_part(c, args, a, outcome == OUTCOME_WRONG);
}

static void copy_range_show(const struct journal_record *r, const struct op_namer *namer, char *buf,
			    size_t len)
{
	show_range(r, namer, buf, len, "copy_file_range");
}

const struct op op_copy_range = {
	.name = "copy_range",
	.summary = "copy_file_range: any bytes of a file to any place, within one file too",
	.id = OP_COPY_RANGE,
	.group = GROUP_DATA,
	.failure = FAILS_EITHER,
	.balance = BALANCE_NONE,
	.errors = errors_of_writing,
	.draw = copy_range_draw,
	.fits = copy_range_fits,
	.call = copy_range_call,
	.learn = copy_range_learn,
	.show = copy_range_show,
};
