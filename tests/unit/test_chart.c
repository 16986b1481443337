/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chart of a run over time, and the file that it is made of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/chart.h"
#include "src/report/history.h"
#include "tests/unit/made_run.h"
#include "tests/unit/unit.h"

static char *printed(struct chart *c)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	chart_load(c, run);
	chart_print(c, out);
	fclose(out);
	return text;
}

#define LINE(t, stage, ops, pages, dirty, names)                                                             \
	"{\"t\": " t ", \"stage\": \"" stage "\", \"operations\": " ops ", \"migrated\": " pages             \
	", \"dirty_moved\": " dirty ", \"injecting\": [" names "]}\n"

static void a_short_run_has_a_line_a_second(void **state)
{
	struct chart c;
	char *text;

	put("status.jsonl",
	    LINE("1.0", "prepare", "0", "0", "0", "") LINE("2.0", "churn", "1000", "0", "0", "\"sync\"")
		    LINE("3.0", "churn", "3000", "250000", "12000", "\"hotplug\", \"sync\"")
	    /* A line late by half a second: what it tells belongs to both seconds. */
	    LINE("4.5", "verify", "4500", "250000", "12000", "")
		    LINE("5.2", "remount", "4500", "250000", "12000", "") "{\"t\": 6.0, \"sta");
	put("timeline.jsonl", "{\"t\": 2.25, \"event\": \"freeze\", \"frozen\": 0.1}\n"
			      "{\"t\": 4.75, \"event\": \"finding\", \"number\": 1}\n");
	text = printed(&c);
	assert_string_equal(
		text, "  timeline    a line is 1.0 s; V verify, R remount and fsck, F frozen, ! finding\n"
		      "             | operations             |   ops/s moved/s dirty/s  marks injectors\n"
		      "    0:00:00  |                        |       0       0       0  ....\n"
		      "    0:00:01  |############            |  1.00 k       0       0  ....  sync\n"
		      "    0:00:02  |########################|  2.00 k   250 k  12.0 k  ..F.  sync, hotplug\n"
		      "    0:00:03  |############            |  1.00 k       0       0  V...\n"
		      "    0:00:04  |######                  |     500       0       0  .R.!\n"
		      "    0:00:05  |                        |       0       0       0  ....\n");
	free(text);
}

static void a_long_run_is_gathered(void **state)
{
	char path[128];
	struct chart c;
	json_t *j;
	FILE *out;
	char *text;

	snprintf(path, sizeof(path), "%s/status.jsonl", run);
	out = fopen(path, "w");
	assert_non_null(out);
	for (unsigned int t = 8; t <= 86400; t += 8)
		fprintf(out,
			"{\"t\": %u, \"stage\": \"churn\", \"operations\": %u, \"injecting\": [\"sync\"]}\n",
			t, t * 100);
	fclose(out);
	text = printed(&c);
	assert_int_equal(c.rows, 24);
	assert_non_null(strstr(text, "a line is 1h"));
	assert_non_null(strstr(
		text, "   23:00:00  |########################|     100       0       0  ....  sync\n"));
	free(text);
	j = chart_json(&c);
	assert_int_equal(json_array_size(j), 24);
	assert_true(json_number_value(json_object_get(json_array_get(j, 5), "operations")) > 359999);
	assert_true(json_number_value(json_object_get(json_array_get(j, 5), "t")) == 5 * 3600.0);
	json_decref(j);
}

static void nothing_gives_no_chart(void **state)
{
	struct chart c;
	char *text = printed(&c);

	assert_string_equal(text, "");
	free(text);
	put("status.jsonl", "[1]\n{}\nnonsense\n");
	text = printed(&c);
	assert_string_equal(text, "");
	free(text);
}

static unsigned int lines_of_status(double *first, double *last)
{
	unsigned int lines = 0;
	char path[128], line[256];
	FILE *in;

	snprintf(path, sizeof(path), "%s/status.jsonl", run);
	in = fopen(path, "r");
	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		double t = strtod(strchr(line, ':') + 1, NULL);

		if (!lines++)
			*first = t;
		*last = t;
	}
	fclose(in);
	return lines;
}

static void a_history_of_any_length_is_bounded(void **state)
{
	struct history h = history_begin();
	double t = 0, first, last;
	unsigned int lines;
	struct error e;

	while (t < 4.0 * HISTORY_LINES) {
		json_t *j;

		t += (double)h.every / NSEC_PER_SEC;
		j = json_pack("{s:f}", "t", t);
		assert_int_equal(history_add(&h, run, j, &e), 0);
		json_decref(j);
	}
	lines = lines_of_status(&first, &last);
	assert_true(lines < HISTORY_LINES && lines >= HISTORY_LINES / 2);
	assert_true(last == t);
	assert_true(first <= (double)h.every / NSEC_PER_SEC);
	assert_int_equal(h.every, 8 * NSEC_PER_SEC);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_run, remove_run)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_short_run_has_a_line_a_second),
		TEST(a_long_run_is_gathered),
		TEST(nothing_gives_no_chart),
		TEST(a_history_of_any_length_is_bounded),
	};

	return cmocka_run_group_tests_name("chart", tests, NULL, NULL);
}
