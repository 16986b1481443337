/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "src/base/random.h"
#include "src/model/pages.h"
#include "tests/unit/unit.h"

#define POOL_BYTES (64 * MiB)

static struct page_pool *pool_map(size_t bytes)
{
	void *mapping =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_ptr_not_equal(mapping, MAP_FAILED);
	return page_pool_init(mapping, bytes);
}

/* ---- one array against a plain copy ------------------------------------------------------ */

#define RECORDS 3000U

/* What the array should hold: the value of each record in use, 0 for the others. */
struct plain {
	uint32_t value[RECORDS];
	uint32_t live;
};

static void check_same(const struct page_pool *pool, const struct array *a, const struct plain *p,
		       bool frozen, uint32_t step)
{
	assert_int_equal(a->live, p->live);
	for (uint32_t i = 0; i < RECORDS; i += step) {
		const unsigned char *r = frozen ? array_frozen(pool, a, i) : array_at(pool, a, i);
		uint32_t tail;

		assert_non_null(r);
		/* The first two bytes of a record that is not in use are the array's own. */
		memcpy(&tail, r + a->record - sizeof(tail), sizeof(tail));
		if (!p->value[i] && a->record == sizeof(tail))
			tail >>= 16;
		assert_int_equal(tail, p->value[i]);
	}
}

/* A root that was frozen, as a model keeps it. */
struct root {
	struct array array;
	struct plain plain;
	uint32_t epoch, dead;
	struct root *older;
};

struct world {
	struct page_owner owner;
	struct array array;
	struct plain plain;
	struct root *newest;
	unsigned int roots;
};

static void world_freeze(struct world *w)
{
	struct root *r = malloc(sizeof(*r));

	assert_non_null(r);
	*r = (struct root){
		.array = w->array, .plain = w->plain, .epoch = w->owner.epoch, .dead = w->owner.dead};
	r->older = w->newest;
	w->newest = r;
	w->owner.dead = 0;
	w->owner.kept = w->owner.epoch++;
	w->roots++;
}

static void world_release(struct world *w, unsigned int which)
{
	struct root **link = &w->newest;
	uint32_t *younger = &w->owner.dead;
	struct root *r;

	while (which--) {
		younger = &(*link)->dead;
		link = &(*link)->older;
	}
	r = *link;
	check_same(w->owner.pool, &r->array, &r->plain, true, 1);
	page_reclaim(&w->owner, younger, r->dead, r->older ? r->older->epoch : 0);
	*link = r->older;
	free(r);
	w->roots--;
	w->owner.kept = w->newest ? w->newest->epoch : 0;
}

static uint32_t lowest_free(const struct plain *p)
{
	uint32_t n = 0;

	while (p->value[n])
		n++;
	return n;
}

static void world_add(struct world *w, struct stream *s)
{
	uint32_t expected = lowest_free(&w->plain), n;
	uint32_t value = (uint32_t)stream_u64(s) | 1;

	assert_int_equal(array_next(&w->array), expected);
	n = array_new(&w->owner, &w->array);
	assert_int_equal(n, expected);
	array_put(&w->owner, &w->array, n, w->array.record - sizeof(value), &value, sizeof(value));
	w->plain.value[n] = value;
	w->plain.live++;
}

static void world_change(struct world *w, struct stream *s)
{
	uint32_t n = (uint32_t)stream_below(s, RECORDS), value = (uint32_t)stream_u64(s) | 1;

	if (!w->plain.value[n])
		return;
	array_put(&w->owner, &w->array, n, w->array.record - sizeof(value), &value, sizeof(value));
	w->plain.value[n] = value;
}

static void world_remove(struct world *w, struct stream *s)
{
	uint32_t n = (uint32_t)stream_below(s, RECORDS);

	if (!w->plain.value[n])
		return;
	array_free(&w->owner, &w->array, n);
	array_free(&w->owner, &w->array, n); /* freeing twice changes nothing */
	w->plain.value[n] = 0;
	w->plain.live--;
}

/* The wish: so many records, now few, now many. */
static void world_step(struct world *w, struct stream *s, uint32_t wanted)
{
	unsigned int draw = (unsigned int)stream_below(s, 100);

	if (draw < 40 && w->plain.live < wanted)
		world_add(w, s);
	else if (draw < 60)
		world_remove(w, s);
	else if (draw < 96)
		world_change(w, s);
	else if (draw < 98 && w->roots < 12)
		world_freeze(w);
	else if (w->roots)
		world_release(w, (unsigned int)stream_below(s, w->roots));
}

