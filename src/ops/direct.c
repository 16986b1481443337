/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct reads and writes through libaio. One operation is a batch of ranges of one file, all in flight at
 * once; it ends when the last has answered, and until then nobody touches the buffer.
 *
 * object, dir, name: a file; offset: where the stretch begins that the ranges lie in, with the batch's own
 * seed in the bits below a block; aux: number of ranges, size of the part of the stretch that each has to
 * itself, one iovec or several; dir2: in the journal, which of the ranges.
 */
#include "src/ops/direct.h"

#include <errno.h>
#include <fcntl.h>
#include <libaio.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "src/ops/address.h"
#include "src/ops/choose.h"
#include "src/ops/fits.h"
#include "src/ops/judge.h"
#include "src/ops/line.h"
#include "src/ops/read.h"
#include "src/ops/resolve.h"
#include "src/ops/table.h"

/* aux: count - 1 | order of a part in blocks << 4 | VECTORED */
#define ORDERS   10U
#define VECTORED 256U

#define BUFFER_BLOCKS (OP_BUFFER / BLOCK_SIZE)
#define PIECES        4U

_Static_assert(OP_BATCH << (ORDERS - 1) <= LOOK_BLOCKS, "all of a batch can be looked at after a failure");

/* EAGAIN: the kernel has no room for another request. */
static const int errors_of_direct[] = {ENOSPC, EDQUOT, ENOMEM, ENFILE, EINTR, EAGAIN, 0};

int direct_begin(struct op_ctx *c, struct error *e)
{
	int failed = io_setup(OP_BATCH, &c->aio);

	if (failed < 0)
		return error_errno(e, EXIT_HARNESS, -failed, "io_setup for %u direct requests", OP_BATCH);
	return 0;
}

void direct_end(struct op_ctx *c)
{
	if (c->aio)
		io_destroy(c->aio);
	c->aio = NULL;
}

/* ---- ranges */

unsigned int direct_count(const struct op_args *args)
{
	return args->aux % OP_BATCH + 1;
}

static unsigned int order_of(const struct op_args *args)
{
	return args->aux / OP_BATCH % 16;
}

struct direct_range direct_range(const struct op_args *args, unsigned int i)
{
	struct stream s = stream_make(args->offset, args->aux, i);
	const uint64_t part = 1ULL << order_of(args), most = BUFFER_BLOCKS / direct_count(args);
	const uint64_t blocks = stream_range(&s, 1, MIN(part, most));
	const uint64_t first = args->offset / BLOCK_SIZE + i * part + stream_below(&s, part - blocks + 1);

	return (struct direct_range){first * BLOCK_SIZE, (uint32_t)(blocks * BLOCK_SIZE)};
}

/* Where in the buffer range i has its place. */
static unsigned char *place_of(const struct op_ctx *c, const struct op_args *args, unsigned int i)
{
	return c->buffer + (size_t)i * (BUFFER_BLOCKS / direct_count(args)) * BLOCK_SIZE;
}

/* A batch somewhere in the first `blocks` blocks. */
static void draw_batch(struct stream *s, uint64_t blocks, struct op_args *args)
{
	unsigned int count = (unsigned int)stream_range(s, 1, MIN(blocks, (uint64_t)OP_BATCH));
	unsigned int order = (unsigned int)stream_below(s, ORDERS);
	uint64_t first;

	while (order && (uint64_t)count << order > blocks)
		order--;
	first = stream_below(s, blocks - ((uint64_t)count << order) + 1);
	args->aux = (count - 1) | order * OP_BATCH | (stream_chance(s, 4) ? VECTORED : 0);
	args->offset = first * BLOCK_SIZE + stream_below(s, BLOCK_SIZE);
}

/* ---- in flight */

struct flight {
	struct iocb iocb[OP_BATCH];
	struct iovec vector[OP_BATCH][PIECES];
	unsigned int flying;
};

