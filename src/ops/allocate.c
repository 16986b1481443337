/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fallocate in its modes: room that reads as zeroes, room behind the end of the file, holes, zeroed ranges.
 * object, dir, name: a file; offset; aux: length, and for zero_range AUX_KEEP_SIZE.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "src/ops/address.h"
#include "src/ops/choose.h"
#include "src/ops/fits.h"
#include "src/ops/judge.h"
#include "src/ops/line.h"
#include "src/ops/resolve.h"
#include "src/ops/table.h"

/* Longer ones would not be looked at whole after a failure. */
#define RANGE_MAX (LOOK_BLOCKS / 2 * (uint64_t)BLOCK_SIZE)

#define AUX_KEEP_SIZE (1U << 31)

/* tmpfs zeroes no ranges. */
static const int errors_of_allocation[] = {ENOSPC, EDQUOT, ENOMEM, ENFILE, EINTR, EOPNOTSUPP, 0};

static uint64_t length_of(const struct op_args *args)
{
	return args->aux & ~AUX_KEEP_SIZE;
}

static uint64_t end_of(const struct op_args *args)
{
	return args->offset + length_of(args);
}

/* ---- drawing */

static void draw_length(struct stream *s, struct op_args *args, uint64_t most)
{
	args->aux = (uint32_t)stream_log(s, 1, MAX(MIN(most, RANGE_MAX), 1U));
}

/* Whole blocks every other time. */
static void maybe_align(struct stream *s, struct op_args *args)
{
	if (stream_chance(s, 2))
		return;
	args->offset -= args->offset % BLOCK_SIZE;
	args->aux = (uint32_t)round_up_u64(args->aux, BLOCK_SIZE);
}

/* A range of a file up to its wanted size: from the end on, every other time; all that it wants, one time in
 * four. */
static bool draw_up_to_wanted(const struct op_ctx *c, struct stream *s, struct op_args *args,
			      struct chosen *file)
{
	uint64_t wanted;

	if (!choose(c, s, CHOOSE_FILE, file))
		return false;
	choose_subject(file, args);
	wanted = choose_size(c, args->object, &file->object);
	args->offset = stream_below(s, wanted);
	if (stream_chance(s, 2))
		args->offset = MIN(file->object.size, wanted - 1);
	if (stream_chance(s, 4))
		args->aux = (uint32_t)MIN(wanted - args->offset, RANGE_MAX);
	else
		draw_length(s, args, wanted - args->offset);
	return true;
}

/* A range that begins within a file, and may end behind it. */
static bool draw_within(const struct op_ctx *c, struct stream *s, struct op_args *args, struct chosen *file)
{
	for (int i = 0; i < CHOOSE_TRIES; i++) {
		if (!choose(c, s, CHOOSE_FILE, file))
			return false;
		if (!file->object.size)
			continue;
		choose_subject(file, args);
		args->offset = stream_below(s, file->object.size);
		draw_length(s, args, 2 * file->object.size);
		maybe_align(s, args);
		return true;
	}
	return false;
}

static bool has_room(const struct op_ctx *c, const struct op_args *args, const struct chosen *file)
{
	const uint64_t end = end_of(args);

	return end <= file->object.size || choose_room(c, end - file->object.size);
}

/* ---- calling, learning */

static void look_at_failure(struct op_ctx *c, const struct op_args *args, struct op_answer *a, int fd)
{
	resolve_look_at_size(fd, a);
	if (a->ret < 0)
		resolve_look(c, fd, args->offset, length_of(args));
}

static void allocate_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a, int mode)
{
	int fd = answer_open(c, args, O_RDWR, a);

	if (fd < 0)
		return;
	answer_end(a, fallocate(fd, mode, (off_t)args->offset, (off_t)length_of(args)));
	look_at_failure(c, args, a, fd);
	close(fd);
}

static void zero_part(struct op_ctx *c, const struct op_args *args, uint64_t from, uint64_t to)
{
	model_zero(c->model, c->operation, args->object, from, to - from);
}

