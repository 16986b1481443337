/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/audit/reader.h"

#include <errno.h>
#include <libaio.h>
#include <pthread.h>
#include <stdlib.h>

#include "src/base/clock.h"

#define DEPTH 16U          /* reads of each copy that a thread has under way */
#define GAP   (32 * 1024U) /* between neighbours: reading it costs less than another request */

struct batch {
	struct wanted wanted[READER_EACH];
	unsigned int count;
	uint64_t start;
	uint32_t length;
	struct target_address at; /* of the start */
	unsigned int pending;
	struct iocb request[READER_COPIES];
	unsigned char *buf[READER_COPIES];
	bool read[READER_COPIES];
	struct batch *next; /* of those that are free */
};

/* What threads share. */
struct work {
	struct reader *r;
	pthread_mutex_t lock;
	struct wanted ahead; /* taken, and not for the batch before */
	bool have_ahead, end;
};

struct thread {
	struct work *work;
	pthread_t id;
	unsigned int number;
	io_context_t io;
	unsigned char *buffers;
	struct batch batch[DEPTH], *free;
	unsigned int flying;
};

struct reader_pool {
	unsigned int count;
	struct thread thread[];
};

static bool fits(const struct batch *b, uint64_t run, const struct wanted *w)
{
	uint64_t reach = w->start + w->length - b->start;

	return b->count < READER_EACH && w->start >= b->start + b->length &&
	       w->start - b->start - b->length <= GAP && reach <= READER_SPAN && reach <= run;
}

/* Fill a batch with neighbours. False: there are no more. */
static bool gather(struct work *work, struct batch *b)
{
	uint64_t run = 0;

	b->count = 0;
	pthread_mutex_lock(&work->lock);
	while (!work->end) {
		if (!work->have_ahead && !work->r->next(work->r->context, &work->ahead)) {
			work->end = true;
			break;
		}
		work->have_ahead = true;
		if (!b->count) {
			b->start = work->ahead.start;
			b->length = 0;
			run = map_run(work->r->map, b->start);
		} else if (!fits(b, run, &work->ahead)) {
			break;
		}
		b->wanted[b->count++] = work->ahead;
		b->length = (uint32_t)(work->ahead.start + work->ahead.length - b->start);
		work->have_ahead = false;
	}
	pthread_mutex_unlock(&work->lock);
	return b->count;
}

/* Hand out one stretch of a batch. What did not come with the others is tried by itself. */
static void hand_out(struct thread *t, const struct batch *b, const struct wanted *w)
{
	struct reader *r = t->work->r;
	uint64_t within = w->start - b->start;
	struct target_address at = b->at;
	struct got g = {.wanted = w, .at = &at, .copies = b->at.mirrors};

	for (unsigned int i = 0; i < g.copies; i++) {
		unsigned char *copy = b->buf[i] + within;

		at.mirror[i].physical += within;
		g.copy[i] = copy;
		if (b->read[i])
			continue;
		g.err[i] = disk_read(disks_find(r->disks, at.mirror[i].devid), copy, w->length,
				     at.mirror[i].physical);
		if (g.err[i])
			g.copy[i] = NULL;
	}
	r->take(r->context, t->number, &g);
}

static void finish(struct thread *t, struct batch *b)
{
	for (unsigned int i = 0; i < b->count; i++)
		hand_out(t, b, &b->wanted[i]);
	atomic_fetch_add_explicit(&t->work->r->bytes, (uint64_t)b->length * b->at.mirrors,
				  memory_order_relaxed);
	b->next = t->free;
	t->free = b;
}

static void submit(struct thread *t, struct batch *b)
{
	struct reader *r = t->work->r;
	struct iocb *list[READER_COPIES];
	int sent;

	if (map_place(r->map, r->disks, b->start, b->length, &b->at))
		b->at.mirrors = 0;
	for (unsigned int i = 0; i < b->at.mirrors; i++) {
		const struct disk *disk = disks_find(r->disks, b->at.mirror[i].devid);

		b->read[i] = false;
		io_prep_pread(&b->request[i], disk->fd, b->buf[i], b->length,
			      (long long)b->at.mirror[i].physical);
		b->request[i].data = b;
		list[i] = &b->request[i];
	}
	sent = b->at.mirrors && t->io ? io_submit(t->io, b->at.mirrors, list) : 0;
	b->pending = sent > 0 ? (unsigned int)sent : 0;
	if (b->pending)
		t->flying++;
	else
		finish(t, b);
}

