/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File contents as they are on disk: direct reads through libaio, many at a time over many files. Data only:
 * names and attributes are compared by hot and remount. A direct read writes out the dirty pages of its range
 * first.
 */
#include <errno.h>
#include <fcntl.h>
#include <libaio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "verify/data.h"
#include "verify/pool.h"

#define DEPTH      32U /* reads in flight per thread */
#define READ_BYTES (128 * KiB)
#define HUGE_PAGE  (2 * MiB)
/* Handed to the kernel, and taken back, at a time: little enough to be still in the processor's caches when
 * it is compared, and to leave others in flight meanwhile. */
#define BATCH       16U
#define BATCH_BYTES (1 * MiB)

struct request {
	struct iocb iocb;
	struct slice slice;
	unsigned char *buf;
	struct request *next; /* list of the free ones */
};

/* One thread's queue. */
struct queue {
	struct files *files;
	struct check *check;
	io_context_t aio;
	unsigned char *memory;
	struct request request[DEPTH];
	struct request *free;
	unsigned int flying;
};

/* Asked after reading, when all data has its place on disk. */
static void count_cached(struct files *f, struct file *file)
{
	const struct verification *v = f->check->v;
	uint64_t bytes = file->cached ? file->object.size
				      : target_encoded_bytes(v->target, file->fd, file->object.size);

	if (bytes)
		v->counters->cached_only += bytes;
}

/* ---- the queue */

static int queue_open(struct queue *q, struct files *files, struct error *e)
{
	int ret;

	memset(q, 0, sizeof(*q));
	q->files = files;
	q->check = files->check;
	q->memory = aligned_alloc(HUGE_PAGE, DEPTH * READ_BYTES);
	if (!q->memory)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "buffers for direct reads");
	/* A huge page is pinned at once, and a read into it is one segment. Without any it works as well. */
	madvise(q->memory, DEPTH * READ_BYTES, MADV_HUGEPAGE);
	/* btrfs reads into buffers that aren't mapped yet through the page cache (it can't fault them in
	 * under its lock): touch them first. Seen on Linux 6.18. */
	memset(q->memory, 0xff, DEPTH * READ_BYTES);
	ret = io_setup(DEPTH, &q->aio);
	if (ret < 0) {
		free(q->memory);
		error_errno(e, EXIT_HARNESS, -ret, "io_setup for %u direct reads", DEPTH);
		return -1;
	}
	for (unsigned int i = 0; i < DEPTH; i++) {
		q->request[i].buf = q->memory + i * READ_BYTES;
		q->request[i].next = q->free;
		q->free = &q->request[i];
	}
	return 0;
}

/* Only when nothing is in flight any more: the kernel writes into the buffers until then. */
static void queue_close(struct queue *q)
{
	io_destroy(q->aio);
	free(q->memory);
}

static void release(struct queue *q, struct request *r)
{
	files_put(q->files, &r->slice);
	r->next = q->free;
	q->free = r;
}

static void finish(struct queue *q, struct request *r, int64_t res)
{
	const struct slice *s = &r->slice;

	if (res >= (int64_t)data_bytes(s->file, s->first, s->count))
		data_compare(q->check, s->file, s->first, s->count, r->buf);
	else
		data_salvage(q->check, s->file,
			     &(struct failure){s->first, s->count, res < 0 ? (int)-res : 0}, r->buf);
	release(q, r);
}

/* Take slices for free requests, as long as there are both. Returns how many are ready to go. */
static unsigned int gather(struct queue *q, struct iocb *batch[BATCH])
{
	uint64_t blocks = 0;
	unsigned int count = 0;

	while (q->free && count < BATCH && blocks < BATCH_BYTES / BLOCK_SIZE) {
		struct request *r = q->free;
		struct slice *s = &r->slice;
		uint64_t offset;

		if (!files_next(q->files, s))
			break;
		if (!files_open(q->files, s)) {
			files_put(q->files, s);
			continue;
		}
		q->free = r->next;
		offset = s->first * BLOCK_SIZE;
		io_prep_pread(&r->iocb, s->file->fd, r->buf, data_asked(s->file, s->first, s->count),
			      (long long)offset);
		r->iocb.data = r;
		batch[count++] = &r->iocb;
		blocks += s->count;
	}
	return count;
}

/* Submit; what the kernel doesn't take is read here and now. */
static void submit(struct queue *q, struct iocb *batch[BATCH], unsigned int count)
{
	unsigned int sent = 0;

	while (sent < count) {
		int n = io_submit(q->aio, count - sent, batch + sent);

		if (n > 0) {
			sent += (unsigned int)n;
			q->flying += (unsigned int)n;
		} else if (n != -EINTR) {
			finish(q, batch[sent++]->data, -1);
		}
	}
}

/* Compare what has been read; with `wait`, at least one. Returns -1 when the queue itself is broken: its
 * buffers must then never be freed. */
static int reap(struct queue *q, bool wait, struct error *e)
{
	struct io_event event[BATCH];
	struct timespec now = {0};
	int n;

	do {
		n = io_getevents(q->aio, wait, BATCH, event, wait ? NULL : &now);
	} while (n == -EINTR);
	if (n < 0)
		return error_errno(e, EXIT_HARNESS, -n, "io_getevents, %u direct reads in flight", q->flying);
	for (int i = 0; i < n; i++) {
		q->flying--;
		finish(q, event[i].data, (int64_t)event[i].res);
	}
	return 0;
}

/* What is done is compared at once, while it is in the processor's caches, and its buffer goes out again
 * first. */
static int cold_thread(void *self, struct error *e)
{
	struct iocb *batch[BATCH];
	unsigned int count;
	struct queue q;

	if (queue_open(&q, self, e) != 0)
		return -1;
	for (;;) {
		count = gather(&q, batch);
		submit(&q, batch, count);
		if (count == 0 && q.flying == 0)
			break;
		if (q.flying && reap(&q, count == 0, e) != 0)
			return -1;
	}
	queue_close(&q);
	return 0;
}

int data_verify_direct(struct check *c, bool tell_presence, struct error *e)
{
	struct files files;
	int ret;

	files_start(&files, c, READ_BYTES, O_DIRECT);
	files.tell_presence = tell_presence;
	files.done = count_cached;
	ret = pool_run(c->v->threads, cold_thread, &files, e);
	files_end(&files);
	return ret;
}

static int cold_run(struct verification *v, struct error *e)
{
	struct check c;
	int ret;

	check_start(&c, v, "cold", SEEN_COLD);
	ret = data_verify_direct(&c, true, e);
	check_end(&c);
	return ret;
}

const struct verifier verifier_cold = {
	.name = "cold",
	.summary =
		"file contents read directly from disk (data only; names are the affair of hot and remount)",
	.needs = NEED_NOTHING,
	.when = VERIFY_ROUND,
	.run = cold_run,
};