/* Do the blocks of the range hold anything? */
static bool holds_data(const struct op_ctx *c, const struct op_args *args, const struct object *o)
{
	const uint64_t end = div_up_u64(MIN(end_of(args), o->size), BLOCK_SIZE);
	struct block_entry entries[64];
	size_t got;

	for (uint64_t block = args->offset / BLOCK_SIZE; block < end; block += got) {
		got = view_blocks(&c->model->head, o, block, MIN(end - block, (uint64_t)ARRAY_SIZE(entries)),
				  entries);
		if (!got)
			return false;
		for (size_t i = 0; i < got; i++) {
			if (entries[i].writer)
				return true;
		}
	}
	return false;
}

/* All of them end like this: the file has at least `least` bytes, and with `zeroes` the range reads as such.
 */
static void allocate_learn(struct op_ctx *c, const struct op *op, const struct op_args *args,
			   const struct op_answer *a, uint64_t least, bool zeroes)
{
	const struct expectation x = expect_success();
	const struct resolve r = {
		.op = op,
		.args = args,
		.offset = args->offset,
		.length = length_of(args),
		.apply = zero_part,
		.fill = resolve_with_zeroes,
	};
	const enum outcome outcome = judge(c, op, args, a, &x);
	struct object o;
	bool changes;

	if (!view_object(&c->model->head, args->object, &o))
		return;
	if (outcome != OUTCOME_DONE) {
		if (a->began)
			resolve_failure(c, &r, a, MAX(least, o.size), outcome == OUTCOME_WRONG);
		return;
	}
	changes = least > o.size || (zeroes && holds_data(c, args, &o));
	if (least > o.size)
		model_truncate(c->model, c->operation, args->object, least);
	if (zeroes)
		zero_part(c, args, args->offset, end_of(args));
	if (changes)
		judge_touch(c, args->object, a);
	else
		judge_maybe_touch(c, args->object, a); /* btrfs lets the time of what was a hole already be */
}

static void allocate_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len,
			  const char *mode)
{
	line_call(r, namer, buf, len, "fallocate", ", %s, %llu, %llu", mode,
		  (unsigned long long)r->args.offset, (unsigned long long)length_of(&r->args));
}

/* ---- fallocate */

static bool fallocate_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen file;

	return draw_up_to_wanted(c, s, args, &file) && has_room(c, args, &file);
}

static void fallocate_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	allocate_call(c, args, a, 0);
}

static void fallocate_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	allocate_learn(c, &op_fallocate, args, a, end_of(args), false);
}

static void fallocate_show(const struct journal_record *r, const struct op_namer *namer, char *buf,
			   size_t len)
{
	allocate_show(r, namer, buf, len, "0");
}

const struct op op_fallocate = {
	.name = "fallocate",
	.summary = "allocate a range; the file grows",
	.id = OP_FALLOCATE,
	.group = GROUP_DATA,
	.failure = FAILS_EITHER,
	.balance = BALANCE_NONE,
	.errors = errors_of_allocation,
	.draw = fallocate_draw,
	.fits = fits_named_file,
	.call = fallocate_call,
	.learn = fallocate_learn,
	.show = fallocate_show,
};

/* ---- fallocate_keep: what it allocates behind the end of the file shows only later, as zeroes */

static bool fallocate_keep_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen file;

	return draw_up_to_wanted(c, s, args, &file) && has_room(c, args, &file);
}

static void fallocate_keep_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	allocate_call(c, args, a, FALLOC_FL_KEEP_SIZE);
}

static void fallocate_keep_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	allocate_learn(c, &op_fallocate_keep, args, a, 0, false);
}

static void fallocate_keep_show(const struct journal_record *r, const struct op_namer *namer, char *buf,
				size_t len)
{
	allocate_show(r, namer, buf, len, "FALLOC_FL_KEEP_SIZE");
}

