/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A worker's own files through mappings: stores, loads, msync. A store changes no size, and it sets the
 * modification time only where it meets a page that is not writable yet (never on tmpfs).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/ops/address.h"
#include "src/ops/choose.h"
#include "src/ops/fits.h"
#include "src/ops/guarded.h"
#include "src/ops/judge.h"
#include "src/ops/line.h"
#include "src/ops/read.h"
#include "src/ops/table.h"
#include "src/ops/window.h"

/* EFAULT stands for a SIGBUS: the filesystem had no room for the page. */
static const int errors_of_mapping[] = {ENOSPC, EDQUOT, ENOMEM, ENFILE, EINTR, EFAULT, 0};

/* A file with something in it. */
static bool draw_file(const struct op_ctx *c, struct stream *s, struct chosen *file)
{
	for (int i = 0; i < CHOOSE_TRIES; i++) {
		if (!choose(c, s, CHOOSE_FILE, file))
			return false;
		if (file->object.size)
			return true;
	}
	return false;
}

/* A range within the file, `most` bytes or less. Half of them are of whole pages. */
static void draw_range(struct stream *s, const struct object *file, uint64_t most, struct op_args *args)
{
	const bool aligned = stream_chance(s, 2);
	uint64_t length = stream_log(s, 1, most);

	args->offset = stream_below(s, file->size);
	if (aligned) {
		args->offset -= args->offset % BLOCK_SIZE;
		length = round_up_u64(length, BLOCK_SIZE);
	}
	length = MIN(length, most);
	args->aux = (uint32_t)MIN(length, file->size - args->offset);
}

/* ---- mmap_write: object, dir, name: a file; offset; aux: length */

static bool mmap_write_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen file;

	if (!draw_file(c, s, &file))
		return false;
	choose_subject(&file, args);
	draw_range(s, &file.object, MIN(MAX(c->shape->write[1], 1U), (uint64_t)OP_BUFFER), args);
	return true;
}

static bool mmap_fits(const struct op_ctx *c, const struct op_args *args)
{
	return fits_range(c, args) && args->aux <= OP_BUFFER;
}

static void mmap_write_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	address_fill(c, args);
	window_store(c, args, a);
}

/* What was stored before a failure is known to the byte. */
static void mmap_write_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_success();

	judge(c, &op_mmap_write, args, a, &x);
	if (!a->began)
		return;
	if (a->done)
		model_write(c->model, c->operation, args->object, args->offset, c->buffer, a->done);
	judge_maybe_touch(c, args->object, a);
}

static void mmap_write_show(const struct journal_record *r, const struct op_namer *namer, char *buf,
			    size_t len)
{
	line_call(r, namer, buf, len, "mmap+store", ", MAP_SHARED, %u bytes, %llu", r->args.aux,
		  (unsigned long long)r->args.offset);
}

const struct op op_mmap_write = {
	.name = "mmap_write",
	.summary = "store through a shared mapping that is kept over several operations",
	.id = OP_MMAP_WRITE,
	.group = GROUP_DATA,
	.failure = FAILS_PREFIX,
	.balance = BALANCE_NONE,
	.errors = errors_of_mapping,
	.draw = mmap_write_draw,
	.fits = mmap_fits,
	.fill = address_fill,
	.call = mmap_write_call,
	.learn = mmap_write_learn,
	.show = mmap_write_show,
};

/* ---- mmap_read: object, dir, name: a file; offset; aux: length; dir2: is the mapping stored to before the
 * file is read? Nothing of that may reach the file. */

static bool mmap_read_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen file;

	if (!draw_file(c, s, &file))
		return false;
	choose_subject(&file, args);
	draw_range(s, &file.object, OP_BUFFER, args);
	args->dir2 = stream_chance(s, 4);
	return true;
}

/* Turn every byte of the private mapping round, then read what the file has. */
static ssize_t store_privately(struct op_ctx *c, int fd, unsigned char *at, const struct op_args *args)
{
	for (uint32_t i = 0; i < args->aux; i++)
		c->buffer[i] = (unsigned char)~c->buffer[i];
	if (guarded_store(at, c->buffer, args->aux) < args->aux) {
		errno = EFAULT;
		return -1;
	}
	return read_whole(fd, c->buffer, args->aux, args->offset);
}

static ssize_t load(struct op_ctx *c, int fd, unsigned char *at, const struct op_args *args)
{
	size_t fault;

	if (!guarded_load(c->buffer, at, args->aux, &fault)) {
		errno = window_fault(fd, args->offset + fault, false);
		return -1;
	}
	return args->dir2 ? store_privately(c, fd, at, args) : (ssize_t)args->aux;
}

