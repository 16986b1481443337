/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plants every kind of damage into blocks of every make and asks what it is. */
#include <stdio.h>
#include <string.h>

#include "src/base/random.h"
#include "src/finding/verdict.h"
#include "tests/unit/unit.h"

#define RUN    0x1234567890abcdefULL
#define WORKER 3U
#define OBJECT 77U
#define BLOCK  256ULL /* file offset 1 MiB */
#define CASES  4000

/* A block as it should be and as it is found. */
struct scene {
	struct stream s;
	unsigned char expected[BLOCK_SIZE], found[BLOCK_SIZE];
	struct fragment fragment[8];
	unsigned int fragments;
	uint32_t valid;
	struct finding f;
};

static void fill(uint64_t op, uint32_t worker, uint32_t object, uint64_t offset, void *buf, size_t len)
{
	content_fill(&(struct content_key){RUN, {worker, op}, object}, offset, buf, len);
}

/* `count` writes that fill the block, newest operations from 1000 on. */
static void scene_start(struct scene *t, uint64_t seed, unsigned int count)
{
	unsigned int at = 0;

	memset(t, 0, sizeof(*t));
	t->s = stream_make(seed, 1, 2);
	t->valid = BLOCK_SIZE;
	for (unsigned int i = 0; i < count; i++) {
		unsigned int left = (BLOCK_SIZE - at) - 200 * (count - 1 - i);
		unsigned int len = i + 1 == count ? left : (unsigned int)stream_range(&t->s, 200, left);
		struct fragment *g = &t->fragment[t->fragments++];

		*g = (struct fragment){at, len, {WORKER, 1000 + stream_below(&t->s, 100000)}, OBJECT, 0};
		fill(g->origin.operation, WORKER, OBJECT, BLOCK * BLOCK_SIZE + at, t->expected + at, len);
		at += len;
	}
	memcpy(t->found, t->expected, BLOCK_SIZE);
}

static enum finding_class judge(struct scene *t)
{
	struct verdict_input in = {
		.run = RUN,
		.worker = WORKER,
		.object = OBJECT,
		.block = BLOCK,
		.expected = t->expected,
		.found = t->found,
		.valid = t->valid,
		.fragment = t->fragment,
		.fragments = t->fragments,
		.operations = 200000,
	};

	assert_memory_not_equal(t->expected, t->found, BLOCK_SIZE);
	verdict_block(&in, &t->f);
	assert_in_range(t->f.ranges, 1, FINDING_RANGES);
	assert_int_equal(t->f.expected_hash, content_hash(t->expected));
	assert_int_equal(t->f.found_hash, content_hash(t->found));
	assert_memory_equal(t->f.found, t->found, BLOCK_SIZE);
	assert_non_null(memchr(t->f.detail, 0, sizeof(t->f.detail)));
	return t->f.class;
}

/* The first wrong range. */
static const struct finding_range *wrong(const struct scene *t)
{
	for (unsigned int i = 0; i < t->f.ranges; i++) {
		if (t->f.range[i].class != FINDING_CLASSES)
			return &t->f.range[i];
	}
	fail_msg("no wrong range");
	return NULL;
}

static void whole_block_zeroes(void **state)
{
	struct scene t;

	for (uint64_t i = 0; i < 100; i++) {
		scene_start(&t, i, 1 + i % 5);
		memset(t.found, 0, BLOCK_SIZE);
		assert_int_equal(judge(&t), FINDING_ZEROES);
		assert_int_equal(wrong(&t)->start, 0);
		assert_int_equal(wrong(&t)->length, BLOCK_SIZE);
	}
}

