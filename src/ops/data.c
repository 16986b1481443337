/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations that change file data: write, append, truncate. (read.c reads it back.) */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "src/ops/address.h"
#include "src/ops/choose.h"
#include "src/ops/fits.h"
#include "src/ops/judge.h"
#include "src/ops/line.h"
#include "src/ops/resolve.h"
#include "src/ops/table.h"

static uint64_t size_of(const struct op_ctx *c, uint32_t object)
{
	struct object o;

	return view_object(&c->model->head, object, &o) ? o.size : 0;
}

/* ---- write and append */

/* A write that failed has written nothing (a part would have been a short write), but may have set the time.
 */
static void learn_written(struct op_ctx *c, const struct op *op, const struct op_args *args,
			  const struct op_answer *a, uint64_t offset)
{
	const struct expectation x = expect_success();
	const enum outcome outcome = judge(c, op, args, a, &x);

	if (outcome == OUTCOME_DONE) {
		if (a->ret == 0)
			return;
		model_write(c->model, c->operation, args->object, offset, c->buffer, (size_t)a->ret);
		judge_touch(c, args->object, a);
		return;
	}
	if (!a->began)
		return;
	judge_maybe_touch(c, args->object, a);
	if (a->size != size_of(c, args->object))
		resolve_odd_size(c, op, args, a);
	else if (outcome == OUTCOME_WRONG)
		model_set_unsure(c->model, c->operation, args->object);
}

/* Write what the arguments say, with O_APPEND at the end of the file, else at its offset. */
static void put_data(struct op_ctx *c, const struct op_args *args, struct op_answer *a, int flags)
{
	int fd;

	address_fill(c, args);
	fd = answer_open(c, args, flags, a);
	if (fd < 0)
		return;
	if (flags & O_APPEND)
		answer_end(a, write(fd, c->buffer, args->aux));
	else
		answer_end(a, pwrite(fd, c->buffer, args->aux, (off_t)args->offset));
	resolve_look_at_size(fd, a);
	close(fd);
}

/* The length of a write: log-uniform, at most `room`. 0 when there is none. */
static uint64_t draw_length(const struct op_ctx *c, struct stream *s, uint64_t room)
{
	uint64_t most = MIN(MAX(c->shape->write[1], 1U), (uint64_t)OP_BUFFER);
	uint64_t length = stream_log(s, MIN(MAX(c->shape->write[0], 1U), most), most);

	return MIN(length, room);
}

/* ---- write: object, dir, name: a file; offset; aux: length */

/* Where a write begins: over what is there, at its end, or anywhere up to the file's wanted size. */
static uint64_t draw_offset(struct stream *s, uint64_t size, uint64_t wanted)
{
	switch (stream_below(s, 8)) {
	case 0:
	case 1:
	case 2:
		return stream_below(s, MAX(size, 1U));
	case 3:
		return MIN(size, wanted - 1);
	default:
		return stream_below(s, wanted);
	}
}

static bool write_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	const bool aligned = stream_chance(s, 2);
	struct chosen file;
	uint64_t wanted, length;

	if (!choose(c, s, CHOOSE_FILE | CHOOSE_HELD, &file))
		return false;
	choose_subject(&file, args);
	wanted = choose_size(c, args->object, &file.object);
	args->offset = draw_offset(s, file.object.size, wanted);
	if (aligned)
		args->offset -= args->offset % BLOCK_SIZE;
	length = draw_length(c, s, wanted - args->offset);
	if (aligned && length > BLOCK_SIZE)
		length -= length % BLOCK_SIZE;
	if (args->offset + length > file.object.size &&
	    !choose_room(c, args->offset + length - file.object.size)) {
		if (file.object.size == 0)
			return false;
		args->offset = stream_below(s, file.object.size);
		length = MIN(length, file.object.size - args->offset);
	}
	args->aux = (uint32_t)length;
	return true;
}

static bool write_fits(const struct op_ctx *c, const struct op_args *args)
{
	return fits_file(c, args) && args->aux <= OP_BUFFER;
}

static void write_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	put_data(c, args, a, O_WRONLY);
}

static void write_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	learn_written(c, &op_write, args, a, args->offset);
}

static void write_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_call(r, namer, buf, len, "pwrite", ", %u bytes, %llu", r->args.aux,
		  (unsigned long long)r->args.offset);
}

const struct op op_write = {
	.name = "write",
	.summary = "pwrite: aligned or not, over old data, past the end (leaving holes)",
	.id = OP_WRITE,
	.group = GROUP_DATA,
	.failure = FAILS_PREFIX,
	.balance = BALANCE_NONE,
	.errors = errors_of_writing,
	.draw = write_draw,
	.fits = write_fits,
	.fill = address_fill,
	.call = write_call,
	.learn = write_learn,
	.show = write_show,
};

/* ---- append: object, dir, name: a file; offset: its size, where O_APPEND must put the data; aux: length */

static bool append_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	for (int i = 0; i < CHOOSE_TRIES; i++) {
		struct chosen file;
		uint64_t wanted, length;

		if (!choose(c, s, CHOOSE_FILE | CHOOSE_HELD, &file))
			return false;
		wanted = choose_size(c, file.name.object, &file.object);
		length = draw_length(c, s, wanted - file.object.size);
		if (length == 0 || !choose_room(c, length))
			continue;
		choose_subject(&file, args);
		args->offset = file.object.size;
		args->aux = (uint32_t)length;
		return true;
	}
	return false;
}

