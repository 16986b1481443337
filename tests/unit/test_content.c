/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/random.h"
#include "src/content/content.h"
#include "src/content/hash.h"
#include "tests/unit/unit.h"

static const struct content_key key = {
	.run = 0x1234567890abcdefULL,
	.origin = {.worker = 7, .operation = 123456789},
	.object = 42,
};

/* Any range is a piece of the one endless stream, wherever it begins and ends. */
static void test_fill_is_a_function_of_the_offset(void **state)
{
	static unsigned char whole[8192], part[8192 + 8];
	struct stream s = stream_make(1, 2, 3);

	content_fill(&key, 4096, whole, sizeof(whole));
	for (int i = 0; i < 20000; i++) {
		size_t at = stream_below(&s, sizeof(whole));
		size_t len = i < 10000 ? stream_below(&s, sizeof(whole) - at + 1)
				       : stream_below(&s, MIN((size_t)200, sizeof(whole) - at) + 1);
		size_t shift = stream_below(&s, 8);

		part[shift + len] = 0xa5;
		content_fill(&key, 4096 + at, part + shift, len);
		assert_memory_equal(part + shift, whole + at, len);
		assert_int_equal(part[shift + len], 0xa5);
	}
}

/* The bytes are part of the format of a run (a recorded run is verified by a later build). */
static void test_fill_stays_what_it_is(void **state)
{
	static unsigned char buf[65536];

	content_fill(&key, 1000003, buf, sizeof(buf));
	assert_int_equal(hash_bytes(buf, sizeof(buf)), 0x2f671b8736a6c08cULL);
}