/* Await one more. Whatever interrupts it, there is no way on while the kernel has the buffers. */
static void reap(struct op_ctx *c, struct flight *f, struct op_answer *a)
{
	struct io_event event;
	int n;

	do
		n = io_getevents(c->aio, 1, 1, &event, NULL);
	while (n != 1);
	a->part[event.obj - f->iocb] = (int32_t)event.res;
	f->flying--;
}

/* All of them: what the kernel doesn't take has its answer at once. */
static void fly(struct op_ctx *c, struct flight *f, unsigned int count, struct op_answer *a)
{
	struct iocb *request[OP_BATCH];
	unsigned int sent = 0;

	for (unsigned int i = 0; i < count; i++)
		request[i] = &f->iocb[i];
	while (sent < count) {
		int n = io_submit(c->aio, count - sent, request + sent);

		if (n > 0) {
			sent += (unsigned int)n;
			f->flying += (unsigned int)n;
		} else if (n == -EAGAIN && f->flying) {
			reap(c, f, a);
		} else if (n != -EINTR) {
			a->part[sent++] = n < 0 ? n : -EAGAIN;
		}
	}
	while (f->flying)
		reap(c, f, a);
}

/* The answer of the whole: the bytes of all ranges, or the first error. */
static void end_batch(struct op_answer *a, unsigned int count)
{
	int64_t sum = 0;

	a->parts = count;
	a->began = true;
	for (unsigned int i = 0; i < count && sum >= 0; i++)
		sum = a->part[i] < 0 ? a->part[i] : sum + a->part[i];
	errno = sum < 0 ? (int)-sum : 0;
	answer_end(a, sum);
}

/* EINVAL when it is opened: the filesystem has no direct I/O. */
static struct expectation expect_batch(const struct op_answer *a)
{
	struct expectation x = expect_success();

	if (!a->began)
		expect_also(&x, EINVAL);
	return x;
}

/* The answer and the arguments of range i, as the journal has them. */
static enum outcome judge_range(const struct op_ctx *c, const struct op *op, const struct op_args *args,
				const struct op_answer *a, unsigned int i)
{
	const struct expectation x = expect_batch(a);
	struct op_args one = *args;
	struct op_answer own = *a;

	one.dir2 = i;
	own.ret = a->part[i];
	return judge(c, op, &one, &own, &x);
}

static void show_range(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len,
		       const char *call)
{
	const struct direct_range range = direct_range(&r->args, r->args.dir2);

	line_call(r, namer, buf, len, call, ", O_DIRECT, %u bytes, %llu /* %u of %u%s */", range.length,
		  (unsigned long long)range.offset, r->args.dir2 + 1, direct_count(&r->args),
		  r->args.aux & VECTORED ? ", several iovecs" : "");
}

/* ---- aio_write */

/* A range goes out of one piece of the buffer, or of several that lie there in reverse. */
struct piece {
	uint64_t offset; /* in the file */
	unsigned char *at;
	size_t length;
};

static unsigned int pieces_of(const struct op_ctx *c, const struct op_args *args, unsigned int i,
			      struct piece piece[PIECES])
{
	const struct direct_range range = direct_range(args, i);
	const size_t blocks = range.length / BLOCK_SIZE;
	const unsigned int count = args->aux & VECTORED ? (unsigned int)MIN(blocks, (size_t)PIECES) : 1;
	unsigned char *end = place_of(c, args, i) + range.length;
	size_t done = 0;

	for (unsigned int k = 0; k < count; k++) {
		size_t length = blocks * (k + 1) / count * BLOCK_SIZE - done;

		end -= length;
		piece[k] = (struct piece){range.offset + done, end, length};
		done += length;
	}
	return count;
}