const struct op op_fallocate_keep = {
	.name = "fallocate_keep",
	.summary = "allocate a range, also behind the end; the size stays",
	.id = OP_FALLOCATE_KEEP,
	.group = GROUP_DATA,
	.failure = FAILS_EITHER,
	.balance = BALANCE_NONE,
	.errors = errors_of_allocation,
	.draw = fallocate_keep_draw,
	.fits = fits_named_file,
	.call = fallocate_keep_call,
	.learn = fallocate_keep_learn,
	.show = fallocate_keep_show,
};

/* ---- punch */

static bool punch_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen file;

	return draw_within(c, s, args, &file);
}

static void punch_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	allocate_call(c, args, a, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
}

static void punch_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	allocate_learn(c, &op_punch, args, a, 0, true);
}

static void punch_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	allocate_show(r, namer, buf, len, "FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE");
}

const struct op op_punch = {
	.name = "punch",
	.summary = "punch a hole, aligned or not",
	.id = OP_PUNCH,
	.group = GROUP_DATA,
	.failure = FAILS_EITHER,
	.balance = BALANCE_NONE,
	.errors = errors_of_allocation,
	.draw = punch_draw,
	.fits = fits_named_file,
	.call = punch_call,
	.learn = punch_learn,
	.show = punch_show,
};

/* ---- zero_range */

static bool zero_range_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen file;
	uint64_t wanted;

	if (!draw_within(c, s, args, &file))
		return false;
	wanted = choose_size(c, args->object, &file.object);
	if (args->offset < wanted && end_of(args) > wanted)
		args->aux = (uint32_t)(wanted - args->offset);
	if (stream_chance(s, 2))
		args->aux |= AUX_KEEP_SIZE;
	return has_room(c, args, &file);
}

/*
 * ext4 takes the range out of the page cache before it knows that there is room: what was not written yet is
 * lost then, and parts of pages at the edges are zeroed in the cache and old on disk (seen on Linux 6.18).
 * After such a failure nothing is known of the range that would stay so; cutting the file off there makes it
 * known again.
 */
static bool leaves_nothing_known(int fd)
{
	struct statfs fs;

	return errno != EOPNOTSUPP && fstatfs(fd, &fs) == 0 && fs.f_type == EXT4_SUPER_MAGIC;
}

static void zero_range_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const int mode = FALLOC_FL_ZERO_RANGE | (args->aux & AUX_KEEP_SIZE ? FALLOC_FL_KEEP_SIZE : 0);
	const int fd = answer_open(c, args, O_RDWR, a);
	int ret, err;

	if (fd < 0)
		return;
	ret = fallocate(fd, mode, (off_t)args->offset, (off_t)length_of(args));
	err = errno;
	if (ret < 0 && leaves_nothing_known(fd))
		a->cut = ftruncate(fd, (off_t)args->offset) == 0;
	errno = err;
	answer_end(a, ret);
	look_at_failure(c, args, a, fd);
	close(fd);
}

static void zero_range_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_success();

	if (!a->cut) {
		allocate_learn(c, &op_zero_range, args, a, args->aux & AUX_KEEP_SIZE ? 0 : end_of(args),
			       true);
		return;
	}
	judge(c, &op_zero_range, args, a, &x);
	judge_touch(c, args->object, a);
	if (a->size == args->offset)
		model_truncate(c->model, c->operation, args->object, a->size);
	else
		resolve_odd_size(c, &op_zero_range, args, a);
}

static void zero_range_show(const struct journal_record *r, const struct op_namer *namer, char *buf,
			    size_t len)
{
	allocate_show(r, namer, buf, len,
		      r->args.aux & AUX_KEEP_SIZE ? "FALLOC_FL_ZERO_RANGE|FALLOC_FL_KEEP_SIZE"
						  : "FALLOC_FL_ZERO_RANGE");
}

const struct op op_zero_range = {
	.name = "zero_range",
	.summary = "zero a range, with and without keeping the size",
	.id = OP_ZERO_RANGE,
	.group = GROUP_DATA,
	.failure = FAILS_EITHER,
	.balance = BALANCE_NONE,
	.errors = errors_of_allocation,
	.draw = zero_range_draw,
	.fits = fits_named_file,
	.call = zero_range_call,
	.learn = zero_range_learn,
	.show = zero_range_show,
};