/* A mapping of these bytes; *start is where they begin in it, since a mapping begins with a page. */
static unsigned char *map_range(int fd, int protection, int flags, uint64_t offset, size_t length,
				size_t *start)
{
	unsigned char *at;

	*start = offset % (uint64_t)getpagesize();
	at = mmap(NULL, *start + length, protection, flags, fd, (off_t)(offset - *start));
	return at == MAP_FAILED ? NULL : at;
}

static void mmap_read_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	int fd = answer_open(c, args, O_RDONLY, a);
	unsigned char *at;
	size_t start;

	if (fd < 0)
		return;
	at = map_range(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE, args->offset, args->aux, &start);
	answer_end(a, at ? load(c, fd, at + start, args) : -1);
	if (at)
		munmap(at, start + args->aux);
	close(fd);
}

static void mmap_read_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_success();

	if (judge(c, &op_mmap_read, args, a, &x) == OUTCOME_DONE)
		read_compare(c, &op_mmap_read, args, a,
			     &(struct read_range){args->offset, args->aux, (uint32_t)a->ret, c->buffer});
}

static void mmap_read_show(const struct journal_record *r, const struct op_namer *namer, char *buf,
			   size_t len)
{
	line_call(r, namer, buf, len, r->args.dir2 ? "mmap+store+pread" : "mmap+load",
		  ", MAP_PRIVATE, %u bytes, %llu", r->args.aux, (unsigned long long)r->args.offset);
}

const struct op op_mmap_read = {
	.name = "mmap_read",
	.summary =
		"read a range through a private mapping, at times behind a private store to it, and compare",
	.id = OP_MMAP_READ,
	.group = GROUP_DATA,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.reads = true,
	.errors = errors_of_mapping,
	.draw = mmap_read_draw,
	.fits = mmap_fits,
	.call = mmap_read_call,
	.learn = mmap_read_learn,
	.show = mmap_read_show,
};

/* ---- msync: object, dir, name: a file; offset (of a page); aux: length */

static bool msync_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen file;

	for (int i = 0; i < CHOOSE_TRIES; i++) {
		if (!draw_file(c, s, &file))
			return false;
		if (file.object.changed > file.object.synced)
			break;
	}
	choose_subject(&file, args);
	args->aux = (uint32_t)MIN(file.object.size, (uint64_t)UINT32_MAX);
	if (stream_chance(s, 2)) {
		draw_range(s, &file.object, 16 * OP_BUFFER, args);
		args->offset -= args->offset % BLOCK_SIZE;
	}
	return true;
}

/* Open for writing, too: a shared mapping that could not be written to is none to msync(), which then does
 * nothing (mm/mmap.c takes VM_SHARED from it). */
static void msync_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	int fd = answer_open(c, args, O_RDWR, a);
	unsigned char *at;
	size_t start;

	if (fd < 0)
		return;
	at = map_range(fd, PROT_READ, MAP_SHARED, args->offset, args->aux, &start);
	answer_end(a, at ? msync(at, start + args->aux, MS_SYNC) : -1);
	a->began = at;
	if (at)
		munmap(at, start + args->aux);
	close(fd);
}

/* Only where all of the file was in the range is it as good as an fdatasync. */
static void msync_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_success();
	const enum outcome outcome = judge(c, &op_msync, args, a, &x);
	struct object o;

	if (outcome == OUTCOME_DONE) {
		if (view_object(&c->model->head, args->object, &o) && !args->offset && args->aux >= o.size)
			model_set_synced(c->model, c->operation, args->object);
		return;
	}
	if (!a->began)
		return;
	if (outcome == OUTCOME_FAILED)
		judge_report(c, &op_msync, args, a, FINDING_ANSWER, "what it should sync may be lost");
	model_set_unsure(c->model, c->operation, args->object);
}

static void msync_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	line_call(r, namer, buf, len, "msync", ", %u bytes at %llu, MS_SYNC", r->args.aux,
		  (unsigned long long)r->args.offset);
}

const struct op op_msync = {
	.name = "msync",
	.summary = "msync(MS_SYNC) a range of a file or all of it; a failure is a finding",
	.id = OP_MSYNC,
	.group = GROUP_DURABILITY,
	.failure = FAILS_EITHER,
	.balance = BALANCE_NONE,
	.errors = errors_of_opening,
	.draw = msync_draw,
	.fits = fits_range,
	.call = msync_call,
	.learn = msync_learn,
	.show = msync_show,
};
