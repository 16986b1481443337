/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Record arrays. Index pages hold slots; the slots of the lowest level also say how many records of their
 * leaf are in use and which is its first free one, those above how many of their children are full. So the
 * lowest free record is found from the root, and a leaf whose last record goes is given back: an array that
 * shrinks, or one with large gaps, holds no more memory than it needs.
 */
#include <string.h>

#include "src/model/pages.h"

struct slot {
	uint32_t page; /* 0: nothing below is in use */
	uint16_t used; /* records in use in a leaf, full children of an index page */
	uint16_t head; /* of a leaf: its first free record; the free ones are linked by rising number */
};

#define SLOTS     (PAGE_PAYLOAD / 8U)
#define DEPTH_MAX 5U

_Static_assert(sizeof(struct slot) == 8, "as many slots as SLOTS says");

/* The pages from the root (level `depth`) down to a leaf (level 0), all of them the live state's own. */
struct path {
	struct page *page[DEPTH_MAX + 1];
	const struct slot
		*slot[DEPTH_MAX + 1]; /* slot[level] lies in page[level], leads to page[level - 1] */
};

/* Leaves under one slot of a level. */
static const uint32_t leaves_below[DEPTH_MAX + 1] = {
	0, 1, SLOTS, SLOTS *SLOTS, SLOTS *SLOTS *SLOTS, SLOTS *SLOTS *SLOTS *SLOTS,
};

static const unsigned char zeroes[PAGE_PAYLOAD];

void array_init(struct array *a, size_t record)
{
	uint16_t per_page = (uint16_t)(PAGE_PAYLOAD / record);

	*a = (struct array){
		.record = (uint16_t)record, .per_page = per_page, .fraction = UINT64_MAX / per_page};
}

/* n / per_page, for each n below 2^32: the fraction is less than 1 / per_page by less than 2^-56. */
static uint32_t leaf_of(const struct array *a, uint32_t n)
{
	return (uint32_t)(((unsigned __int128)n * a->fraction + a->fraction) >> 64);
}

/* Where record n lies in the payload of its leaf. */
static size_t offset_of(const struct array *a, uint32_t n, uint32_t leaf)
{
	return (size_t)(n - leaf * a->per_page) * a->record;
}

static const struct slot *slot_of(const struct page *p, uint32_t leaf, unsigned int level)
{
	while (--level)
		leaf /= SLOTS;
	return (const struct slot *)(const void *)p->payload + leaf % SLOTS;
}

static void slot_put(struct page *p, const struct slot *s, struct slot value)
{
	page_write(p, (size_t)((const unsigned char *)s - p->payload), &value, sizeof(value));
}

/* How many make a slot of this level full. */
static unsigned int slot_capacity(const struct array *a, unsigned int level)
{
	return level == 1 ? a->per_page : SLOTS;
}

/* ---- reading ----------------------------------------------------------------------------- */

static inline const struct page *page_read(const struct page_pool *pool, uint32_t number, bool check)
{
	if (number < pool->pages && (!check || page_intact(page_at(pool, number))))
		return page_at(pool, number);
	atomic_fetch_add_explicit(&((struct page_pool *)(uintptr_t)pool)->corrupted, 1, memory_order_relaxed);
	return NULL;
}

/* The slot of a leaf in its index page: NULL when there is none, or with *bad set on corruption. */
static inline const struct slot *slot_find(const struct page_pool *pool, const struct array *a, uint32_t leaf,
					   bool check, bool *bad)
{
	uint32_t number = a->root;

	if (leaf >= a->span)
		return NULL;
	for (unsigned int level = a->depth;; level--) {
		const struct page *p = page_read(pool, number, check);
		const struct slot *s;

		if (!p) {
			*bad = true;
			return NULL;
		}
		s = slot_of(p, leaf, level);
		if (!s->page || level == 1)
			return s->page ? s : NULL;
		number = s->page;
	}
}

static inline const void *array_look(const struct page_pool *pool, const struct array *a, uint32_t n,
				     bool check)
{
	uint32_t leaf = leaf_of(a, n);
	bool bad = false;
	const struct slot *s = slot_find(pool, a, leaf, check, &bad);
	const struct page *p;

	if (!s)
		return bad ? NULL : zeroes;
	p = page_read(pool, s->page, check);
	return p ? p->payload + offset_of(a, n, leaf) : NULL;
}

const void *array_at(const struct page_pool *pool, const struct array *a, uint32_t n)
{
	const void *record = array_look(pool, a, n, false);

	return record ? record : zeroes;
}

