/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that all workers write at once, each its own stripes (src/model/stripes.h): buffered writes and
 * mapped stores of several workers meet in one page. No lock and no direct I/O. An operation stays within one
 * stripe of the worker's own; its model has nothing but these in the file, so what a read brings of the
 * others is passed over. Size and attributes never change, the times are not modelled.
 *
 * object: the shared file (dir is OBJECT_NONE: an anchor); offset; aux: length.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/model/stripes.h"
#include "src/ops/address.h"
#include "src/ops/judge.h"
#include "src/ops/line.h"
#include "src/ops/read.h"
#include "src/ops/table.h"
#include "src/ops/window.h"

/* Longest read, and longest write where a worker is alone and owns it all. */
#define LONGEST (64 * KiB)

/* EFAULT stands for a SIGBUS: the filesystem had no room for the page. */
static const int errors_of_sharing[] = {ENOSPC, EDQUOT, ENOMEM, ENFILE, EINTR, EFAULT, 0};

static uint32_t number_of(const struct op_args *args)
{
	return args->object - OBJECT_FIRST_SHARED_FILE;
}

static uint32_t workers_of(const struct op_ctx *c)
{
	return MAX(c->workers, 1U);
}

static bool draw_file(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	if (!c->model->head.shared_files)
		return false;
	args->object = OBJECT_FIRST_SHARED_FILE + (uint32_t)stream_below(s, c->model->head.shared_files);
	return true;
}

/* A part of one of the worker's stripes, half the time all of it. */
static bool draw_own(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	const uint32_t worker = c->model->head.worker, workers = workers_of(c);
	uint64_t stripe, owned, length, from;

	if (!draw_file(c, s, args))
		return false;
	stripe = stripes_length(number_of(args));
	owned = stripes_owned(number_of(args), worker, workers);
	if (!owned)
		return false;
	args->offset = (stream_below(s, owned) * workers + worker) * stripe;
	length = workers == 1 ? stream_log(s, 1, LONGEST) : stripe;
	length = MIN(length, stripes_size(number_of(args)) - args->offset);
	from = stream_chance(s, 2) ? stream_below(s, length) : 0;
	args->offset += from;
	args->aux = (uint32_t)(from ? stream_log(s, 1, length - from) : length);
	return true;
}

static bool file_fits(const struct op_ctx *c, const struct op_args *args)
{
	return args->dir == OBJECT_NONE && view_is_shared_file(&c->model->head, args->object);
}

static bool read_fits(const struct op_ctx *c, const struct op_args *args)
{
	return file_fits(c, args) && args->aux && args->aux <= LONGEST &&
	       args->offset + args->aux <= stripes_size(number_of(args));
}

/* All of it is the worker's own. */
static bool own_fits(const struct op_ctx *c, const struct op_args *args)
{
	const uint32_t k = number_of(args), workers = workers_of(c);
	uint64_t last;

	if (!read_fits(c, args))
		return false;
	last = args->offset + args->aux - 1;
	return stripes_owner(k, args->offset, workers) == c->model->head.worker &&
	       (workers == 1 || args->offset / stripes_length(k) == last / stripes_length(k));
}

/* ---- shared_write */

static void shared_write_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	int fd;

	address_fill(c, args);
	fd = answer_open(c, args, O_WRONLY, a);
	if (fd < 0)
		return;
	answer_end(a, pwrite(fd, c->buffer, args->aux, (off_t)args->offset));
	a->began = true;
	close(fd);
}

/* A write that failed has written nothing: a part would have been a short write. */
static void shared_write_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_success();

	switch (judge(c, &op_shared_write, args, a, &x)) {
	case OUTCOME_DONE:
		model_write(c->model, c->operation, args->object, args->offset, c->buffer, (size_t)a->ret);
		break;
	case OUTCOME_WRONG:
		if (a->began)
			model_set_unsure(c->model, c->operation, args->object);
		break;
	case OUTCOME_REFUSED:
	case OUTCOME_FAILED:
		break;
	}
}

static void shared_write_show(const struct journal_record *r, const struct op_namer *namer, char *buf,
			      size_t len)
{
	line_call(r, namer, buf, len, "pwrite", ", %u bytes, %llu", r->args.aux,
		  (unsigned long long)r->args.offset);
}

const struct op op_shared_write = {
	.name = "shared_write",
	.summary = "pwrite into the worker's own part of a page that others write, too",
	.id = OP_SHARED_WRITE,
	.group = GROUP_DATA,
	.failure = FAILS_PREFIX,
	.balance = BALANCE_NONE,
	.errors = errors_of_sharing,
	.draw = draw_own,
	.fits = own_fits,
	.fill = address_fill,
	.call = shared_write_call,
	.learn = shared_write_learn,
	.show = shared_write_show,
};

/* ---- shared_store */

static void shared_store_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	address_fill(c, args);
	window_store(c, args, a);
}

static void shared_store_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_success();

	judge(c, &op_shared_store, args, a, &x);
	if (a->done)
		model_write(c->model, c->operation, args->object, args->offset, c->buffer, a->done);
}

static void shared_store_show(const struct journal_record *r, const struct op_namer *namer, char *buf,
			      size_t len)
{
	line_call(r, namer, buf, len, "mmap+store", ", MAP_SHARED, %u bytes, %llu", r->args.aux,
		  (unsigned long long)r->args.offset);
}