static void check_random(struct page_pool *pool, size_t record, uint64_t seed)
{
	struct world w = {0};
	struct stream s = stream_make(seed, record, 0);

	page_owner_init(&w.owner, pool);
	array_init(&w.array, record);
	for (unsigned int i = 0; i < 12000; i++) {
		world_step(&w, &s, i / 2000 % 2 ? 50 : RECORDS - 1);
		if (i % 500 == 0)
			check_same(pool, &w.array, &w.plain, false, 1);
	}
	while (w.roots)
		world_release(&w, (unsigned int)stream_below(&s, w.roots));
	check_same(pool, &w.array, &w.plain, false, 1);
	assert_int_equal(w.owner.dead, 0);
	assert_int_equal(w.owner.used, w.array.pages);
	assert_false(w.owner.corrupted);
	assert_false(w.owner.exhausted);
}

static void test_frozen_roots_in_any_order(void **state)
{
	static const size_t records[] = {4, 19, 88, 336, 496, 1008};
	struct page_pool *pool = pool_map(POOL_BYTES);

	for (size_t i = 0; i < ARRAY_SIZE(records); i++)
		check_random(pool, records[i], i);
	assert_int_equal(pool->corrupted, 0);
	munmap(pool, POOL_BYTES);
}

/* The index grows by levels and covers what it did before. */
static void test_growth(void **state)
{
	struct page_pool *pool = pool_map(256 * MiB);
	struct page_owner o;
	struct array a;
	uint32_t count = 126 * 126 * 2 + 500; /* two records a page: three levels */

	page_owner_init(&o, pool);
	array_init(&a, 496);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(array_new(&o, &a), i);
		array_put(&o, &a, i, 400, &i, sizeof(i));
	}
	assert_int_equal(a.depth, 3);
	for (uint32_t i = 0; i < count; i++)
		assert_memory_equal((const char *)array_frozen(pool, &a, i) + 400, &i, sizeof(i));
	for (uint32_t i = 0; i < count; i++)
		array_free(&o, &a, i);
	assert_int_equal(a.live, 0);
	assert_true(a.pages < 200); /* index pages stay */
	assert_int_equal(array_new(&o, &a), 0);
	munmap(pool, 256 * MiB);
}

static void test_gaps_cost_nothing(void **state)
{
	struct page_pool *pool = pool_map(POOL_BYTES);
	struct page_owner o;
	struct array a;

	page_owner_init(&o, pool);
	array_init(&a, 24);
	assert_int_equal(array_take(&o, &a, 100000000), 0);
	assert_int_equal(array_take(&o, &a, 100000000), -1);
	assert_int_equal(array_take(&o, &a, 5), 0);
	assert_true(a.pages < 12);
	assert_int_equal(a.count, 100000001);
	assert_int_equal(array_new(&o, &a), 0);
	array_free(&o, &a, 100000000);
	assert_int_equal(a.live, 2);
	munmap(pool, POOL_BYTES);
}

static int each_sum(void *self, uint32_t n, const void *record)
{
	uint64_t *sum = self;

	*sum += n;
	return 0;
}

static void test_each_visits_what_is_in_use(void **state)
{
	struct page_pool *pool = pool_map(POOL_BYTES);
	struct page_owner o;
	struct array a;
	uint64_t sum = 0, expected = 0;

	page_owner_init(&o, pool);
	array_init(&a, 88);
	for (uint32_t i = 0; i < 1000; i++)
		array_new(&o, &a);
	for (uint32_t i = 0; i < 1000; i++) {
		if (i % 3 && (i < 300 || i > 400))
			expected += i;
		else
			array_free(&o, &a, i);
	}
	assert_int_equal(array_each(pool, &a, each_sum, &sum), 0);
	assert_int_equal(sum, expected);
	munmap(pool, POOL_BYTES);
}

/* ---- damage ------------------------------------------------------------------------------ */