static bool aio_write_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	for (int i = 0; i < CHOOSE_TRIES; i++) {
		struct chosen file;
		struct direct_range last;
		uint64_t blocks, end;

		if (!choose(c, s, CHOOSE_FILE, &file))
			return false;
		blocks = choose_size(c, file.name.object, &file.object) / BLOCK_SIZE;
		if (!blocks)
			continue;
		draw_batch(s, blocks, args);
		last = direct_range(args, direct_count(args) - 1);
		end = last.offset + last.length;
		if (end > file.object.size && !choose_room(c, end - file.object.size))
			continue;
		choose_subject(&file, args);
		return true;
	}
	return false;
}

static void aio_write_fill(struct op_ctx *c, const struct op_args *args)
{
	const struct content_key key = address_key(c, args->object);

	for (unsigned int i = 0; i < direct_count(args); i++) {
		struct piece piece[PIECES];
		unsigned int count = pieces_of(c, args, i, piece);

		for (unsigned int k = 0; k < count; k++)
			content_fill(&key, piece[k].offset, piece[k].at, piece[k].length);
	}
}

static void prepare_write(struct op_ctx *c, const struct op_args *args, int fd, struct flight *f)
{
	aio_write_fill(c, args);
	for (unsigned int i = 0; i < direct_count(args); i++) {
		struct piece piece[PIECES];
		unsigned int count = pieces_of(c, args, i, piece);

		for (unsigned int k = 0; k < count; k++)
			f->vector[i][k] = (struct iovec){piece[k].at, piece[k].length};
		if (count == 1)
			io_prep_pwrite(&f->iocb[i], fd, piece[0].at, piece[0].length,
				       (long long)piece[0].offset);
		else
			io_prep_pwritev(&f->iocb[i], fd, f->vector[i], (int)count,
					(long long)piece[0].offset);
	}
}

/* Something failed or fell short: how is the stretch now, through the cache? */
static void look_at_stretch(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	const uint64_t begin = args->offset - args->offset % BLOCK_SIZE;
	const uint64_t blocks = (uint64_t)direct_count(args) << order_of(args);
	int fd = address_open(c, args, O_RDONLY);
	int64_t ret = a->ret;

	c->look.count = 0;
	a->size = SIZE_UNKNOWN;
	if (fd < 0)
		return;
	a->ret = -1; /* a sum that fell short is none to be looked behind */
	resolve_look_at_size(fd, a);
	a->ret = ret;
	resolve_look(c, fd, begin, blocks * BLOCK_SIZE);
	close(fd);
}

static bool is_whole(const struct op_args *args, const struct op_answer *a, unsigned int i)
{
	return a->part[i] == (int32_t)direct_range(args, i).length;
}

static bool all_whole(const struct op_args *args, const struct op_answer *a)
{
	for (unsigned int i = 0; i < a->parts; i++) {
		if (!is_whole(args, a, i))
			return false;
	}
	return true;
}

static void aio_write_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	int fd = answer_open(c, args, O_WRONLY | O_DIRECT, a);
	struct flight f = {0};

	if (fd < 0)
		return;
	prepare_write(c, args, fd, &f);
	fly(c, &f, direct_count(args), a);
	end_batch(a, direct_count(args));
	close(fd);
	if (!all_whole(args, a))
		look_at_stretch(c, args, a);
}

/* What range i has surely written. */
static void learn_range(struct op_ctx *c, const struct op_args *args, const struct op_answer *a,
			unsigned int i)
{
	struct piece piece[PIECES];
	unsigned int count = pieces_of(c, args, i, piece);
	size_t left = a->part[i] > 0 ? (size_t)a->part[i] : 0;

	for (unsigned int k = 0; k < count && left; k++) {
		size_t len = MIN(left, piece[k].length);

		model_write(c->model, c->operation, args->object, piece[k].offset, piece[k].at, len);
		left -= len;
	}
}

/* What is written to bytes [from, to). */
static void fill_part(const struct op_ctx *c, const struct op_args *args, uint64_t from, uint64_t to,
		      unsigned char *bytes)
{
	const struct content_key key = address_key(c, args->object);

	content_fill(&key, from, bytes, to - from);
}