static void whole_block_stale_names_its_writer(void **state)
{
	struct scene t;

	for (uint64_t i = 0; i < 200; i++) {
		scene_start(&t, i, 1);
		fill(812, WORKER, OBJECT, BLOCK * BLOCK_SIZE, t.found, BLOCK_SIZE);
		assert_int_equal(judge(&t), FINDING_STALE);
		assert_int_equal(t.f.ranges, 1);
		assert_int_equal(t.f.range[0].length, BLOCK_SIZE);
		assert_int_equal(t.f.range[0].origin.operation, 812);
		assert_int_equal(t.f.range[0].origin.worker, WORKER);
		assert_int_equal(t.f.operation, t.fragment[0].origin.operation);
		assert_non_null(strstr(t.f.detail, "4 KiB at 1048576: bytes 0-4095 are an older version, "
						   "written by worker 3 operation 812"));
	}
}

static void a_newer_operation_is_another_version(void **state)
{
	struct scene t;

	scene_start(&t, 1, 1);
	fill(190000, WORKER, OBJECT, BLOCK * BLOCK_SIZE, t.found, BLOCK_SIZE);
	assert_int_equal(judge(&t), FINDING_STALE);
	assert_non_null(strstr(t.f.detail, "another version"));
}

/* An older state of several writes, with or without a hole, under any newer ones. */
static void stale_state_of_several_writes(void **state)
{
	struct scene t;

	for (uint64_t i = 0; i < CASES; i++) {
		unsigned int cut, hole;

		scene_start(&t, i, 1 + i % 6);
		cut = (unsigned int)stream_range(&t.s, 200, 3800);
		hole = stream_chance(&t.s, 3) ? (unsigned int)stream_range(&t.s, cut, BLOCK_SIZE)
					      : BLOCK_SIZE;
		fill(400, WORKER, OBJECT, BLOCK * BLOCK_SIZE, t.found, cut);
		fill(500, WORKER, OBJECT, BLOCK * BLOCK_SIZE + cut, t.found + cut, BLOCK_SIZE - cut);
		memset(t.found + hole, 0, BLOCK_SIZE - hole);
		assert_int_equal(judge(&t), FINDING_STALE);
		assert_int_equal(wrong(&t)->origin.operation, 400);
		assert_int_equal(wrong(&t)->start, 0);
		assert_in_range(wrong(&t)->length, cut - 15, cut + 15);
	}
}

/* One write among several is lost: the older bytes show exactly where it should be. */
static void a_lost_write_is_stale_not_torn(void **state)
{
	struct scene t;

	for (uint64_t i = 0; i < CASES; i++) {
		const struct fragment *g;

		scene_start(&t, i, 2 + i % 6);
		g = &t.fragment[stream_below(&t.s, t.fragments)];
		fill(500, WORKER, OBJECT, BLOCK * BLOCK_SIZE + g->start, t.found + g->start, g->length);
		assert_int_equal(judge(&t), FINDING_STALE);
		assert_int_equal(wrong(&t)->start, g->start);
		assert_int_equal(wrong(&t)->length, g->length);
		assert_int_equal(t.f.operation, g->origin.operation);
		memset(t.found + g->start, 0, g->length);
		assert_int_equal(judge(&t), FINDING_ZEROES);
		assert_int_equal(wrong(&t)->start, g->start);
		assert_int_equal(wrong(&t)->length, g->length);
	}
}

/* Writes too short to hold a stamped line. */
static void a_lost_short_write_is_stale(void **state)
{
	struct scene t;
	unsigned int stale = 0;

	for (uint64_t i = 0; i < 500; i++) {
		struct fragment *g = t.fragment;
		unsigned int start, length;
		enum finding_class class;

		scene_start(&t, i, 1);
		length = (unsigned int)stream_range(&t.s, 8, 60);
		start = (unsigned int)stream_below(&t.s, BLOCK_SIZE - length);
		g[2] = g[1] = g[0];
		g[0].length = start;
		g[1].start = start;
		g[1].length = length;
		g[1].origin.operation = 150000;
		g[2].start = start + length;
		g[2].length = BLOCK_SIZE - start - length;
		t.fragments = 3;
		fill(150000, WORKER, OBJECT, BLOCK * BLOCK_SIZE + start, t.expected + start, length);
		memcpy(t.found, t.expected, BLOCK_SIZE);
		fill(149000, WORKER, OBJECT, BLOCK * BLOCK_SIZE + start, t.found + start, length);
		if (memcmp(t.found, t.expected, BLOCK_SIZE) == 0)
			continue; /* the bytes of a line that don't depend on the operation */
		class = judge(&t);
		stale += class == FINDING_STALE;
		/* A piece of a few bytes of the stamp may differ in so few bits that it could be a flip. */
		assert_true(class == FINDING_STALE || class == FINDING_FLIPPED);
		if (class == FINDING_STALE)
			assert_int_equal(wrong(&t)->origin.operation, 149000);
	}
	assert_in_range(stale, 440, 500);
}

