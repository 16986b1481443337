/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/finding/store.h"
#include "tests/unit/made_run.h"

static struct finding *example(void)
{
	struct finding *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->class = FINDING_TORN;
	f->place = SEEN_COLD;
	snprintf(f->verifier, sizeof(f->verifier), "cold");
	f->time = 12345678901;
	f->round = 3;
	f->phase = 2;
	f->worker = 5;
	f->object = 77;
	f->operation = 1234567;
	snprintf(f->path, sizeof(f->path), "w0005/a\\n\\377\\\"b");
	f->offset = 8192;
	f->length = 4096;
	f->expected_hash = 0xfedcba9876543210;
	f->found_hash = 0xffffffffffffffff;
	snprintf(f->detail, sizeof(f->detail), "half of it is old");
	f->still = true;
	f->logical = 0x8000000000001000;
	f->ranges = 2;
	f->range[0] = (struct finding_range){.start = 0, .length = 512, .class = FINDING_CLASSES};
	f->range[1] = (struct finding_range){
		.start = 512,
		.length = 3584,
		.class = FINDING_STALE,
		.origin = {5, 1234000},
		.object = 77,
		.offset = 8704,
	};
	f->tear = 512;
	f->range[1].bits = 3;
	f->fault = FAULT_DISK;
	f->looks = 2;
	f->look[0] = (struct finding_look){LOOK_DIRECT, SIGHT_WRONG, 0};
	f->look[1] = (struct finding_look){LOOK_DEVICE, SIGHT_RIGHT, 1};
	snprintf(f->not_on_disk, sizeof(f->not_on_disk), "compressed");
	f->attribute.which = ATTRIBUTE_XATTR;
	f->attribute.value = VALUE_FOREIGN;
	f->attribute.absent = true;
	f->attribute.number = 7;
	f->attribute.found = 1764039283123456789;
	f->attribute.hash = 0xfedcba9876543211;
	f->attribute.learned = 1234568;
	f->attribute.origin.worker = 9;
	f->attribute.origin.operation = 88;
	f->attribute.object = 76;
	f->attribute.origin_number = 3;
	f->inode = 4711;
	f->page.known = true;
	f->page.pfn = 0x123456789;
	f->page.flags = 0x8000000000000068;
	f->page.block = 99;
	f->mirrors = 2;
	f->mirror[0].devid = 1;
	f->mirror[0].physical = 0x10000000;
	f->mirror[1].devid = 2;
	f->mirror[1].physical = 0x20000000;
	f->dumps = true;
	for (unsigned int i = 0; i < BLOCK_SIZE; i++) {
		f->expected[i] = (unsigned char)i;
		f->found[i] = (unsigned char)(i < 512 ? i : i + 1);
	}
	return f;
}

struct loaded {
	unsigned int count;
	unsigned int number[8];
	struct finding *last;
};

static int keep(void *self, unsigned int number, const struct finding *f)
{
	struct loaded *l = self;

	l->number[l->count++] = number;
	memcpy(l->last, f, sizeof(*f));
	return 0;
}

static struct loaded load_all(void)
{
	struct loaded l = {.last = calloc(1, sizeof(struct finding))};
	struct error e;

	if (finding_load(run, keep, &l, &e) < 0)
		fail_msg("%s", e.text);
	return l;
}

static void a_finding_comes_back_whole(void **state)
{
	struct finding *f = example();
	struct loaded l;
	struct error e;

	assert_int_equal(finding_store(run, 1, f, &e), 0);
	l = load_all();
	assert_int_equal(l.count, 1);
	assert_int_equal(l.number[0], 1);
	assert_memory_equal(l.last, f, sizeof(*f));
	free(l.last);
	free(f);
}

static void a_cut_line_costs_itself_alone(void **state)
{
	struct finding *f = example();
	struct loaded l;
	struct error e;

	assert_int_equal(finding_store(run, 1, f, &e), 0);
	put_behind("findings.jsonl", "{\"number\":2,\"class\":\"stale\",\"pa");
	l = load_all();
	assert_int_equal(l.count, 1);
	free(l.last);
	assert_int_equal(finding_store(run, 3, f, &e), 0);
	l = load_all();
	assert_int_equal(l.count, 2);
	assert_int_equal(l.number[1], 3);
	free(l.last);
	free(f);
}

static void missing_dumps_are_admitted(void **state)
{
	struct finding *f = example();
	char path[128];
	struct loaded l;
	struct error e;

	assert_int_equal(finding_store(run, 1, f, &e), 0);
	snprintf(path, sizeof(path), "%s/findings/0001.found", run);
	assert_int_equal(truncate(path, 100), 0);
	l = load_all();
	assert_false(l.last->dumps);
	free(l.last);
	free(f);
}

static void no_file_means_no_finding(void **state)
{
	struct loaded l = load_all();

	assert_int_equal(l.count, 0);
	free(l.last);
}

static void text_that_is_not_utf8_is_escaped(void **state)
{
	struct finding *f = example();
	struct loaded l;
	struct error e;

	f->dumps = false;
	snprintf(f->detail, sizeof(f->detail), "odd \xff byte");
	assert_int_equal(finding_store(run, 1, f, &e), 0);
	l = load_all();
	assert_string_equal(l.last->detail, "odd \\377 byte");
	free(l.last);
	free(f);
}

static void it_reads_well(void **state)
{
	struct finding *f = example();
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	finding_print_short(4, f, out);
	finding_print_bytes(f, 4, out);
	fclose(out);
	assert_non_null(strstr(text, "FINDING 4: torn: "));
	assert_non_null(strstr(text, "w0005/a\\n\\377\\\"b"));
	/* The first byte that differs is number 512 of the block: 0 expected, 1 found. */
	assert_non_null(strstr(text, "expected    2200 *00*01"));
	assert_non_null(strstr(text, "found       2200 *01*02"));
	free(text);
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_finding_comes_back_whole, make_run, remove_run),
		cmocka_unit_test_setup_teardown(a_cut_line_costs_itself_alone, make_run, remove_run),
		cmocka_unit_test_setup_teardown(missing_dumps_are_admitted, make_run, remove_run),
		cmocka_unit_test_setup_teardown(no_file_means_no_finding, make_run, remove_run),
		cmocka_unit_test_setup_teardown(text_that_is_not_utf8_is_escaped, make_run, remove_run),
		cmocka_unit_test(it_reads_well),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