/* Where the data lands is the end of the file. */
static bool append_fits(const struct op_ctx *c, const struct op_args *args)
{
	return fits_file(c, args) && args->aux <= OP_BUFFER && args->offset == size_of(c, args->object);
}

static void append_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	put_data(c, args, a, O_WRONLY | O_APPEND);
}

static void append_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	learn_written(c, &op_append, args, a, args->offset);
}

static void append_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_call(r, namer, buf, len, "append", ", %u bytes /* at %llu */", r->args.aux,
		  (unsigned long long)r->args.offset);
}

const struct op op_append = {
	.name = "append",
	.summary = "write with O_APPEND",
	.id = OP_APPEND,
	.group = GROUP_DATA,
	.failure = FAILS_PREFIX,
	.balance = BALANCE_NONE,
	.errors = errors_of_writing,
	.draw = append_draw,
	.fits = append_fits,
	.fill = address_fill,
	.call = append_call,
	.learn = append_learn,
	.show = append_show,
};

/* ---- truncate: object, dir, name: a file; offset: its new size */

static uint64_t draw_size(struct stream *s, uint64_t size, uint64_t wanted)
{
	uint64_t any = stream_below(s, wanted + 1);

	switch (stream_below(s, 16)) {
	case 0:
	case 1:
		return 0;
	case 2:
		return size;
	case 3:
	case 4:
	case 5:
		return any - any % BLOCK_SIZE;
	case 6:
	case 7:
	case 8:
		return stream_below(s, size + 1);
	default:
		return any;
	}
}

static bool truncate_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen file;

	if (!choose(c, s, CHOOSE_FILE | CHOOSE_HELD, &file))
		return false;
	choose_subject(&file, args);
	args->offset = draw_size(s, file.object.size, choose_size(c, args->object, &file.object));
	if (args->offset > file.object.size && !choose_room(c, args->offset - file.object.size))
		args->offset = stream_below(s, file.object.size + 1);
	return true;
}

static void truncate_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	int fd = answer_open(c, args, O_RDWR, a);

	if (fd < 0)
		return;
	answer_end(a, ftruncate(fd, (off_t)args->offset));
	resolve_look_at_size(fd, a);
	if (a->ret < 0 && a->size != SIZE_UNKNOWN && a->size > args->offset)
		resolve_look_at_disk(c, fd, args->offset, a->size - args->offset);
	close(fd);
}

static void truncate_part(struct op_ctx *c, const struct op_args *args, uint64_t from, uint64_t to)
{
	model_zero(c->model, c->operation, args->object, from, to - from);
}

/*
 * A truncate that failed: nothing or everything was done. Cutting off can also stop half-way (btrfs commits
 * it in steps and keeps the size that it reached), so sizes in between are allowed. What was not yet written
 * behind the new end is then gone from the cache, and the rest of a page at the new end is zero there and old
 * on disk (seen on btrfs, Linux 6.18): so the cache is forgotten before the look. A block there is as it was,
 * or zero, or as an older write left it on disk.
 */
static void learn_failed_truncate(struct op_ctx *c, const struct op_args *args, const struct op_answer *a,
				  uint64_t before, bool wrong)
{
	const bool growing = args->offset >= before;
	const struct resolve r = {
		.op = &op_truncate,
		.args = args,
		.offset = args->offset,
		.length = a->size - args->offset,
		.apply = truncate_part,
		.fill = resolve_with_zeroes,
		.dropped = true,
	};

	judge_maybe_touch(c, args->object, a);
	if (growing && a->size != before && a->size != args->offset) {
		resolve_odd_size(c, &op_truncate, args, a);
		return;
	}
	if (!resolve_size(c, &op_truncate, args, a, MIN(before, args->offset), MAX(before, args->offset)))
		return;
	if (wrong)
		model_set_unsure(c->model, c->operation, args->object);
	else if (a->size > args->offset)
		resolve_blocks(c, &r);
}

static void truncate_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_success();
	const uint64_t before = size_of(c, args->object);
	const enum outcome outcome = judge(c, &op_truncate, args, a, &x);

	if (outcome != OUTCOME_DONE) {
		if (a->began)
			learn_failed_truncate(c, args, a, before, outcome == OUTCOME_WRONG);
		return;
	}
	model_truncate(c->model, c->operation, args->object, args->offset);
	if (args->offset == before)
		judge_maybe_touch(c, args->object, a); /* whether this sets the time differs */
	else
		judge_touch(c, args->object, a);
}

static void truncate_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_call(r, namer, buf, len, "truncate", ", %llu", (unsigned long long)r->args.offset);
}

const struct op op_truncate = {
	.name = "truncate",
	.summary = "ftruncate: up, down, to nothing, to the same size",
	.id = OP_TRUNCATE,
	.group = GROUP_DATA,
	.failure = FAILS_EITHER,
	.balance = BALANCE_NONE,
	.errors = errors_of_space,
	.draw = truncate_draw,
	.fits = fits_file,
	.call = truncate_call,
	.learn = truncate_learn,
	.show = truncate_show,
};