static void assert_stamp(const struct content_key *k, uint64_t offset)
{
	unsigned char line[LINE_SIZE];
	struct stamp stamp;

	content_fill(k, offset, line, sizeof(line));
	assert_true(content_stamp(k->run, line, &stamp));
	assert_int_equal(stamp.origin.worker, k->origin.worker);
	assert_int_equal(stamp.origin.operation, k->origin.operation);
	assert_int_equal(stamp.object, k->object);
	assert_int_equal(stamp.line, (uint32_t)(offset / LINE_SIZE));
	assert_false(content_stamp(k->run + 1, line, &stamp));
	for (unsigned int bit = 0; bit < 128; bit++) {
		line[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_false(content_stamp(k->run, line, &stamp));
		line[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
}

static void test_stamps(void **state)
{
	struct stream s = stream_make(4, 5, 6);

	for (int i = 0; i < 1000; i++) {
		struct content_key k = {
			.run = stream_u64(&s),
			.origin = {.worker = (uint32_t)stream_below(&s, ORIGIN_WORKERS),
				   .operation = stream_range(&s, 1, (1ULL << 40) - 1)},
			.object = (uint32_t)stream_u64(&s),
		};

		assert_stamp(&k, stream_below(&s, 1ULL << 44) * LINE_SIZE);
	}
	assert_stamp(
		&(struct content_key){.origin = {.worker = ORIGIN_WORKERS - 1, .operation = (1ULL << 40) - 1},
				      .object = UINT32_MAX},
		0);
}

static void test_no_stamp_in_zeroes_or_noise(void **state)
{
	unsigned char line[LINE_SIZE] = {0};
	struct stream s = stream_make(7, 8, 9);
	struct stamp stamp;

	assert_false(content_stamp(key.run, line, &stamp));
	assert_false(content_stamp(0, line, &stamp));
	for (int i = 0; i < 10000; i++) {
		for (size_t j = 0; j < sizeof(line); j += 8) {
			uint64_t x = stream_u64(&s);

			memcpy(line + j, &x, 8);
		}
		assert_false(content_stamp(key.run, line, &stamp));
	}
}

static bool filler_repeats(uint64_t operation)
{
	struct content_key k = {.run = 1, .origin = {.operation = operation}, .object = 1};
	uint64_t w[2 * LINE_SIZE / 8];

	content_fill(&k, 0, w, sizeof(w));
	assert_int_not_equal(w[2], w[10]); /* never the same in two lines */
	return w[2] == w[3] && w[3] == w[4] && w[4] == w[5] && w[5] == w[6];
}

static void test_a_quarter_is_compressible(void **state)
{
	unsigned int count = 0;

	for (uint64_t op = 1; op <= 4000; op++)
		count += filler_repeats(op);
	assert_in_range(count, 900, 1100);
}

/* Lines of different writers, objects and places differ in every word. */
static void test_lines_differ(void **state)
{
	struct content_key k[3] = {key, key, key};
	uint64_t w[4][LINE_SIZE / 8];

	k[1].origin.operation++;
	k[2].object++;
	for (int i = 0; i < 3; i++)
		content_fill(&k[i], 4096, w[i], LINE_SIZE);
	content_fill(&key, 8192, w[3], LINE_SIZE);
	for (int i = 1; i < 4; i++) {
		for (unsigned int word = 2; word < LINE_SIZE / 8; word++)
			assert_int_not_equal(w[0][word], w[i][word]);
	}
}

static void test_hash(void **state)
{
	static unsigned char block[BLOCK_SIZE];

	assert_int_equal(content_hash(block), content_hash_of_zeroes());
	block[4095] = 1;
	assert_int_not_equal(content_hash(block), content_hash_of_zeroes());
	/* XXH3-64 of no bytes, from the specification's reference implementation. */
	assert_int_equal(hash_bytes(block, 0), 0x2d06800538d394c2ULL);
}

/* Any length that tells at all, any attribute; and nothing that nobody wrote. */
static void test_whose_xattr(void **state)
{
	static const size_t lengths[] = {8, 11, 12, 13, 15, 16, 63, 64, 65, 500, 6000};
	const struct content_key mine = {.run = 77, .origin = {3, 123456789}, .object = 42};
	unsigned char value[6000];
	struct content_key found;

	for (uint32_t number = 0; number < CONTENT_XATTRS; number++) {
		for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
			const size_t len = lengths[i];

			content_xattr(&mine, number, value, len);
			/* The object is not in the first bytes: then it is taken on trust. */
			assert_true(content_xattr_key(77, number, len > 12 ? 9 : 42, value, len, &found));
			assert_int_equal(found.run, 77);
			assert_int_equal(found.origin.worker, 3);
			assert_int_equal(found.origin.operation, 123456789);
			assert_int_equal(found.object, 42);
			assert_false(content_xattr_key(77, number + 1, 42, value, len, &found));
			assert_false(content_xattr_key(78, number, 42, value, len, &found));
			value[len - 1] ^= 0x10;
			/* In the bytes that tell the object a flipped bit is another object. */
			if (len != 8 && len != 13 && len != 15 && len != 16)
				assert_false(content_xattr_key(77, number, 42, value, len, &found));
		}
	}
	content_xattr(&mine, 0, value, 8);
	assert_false(content_xattr_key(77, 0, 42, value, 7, &found));
	memset(value, 0, sizeof(value));
	assert_false(content_xattr_key(77, 0, 42, value, 500, &found));
}

static void test_xattr_and_symlink(void **state)
{
	unsigned char a[256], b[256];
	struct content_key later = key;

	content_xattr(&key, 0, a, sizeof(a));
	content_xattr(&key, 1, b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	later.origin.operation++;
	content_xattr(&later, 0, b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	for (unsigned int i = 0; i < 4096; i++) {
		char target[4096];

		later.origin.operation = i + 1;
		memset(target, 0x55, sizeof(target));
		content_symlink(&later, target, i);
		assert_int_equal(strlen(target), i);
		assert_int_not_equal(target[0], '/');
	}
}

/* ---- names ------------------------------------------------------------------------------- */

static void check_name(const char *name, size_t len)
{
	assert_in_range(len, 1, 255);
	assert_int_equal(strlen(name), len);
	assert_null(strchr(name, '/'));
	assert_string_not_equal(name, ".");
	assert_string_not_equal(name, "..");
}

struct one {
	char bytes[256];
	size_t len;
};

static int by_bytes(const void *a, const void *b)
{
	return strcmp(((const struct one *)a)->bytes, ((const struct one *)b)->bytes);
}

/* Numbers around every change of the code's length, and many low ones. */
static uint32_t some_number(size_t i)
{
	static const uint32_t edges[] = {48, 48 + 640, 48 + 640 + 16384, 48 + 640 + 16384 + (1U << 24)};

	if (i < 8000)
		return (uint32_t)i;
	i -= 8000;
	if (i < 400)
		return edges[i / 100] - 50 + (uint32_t)(i % 100);
	return UINT32_MAX - (uint32_t)(i - 400) * 99991;
}
#define NUMBERS 8800

/* The code of a number ends where two names of the same number, of different fillers, part. */
static size_t code_length(uint32_t number, uint32_t worker, bool shared)
{
	char buf[256];

	return content_name(nameref_make(number, 1, 0), worker, shared, buf);
}

/* No code is the beginning of another: so no fillers, whatever they are, make two names equal. */
static void check_prefix_free(uint32_t workers, bool shared, size_t numbers)
{
	size_t count = 0, room = workers * numbers;
	struct one *all = calloc(room, sizeof(*all));

	assert_non_null(all);
	for (uint32_t w = 0; w < workers; w++) {
		for (size_t i = 0; i < numbers; i++) {
			struct one *o = &all[count++];

			o->len = content_name(nameref_make(some_number(i), 1, 0), w * (4094 / workers),
					      shared, o->bytes);
			check_name(o->bytes, o->len);
		}
	}
	qsort(all, count, sizeof(*all), by_bytes);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(all[i - 1].bytes, all[i].bytes) == 0)
			assert_false(true); /* some_number() gives each number once, but for the edges */
		assert_int_not_equal(strncmp(all[i - 1].bytes, all[i].bytes, all[i - 1].len), 0);
	}
	free(all);
}

static void test_codes_are_prefix_free(void **state)
{
	check_prefix_free(1, false, 8000);
	check_prefix_free(40, true, 2000);
}

/* The filler comes behind the code, at the length that was drawn. */
static void test_names_begin_with_their_code(void **state)
{
	static const unsigned int lengths[] = {1, 2, 3, 5, 8, 13, 64, 254, 255};

	for (size_t i = 0; i < NUMBERS; i++) {
		for (size_t l = 0; l < ARRAY_SIZE(lengths); l++) {
			for (uint32_t seed = 0; seed < 6; seed++) {
				bool shared = seed & 1;
				size_t code = code_length(some_number(i), 4094, shared);
				char name[256], plain[256];
				size_t len = content_name(nameref_make(some_number(i), lengths[l], seed * 77),
							  4094, shared, name);

				content_name(nameref_make(some_number(i), 1, 0), 4094, shared, plain);
				check_name(name, len);
				assert_int_equal(len, MAX(code, lengths[l]));
				assert_memory_equal(name, plain, code);
			}
		}
	}
}

/* The same by brute force, over names as they are drawn. */
static void test_names_are_unique(void **state)
{
	size_t count = 60000;
	struct one *all = calloc(count, sizeof(*all));
	struct stream s = stream_make(10, 11, 12);

	assert_non_null(all);
	for (size_t i = 0; i < count; i++) {
		unsigned int len = (unsigned int)stream_log(&s, 1, 255);
		struct nameref ref = nameref_make((uint32_t)(i / 6), len, (uint32_t)stream_u64(&s));

		all[i].len = content_name(ref, (uint32_t)(i % 6) * 800, true, all[i].bytes);
	}
	qsort(all, count, sizeof(*all), by_bytes);
	for (size_t i = 1; i < count; i++)
		assert_string_not_equal(all[i - 1].bytes, all[i].bytes);
	free(all);
}

static void test_names_are_of_many_kinds(void **state)
{
	unsigned int plain = 0, newline = 0, high = 0, single = 0;
	char name[256];

	for (uint32_t i = 0; i < 4000; i++) {
		size_t len = content_name(nameref_make(i, 100, i * 7), 0, false, name);
		bool is_plain =
			strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
			len;

		plain += is_plain;
		newline += strchr(name, '\n') != NULL;
		high += memchr(name, 0xff, len) != NULL;
		single += content_name(nameref_make(i, 1, i), 0, false, name) == 1;
	}
	assert_in_range(plain, 2500, 3500);
	assert_in_range(newline, 100, 1500);
	assert_in_range(high, 100, 1500);
	assert_int_equal(single, 48);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill_is_a_function_of_the_offset),
		cmocka_unit_test(test_fill_stays_what_it_is),
		cmocka_unit_test(test_stamps),
		cmocka_unit_test(test_no_stamp_in_zeroes_or_noise),
		cmocka_unit_test(test_a_quarter_is_compressible),
		cmocka_unit_test(test_lines_differ),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_xattr_and_symlink),
		cmocka_unit_test(test_whose_xattr),
		cmocka_unit_test(test_codes_are_prefix_free),
		cmocka_unit_test(test_names_begin_with_their_code),
		cmocka_unit_test(test_names_are_unique),
		cmocka_unit_test(test_names_are_of_many_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