const struct op op_shared_store = {
	.name = "shared_store",
	.summary = "store through a mapping into the worker's own part of a page that others write, too",
	.id = OP_SHARED_STORE,
	.group = GROUP_DATA,
	.failure = FAILS_PREFIX,
	.balance = BALANCE_NONE,
	.errors = errors_of_sharing,
	.draw = draw_own,
	.fits = own_fits,
	.fill = address_fill,
	.call = shared_store_call,
	.learn = shared_store_learn,
	.show = shared_store_show,
};

/* ---- shared_read: of any range, the worker's own bytes in it are compared */

static bool shared_read_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	uint64_t size;

	if (!draw_file(c, s, args))
		return false;
	size = stripes_size(number_of(args));
	args->offset = stream_below(s, size);
	args->aux = (uint32_t)MIN(stream_log(s, 1, LONGEST), size - args->offset);
	return true;
}

static void shared_read_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	int fd = answer_open(c, args, O_RDONLY, a);

	if (fd < 0)
		return;
	answer_end(a, read_whole(fd, c->buffer, args->aux, args->offset));
	close(fd);
}

/* In the worker's own model the others' stripes are zero. */
static void clear_foreign(struct op_ctx *c, const struct op_args *args, uint64_t end)
{
	const uint32_t k = number_of(args), stripe = stripes_length(k);
	uint64_t next;

	for (uint64_t at = args->offset; at < end; at = next) {
		next = MIN(at - at % stripe + stripe, end);
		if (stripes_owner(k, at, workers_of(c)) != c->model->head.worker)
			memset(c->buffer + (at - args->offset), 0, next - at);
	}
}

static void shared_read_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_success();

	if (judge(c, &op_shared_read, args, a, &x) != OUTCOME_DONE)
		return;
	clear_foreign(c, args, args->offset + (uint64_t)a->ret);
	read_compare(c, &op_shared_read, args, a,
		     &(struct read_range){args->offset, args->aux, (uint32_t)a->ret, c->buffer});
}

static void shared_read_show(const struct journal_record *r, const struct op_namer *namer, char *buf,
			     size_t len)
{
	line_call(r, namer, buf, len, "pread", ", %u bytes, %llu", r->args.aux,
		  (unsigned long long)r->args.offset);
}

const struct op op_shared_read = {
	.name = "shared_read",
	.summary = "read a shared file and compare the worker's own parts at once",
	.id = OP_SHARED_READ,
	.group = GROUP_DATA,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.reads = true,
	.errors = errors_of_opening,
	.draw = shared_read_draw,
	.fits = read_fits,
	.call = shared_read_call,
	.learn = shared_read_learn,
	.show = shared_read_show,
};

/* ---- shared_sync: aux: how */

enum { BY_FSYNC, BY_FDATASYNC, BY_MSYNC, WAYS };

static bool shared_sync_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	args->aux = (uint32_t)stream_below(s, WAYS);
	return draw_file(c, s, args);
}

static int sync_mapping(int fd, uint64_t size)
{
	void *at = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	int failed, err;

	if (at == MAP_FAILED)
		return -1;
	failed = msync(at, size, MS_SYNC);
	err = errno;
	munmap(at, size);
	errno = err;
	return failed;
}

/* As for the operation msync, the mapping must be one that could be written to. */
static void shared_sync_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	int fd = answer_open(c, args, args->aux == BY_MSYNC ? O_RDWR : O_RDONLY, a);

	if (fd < 0)
		return;
	if (args->aux == BY_MSYNC)
		answer_end(a, sync_mapping(fd, stripes_size(number_of(args))));
	else
		answer_end(a, args->aux == BY_FSYNC ? fsync(fd) : fdatasync(fd));
	a->began = true;
	close(fd);
}

static void shared_sync_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_success();
	const enum outcome outcome = judge(c, &op_shared_sync, args, a, &x);

	if (outcome == OUTCOME_DONE)
		model_set_synced(c->model, c->operation, args->object);
	if (outcome == OUTCOME_DONE || !a->began)
		return;
	if (outcome == OUTCOME_FAILED)
		judge_report(c, &op_shared_sync, args, a, FINDING_ANSWER, "what it should sync may be lost");
	model_set_unsure(c->model, c->operation, args->object);
}

static void shared_sync_show(const struct journal_record *r, const struct op_namer *namer, char *buf,
			     size_t len)
{
	static const char *const calls[WAYS] = {"fsync", "fdatasync", "msync"};

	line_call(r, namer, buf, len, calls[MIN(r->args.aux, WAYS - 1U)], "%s", "");
}

const struct op op_shared_sync = {
	.name = "shared_sync",
	.summary = "fsync, fdatasync or msync a shared file; a failure is a finding",
	.id = OP_SHARED_SYNC,
	.group = GROUP_DURABILITY,
	.failure = FAILS_EITHER,
	.balance = BALANCE_NONE,
	.errors = errors_of_opening,
	.draw = shared_sync_draw,
	.fits = file_fits,
	.call = shared_sync_call,
	.learn = shared_sync_learn,
	.show = shared_sync_show,
};
