/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Block maps, and what models cost in memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "src/base/random.h"
#include "src/model/private.h"
#include "tests/unit/unit.h"

#define POOL_BYTES (512 * MiB)

static struct page_pool *pool_map(void)
{
	void *p = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
		       -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return page_pool_init(p, POOL_BYTES);
}

static void model_make(struct model *m)
{
	struct error e;

	assert_int_equal(model_init(m, pool_map(), 1, 1, 2, &e), 0);
}

static void model_gone(struct model *m)
{
	struct page_pool *pool = m->head.pool;

	assert_int_equal(pool->corrupted, 0);
	model_destroy(m);
	munmap(pool, POOL_BYTES);
}

/* ---- how a rest is cut ------------------------------------------------------------------- */

/* Bytes that a piece takes, with its share of the page. */
static double piece_cost(unsigned int class)
{
	return class == BLOCK_CLASSES ? 0
				      : (double)PAGE_BYTES / (uint8_t)(PIECE_MAX / block_class_size[class]);
}

static unsigned int piece_size(unsigned int class)
{
	return class == BLOCK_CLASSES ? 0 : block_class_size[class];
}

/* A second piece means an entry that holds the handles of both. */
static double rest_cost(unsigned int a, unsigned int b)
{
	return piece_cost(a) + piece_cost(b) + (b == BLOCK_CLASSES ? 0 : 16);
}

static void test_rests_are_cut_at_the_least_cost(void **state)
{
	for (uint32_t rest = 1; rest < PIECE_MAX; rest++) {
		uint8_t pieces[2];
		double best = 1e9;

		map_rest(rest, pieces);
		assert_true(piece_size(pieces[0]) + piece_size(pieces[1]) >= rest);
		assert_true(piece_size(pieces[0]) < rest || pieces[1] == BLOCK_CLASSES);
		for (unsigned int a = 0; a < BLOCK_CLASSES; a++) {
			for (unsigned int b = 0; b <= BLOCK_CLASSES; b++) {
				if (piece_size(a) + piece_size(b) >= rest)
					best = MIN(best, rest_cost(a, b));
			}
		}
		assert_true(rest_cost(pieces[0], pieces[1]) <= best + 1e-6);
	}
}

/* ---- one map against a plain row of entries ---------------------------------------------- */

#define ENTRIES 90000U /* beyond five full pieces of the index: 5 * 252 * 63 */

struct world {
	struct model model;
	uint32_t root, n;
	struct block_entry plain[ENTRIES];
	struct block_entry read[ENTRIES];
	struct stream random;
};

static void compare_whole(struct world *w)
{
	assert_int_equal(map_read(&w->model.head, w->root, w->n, 0, ENTRIES, w->read), w->n);
	assert_memory_equal(w->read, w->plain, w->n * sizeof(w->plain[0]));
}

/* map_skip() may stop at a hole, but must not pass over an entry. */
static void compare_skip(struct world *w)
{
	uint32_t first = (uint32_t)stream_below(&w->random, w->n + 1);
	uint32_t next = map_skip(&w->model.head, w->root, w->n, first);

	assert_in_range(next, first, w->n);
	for (uint32_t i = first; i < next; i++)
		assert_int_equal(w->plain[i].writer, 0);
}

static uint32_t some_size(struct world *w)
{
	uint32_t near = (uint32_t)stream_range(&w->random, 1, 5) * 252 * PIECE_MAX;

	switch (stream_below(&w->random, 4)) {
	case 0: /* about where a piece of the index begins */
		return near - 130 + (uint32_t)stream_below(&w->random, 260);
	case 1:
		return (uint32_t)stream_below(&w->random, 200);
	case 2: /* a little more or less */
		return MIN(ENTRIES, w->n + (uint32_t)stream_below(&w->random, 3));
	default:
		return (uint32_t)stream_log(&w->random, 1, ENTRIES) - 1;
	}
}

static void do_resize(struct world *w)
{
	uint32_t to = some_size(w);

	map_resize(&w->model, &w->root, w->n, to);
	if (to > w->n)
		memset(&w->plain[w->n], 0, (to - w->n) * sizeof(w->plain[0]));
	w->n = to;
}