static void foreign_pages(void **state)
{
	struct scene t;

	for (uint64_t i = 0; i < CASES; i++) {
		uint32_t worker = i % 3 == 0 ? 9 : WORKER;
		uint32_t object = i % 3 == 1 ? 5 : OBJECT;
		uint64_t block = i % 3 == 2 ? BLOCK + 1 + stream_below(&t.s, 100) : BLOCK;

		scene_start(&t, i, 1 + i % 4);
		fill(700, worker, object, block * BLOCK_SIZE, t.found, BLOCK_SIZE);
		assert_int_equal(judge(&t), FINDING_FOREIGN);
		assert_int_equal(t.f.range[0].origin.worker, worker);
		assert_int_equal(t.f.range[0].origin.operation, 700);
		assert_int_equal(t.f.range[0].object, object);
		assert_int_equal(t.f.range[0].offset, block * BLOCK_SIZE);
	}
}

static void flipped_bits_are_counted(void **state)
{
	struct scene t;

	for (uint64_t i = 0; i < CASES; i++) {
		unsigned int want = 1 + (unsigned int)(i % 64), have = 0;

		scene_start(&t, i, 1 + i % 4);
		for (unsigned int k = 0; k < want; k++) {
			uint64_t bit = stream_below(&t.s, 8ULL * BLOCK_SIZE);

			t.found[bit / 8] ^= (unsigned char)(1U << bit % 8);
		}
		for (unsigned int k = 0; k < BLOCK_SIZE; k++)
			have += (unsigned int)__builtin_popcount(t.found[k] ^ t.expected[k]);
		if (have == 0)
			continue;
		assert_int_equal(judge(&t), FINDING_FLIPPED);
		assert_int_equal(wrong(&t)->bits, have);
	}
}

static void one_changed_byte_is_flipped_bits(void **state)
{
	struct scene t;

	for (uint64_t i = 0; i < CASES; i++) {
		uint64_t at;

		scene_start(&t, i, 1 + i % 4);
		at = stream_below(&t.s, BLOCK_SIZE);
		t.found[at] = (unsigned char)(t.found[at] + 1 + stream_below(&t.s, 255));
		assert_int_equal(judge(&t), FINDING_FLIPPED);
		assert_int_equal(wrong(&t)->start, at);
		assert_int_equal(wrong(&t)->length, 1);
	}
}

static void garbage(struct scene *t, unsigned char *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		at[i] = (unsigned char)stream_u64(&t->s);
}

static void garbage_is_called_garbage(void **state)
{
	struct scene t;

	for (uint64_t i = 0; i < 500; i++) {
		unsigned int start, length;

		scene_start(&t, i, 1);
		start = (unsigned int)stream_range(&t.s, 20, 2000);
		length = (unsigned int)stream_range(&t.s, 130, 2000);
		garbage(&t, t.found + start, length);
		assert_int_equal(judge(&t), FINDING_GARBAGE);
		assert_in_range(wrong(&t)->start, start - 2, start + 2);
		garbage(&t, t.found, BLOCK_SIZE);
		assert_int_equal(judge(&t), FINDING_GARBAGE);
	}
}

