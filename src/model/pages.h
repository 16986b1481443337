/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copy-on-write arrays on small checksummed pages: what models are made of.
 *
 * A `page_pool` hands out 1 KiB pages of a large shared mapping. An `array` is a radix tree of such pages
 * that holds fixed-size records, numbered from 0; its root fits into a small struct that is copied to freeze
 * it. A page that was born before the newest frozen root belongs to that root too and is copied before it is
 * changed. Each page carries a checksum, the sum of the XXH3s of its 64-byte lines. It is checked on every
 * read through a frozen root and when a page is copied; a mismatch is memory corruption in the harness, never
 * in the filesystem. A change of the live state adds to the sum what the change makes of it and looks at
 * nothing else: the sum of a page that was damaged before stays wrong, even when the damaged bytes are
 * written over. Reads of the live state are not checked; what they take from a damaged page is found out at
 * the next freeze.
 *
 * Pages that a change replaces go on a dead list, as in ZFS: each frozen root has the list of the pages that
 * its next older neighbour has and it has no longer; the list of the live state hangs on the owner. When a
 * root goes, the pages that its next younger neighbour lacks and its next older one never had are free.
 *
 * One thread writes (the owner). Any thread of any process that has the mapping reads what is frozen.
 */
#ifndef RECOW_PAGES_H
#define RECOW_PAGES_H

#include <stdatomic.h>

#include "src/base/base.h"
#include "src/base/error.h"

#define PAGE_BYTES   1024U
#define PAGE_HEADER  16U
#define PAGE_PAYLOAD (PAGE_BYTES - PAGE_HEADER)

struct page {
	uint64_t sum;   /* over birth and payload */
	uint32_t birth; /* epoch in which it was made */
	uint32_t link;  /* next page of a free list or dead list; not under the checksum */
	unsigned char payload[PAGE_PAYLOAD];
};
_Static_assert(offsetof(struct page, payload) == PAGE_HEADER, "lines are counted from the page's start");

/* Shared by all models of a run; lives at the start of its mapping. Page 0 is never handed out. */
struct page_pool {
	uint32_t pages;             /* capacity */
	_Atomic uint32_t next;      /* first page never handed out; taken in batches */
	_Atomic uint32_t corrupted; /* checksums found wrong (a page counts each time it is looked at) */
};

/* Lay a pool over `mapping` (page-aligned, zero-filled, `bytes` long). Returns it. */
struct page_pool *page_pool_init(void *mapping, size_t bytes);

static inline struct page *page_at(const struct page_pool *pool, uint32_t number)
{
	return (struct page *)((char *)(uintptr_t)pool + (size_t)number * PAGE_BYTES);
}

/* What the owner needs to change its arrays: where pages come from and go to. One per model. */
struct page_owner {
	struct page_pool *pool;
	uint32_t epoch; /* birth of new pages */
	uint32_t kept;  /* epoch of the newest frozen root, 0 if none: pages born later are private */
	uint32_t free;  /* free list of pages */
	uint32_t batch, batch_end;
	uint32_t dead;  /* pages replaced since the newest frozen root, which still needs them */
	uint32_t used;  /* pages in use: live, frozen, dead */
	bool corrupted; /* a damaged page was met while changing something */
	bool exhausted; /* the pool has no page left; further changes are lost, the run must end */
};

void page_owner_init(struct page_owner *o, struct page_pool *pool);

/* Does the page's checksum hold? */
bool page_intact(const struct page *p);

/* Is it a page of the live state alone? */
static inline bool page_private(const struct page_owner *o, uint32_t number)
{
	return page_at(o->pool, number)->birth > o->kept;
}

/* Make page *number ready to be changed: copy it (*number then changes) when a frozen root has it too, or
 * make a zeroed one when *number is 0. NULL with o->exhausted, or o->corrupted for a number that can't be. */
struct page *page_own(struct page_owner *o, uint32_t *number);

/* Put `len` bytes at `at` of the payload of a page of the live state, and take them into its checksum. */
void page_write(struct page *p, size_t at, const void *bytes, size_t len);

/* The live state no longer has this page. */
void page_drop(struct page_owner *o, uint32_t number);

/* A frozen root goes. `younger` is the dead list of its next younger neighbour (or of the owner), `own` its
 * own, `older_epoch` the epoch of its next older neighbour, 0 if none. */
void page_reclaim(struct page_owner *o, uint32_t *younger, uint32_t own, uint32_t older_epoch);

/* ---- arrays ------------------------------------------------------------------------------ */

#define ARRAY_NONE UINT32_MAX

/* A record array. Plain data: copy it to freeze it. Memory is held for pages that have a record in use, and
 * for the index over them. */
struct array {
	uint32_t root;   /* page number of the topmost index page; 0 while empty */
	uint32_t count;  /* one more than the highest number ever given out */
	uint32_t live;   /* records in use */
	uint32_t pages;  /* pages it consists of */
	uint32_t next;   /* the lowest record that is not in use */
	uint32_t span;   /* leaves that its index covers */
	uint16_t record; /* bytes per record, 4 to PAGE_PAYLOAD */
	uint16_t per_page;
	uint32_t depth;    /* levels of index pages over the leaves */
	uint64_t fraction; /* of 2^64 that is 1 / per_page: division by multiplication */
};

void array_init(struct array *a, size_t record);

/* Record n for reading by the owner, unchecked. A record that is not in use is zero but for its first two
 * bytes. Never NULL: zeroes for a number out of range. Good until the next change of the array. */
const void *array_at(const struct page_pool *pool, const struct array *a, uint32_t n);

/* Record n for reading through a frozen root; NULL when a page's checksum fails (counted in the pool). */
const void *array_frozen(const struct page_pool *pool, const struct array *a, uint32_t n);

/* Overwrite `len` bytes at `at` of record n. (A copy in, so that the checksum can be made here, once.) */
void array_put(struct page_owner *o, struct array *a, uint32_t n, size_t at, const void *bytes, size_t len);

/* A new record, zeroed: the lowest that is not in use. Returns its number, or ARRAY_NONE (see page_owner). */
uint32_t array_new(struct page_owner *o, struct array *a);

/* The number that array_new() will return. */
static inline uint32_t array_next(const struct array *a)
{
	return a->next;
}

/* Take record n, which must not be in use, as array_new() takes the lowest. -1 if it is, or for lack of
 * pages. */
int array_take(struct page_owner *o, struct array *a, uint32_t n);

void array_free(struct page_owner *o, struct array *a, uint32_t n);

/* Call each() for every record in use, by number, until it returns non-zero, and return that; else 0, or -1
 * when a page's checksum fails. */
int array_each(const struct page_pool *pool, const struct array *a,
	       int (*each)(void *self, uint32_t n, const void *record), void *self);

#endif