static void do_write(struct world *w)
{
	uint32_t first, count;

	if (!w->n)
		return;
	first = (uint32_t)stream_below(&w->random, w->n);
	count = (uint32_t)stream_log(&w->random, 1, 600);
	count = MIN(count, w->n - first);
	for (uint32_t i = 0; i < count; i++)
		w->plain[first + i] =
			(struct block_entry){stream_u64(&w->random), stream_u64(&w->random) | 1};
	map_write(&w->model, &w->root, w->n, first, count, &w->plain[first]);
}

static uint32_t pieces_live(const struct model *m)
{
	uint32_t live = 0;

	for (int i = 0; i < BLOCK_CLASSES; i++)
		live += m->head.blocks[i].live;
	return live;
}

static void test_random_sizes(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->random = stream_make(20, 0, 0);
	model_make(&w->model);
	for (unsigned int i = 0; i < 4000; i++) {
		if (stream_below(&w->random, 3))
			do_write(w);
		else
			do_resize(w);
		compare_skip(w);
		if (i % 8 == 0)
			compare_whole(w);
	}
	compare_whole(w);
	map_resize(&w->model, &w->root, w->n, 0);
	assert_int_equal(w->root, 0);
	assert_int_equal(pieces_live(&w->model), 0);
	assert_false(w->model.owner.corrupted);
	model_gone(&w->model);
	free(w);
}

/* 279 full pieces and two small ones: the last piece's handle has a piece of the index to itself. */
static void test_skip_to_the_last_piece(void **state)
{
	uint32_t n = 279 * PIECE_MAX + 8, root = 0;
	struct block_entry e = {1, 1};
	struct model m;

	model_make(&m);
	map_write(&m, &root, n, n - 1, 1, &e);
	assert_int_equal(map_skip(&m.head, root, n, 0), n - 1);
	assert_int_equal(map_skip(&m.head, root, n, n), n);
	model_gone(&m);
}

/* ---- whole files ------------------------------------------------------------------------- */

static uint32_t create(struct model *m, uint64_t op, enum object_type type)
{
	struct model_create c = {
		.type = type,
		.parent = OBJECT_ROOT,
		.name = nameref_make(model_next_name(m), 20, (uint32_t)op),
	};
	uint32_t id = model_create(m, op, &c);

	assert_int_not_equal(id, OBJECT_NONE);
	return id;
}

static void write_at(struct model *m, uint64_t op, uint32_t id, uint64_t offset, size_t len)
{
	static unsigned char data[4 * MiB];
	struct content_key key = {.run = 1, .origin = {.worker = 1, .operation = op}, .object = id};

	while (len) {
		size_t part = MIN(len, sizeof(data));

		content_fill(&key, offset, data, part);
		model_write(m, op, id, offset, data, part);
		offset += part;
		len -= part;
	}
}

static void test_sparse_tebibytes_are_free(void **state)
{
	struct model m;
	struct model_stats stats;
	struct block_entry b;
	struct object o;
	uint32_t id;

	model_make(&m);
	id = create(&m, 1, OBJECT_FILE);
	write_at(&m, 2, id, 0, 10);
	model_truncate(&m, 3, id, 15 * TiB);
	write_at(&m, 4, id, 7 * TiB + 5, 100);
	view_stats(&m.head, &stats);
	assert_int_equal(stats.blocks, 2);
	assert_true(stats.block_bytes < 40 * KiB); /* a few index pages for each class that is in use */
	assert_true(view_object(&m.head, id, &o));
	assert_int_equal(view_blocks(&m.head, &o, 7 * TiB / BLOCK_SIZE, 1, &b), 1);
	assert_int_not_equal(b.writer, 0);
	assert_int_equal(view_blocks(&m.head, &o, 0, 1, &b), 1);
	assert_int_not_equal(b.writer, 0);
	assert_int_equal(view_blocks(&m.head, &o, 15 * TiB / BLOCK_SIZE - 1, 2, &b), 1);
	assert_int_equal(b.writer, 0);
	assert_int_equal(b.hash, content_hash_of_zeroes());
	model_truncate(&m, 5, id, 5);
	view_stats(&m.head, &stats);
	assert_int_equal(stats.blocks, 1);
	assert_int_equal(pieces_live(&m), 1);
	model_truncate(&m, 6, id, 0);
	assert_int_equal(pieces_live(&m), 0);
	model_gone(&m);
}

/* ---- what it costs ----------------------------------------------------------------------- */