/* What fills the wrong part of a torn block. */
static void spoil(struct scene *t, unsigned int kind, unsigned int lo, unsigned int hi)
{
	uint64_t offset = BLOCK * BLOCK_SIZE + lo;

	if (kind == 0)
		memset(t->found + lo, 0, hi - lo);
	else if (kind == 1)
		fill(444, WORKER, OBJECT, offset, t->found + lo, hi - lo);
	else if (kind == 2)
		fill(444, WORKER, 1234, offset, t->found + lo, hi - lo);
	else
		garbage(t, t->found + lo, hi - lo);
}

static void tears_at_every_512_bytes(void **state)
{
	static const uint8_t inner[] = {FINDING_ZEROES, FINDING_STALE, FINDING_FOREIGN, FINDING_GARBAGE};
	struct scene t;

	for (uint64_t i = 0; i < CASES; i++) {
		unsigned int line = 512 * (1 + (unsigned int)(i % 7)), kind = (unsigned int)(i / 7 % 4);
		bool suffix = i / 28 % 2;
		char word[32];

		scene_start(&t, i, 1);
		spoil(&t, kind, suffix ? line : 0, suffix ? BLOCK_SIZE : line);
		assert_int_equal(judge(&t), FINDING_TORN);
		assert_int_equal(t.f.ranges, 2);
		assert_int_equal(wrong(&t)->class, inner[kind]);
		assert_int_equal(t.f.range[1].start, line);
		snprintf(word, sizeof(word), "torn at byte %u:", line);
		assert_non_null(strstr(t.f.detail, word));
	}
}

/* Several writes make the block; the tear cuts one of them. */
static void tears_cut_a_write_of_several(void **state)
{
	struct scene t;

	for (uint64_t i = 0; i < CASES; i++) {
		const struct fragment *g;
		unsigned int line;

		scene_start(&t, i, 2 + i % 4);
		g = &t.fragment[stream_below(&t.s, t.fragments)];
		line = g->start + (unsigned int)stream_range(&t.s, 70, g->length - 70);
		spoil(&t, i % 3, line, i % 2 ? BLOCK_SIZE : g->start + g->length);
		assert_int_equal(judge(&t), FINDING_TORN);
		assert_in_range(wrong(&t)->start, line - 15, line + 15);
	}
}

static void shifts_by_any_distance(void **state)
{
	struct scene t;

	for (uint64_t i = 0; i < CASES; i++) {
		unsigned int by = 1 + (unsigned int)stream_below(&(struct stream){i, 0}, 3800);
		int64_t sign = i % 2 ? 1 : -1;

		scene_start(&t, i, 1 + i % 4);
		memset(t.found, 0, BLOCK_SIZE);
		if (i % 2)
			memcpy(t.found + by, t.expected, BLOCK_SIZE - by);
		else
			memcpy(t.found, t.expected + by, BLOCK_SIZE - by);
		if (i % 3 == 0) /* what the move didn't reach stays as it was */
			memcpy(i % 2 ? t.found : t.found + BLOCK_SIZE - by,
			       i % 2 ? t.expected : t.expected + BLOCK_SIZE - by, by);
		judge(&t);
		if (BLOCK_SIZE - by < 800)
			continue; /* more zeroes than bytes that moved */
		assert_int_equal(t.f.class, FINDING_SHIFTED);
		for (unsigned int k = 0; k < t.f.ranges; k++) {
			const struct finding_range *r = &t.f.range[k];
			int64_t d = (int64_t)(BLOCK * BLOCK_SIZE + r->start - r->offset);

			if (r->class == FINDING_SHIFTED)
				assert_int_equal(d, sign * (int64_t)by);
		}
	}
}