static void reap(struct thread *t)
{
	struct io_event events[DEPTH * READER_COPIES];
	int n = io_getevents(t->io, 1, (long)ARRAY_SIZE(events), events, NULL);

	for (int i = 0; i < n; i++) {
		struct batch *b = events[i].data;

		b->read[events[i].obj - b->request] = events[i].res == b->length;
		if (--b->pending)
			continue;
		t->flying--;
		finish(t, b);
	}
}

static bool stopped(const struct reader *r)
{
	return r->stop && atomic_load_explicit(r->stop, memory_order_relaxed);
}

static void *read_thread(void *self)
{
	struct thread *t = self;

	for (;;) {
		while (t->free && !stopped(t->work->r)) {
			struct batch *b = t->free;

			if (!gather(t->work, b))
				break;
			t->free = b->next;
			submit(t, b);
		}
		if (!t->flying)
			return NULL;
		reap(t);
	}
}

static void thread_end(struct thread *t)
{
	if (t->io)
		io_destroy(t->io);
	free(t->buffers);
}

static int thread_start(struct thread *t, unsigned int number, bool queue, struct error *e)
{
	t->number = number;
	t->buffers = aligned_alloc(4096, (size_t)DEPTH * READER_COPIES * READER_SPAN);
	if (!t->buffers)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "buffers to read into");
	/* Where others have taken all queues (fs.aio-max-nr), one read after the other does it too. */
	if (queue && io_setup(DEPTH * READER_COPIES, &t->io))
		t->io = NULL;
	for (unsigned int i = 0; i < DEPTH; i++) {
		for (unsigned int c = 0; c < READER_COPIES; c++)
			t->batch[i].buf[c] = t->buffers + ((size_t)i * READER_COPIES + c) * READER_SPAN;
		t->batch[i].next = t->free;
		t->free = &t->batch[i];
	}
	return 0;
}

static void join(struct reader *r, pthread_t id)
{
	struct timespec until;

	do {
		uint64_t at = clock_ns(CLOCK_REALTIME) + 500 * NSEC_PER_MSEC;

		until.tv_sec = (time_t)(at / NSEC_PER_SEC);
		until.tv_nsec = (long)(at % NSEC_PER_SEC);
		if (r->tick)
			r->tick(r->context);
	} while (pthread_timedjoin_np(id, NULL, &until) == ETIMEDOUT);
}

struct reader_pool *reader_pool_new(unsigned int threads, bool queue, struct error *e)
{
	struct reader_pool *p = calloc(1, sizeof(*p) + threads * sizeof(p->thread[0]));

	if (!p) {
		error_errno(e, EXIT_HARNESS, ENOMEM, "threads that read");
		return NULL;
	}
	for (; p->count < threads; p->count++) {
		if (!thread_start(&p->thread[p->count], p->count, queue, e))
			continue;
		thread_end(&p->thread[p->count]);
		reader_pool_free(p);
		return NULL;
	}
	return p;
}

void reader_pool_free(struct reader_pool *p)
{
	for (unsigned int i = 0; p && i < p->count; i++)
		thread_end(&p->thread[i]);
	free(p);
}

int reader_run(struct reader *r, struct error *e)
{
	struct work work = {.r = r, .lock = PTHREAD_MUTEX_INITIALIZER};
	unsigned int running = 0, wanted = MIN(r->threads, r->pool->count);
	int err = 0;

	for (; running < wanted; running++) {
		struct thread *t = &r->pool->thread[running];

		t->work = &work;
		err = pthread_create(&t->id, NULL, read_thread, t);
		if (err)
			break;
	}
	for (unsigned int i = 0; i < running; i++)
		join(r, r->pool->thread[i].id);
	pthread_mutex_destroy(&work.lock);
	/* One is enough to get everything done. */
	return running || !wanted ? 0 : error_errno(e, EXIT_HARNESS, err, "threads that read");
}
