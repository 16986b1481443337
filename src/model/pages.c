/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/model/pages.h"

#include <string.h>

#include "src/base/random.h"
#include "src/content/hash.h"

/* Pages that an owner takes from the pool at a time, to leave the shared counter alone. */
#define BATCH 64U

struct page_pool *page_pool_init(void *mapping, size_t bytes)
{
	struct page_pool *pool = mapping;

	pool->pages = (uint32_t)MIN(bytes / PAGE_BYTES, UINT32_MAX);
	atomic_init(&pool->next, 1);
	atomic_init(&pool->corrupted, 0);
	return pool;
}

void page_owner_init(struct page_owner *o, struct page_pool *pool)
{
	*o = (struct page_owner){.pool = pool, .epoch = 1};
}

/* Line 0 of a page shares its cache line with the header. */
static uint64_t line_sum(const struct page *p, unsigned int line)
{
	if (!line)
		return hash_line(p->payload, HASH_LINE - PAGE_HEADER, 0);
	return hash_line((const char *)p + (size_t)line * HASH_LINE, HASH_LINE, line);
}

static uint64_t page_sum(const struct page *p)
{
	return mix64(p->birth) + line_sum(p, 0) +
	       hash_lines((const char *)p + HASH_LINE, PAGE_BYTES / HASH_LINE - 1, 1);
}

bool page_intact(const struct page *p)
{
	return p->sum == page_sum(p);
}

static bool pool_take_batch(struct page_owner *o)
{
	struct page_pool *pool = o->pool;
	uint32_t next = atomic_load_explicit(&pool->next, memory_order_relaxed);
	uint32_t end;

	do {
		if (next >= pool->pages)
			return false;
		end = next + MIN(BATCH, pool->pages - next);
	} while (!atomic_compare_exchange_weak_explicit(&pool->next, &next, end, memory_order_relaxed,
							memory_order_relaxed));
	o->batch = next;
	o->batch_end = end;
	return true;
}

/* A page number that is out of range stems from a damaged page. */
static bool number_valid(struct page_owner *o, uint32_t number)
{
	if (number < o->pool->pages)
		return true;
	o->corrupted = true;
	return false;
}

/* Returns 0 when the pool is exhausted. */
static uint32_t page_alloc(struct page_owner *o)
{
	uint32_t number = o->free;

	if (number && number_valid(o, number)) {
		o->free = page_at(o->pool, number)->link;
	} else {
		if (o->batch == o->batch_end && !pool_take_batch(o)) {
			o->exhausted = true;
			return 0;
		}
		number = o->batch++;
	}
	page_at(o->pool, number)->birth = o->epoch;
	o->used++;
	return number;
}

static void page_free(struct page_owner *o, uint32_t number)
{
	page_at(o->pool, number)->link = o->free;
	o->free = number;
	o->used--;
}

static struct page *page_make(struct page_owner *o, uint32_t *number)
{
	uint32_t made = page_alloc(o);
	struct page *p;

	if (!made)
		return NULL;
	p = page_at(o->pool, made);
	memset(p->payload, 0, PAGE_PAYLOAD);
	p->sum = page_sum(p);
	*number = made;
	return p;
}

/* The checksum goes along, not made anew: what is wrong stays wrong. */
static struct page *page_copy(struct page_owner *o, uint32_t *number)
{
	const struct page *old = page_at(o->pool, *number);
	uint32_t made = page_alloc(o);
	struct page *p;

	if (!made)
		return NULL;
	if (!page_intact(old)) {
		o->corrupted = true;
		atomic_fetch_add_explicit(&o->pool->corrupted, 1, memory_order_relaxed);
	}
	p = page_at(o->pool, made);
	memcpy(p->payload, old->payload, PAGE_PAYLOAD);
	p->sum = old->sum - mix64(old->birth) + mix64(p->birth);
	page_drop(o, *number);
	*number = made;
	return p;
}

struct page *page_own(struct page_owner *o, uint32_t *number)
{
	if (!*number)
		return page_make(o, number);
	if (!number_valid(o, *number))
		return NULL;
	return page_private(o, *number) ? page_at(o->pool, *number) : page_copy(o, number);
}

void page_write(struct page *p, size_t at, const void *bytes, size_t len)
{
	const unsigned char *from = bytes;

	while (len) {
		size_t line = (PAGE_HEADER + at) / HASH_LINE;
		size_t part = MIN(len, (line + 1) * HASH_LINE - PAGE_HEADER - at);

		if (memcmp(p->payload + at, from, part) != 0) {
			uint64_t before = line_sum(p, (unsigned int)line);

			memcpy(p->payload + at, from, part);
			p->sum += line_sum(p, (unsigned int)line) - before;
		}
		at += part;
		from += part;
		len -= part;
	}
}

void page_drop(struct page_owner *o, uint32_t number)
{
	struct page *p;

	if (!number_valid(o, number))
		return;
	p = page_at(o->pool, number);
	if (p->birth > o->kept) {
		page_free(o, number);
		return;
	}
	p->link = o->dead;
	o->dead = number;
}

void page_reclaim(struct page_owner *o, uint32_t *younger, uint32_t own, uint32_t older_epoch)
{
	uint32_t number = *younger;
	uint32_t merged = own;

	/* What the older neighbour has too stays dead, now on the younger one's account. */
	while (number && number_valid(o, number)) {
		struct page *p = page_at(o->pool, number);
		uint32_t next = p->link;

		if (p->birth > older_epoch) {
			page_free(o, number);
		} else {
			p->link = merged;
			merged = number;
		}
		number = next;
	}
	*younger = merged;
}