/* Shifted across the block's edge: stamps at a constant distance from their lines. */
static void shifts_bring_in_the_neighbour(void **state)
{
	struct scene t;

	for (unsigned int by = 512; by < BLOCK_SIZE; by += 512) {
		scene_start(&t, by, 1);
		fill(t.fragment[0].origin.operation, WORKER, OBJECT, BLOCK * BLOCK_SIZE - by, t.found,
		     BLOCK_SIZE);
		assert_int_equal(judge(&t), FINDING_SHIFTED);
		assert_int_equal(t.f.ranges, 1);
		assert_int_equal(t.f.range[0].offset, BLOCK * BLOCK_SIZE - by);
	}
}

static void behind_the_end_of_file(void **state)
{
	struct scene t;

	for (uint64_t i = 0; i < 500; i++) {
		scene_start(&t, i, 1);
		t.valid = (uint32_t)stream_range(&t.s, 100, 3900);
		t.fragment[0].length = t.valid;
		memset(t.expected + t.valid, 0, BLOCK_SIZE - t.valid);
		memcpy(t.found, t.expected, BLOCK_SIZE);
		fill(333, WORKER, OBJECT, BLOCK * BLOCK_SIZE + t.valid, t.found + t.valid,
		     BLOCK_SIZE - t.valid);
		assert_int_equal(judge(&t), FINDING_STALE);
		assert_int_equal(wrong(&t)->start, t.valid);
		assert_int_equal(t.f.length, BLOCK_SIZE);
		memset(t.found, 0, BLOCK_SIZE);
		assert_int_equal(judge(&t), FINDING_ZEROES);
		assert_int_equal(t.f.length, t.valid);
	}
}

/* No whole line fits into the file, and what stands there is another file's. */
static void foreign_data_in_a_short_file(void **state)
{
	struct scene t;

	for (unsigned int valid = 24; valid < LINE_SIZE; valid++) {
		scene_start(&t, valid, 1);
		t.valid = valid;
		t.fragment[0].length = valid;
		memset(t.expected + valid, 0, BLOCK_SIZE - valid);
		memcpy(t.found, t.expected, BLOCK_SIZE);
		fill(700, 9, 5, 40 * BLOCK_SIZE, t.found, valid);
		assert_int_equal(judge(&t), FINDING_FOREIGN);
		assert_int_equal(wrong(&t)->origin.worker, 9);
		assert_int_equal(wrong(&t)->object, 5);
		assert_int_equal(wrong(&t)->offset, 40 * BLOCK_SIZE);
		assert_int_equal(wrong(&t)->length, valid);
	}
}

/* A hole was expected. */
static void data_in_a_hole(void **state)
{
	struct scene t;

	scene_start(&t, 1, 1);
	memset(t.expected, 0, BLOCK_SIZE);
	t.fragments = 0;
	assert_int_equal(judge(&t), FINDING_STALE);
	assert_int_equal(t.f.operation, 0);
}

/* What begins or ends in the midst of a hole tears no write. */
static void a_part_of_a_hole_is_not_torn(void **state)
{
	struct scene t;

	for (unsigned int end = 1000; end < 3000; end += 100) {
		scene_start(&t, end, 1);
		memset(t.expected, 0, BLOCK_SIZE);
		memcpy(t.found, t.expected, BLOCK_SIZE);
		t.fragments = 0;
		fill(700, 9, 5, BLOCK * BLOCK_SIZE, t.found, end);
		assert_int_equal(judge(&t), FINDING_FOREIGN);
		assert_int_equal(wrong(&t)->length, end);
		assert_int_equal(t.f.operation, 0);
	}
}

/* A stamp counts only with what follows from it. */
static void a_stamp_alone_is_not_believed(void **state)
{
	struct scene t;

	scene_start(&t, 1, 1);
	garbage(&t, t.found, BLOCK_SIZE);
	for (unsigned int at = 0; at < BLOCK_SIZE; at += LINE_SIZE) {
		unsigned char line[LINE_SIZE];

		fill(500, WORKER, OBJECT, BLOCK * BLOCK_SIZE + at, line, LINE_SIZE);
		memcpy(t.found + at, line, 16);
		memcpy(t.found + at + 56, line + 56, 8);
	}
	assert_int_equal(judge(&t), FINDING_GARBAGE);
}

