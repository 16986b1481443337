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

#define SLOTS     (PAGE_PAYLOAD / sizeof(struct slot))
#define DEPTH_MAX 5U

/* The pages from the root (level `depth`) down to a leaf (level 0), for a change. */
struct path {
	struct page *page[DEPTH_MAX + 1];
	uint32_t number[DEPTH_MAX + 1];
	bool open[DEPTH_MAX + 1];         /* checked, and to be sealed again */
	struct slot *slot[DEPTH_MAX + 1]; /* slot[level] lies in page[level] and leads to page[level - 1] */
};

/* Leaves under one slot of a level. */
static const uint32_t leaves_below[DEPTH_MAX + 1] = {
	0, 1, SLOTS, SLOTS *SLOTS, SLOTS *SLOTS *SLOTS, SLOTS *SLOTS *SLOTS *SLOTS,
};

static const unsigned char zeroes[PAGE_PAYLOAD];

void array_init(struct array *a, size_t record)
{
	*a = (struct array){.record = (uint16_t)record, .per_page = (uint16_t)(PAGE_PAYLOAD / record)};
}

static struct slot *slot_of(const struct page *p, uint32_t leaf, unsigned int level)
{
	return (struct slot *)(uintptr_t)p->payload + leaf / leaves_below[level] % SLOTS;
}

/* Where record n lies in the payload of its leaf. */
static size_t offset_of(const struct array *a, uint32_t n)
{
	return (size_t)(n % a->per_page) * a->record;
}

static bool holds_leaf(const struct array *a, uint32_t leaf)
{
	return a->root && (uint64_t)leaf < (uint64_t)leaves_below[a->depth] * SLOTS;
}

/* How many make a slot of this level full. */
static unsigned int slot_capacity(const struct array *a, unsigned int level)
{
	return level == 1 ? a->per_page : SLOTS;
}

/* ---- reading ----------------------------------------------------------------------------- */

static const struct page *page_read(const struct page_pool *pool, uint32_t number, bool check)
{
	if (number < pool->pages && (!check || page_intact(page_at(pool, number))))
		return page_at(pool, number);
	atomic_fetch_add_explicit(&((struct page_pool *)(uintptr_t)pool)->corrupted, 1, memory_order_relaxed);
	return NULL;
}

