/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "src/base/random.h"
#include "src/base/units.h"
#include "tests/unit/unit.h"

static void sizes_take_units(void **state)
{
	struct error e;
	uint64_t n;

	assert_int_equal(units_size("4g", &n, &e), 0);
	assert_int_equal(n, 4 * GiB);
	assert_int_equal(units_size("1.5MiB", &n, &e), 0);
	assert_int_equal(n, 1536 * KiB);
	assert_int_equal(units_size("17", &n, &e), 0);
	assert_int_equal(n, 17);
	assert_int_equal(units_size("4x", &n, &e), -1);
	assert_int_equal(e.exit, EXIT_USAGE);
	assert_non_null(strstr(e.text, "4x"));
	assert_int_equal(units_size("", &n, &e), -1);
	assert_int_equal(units_size("-1", &n, &e), -1);
	assert_int_equal(units_size("99999999999t", &n, &e), -1);
}

static void durations_add_up(void **state)
{
	struct error e;
	uint64_t n;

	assert_int_equal(units_duration("1h30m", &n, &e), 0);
	assert_int_equal(n, 5400 * NSEC_PER_SEC);
	assert_int_equal(units_duration("250ms", &n, &e), 0);
	assert_int_equal(n, 250 * NSEC_PER_MSEC);
	assert_int_equal(units_duration("30", &n, &e), 0);
	assert_int_equal(n, 30 * NSEC_PER_SEC);
	assert_int_equal(units_duration("30q", &n, &e), -1);
	assert_int_equal(units_duration("1h30", &n, &e), -1);
	assert_int_equal(units_duration("30 s", &n, &e), -1);
}

static void counts_are_whole(void **state)
{
	struct error e;
	uint64_t n;

	assert_int_equal(units_count("1.5k", &n, &e), 0);
	assert_int_equal(n, 1500);
	assert_int_equal(units_count("1.5", &n, &e), -1);
	assert_int_equal(units_count("+1", &n, &e), -1);
}

/* A path may be longer than the text: what failed stands at the end and must be left. */
static void long_errors_keep_their_end(void **state)
{
	char path[4096];
	struct error e;

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(error_errno(&e, EXIT_CANNOT, ENOENT, "cannot open %s", path), -1);
	assert_non_null(strstr(e.text, "cannot open xxx"));
	assert_non_null(strstr(e.text, "x: No such file or directory"));
	assert_int_equal(error_context(&e, "%s", path), -1);
	assert_non_null(strstr(e.text, "No such file or directory"));
	error_set(&e, EXIT_USAGE, "a\nb\033c");
	assert_string_equal(e.text, "a?b?c");
}

static void escapes_are_inverse(void **state)
{
	unsigned char in[256], out[256];
	char text[1100];

	for (int i = 0; i < 256; i++)
		in[i] = (unsigned char)i;
	bytes_escape(text, sizeof(text), in, sizeof(in));
	for (const char *c = text; *c; c++)
		assert_in_range(*c, 0x20, 0x7e);
	assert_int_equal(bytes_unescape(out, sizeof(out), text), 256);
	assert_memory_equal(in, out, 256);
	assert_int_equal(bytes_unescape(out, sizeof(out), "a\\9"), -1);
}

static void added_text_is_cut_at_the_end(void **state)
{
	char text[8] = "ab";

	text_add(text, sizeof(text), "%d", 34);
	assert_string_equal(text, "ab34");
	text_add(text, sizeof(text), "%s", "56789");
	assert_string_equal(text, "ab34567");
	text_add(text, sizeof(text), "x");
	assert_string_equal(text, "ab34567");
}

static void nearest_word_is_near(void **state)
{
	static const char *const words[] = {"hotplug", "sync", "pressure"};

	assert_string_equal(nearest_word("hotplg", words, 3), "hotplug");
	assert_string_equal(nearest_word("snyc", words, 3), "sync");
	assert_null(nearest_word("zzzz", words, 3));
}

static void streams_repeat_and_stay_in_range(void **state)
{
	struct stream a = stream_make(1, 2, 3), b = stream_make(1, 2, 3), c = stream_make(1, 2, 4);

	assert_int_equal(stream_u64(&a), stream_u64(&b));
	assert_int_not_equal(stream_u64(&b), stream_u64(&c));
	for (int i = 0; i < 10000; i++) {
		assert_in_range(stream_range(&a, 5, 9), 5, 9);
		assert_in_range(stream_log(&a, 3, 1000000), 3, 1000000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_take_units),     cmocka_unit_test(durations_add_up),
		cmocka_unit_test(counts_are_whole),     cmocka_unit_test(long_errors_keep_their_end),
		cmocka_unit_test(escapes_are_inverse),  cmocka_unit_test(added_text_is_cut_at_the_end),
		cmocka_unit_test(nearest_word_is_near), cmocka_unit_test(streams_repeat_and_stay_in_range),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