static void without_fragments_the_block_is_one_write(void **state)
{
	struct scene t;

	scene_start(&t, 1, 1);
	t.fragments = 0;
	fill(500, WORKER, OBJECT, BLOCK * BLOCK_SIZE + 2048, t.found + 2048, 2048);
	assert_int_equal(judge(&t), FINDING_TORN);
	assert_int_equal(t.f.operation, t.fragment[0].origin.operation);
}

/* ---- blocks that were cloned: from another object, or from elsewhere in this one */

#define SOURCE 78U

/* All of the block, or its bytes from `start` on, come from `object` at this distance. */
static void scene_clone(struct scene *t, uint64_t seed, unsigned int start, uint32_t object, int64_t shift)
{
	scene_start(t, seed, 1);
	t->fragment[0].length = start;
	t->fragment[start ? 1 : 0] =
		(struct fragment){start, BLOCK_SIZE - start, {WORKER, 5000}, object, shift};
	t->fragments = start ? 2 : 1;
	fill(5000, WORKER, object, BLOCK * BLOCK_SIZE + start - (uint64_t)shift, t->expected + start,
	     BLOCK_SIZE - start);
	memcpy(t->found, t->expected, BLOCK_SIZE);
}

static int64_t some_shift(struct stream *s)
{
	int64_t shift = (int64_t)stream_range(s, 1, 500000);

	return stream_chance(s, 2) ? shift : -shift;
}

/* What this file held there before the clone. */
static void a_lost_clone_is_stale(void **state)
{
	struct scene t;

	for (uint64_t i = 0; i < CASES; i++) {
		struct stream s = stream_make(i, 3, 4);

		scene_clone(&t, i, 0, i % 2 ? SOURCE : OBJECT, i % 4 == 1 ? 0 : some_shift(&s));
		fill(4000, WORKER, OBJECT, BLOCK * BLOCK_SIZE, t.found, BLOCK_SIZE);
		assert_int_equal(judge(&t), FINDING_STALE);
		assert_int_equal(t.f.ranges, 1);
		assert_int_equal(t.f.range[0].origin.operation, 4000);
		assert_int_equal(t.f.operation, 5000);
		assert_non_null(strstr(t.f.detail, "an older version"));
	}
}

/* The source was written to afterwards, in place: that shows in the clone. Or the clone is of what it held
 * before. */
static void another_version_of_the_source(void **state)
{
	struct scene t;

	for (uint64_t i = 0; i < CASES; i++) {
		struct stream s = stream_make(i, 3, 4);
		unsigned int start = i % 3 ? 0 : (unsigned int)stream_range(&s, 200, 3000);
		int64_t shift = i % 5 ? some_shift(&s) : 0;
		uint32_t object = shift && i % 2 ? OBJECT : SOURCE;
		uint64_t op = i % 7 ? 6000 : 4000;

		scene_clone(&t, i, start, object, shift);
		fill(op, WORKER, object, BLOCK * BLOCK_SIZE + start - (uint64_t)shift, t.found + start,
		     BLOCK_SIZE - start);
		assert_int_equal(judge(&t), FINDING_STALE);
		/* A byte before it may fit by chance. */
		assert_int_equal(t.f.range[t.f.ranges - 1].origin.operation, op);
		assert_in_range(t.f.range[t.f.ranges - 1].start, start, start + 15);
		assert_int_equal(t.f.operation, 5000);
		assert_non_null(strstr(t.f.detail, op > 5000 ? "another version" : "an older version"));
	}
}

