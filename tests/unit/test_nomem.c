/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nomem injector on a made-up kernel with fault injection: few kernels have it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/injection.h"

extern const struct injector injector_nomem;

/* ---- the made-up kernel: its settings as lib/fault-inject.c and mm/ make them ---- */

static struct file {
	const char *name, *first;
	char value[32];
} files[] = {
	{"failslab/probability", "0", ""},
	{"failslab/interval", "1", ""},
	{"failslab/times", "1", ""},
	{"failslab/space", "0", ""},
	{"failslab/verbose", "2", ""},
	{"failslab/task-filter", "N", ""},
	{"failslab/ignore-gfp-wait", "Y", ""},
	{"fail_page_alloc/probability", "0", ""},
	{"fail_page_alloc/interval", "7", ""},
	{"fail_page_alloc/times", "-1", ""},
	{"fail_page_alloc/space", "0", ""},
	{"fail_page_alloc/verbose", "2", ""},
	{"fail_page_alloc/task-filter", "Y", ""},
	{"fail_page_alloc/ignore-gfp-wait", "N", ""},
	{"fail_page_alloc/ignore-gfp-highmem", "Y", ""},
	{"fail_page_alloc/min-order", "1", ""},
};

static struct {
	const char *absent;  /* names that begin so are not there */
	const char *refuses; /* this one takes no value */
	char notes[1024];
} kernel;

static struct file *find_file(const char *path)
{
	const char debugfs[] = "/sys/kernel/debug/";

	assert_int_equal(strncmp(path, debugfs, strlen(debugfs)), 0);
	path += strlen(debugfs);
	if (kernel.absent && !strncmp(path, kernel.absent, strlen(kernel.absent)))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (!strcmp(files[i].name, path))
			return &files[i];
	}
	fail_msg("there is no %s", path);
	return NULL;
}

static const char *value_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (!strcmp(files[i].name, name))
			return files[i].value;
	}
	return "";
}

static bool may_fail_who_waits(void)
{
	return (strcmp(value_of("failslab/ignore-gfp-wait"), "Y") &&
		strcmp(value_of("failslab/probability"), "0")) ||
	       (strcmp(value_of("fail_page_alloc/ignore-gfp-wait"), "Y") &&
		strcmp(value_of("fail_page_alloc/probability"), "0"));
}

int machine_read(const char *path, char *buf, size_t len)
{
	const struct file *f = find_file(path);

	if (!f) {
		errno = ENOENT;
		return -1;
	}
	snprintf(buf, len, "%s", f->value);
	return 0;
}

int machine_read_setting(const char *path, char *buf, size_t len)
{
	return machine_read(path, buf, len);
}

int machine_set(struct machine *m, const char *path, const char *value, uint64_t limit)
{
	struct file *f = find_file(path);

	if (!f)
		return ENOENT;
	if (kernel.refuses && !strcmp(f->name, kernel.refuses))
		return EACCES;
	snprintf(f->value, sizeof(f->value), "%s", value);
	assert_false(may_fail_who_waits());
	return 0;
}

void machine_note(struct machine *m, const char *who, const char *text)
{
	size_t used = strlen(kernel.notes);

	snprintf(kernel.notes + used, sizeof(kernel.notes) - used, "%s\n", text);
}

/* As the kernel counts what failed. */
static void fails(const char *times, unsigned int count)
{
	char path[128];
	struct file *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s", times);
	f = find_file(path);
	snprintf(f->value, sizeof(f->value), "%ld", strtol(f->value, NULL, 10) - (long)count);
}

/* ---- one injection of it, in a phase that is over: it waits for nothing ---- */

static int begin(const char *arg, const char *absent, const char *refuses)
{
	struct error e;

	memset(&kernel, 0, sizeof(kernel));
	kernel.absent = absent;
	kernel.refuses = refuses;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		snprintf(files[i].value, sizeof(files[i].value), "%s", files[i].first);
	make_injection(&injector_nomem, arg);
	end_phase();
	assert_int_equal(injector_nomem.start(&in, &e), 0);
	return injector_nomem.phase(&in, &e);
}

/* All is as it was found. */
static void end(void)
{
	injector_nomem.rest(&in);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		assert_string_equal(files[i].value, files[i].first);
	injector_nomem.finish(&in);
}

static void what_fails_is_counted(void **state)
{
	assert_int_equal(begin("", NULL, NULL), 0);
	assert_string_equal(value_of("failslab/probability"), "10");
	assert_string_equal(value_of("fail_page_alloc/probability"), "10");
	assert_string_equal(value_of("fail_page_alloc/min-order"), "0");
	assert_string_equal(value_of("fail_page_alloc/task-filter"), "N");
	assert_int_equal(injector_nomem.step(&in), STEP_IDLE);
	fails("failslab/times", 3);
	assert_int_equal(injector_nomem.step(&in), STEP_DONE);
	assert_int_equal(injector_nomem.step(&in), STEP_IDLE);
	fails("fail_page_alloc/times", 2);
	fails("failslab/times", 40);
	assert_int_equal(injector_nomem.step(&in), STEP_DONE);
	end();
	assert_string_equal(kernel.notes, "refused 43 allocations of slab objects, 2 of pages\n");
}

static void one_kind_leaves_the_other_alone(void **state)
{
	assert_int_equal(begin("slab", NULL, NULL), 0);
	assert_string_equal(value_of("failslab/probability"), "10");
	assert_string_equal(value_of("fail_page_alloc/probability"), "0");
	end();
	assert_int_equal(begin("pages", NULL, NULL), 0);
	assert_string_equal(value_of("failslab/probability"), "0");
	assert_string_equal(value_of("fail_page_alloc/probability"), "10");
	end();
}

static void a_kernel_may_have_one_of_them(void **state)
{
	assert_int_equal(begin("both", "failslab/", NULL), 0);
	assert_string_equal(value_of("fail_page_alloc/probability"), "10");
	assert_string_equal(kernel.notes, "");
	end();
	assert_int_equal(begin("slab", "failslab/", NULL), -1);
	end();
}

/* Nothing at all, rather than that those fail who may wait: machine_set() above looks, too. */
static void who_may_wait_never_fails(void **state)
{
	assert_int_equal(begin("pages", NULL, "fail_page_alloc/ignore-gfp-wait"), -1);
	assert_string_equal(value_of("fail_page_alloc/probability"), "0");
	end();
	assert_int_equal(begin("both", NULL, "fail_page_alloc/ignore-gfp-wait"), 0);
	assert_string_equal(value_of("failslab/probability"), "10");
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fails_is_counted),
		cmocka_unit_test(one_kind_leaves_the_other_alone),
		cmocka_unit_test(a_kernel_may_have_one_of_them),
		cmocka_unit_test(who_may_wait_never_fails),
	};

	return cmocka_run_group_tests_name("nomem", tests, NULL, NULL);
}