const void *array_frozen(const struct page_pool *pool, const struct array *a, uint32_t n)
{
	return array_look(pool, a, n, true);
}

/* ---- the free records of a leaf ---------------------------------------------------------- */

/* A free record's first two bytes say how far behind its neighbour the next free one is, so that a fresh
 * page of zeroes is a list of all its records. */

static unsigned int free_after(const struct array *a, const struct page *p, unsigned int i)
{
	uint16_t gap;

	memcpy(&gap, p->payload + (size_t)i * a->record, sizeof(gap));
	return i + 1U + gap;
}

static void free_link(const struct array *a, struct page *p, unsigned int i, unsigned int next)
{
	uint16_t gap = (uint16_t)(next - i - 1);

	page_write(p, (size_t)i * a->record, &gap, sizeof(gap));
}

static void record_clear(const struct array *a, struct page *p, unsigned int i)
{
	page_write(p, (size_t)i * a->record, zeroes, a->record);
}

/* Take record i off its leaf's list; false when it is in use. */
static bool leaf_take(const struct array *a, struct slot *s, struct page *p, unsigned int i)
{
	unsigned int before = a->per_page, at = s->head;

	while (at < i) {
		before = at;
		at = free_after(a, p, at);
	}
	if (at != i)
		return false;
	if (before == a->per_page)
		s->head = (uint16_t)free_after(a, p, i);
	else
		free_link(a, p, before, free_after(a, p, i));
	record_clear(a, p, i);
	s->used++;
	return true;
}

/* Put record i back; false when it is free already. */
static bool leaf_give(const struct array *a, struct slot *s, struct page *p, unsigned int i)
{
	unsigned int before = a->per_page, at = s->head;

	while (at < i) {
		before = at;
		at = free_after(a, p, at);
	}
	if (at == i)
		return false;
	record_clear(a, p, i);
	free_link(a, p, i, at);
	if (before == a->per_page)
		s->head = (uint16_t)i;
	else
		free_link(a, p, before, i);
	s->used--;
	return true;
}

/* ---- changing ---------------------------------------------------------------------------- */

/* Own the pages down to a leaf that the index covers; missing ones are made. A page that is copied gets its
 * new number into the slot above, whose page has been owned before it. */
static bool path_open(struct page_owner *o, struct array *a, uint32_t leaf, struct path *path)
{
	uint32_t number = a->root;

	for (unsigned int level = a->depth;; level--) {
		uint32_t before = number;
		struct page *p = page_own(o, &number);

		if (!p)
			return false;
		path->page[level] = p;
		a->pages += !before;
		if (level == a->depth) {
			a->root = number;
		} else if (number != before) {
			struct slot s = *path->slot[level + 1];

			s.page = number;
			slot_put(path->page[level + 1], path->slot[level + 1], s);
		}
		if (level == 0)
			return true;
		path->slot[level] = slot_of(p, leaf, level);
		number = path->slot[level]->page;
	}
}

/* A leaf became full (by = 1) or is no longer (by = -1): tell the levels above. */
static void path_count_full(const struct array *a, const struct path *path, int by)
{
	for (unsigned int level = 2; level <= a->depth; level++) {
		struct slot s = *path->slot[level];
		bool was = s.used == SLOTS;

		s.used = (uint16_t)(s.used + by);
		slot_put(path->page[level], path->slot[level], s);
		if (was == (s.used == SLOTS))
			return;
	}
}

static unsigned int full_slots(const struct array *a, const struct page *p)
{
	const struct slot *s = (const struct slot *)(const void *)p->payload;
	unsigned int full = 0;

	for (unsigned int i = 0; i < SLOTS; i++)
		full += s[i].used == slot_capacity(a, a->depth);
	return full;
}

/* Put another level on top until the index covers this leaf. */
static bool array_grow(struct page_owner *o, struct array *a, uint32_t leaf)
{
	while (leaf >= a->span) {
		uint32_t number = 0;
		struct page *p;

		if (a->depth == DEPTH_MAX)
			return false;
		p = page_own(o, &number);
		if (!p)
			return false;
		if (a->root) {
			struct slot s = {
				.page = a->root,
				.used = (uint16_t)full_slots(a, page_at(o->pool, a->root)),
			};

			page_write(p, 0, &s, sizeof(s));
		}
		a->root = number;
		a->depth++;
		a->span = (uint32_t)MIN((uint64_t)leaves_below[a->depth] * SLOTS, UINT32_MAX);
		a->pages++;
	}
	return true;
}