static void test_damage_is_seen_by_readers(void **state)
{
	struct page_pool *pool = pool_map(POOL_BYTES);
	struct page_owner o;
	struct array a;
	uint64_t value = 7;
	unsigned char *record;

	page_owner_init(&o, pool);
	array_init(&a, 24);
	for (int i = 0; i < 100; i++)
		array_new(&o, &a);
	record = (unsigned char *)(uintptr_t)array_at(pool, &a, 60);
	record[20] ^= 0x10;
	assert_null(array_frozen(pool, &a, 61));
	assert_int_equal(pool->corrupted, 1);
	assert_non_null(array_frozen(pool, &a, 3));
	array_put(&o, &a, 61, 0, &value, sizeof(value));
	assert_int_equal(array_each(pool, &a, each_sum, &(uint64_t){0}), -1);
	/* The page was not sealed anew over the damage. */
	assert_null(array_frozen(pool, &a, 61));
	munmap(pool, POOL_BYTES);
}

/* What was damaged is written over, or its record goes: that there was damage stays known. */
static void test_damage_is_not_written_over(void **state)
{
	struct page_pool *pool = pool_map(POOL_BYTES);
	struct page_owner o;
	struct array a;
	uint64_t value[3] = {1, 2, 3};

	page_owner_init(&o, pool);
	array_init(&a, sizeof(value));
	for (uint32_t i = 0; i < 100; i++) {
		array_new(&o, &a);
		array_put(&o, &a, i, 0, value, sizeof(value));
	}
	((unsigned char *)(uintptr_t)array_at(pool, &a, 60))[8] ^= 1;
	value[1] = 4;
	array_put(&o, &a, 60, 0, value, sizeof(value));
	assert_memory_equal(array_at(pool, &a, 60), value, sizeof(value));
	assert_null(array_frozen(pool, &a, 60));
	array_free(&o, &a, 60);
	assert_null(array_frozen(pool, &a, 61));
	assert_false(o.corrupted);
	munmap(pool, POOL_BYTES);
}

/* Nor does a copy of the page lose it, which the owner notices too. */
static void test_damage_is_copied(void **state)
{
	struct page_pool *pool = pool_map(POOL_BYTES);
	struct page_owner o;
	struct array a;
	uint32_t value = 7, root;

	page_owner_init(&o, pool);
	array_init(&a, 24);
	for (int i = 0; i < 10; i++)
		array_new(&o, &a);
	root = a.root;
	o.kept = o.epoch++;
	((unsigned char *)(uintptr_t)array_at(pool, &a, 3))[9] ^= 1;
	array_put(&o, &a, 4, 0, &value, sizeof(value));
	assert_int_not_equal(a.root, root);
	assert_true(o.corrupted);
	assert_int_equal(pool->corrupted, 1);
	assert_null(array_frozen(pool, &a, 4));
	munmap(pool, POOL_BYTES);
}

/* An index page that leads nowhere crashes nobody. */
static void test_damaged_index(void **state)
{
	struct page_pool *pool = pool_map(POOL_BYTES);
	struct page_owner o;
	struct array a;
	struct page *root;
	uint32_t value = 1;

	page_owner_init(&o, pool);
	array_init(&a, 24);
	array_new(&o, &a);
	root = page_at(pool, a.root);
	memset(root->payload, 0xff, 64);
	assert_null(array_frozen(pool, &a, 0));
	assert_non_null(array_at(pool, &a, 0));
	array_put(&o, &a, 0, 0, &value, sizeof(value));
	array_free(&o, &a, 0);
	array_new(&o, &a);
	assert_true(o.corrupted);
	munmap(pool, POOL_BYTES);
}

static void test_exhausted_pool(void **state)
{
	struct page_pool *pool = pool_map(16 * KiB);
	struct page_owner o;
	struct array a;
	unsigned int made = 0;

	page_owner_init(&o, pool);
	array_init(&a, 1008);
	while (array_new(&o, &a) != ARRAY_NONE)
		made++;
	assert_true(o.exhausted);
	assert_int_equal(made, 14); /* 16 pages less the pool's own and the index */
	assert_int_equal(a.live, made);
	assert_non_null(array_frozen(pool, &a, made - 1));
	assert_int_equal(pool->corrupted, 0);
	munmap(pool, 16 * KiB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frozen_roots_in_any_order),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_gaps_cost_nothing),
		cmocka_unit_test(test_each_visits_what_is_in_use),
		cmocka_unit_test(test_damage_is_seen_by_readers),
		cmocka_unit_test(test_damage_is_not_written_over),
		cmocka_unit_test(test_damage_is_copied),
		cmocka_unit_test(test_damaged_index),
		cmocka_unit_test(test_exhausted_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