/* Bytes [from, to), which lie in one block, were written after all. */
static void write_part(struct op_ctx *c, const struct op_args *args, uint64_t from, uint64_t to)
{
	unsigned char bytes[BLOCK_SIZE];

	fill_part(c, args, from, to, bytes);
	model_write(c->model, c->operation, args->object, from, bytes, to - from);
}

/*
 * The ranges that were not written as a whole: each block of the filesystem in them, which may be smaller
 * than the model's, is old or new by itself. A range that fails is not a prefix: what lay in blocks that hold
 * data is new; what lay in a hole was written to a block that is still taken for a hole, since it is made
 * valid only when all went well (ext4_dio_write_end_io(), xfs_dio_write_end_io()). And the block in which the
 * file ended can be new up to there and zero behind: the range that grew the file failed, what it had put
 * behind the end was zeroed again (ext4_truncate_failed_write(); xfs_file_write_checks() of the next one),
 * and a later range of the batch grew the file after all.
 */
static void settle(struct op_ctx *c, const struct op_args *args, const struct op_answer *a, uint64_t old_end,
		   bool wrong)
{
	const struct direct_range last = direct_range(args, direct_count(args) - 1);
	struct object o;

	if (!view_object(&c->model->head, args->object, &o) ||
	    !resolve_size(c, &op_aio_write, args, a, o.size, MAX(o.size, last.offset + last.length)))
		return;
	if (wrong) {
		model_set_unsure(c->model, c->operation, args->object);
		return;
	}
	for (unsigned int i = 0; i < a->parts; i++) {
		const struct direct_range range = direct_range(args, i);
		const uint64_t sure = a->part[i] > 0 ? (uint64_t)a->part[i] : 0;
		const struct resolve r = {
			.op = &op_aio_write,
			.args = args,
			.offset = range.offset + sure,
			.length = range.length - sure,
			.apply = write_part,
			.old_end = old_end,
			.fill = fill_part,
		};

		if (sure < range.length)
			resolve_blocks(c, &r);
	}
}

static void aio_write_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_batch(a);
	bool wrong = false, touched = false;
	struct object before = {0};

	if (!a->began) {
		judge(c, &op_aio_write, args, a, &x);
		return;
	}
	view_object(&c->model->head, args->object, &before);
	for (unsigned int i = 0; i < a->parts; i++) {
		wrong |= judge_range(c, &op_aio_write, args, a, i) == OUTCOME_WRONG;
		learn_range(c, args, a, i);
		touched |= a->part[i] > 0;
	}
	if (touched)
		judge_touch(c, args->object, a);
	else
		judge_maybe_touch(c, args->object, a);
	if (!all_whole(args, a))
		settle(c, args, a, before.size, wrong);
}

static void aio_write_show(const struct journal_record *r, const struct op_namer *namer, char *buf,
			   size_t len)
{
	show_range(r, namer, buf, len, "aio pwrite");
}

const struct op op_aio_write = {
	.name = "aio_write",
	.summary = "O_DIRECT writes through libaio, up to 16 ranges of a file in flight at once",
	.id = OP_AIO_WRITE,
	.group = GROUP_DATA,
	.failure = FAILS_EITHER,
	.balance = BALANCE_NONE,
	.errors = errors_of_direct,
	.draw = aio_write_draw,
	.fits = fits_named_file,
	.fill = aio_write_fill,
	.call = aio_write_call,
	.learn = aio_write_learn,
	.show = aio_write_show,
};

/* ---- aio_read */

/* Blocks behind the end of the file that a batch may reach for, too. */
#define BEHIND 4U

static bool aio_read_draw(const struct op_ctx *c, struct stream *s, struct op_args *args)
{
	struct chosen file;

	for (int i = 0; i < CHOOSE_TRIES; i++) {
		if (!choose(c, s, CHOOSE_FILE, &file))
			return false;
		if (file.object.size)
			break;
	}
	choose_subject(&file, args);
	draw_batch(s, div_up_u64(file.object.size, BLOCK_SIZE) + BEHIND, args);
	args->aux &= ~VECTORED;
	return true;
}