/* The page of a leaf when it may be changed in place: its parents are the live state's own then, too. */
static struct page *private_leaf(struct page_owner *o, const struct array *a, uint32_t leaf)
{
	bool bad = false;
	const struct slot *s = slot_find(o->pool, a, leaf, false, &bad);
	uint32_t number = s ? s->page : 0;

	if (!number || number >= o->pool->pages || !page_private(o, number))
		return NULL;
	return page_at(o->pool, number);
}

void array_put(struct page_owner *o, struct array *a, uint32_t n, size_t at, const void *bytes, size_t len)
{
	uint32_t leaf = leaf_of(a, n);
	struct path path;
	struct page *p;

	if (n >= a->count)
		return;
	p = private_leaf(o, a, leaf);
	if (!p && path_open(o, a, leaf, &path))
		p = path.page[0];
	if (p)
		page_write(p, offset_of(a, n, leaf) + at, bytes, len);
}

/* The lowest record that is not in use; ARRAY_NONE on corruption. */
static uint32_t lowest_free(const struct page_pool *pool, const struct array *a)
{
	uint32_t number = a->root, leaf = 0;

	for (unsigned int level = a->depth; level > 0; level--) {
		const struct page *p = page_read(pool, number, false);
		const struct slot *s = p ? (const struct slot *)(const void *)p->payload : NULL;
		unsigned int i = 0, full = slot_capacity(a, level);

		if (!s)
			return ARRAY_NONE;
		while (i < SLOTS && s[i].used == full)
			i++;
		leaf += i * leaves_below[level];
		if (i == SLOTS || !s[i].page) /* only the root can be full: full children are passed over */
			return leaf * a->per_page;
		number = s[i].page;
		if (level == 1)
			return leaf * a->per_page + s[i].head;
	}
	return 0;
}

int array_take(struct page_owner *o, struct array *a, uint32_t n)
{
	uint32_t leaf = leaf_of(a, n);
	struct path path;
	struct slot s;

	if (n == ARRAY_NONE || !array_grow(o, a, leaf) || !path_open(o, a, leaf, &path))
		return -1;
	s = *path.slot[1];
	if (!leaf_take(a, &s, path.page[0], n - leaf * a->per_page))
		return -1;
	slot_put(path.page[1], path.slot[1], s);
	if (s.used == a->per_page)
		path_count_full(a, &path, 1);
	a->live++;
	a->count = MAX(a->count, n + 1);
	if (n == a->next)
		a->next = s.used < a->per_page ? leaf * a->per_page + s.head : lowest_free(o->pool, a);
	return 0;
}

uint32_t array_new(struct page_owner *o, struct array *a)
{
	uint32_t n = a->next;

	return array_take(o, a, n) == 0 ? n : ARRAY_NONE;
}

void array_free(struct page_owner *o, struct array *a, uint32_t n)
{
	uint32_t leaf = leaf_of(a, n);
	struct path path;
	struct slot s;

	if (n >= a->count || !path_open(o, a, leaf, &path))
		return;
	s = *path.slot[1];
	if (leaf_give(a, &s, path.page[0], n - leaf * a->per_page)) {
		a->live--;
		a->next = MIN(a->next, n);
		if (s.used == a->per_page - 1)
			path_count_full(a, &path, -1);
	}
	if (s.used == 0) {
		page_drop(o, s.page);
		a->pages--;
		s = (struct slot){0};
	}
	slot_put(path.page[1], path.slot[1], s);
}

/* ---- all records ------------------------------------------------------------------------- */

static int leaf_each(const struct array *a, uint32_t leaf, const struct slot *s, const struct page *p,
		     int (*each)(void *self, uint32_t n, const void *record), void *self)
{
	unsigned int next_free = s->head;

	for (unsigned int i = 0; i < a->per_page; i++) {
		int answer;

		if (i == next_free) {
			next_free = free_after(a, p, i);
			continue;
		}
		answer = each(self, leaf * a->per_page + i, p->payload + (size_t)i * a->record);
		if (answer)
			return answer;
	}
	return 0;
}

int array_each(const struct page_pool *pool, const struct array *a,
	       int (*each)(void *self, uint32_t n, const void *record), void *self)
{
	uint32_t leaves = (uint32_t)div_up_u64(a->count, a->per_page);

	for (uint32_t leaf = 0; leaf < leaves; leaf++) {
		bool bad = false;
		const struct slot *s = slot_find(pool, a, leaf, true, &bad);
		const struct page *p = s ? page_read(pool, s->page, true) : NULL;
		int answer;

		if (bad || (s && !p))
			return -1;
		answer = s ? leaf_each(a, leaf, s, p, each, self) : 0;
		if (answer)
			return answer;
	}
	return 0;
}
