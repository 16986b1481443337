/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads stretches of a filesystem, every copy of each, from several threads at once: each keeps a queue of
 * asynchronous reads filled and looks at what comes in. Neighbours are read together, with the little that
 * lies between them.
 */
#ifndef RECOW_AUDIT_READER_H
#define RECOW_AUDIT_READER_H

#include "src/audit/map.h"

#define READER_SPAN   (128 * 1024U) /* one read */
#define READER_COPIES 4U
#define READER_EACH   (READER_SPAN / 4096U) /* stretches of one read */

/* What is to be read; it lies in one stripe, and map_place() knows where. */
struct wanted {
	uint64_t start;
	uint32_t length; /* a multiple of the sector size, at most READER_SPAN */
	uint32_t tag, tag2;
};

/* What came. */
struct got {
	const struct wanted *wanted;
	const struct target_address *at; /* of this stretch */
	unsigned int copies;
	const unsigned char *copy[READER_COPIES]; /* NULL: it could not be read */
	int err[READER_COPIES];                   /* why */
};

struct reader {
	const struct map *map;
	const struct disks *disks;
	struct reader_pool *pool;
	unsigned int threads;     /* at most those of the pool */
	const _Atomic bool *stop; /* may be NULL */
	void *context;
	/* The next one, in the order of addresses; false: no more. One thread at a time. */
	bool (*next)(void *context, struct wanted *w);
	/* Look at it; `thread` counts from 0. */
	void (*take)(void *context, unsigned int thread, const struct got *g);
	/* Now and then; may be NULL. */
	void (*tick)(void *context);
	_Atomic uint64_t bytes; /* read; set to 0 before */
};

/* Threads' buffers and queues, for many runs: the kernel takes its time to end a queue. Without a queue one
 * read follows the other. NULL and *e. */
struct reader_pool *reader_pool_new(unsigned int threads, bool queue, struct error *e);
void reader_pool_free(struct reader_pool *p);

int reader_run(struct reader *r, struct error *e);

#endif