/* A read that fell short was at the end of the file, or ran out of something: only the next one says. The
 * bytes that there are, or -errno. */
static int32_t read_rest(int fd, const struct direct_range *range, unsigned char *buf, int32_t have)
{
	while (have >= 0 && (uint32_t)have < range->length) {
		const uint32_t from = (uint32_t)have - (uint32_t)have % BLOCK_SIZE;
		ssize_t n = pread(fd, buf + from, range->length - from, (off_t)(range->offset + from));

		if (n < 0)
			return -errno;
		if (from + (uint32_t)n <= (uint32_t)have)
			break;
		have = (int32_t)(from + (uint32_t)n);
	}
	return have;
}

/*
 * xfs answers EIO where a read reaches behind the block that holds the end of the file, and room was given
 * there ahead of time (docs/found/xfs-direct-read-behind-end.md): then it is asked for up to there. False:
 * that is not it.
 */
static bool end_with_file(int fd, struct direct_range *range)
{
	struct statfs fs;
	struct stat st;
	uint64_t end;

	if (fstatfs(fd, &fs) || fs.f_type != XFS_SUPER_MAGIC || fstat(fd, &st))
		return false;
	end = round_up_u64((uint64_t)st.st_size, (uint64_t)fs.f_bsize);
	if (end <= range->offset || end >= range->offset + range->length)
		return false;
	range->length = (uint32_t)(end - range->offset);
	return true;
}

static void aio_read_call(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	int fd = answer_open(c, args, O_RDONLY | O_DIRECT, a);
	const unsigned int count = direct_count(args);
	struct flight f = {0};

	if (fd < 0)
		return;
	for (unsigned int i = 0; i < count; i++) {
		const struct direct_range range = direct_range(args, i);

		/* btrfs reads into memory that isn't there yet through the page cache: touch it */
		memset(place_of(c, args, i), 0xff, range.length);
		io_prep_pread(&f.iocb[i], fd, place_of(c, args, i), range.length, (long long)range.offset);
	}
	fly(c, &f, count, a);
	for (unsigned int i = 0; i < count; i++) {
		struct direct_range range = direct_range(args, i);

		if (a->part[i] == -EIO && end_with_file(fd, &range))
			a->part[i] = 0;
		a->part[i] = read_rest(fd, &range, place_of(c, args, i), a->part[i]);
	}
	end_batch(a, count);
	close(fd);
}

static void aio_read_learn(struct op_ctx *c, const struct op_args *args, const struct op_answer *a)
{
	const struct expectation x = expect_batch(a);

	if (!a->began) {
		judge(c, &op_aio_read, args, a, &x);
		return;
	}
	for (unsigned int i = 0; i < a->parts; i++) {
		const struct direct_range range = direct_range(args, i);
		struct op_args one = *args;

		one.dir2 = i;
		if (judge_range(c, &op_aio_read, args, a, i) == OUTCOME_DONE)
			read_compare(c, &op_aio_read, &one, a,
				     &(struct read_range){range.offset, range.length, (uint32_t)a->part[i],
							  place_of(c, args, i)});
	}
}

static void aio_read_show(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len)
{
	show_range(r, namer, buf, len, "aio pread");
}

const struct op op_aio_read = {
	.name = "aio_read",
	.summary = "O_DIRECT reads through libaio, up to 16 ranges at once, compared with the model",
	.id = OP_AIO_READ,
	.group = GROUP_DATA,
	.failure = FAILS_CLEAN,
	.balance = BALANCE_NONE,
	.reads = true,
	.errors = errors_of_direct,
	.draw = aio_read_draw,
	.fits = fits_named_file,
	.call = aio_read_call,
	.learn = aio_read_learn,
	.show = aio_read_show,
};
