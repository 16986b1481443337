/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copy-on-write arrays on small checksummed pages: what models are made of.
 *
 * A `page_pool` hands out 1 KiB pages of a large shared mapping. An `array` is a radix tree of such pages
 * that holds fixed-size records, numbered from 0; its root fits into a small struct that is copied to freeze
 * it. A page that was born before the current epoch belongs to a frozen root too and is copied before it is
 * changed. Each page carries an XXH3 of its payload: it is checked before a change and on every read through
 * a frozen root, and a mismatch is memory corruption in the harness, never in the filesystem.
 *
 * One thread writes (the owner). Any thread of any process that has the mapping reads what is frozen.
 */
#ifndef RECOW_PAGES_H
#define RECOW_PAGES_H

#include <stdatomic.h>

#include "src/base/base.h"
#include "src/base/error.h"

#define PAGE_BYTES   1024U
#define PAGE_PAYLOAD (PAGE_BYTES - 16U)

struct page {
	uint64_t sum;   /* XXH3-64 of birth and payload */
	uint32_t birth; /* epoch in which it was made */
	uint32_t link;  /* next page of a free list or dead list; not under the checksum */
	unsigned char payload[PAGE_PAYLOAD];
};

/* Shared by all models of a run; lives at the start of its mapping. Page 0 is never handed out. */
struct page_pool {
	uint32_t pages;             /* capacity */
	_Atomic uint32_t next;      /* first page never handed out; taken in batches */
	_Atomic uint32_t corrupted; /* pages whose checksum failed */
};

/* Lay a pool over `mapping` (page-aligned, zero-filled, `bytes` long). Returns it. */
struct page_pool *page_pool_init(void *mapping, size_t bytes);

static inline struct page *page_at(const struct page_pool *pool, uint32_t number)
{
	return (struct page *)((char *)(uintptr_t)pool + (size_t)number * PAGE_BYTES);
}

/* A record array. Plain data: copy it to freeze it. */
struct array {
	uint32_t root;   /* page number; 0 while empty */
	uint32_t count;  /* records ever made; valid numbers are below it */
	uint32_t free;   /* first free record + 1, linked through their first 4 bytes; 0 if none */
	uint32_t live;   /* records in use */
	uint16_t record; /* bytes per record, 4 to PAGE_PAYLOAD */
	uint16_t per_page;
	uint32_t depth; /* levels of index pages over the leaves */
};

/* What the owner needs to change its arrays: where pages come from and go to. One per model. */
struct page_owner {
	struct page_pool *pool;
	uint32_t epoch;       /* pages born in this epoch are private */
	uint32_t oldest_kept; /* epoch of the newest frozen root that is still pinned, 0 if none */
	uint32_t free;        /* free list of pages */
	uint32_t batch, batch_end;
	uint32_t dead;  /* pages replaced since the newest frozen root, which still needs them */
	uint32_t used;  /* pages in use: live, frozen, dead; for statistics */
	bool corrupted; /* a checksum failed in this owner's pages */
	bool exhausted; /* the pool has no page left; further changes are lost, the run must end */
};

void array_init(struct array *a, size_t record);

/* Record n for reading by the owner. */
const void *array_at(const struct page_owner *o, const struct array *a, uint32_t n);

/* Record n for reading through a frozen root; NULL when the page's checksum fails (counted in the pool). */
const void *array_frozen(const struct page_pool *pool, const struct array *a, uint32_t n);

/* Overwrite `len` bytes at `at` of record n. (A copy in, so that the checksum can be made here, once.) */
void array_put(struct page_owner *o, struct array *a, uint32_t n, size_t at, const void *bytes, size_t len);

/* A new record, zeroed: the lowest free one or one behind the last. Returns its number. */
uint32_t array_new(struct page_owner *o, struct array *a);
void array_free(struct page_owner *o, struct array *a, uint32_t n);

#endif