/* Too short to carry a stamp. */
static void a_short_write_into_the_source(void **state)
{
	struct scene t;
	unsigned int stale = 0;

	for (uint64_t i = 0; i < 200; i++) {
		struct stream s = stream_make(i, 3, 4);
		int64_t shift = some_shift(&s);
		unsigned int start = (unsigned int)stream_range(&s, 64, 3900), length = 40;
		struct fragment *g = t.fragment;

		scene_clone(&t, i, 0, SOURCE, shift);
		g[2] = g[1] = g[0];
		g[0].length = start;
		g[1].start = start;
		g[1].length = length;
		g[2].start = start + length;
		g[2].length = BLOCK_SIZE - start - length;
		g[1].origin.operation = 5500;
		t.fragments = 3;
		fill(5500, WORKER, SOURCE, BLOCK * BLOCK_SIZE + start - (uint64_t)shift, t.expected + start,
		     length);
		memcpy(t.found, t.expected, BLOCK_SIZE);
		fill(90000, WORKER, SOURCE, BLOCK * BLOCK_SIZE + start - (uint64_t)shift, t.found + start,
		     length);
		if (memcmp(t.found, t.expected, BLOCK_SIZE) == 0)
			continue;
		if (judge(&t) == FINDING_STALE && wrong(&t)->origin.operation == 90000)
			stale++;
	}
	assert_in_range(stale, 170, 200);
}

/* A clone, then a write of `length` bytes into it: the write is lost. */
static void scene_overwritten(struct scene *t, uint64_t seed, unsigned int length)
{
	struct stream s = stream_make(seed, 3, 4);
	unsigned int start = (unsigned int)stream_range(&s, 64, 3900 - length);
	struct fragment *g = t->fragment;

	scene_clone(t, seed, 0, SOURCE, some_shift(&s));
	g[2] = g[0];
	g[0].length = start;
	g[1] = (struct fragment){start, length, {WORKER, 5500}, OBJECT, 0};
	g[2].start = start + length;
	g[2].length = BLOCK_SIZE - start - length;
	t->fragments = 3;
	fill(5500, WORKER, OBJECT, BLOCK * BLOCK_SIZE + start, t->expected + start, length);
}

/* What stands around it says that it is what had been cloned here. */
static void a_lost_write_into_a_clone_is_stale(void **state)
{
	struct scene t;
	unsigned int stale = 0;

	for (uint64_t i = 0; i < CASES; i++) {
		scene_overwritten(&t, i, 200 + (unsigned int)(i % 2000));
		assert_int_equal(judge(&t), FINDING_STALE);
		assert_int_equal(wrong(&t)->origin.operation, 5000);
		assert_int_equal(t.f.operation, 5500);
	}
	for (uint64_t i = 0; i < 200; i++) {
		scene_overwritten(&t, i, 40); /* too short to carry a stamp */
		stale += judge(&t) == FINDING_STALE && wrong(&t)->origin.operation == 5000;
	}
	assert_in_range(stale, 170, 200);
}

/* Of the source, but from another place than was cloned: its neighbour, or some bytes beside. */
static void another_place_of_the_source(void **state)
{
	struct scene t;

	for (uint64_t i = 0; i < CASES; i++) {
		struct stream s = stream_make(i, 3, 4);
		int64_t shift = some_shift(&s), off = 512 * (int64_t)stream_range(&s, 1, i % 2 ? 7 : 40);

		scene_clone(&t, i, 0, SOURCE, shift);
		fill(5000, WORKER, SOURCE, BLOCK * BLOCK_SIZE - (uint64_t)(shift + off), t.found, BLOCK_SIZE);
		if (off < (int64_t)BLOCK_SIZE) {
			assert_int_equal(judge(&t), FINDING_SHIFTED);
			assert_int_equal(t.f.range[0].offset, BLOCK * BLOCK_SIZE - (uint64_t)off);
		} else {
			assert_int_equal(judge(&t), FINDING_FOREIGN);
			assert_int_equal(t.f.range[0].object, SOURCE);
			assert_int_equal(t.f.range[0].offset, BLOCK * BLOCK_SIZE - (uint64_t)(shift + off));
		}
	}
}