/* The slot of a leaf in its index page: NULL when there is none, or with *bad set on corruption. */
static const struct slot *slot_find(const struct page_pool *pool, const struct array *a, uint32_t leaf,
				    bool check, bool *bad)
{
	uint32_t number = a->root;

	if (!holds_leaf(a, leaf))
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

static const void *array_look(const struct page_pool *pool, const struct array *a, uint32_t n, bool check)
{
	bool bad = false;
	const struct slot *s = slot_find(pool, a, n / a->per_page, check, &bad);
	const struct page *p;

	if (!s)
		return bad ? NULL : zeroes;
	p = page_read(pool, s->page, check);
	return p ? p->payload + offset_of(a, n) : NULL;
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

static unsigned int free_after(const struct array *a, const unsigned char *payload, unsigned int i)
{
	uint16_t gap;

	memcpy(&gap, payload + offset_of(a, i), sizeof(gap));
	return i + 1U + gap;
}

static void free_link(const struct array *a, unsigned char *payload, unsigned int i, unsigned int next)
{
	uint16_t gap = (uint16_t)(next - i - 1);

	memcpy(payload + offset_of(a, i), &gap, sizeof(gap));
}

/* Take record i off its leaf's list; false when it is in use. */
static bool leaf_take(const struct array *a, struct slot *s, unsigned char *payload, unsigned int i)
{
	unsigned int before = a->per_page, at = s->head;

	while (at < i) {
		before = at;
		at = free_after(a, payload, at);
	}
	if (at != i)
		return false;
	if (before == a->per_page)
		s->head = (uint16_t)free_after(a, payload, i);
	else
		free_link(a, payload, before, free_after(a, payload, i));
	memset(payload + offset_of(a, i), 0, a->record);
	s->used++;
	return true;
}

/* Put record i back; false when it is free already. */
static bool leaf_give(const struct array *a, struct slot *s, unsigned char *payload, unsigned int i)
{
	unsigned int before = a->per_page, at = s->head;

	while (at < i) {
		before = at;
		at = free_after(a, payload, at);
	}
	if (at == i)
		return false;
	memset(payload + offset_of(a, i), 0, a->record);
	free_link(a, payload, i, at);
	if (before == a->per_page)
		s->head = (uint16_t)i;
	else
		free_link(a, payload, before, i);
	s->used--;
	return true;
}

/* ---- changing ---------------------------------------------------------------------------- */

static void path_close(const struct array *a, struct path *path)
{
	for (unsigned int level = 0; level <= a->depth; level++) {
		if (path->open[level])
			page_close(path->page[level]);
	}
}

/* Page *number will be changed. */
static bool path_open_page(struct page_owner *o, struct array *a, struct path *path, unsigned int level,
			   uint32_t *number)
{
	bool made = !*number;

	path->page[level] = page_open(o, number);
	path->open[level] = path->page[level] != NULL;
	a->pages += made && path->open[level];
	return path->open[level];
}

/* The index page of this level will be changed: check it, if it has only been passed through so far. */
static bool path_touch(struct page_owner *o, struct array *a, struct path *path, unsigned int level)
{
	return path->open[level] || path_open_page(o, a, path, level, &path->number[level]);
}

static bool is_private(const struct page_owner *o, uint32_t number)
{
	return number && number < o->pool->pages && page_at(o->pool, number)->birth > o->kept;
}

/* Open the pages down to a leaf that the index covers; missing ones are made. Index pages above the lowest
 * change only when a page below them is copied or a leaf becomes full: those that may stay as they are are
 * passed through, which saves two checksums each. */
static bool path_open(struct page_owner *o, struct array *a, uint32_t leaf, struct path *path)
{
	uint32_t number = a->root;

	memset(path, 0, sizeof(*path));
	for (unsigned int level = a->depth + 1; level-- > 0;) {
		uint32_t before = number;

		if (level >= 2 && is_private(o, number))
			path->page[level] = page_at(o->pool, number);
		else if (!path_open_page(o, a, path, level, &number))
			break;
		path->number[level] = number;
		if (level == a->depth)
			a->root = number;
		else if (number != before && !path_touch(o, a, path, level + 1))
			break;
		if (level < a->depth && number != before)
			path->slot[level + 1]->page = number;
		if (level == 0)
			return true;
		path->slot[level] = slot_of(path->page[level], leaf, level);
		number = path->slot[level]->page;
	}
	path_close(a, path);
	return false;
}

/* A leaf became full (by = 1) or is no longer (by = -1): tell the levels above. */
static void path_count_full(struct page_owner *o, struct array *a, struct path *path, int by)
{
	for (unsigned int level = 2; level <= a->depth && path_touch(o, a, path, level); level++) {
		bool was = path->slot[level]->used == SLOTS;

		path->slot[level]->used = (uint16_t)(path->slot[level]->used + by);
		if (was == (path->slot[level]->used == SLOTS))
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
	while (!holds_leaf(a, leaf)) {
		uint32_t number = 0;
		struct page *p;
		struct slot *s;

		if (a->depth == DEPTH_MAX)
			return false;
		p = page_open(o, &number);
		if (!p)
			return false;
		s = (struct slot *)(void *)p->payload;
		if (a->root)
			*s = (struct slot){
				.page = a->root,
				.used = (uint16_t)full_slots(a, page_at(o->pool, a->root)),
			};
		a->root = number;
		a->depth++;
		a->pages++;
		page_close(p);
	}
	return true;
}

/* The page of record n when it may be changed in place: its parents are the live state's own then, too. */
static struct page *private_leaf(struct page_owner *o, const struct array *a, uint32_t n)
{
	bool bad = false;
	const struct slot *s = slot_find(o->pool, a, n / a->per_page, false, &bad);
	uint32_t number = s ? s->page : 0;

	if (!number || number >= o->pool->pages || page_at(o->pool, number)->birth <= o->kept)
		return NULL;
	return page_open(o, &number);
}

void array_put(struct page_owner *o, struct array *a, uint32_t n, size_t at, const void *bytes, size_t len)
{
	size_t offset = offset_of(a, n) + at;
	struct path path;
	struct page *p;

	if (n >= a->count)
		return;
	p = private_leaf(o, a, n);
	if (p) {
		memcpy(p->payload + offset, bytes, len);
		page_close(p);
	} else if (!o->corrupted && path_open(o, a, n / a->per_page, &path)) {
		memcpy(path.page[0]->payload + offset, bytes, len);
		path_close(a, &path);
	}
}

uint32_t array_next(const struct page_pool *pool, const struct array *a)
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
	uint32_t leaf = n / a->per_page;
	struct path path;
	bool taken;

	if (n == ARRAY_NONE || !array_grow(o, a, leaf) || !path_open(o, a, leaf, &path))
		return -1;
	taken = leaf_take(a, path.slot[1], path.page[0]->payload, n % a->per_page);
	if (taken) {
		if (path.slot[1]->used == a->per_page)
			path_count_full(o, a, &path, 1);
		a->live++;
		a->count = MAX(a->count, n + 1);
	}
	path_close(a, &path);
	return taken ? 0 : -1;
}

uint32_t array_new(struct page_owner *o, struct array *a)
{
	uint32_t n = array_next(o->pool, a);

	return array_take(o, a, n) == 0 ? n : ARRAY_NONE;
}

void array_free(struct page_owner *o, struct array *a, uint32_t n)
{
	struct path path;
	struct slot *s;

	if (n >= a->count || !path_open(o, a, n / a->per_page, &path))
		return;
	s = path.slot[1];
	if (leaf_give(a, s, path.page[0]->payload, n % a->per_page)) {
		a->live--;
		if (s->used == a->per_page - 1)
			path_count_full(o, a, &path, -1);
	}
	if (s->used == 0) {
		page_drop(o, s->page);
		a->pages--;
		*s = (struct slot){0};
		path.open[0] = false;
	}
	path_close(a, &path);
}

/* ---- all records ------------------------------------------------------------------------- */

static int leaf_each(const struct array *a, uint32_t leaf, const struct slot *s, const unsigned char *payload,
		     int (*each)(void *self, uint32_t n, const void *record), void *self)
{
	unsigned int next_free = s->head;

	for (unsigned int i = 0; i < a->per_page; i++) {
		int answer;

		if (i == next_free) {
			next_free = free_after(a, payload, i);
			continue;
		}
		answer = each(self, leaf * a->per_page + i, payload + offset_of(a, i));
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
		answer = s ? leaf_each(a, leaf, s, p->payload, each, self) : 0;
		if (answer)
			return answer;
	}
	return 0;
}