/* Map `files` files of log-uniform size and keep them changing for a while. */
static void churn_sizes(struct model *m, uint32_t files, uint64_t size_max, unsigned int steps)
{
	struct stream s = stream_make(30, size_max, 0);
	uint32_t *ids = calloc(files, sizeof(*ids));
	uint64_t op = 0;

	assert_non_null(ids);
	for (uint32_t i = 0; i < files; i++) {
		ids[i] = create(m, ++op, OBJECT_FILE);
		write_at(m, op, ids[i], 0, stream_log(&s, 1, size_max));
	}
	for (unsigned int i = 0; i < steps; i++) {
		uint32_t *id = &ids[stream_below(&s, files)];
		struct object o;

		op++;
		assert_true(view_object(&m->head, *id, &o));
		switch (stream_below(&s, 4)) {
		case 0:
			model_unlink(m, op, o.first_name);
			*id = create(m, op, OBJECT_FILE);
			write_at(m, op, *id, 0, stream_log(&s, 1, size_max));
			break;
		case 1:
			model_truncate(m, op, *id, stream_below(&s, o.size + 1));
			break;
		default: /* append, within bounds */
			if (o.size < size_max)
				write_at(m, op, *id, o.size,
					 MIN(stream_log(&s, 1, 128 * KiB), size_max - o.size));
		}
	}
	free(ids);
}

/* `fixed`: bytes that are allowed whatever the number of blocks. */
static void check_block_overhead(uint32_t files, uint64_t size_max, unsigned int steps, double fixed)
{
	struct model_stats stats;
	struct model m;

	model_make(&m);
	churn_sizes(&m, files, size_max, steps);
	view_stats(&m.head, &stats);
	print_message("%u files of 1 to %llu KiB: %llu blocks, %.2f bytes each, %llu fragments\n", files,
		      size_max / KiB, (unsigned long long)stats.blocks,
		      (double)stats.block_bytes / (double)stats.blocks, (unsigned long long)stats.fragments);
	assert_true((double)stats.block_bytes <= 1.10 * 16 * (double)stats.blocks + fixed);
	model_gone(&m);
}

static void test_blocks_cost_sixteen_bytes(void **state)
{
	double two_pages_a_class = 2.0 * BLOCK_CLASSES * PAGE_BYTES;

	check_block_overhead(2000, 4 * MiB, 3000, 0);
	check_block_overhead(8000, 256 * KiB, 20000, 0);
	/* A model of some ten KiB: the index pages show. */
	check_block_overhead(2000, 16 * KiB, 20000, two_pages_a_class);
	check_block_overhead(30, 16 * KiB, 1000, two_pages_a_class);
}

static void test_objects_cost_256_bytes(void **state)
{
	struct model_stats before, after;
	struct model m;
	uint64_t op = 0;
	uint32_t last = 0;

	model_make(&m);
	for (int i = 0; i < 20000; i++)
		last = create(&m, ++op, i % 10 ? OBJECT_FILE : OBJECT_DIR);
	view_stats(&m.head, &before);
	print_message("object with its name: %.1f bytes\n",
		      (double)before.object_bytes / (double)before.objects);
	assert_true(before.object_bytes <= 256 * before.objects);
	assert_int_equal(before.link_bytes, 0);
	for (uint32_t i = 0; i < 20000; i++) {
		struct nameref ref = nameref_make(model_next_name(&m), 20, i);

		model_link(&m, ++op, last - i / 2 * 2, OBJECT_ROOT, ref);
		model_set_xattr(&m, op, last - i / 4, i % 4, 100);
	}
	view_stats(&m.head, &after);
	print_message("further link: %.1f bytes, xattr: %.1f bytes\n",
		      (double)(after.object_bytes + after.link_bytes - before.object_bytes) / 20000.0,
		      (double)after.xattr_bytes / (double)after.xattrs);
	assert_true(after.object_bytes + after.link_bytes - before.object_bytes <= 24UL * 20000UL);
	assert_true(after.link_bytes <= 24 * (after.names - after.objects));
	assert_true(after.xattr_bytes <= 24 * after.xattrs);
	assert_true(after.object_bytes <= 256 * after.objects);
	model_gone(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rests_are_cut_at_the_least_cost),
		cmocka_unit_test(test_random_sizes),
		cmocka_unit_test(test_skip_to_the_last_piece),
		cmocka_unit_test(test_sparse_tebibytes_are_free),
		cmocka_unit_test(test_blocks_cost_sixteen_bytes),
		cmocka_unit_test(test_objects_cost_256_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