static void a_third_object_in_a_clone_is_foreign(void **state)
{
	struct scene t;

	for (uint64_t i = 0; i < 200; i++) {
		struct stream s = stream_make(i, 3, 4);

		scene_clone(&t, i, 0, SOURCE, some_shift(&s));
		fill(4500, WORKER, 1234, 7 * BLOCK_SIZE, t.found, BLOCK_SIZE);
		assert_int_equal(judge(&t), FINDING_FOREIGN);
		assert_int_equal(t.f.range[0].object, 1234);
		assert_int_equal(t.f.range[0].offset, 7 * BLOCK_SIZE);
	}
}

/* Half of a clone is there. */
static void a_torn_clone(void **state)
{
	struct scene t;

	for (uint64_t i = 0; i < 500; i++) {
		struct stream s = stream_make(i, 3, 4);
		unsigned int line = 512 * (1 + (unsigned int)(i % 7));

		scene_clone(&t, i, 0, SOURCE, some_shift(&s));
		fill(4000, WORKER, OBJECT, BLOCK * BLOCK_SIZE + line, t.found + line, BLOCK_SIZE - line);
		assert_int_equal(judge(&t), FINDING_TORN);
		assert_in_range(t.f.tear, line - 15, line + 15);
		assert_int_equal(wrong(&t)->class, FINDING_STALE);
	}
}

/* Shreds: more ranges than a finding holds. */
static void many_ranges_are_blended(void **state)
{
	struct scene t;

	scene_start(&t, 1, 1);
	for (unsigned int at = 0; at + 256 <= BLOCK_SIZE; at += 256)
		fill(300 + at, WORKER, OBJECT, BLOCK * BLOCK_SIZE + at, t.found + at, 128);
	assert_int_equal(judge(&t), FINDING_STALE);
	assert_int_equal(t.f.ranges, FINDING_RANGES);
}

static void class_names_are_inverse(void **state)
{
	for (int i = 0; i < FINDING_CLASSES; i++)
		assert_int_equal(finding_class_by_name(finding_class_name((enum finding_class)i)), i);
	assert_int_equal(finding_class_by_name("no such"), -1);
	assert_string_equal(finding_place_name(SEEN_FRESH), "fresh");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_block_zeroes),
		cmocka_unit_test(whole_block_stale_names_its_writer),
		cmocka_unit_test(a_newer_operation_is_another_version),
		cmocka_unit_test(stale_state_of_several_writes),
		cmocka_unit_test(a_lost_write_is_stale_not_torn),
		cmocka_unit_test(a_lost_short_write_is_stale),
		cmocka_unit_test(foreign_pages),
		cmocka_unit_test(flipped_bits_are_counted),
		cmocka_unit_test(one_changed_byte_is_flipped_bits),
		cmocka_unit_test(garbage_is_called_garbage),
		cmocka_unit_test(tears_at_every_512_bytes),
		cmocka_unit_test(tears_cut_a_write_of_several),
		cmocka_unit_test(shifts_by_any_distance),
		cmocka_unit_test(shifts_bring_in_the_neighbour),
		cmocka_unit_test(behind_the_end_of_file),
		cmocka_unit_test(foreign_data_in_a_short_file),
		cmocka_unit_test(data_in_a_hole),
		cmocka_unit_test(a_part_of_a_hole_is_not_torn),
		cmocka_unit_test(a_stamp_alone_is_not_believed),
		cmocka_unit_test(without_fragments_the_block_is_one_write),
		cmocka_unit_test(a_lost_clone_is_stale),
		cmocka_unit_test(another_version_of_the_source),
		cmocka_unit_test(a_short_write_into_the_source),
		cmocka_unit_test(another_place_of_the_source),
		cmocka_unit_test(a_lost_write_into_a_clone_is_stale),
		cmocka_unit_test(a_third_object_in_a_clone_is_foreign),
		cmocka_unit_test(a_torn_clone),
		cmocka_unit_test(many_ranges_are_blended),
		cmocka_unit_test(class_names_are_inverse),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
