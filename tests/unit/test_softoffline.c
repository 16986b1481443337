/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The softoffline injector on a made-up machine, and what the guard notes of poisoned frames, on a made-up
 * /proc/kpageflags: few kernels can do it. */
#include <errno.h>
#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "injectors/census.h"
#include "src/guard/poison.h"
#include "tests/unit/injection.h"

extern const struct injector injector_softoffline;

/* ---- the made-up machine: blocks 1 (offline), 2 and 3, of 64 frames ---- */

#define FRAMES 64U
#define ALL    (4 * FRAMES)

static struct {
	bool dirty[ALL], targets[ALL], poisoned[ALL];
	uint64_t refuses, keeps; /* frames that can't be taken, that don't come back */
	unsigned int taken, calls;
	bool dropping; /* pages are dropped, not migrated */
	char notes[1024];
} kernel;

uint64_t machine_memory_block_size(void)
{
	return FRAMES * (uint64_t)sysconf(_SC_PAGESIZE);
}

size_t machine_memory_blocks(struct memory_block *out, size_t room)
{
	for (unsigned int i = 1; i < 4; i++)
		out[i - 1] = (struct memory_block){.number = i, .online = i > 1};
	return 3;
}

int machine_soft_offline(struct machine *m, const uint64_t *pfn, unsigned int count, uint64_t limit)
{
	kernel.calls++;
	assert_in_range(count, 1, MACHINE_PAGES);
	for (unsigned int i = 0; i < count; i++) {
		assert_in_range(pfn[i], 2 * FRAMES, ALL - 1);
		assert_int_equal(pfn[i] / FRAMES, pfn[0] / FRAMES);
		assert_true(kernel.dirty[pfn[i]]);
		kernel.poisoned[pfn[i]] = pfn[i] != kernel.refuses;
		kernel.taken += pfn[i] != kernel.refuses;
	}
	return 0;
}

int machine_unpoison(struct machine *m, const uint64_t *pfn, unsigned int count, uint64_t limit)
{
	for (unsigned int i = 0; i < count; i++)
		kernel.poisoned[pfn[i]] &= pfn[i] == kernel.keeps;
	return 0;
}

void machine_note(struct machine *m, const char *who, const char *text)
{
	size_t used = strlen(kernel.notes);

	snprintf(kernel.notes + used, sizeof(kernel.notes) - used, "%s\n", text);
}

void census_open(struct census *c)
{
	*c = (struct census){1, 1};
}

void census_close(struct census *c)
{
}

uint64_t census_flags(const struct census *c, uint64_t pfn)
{
	return kernel.poisoned[pfn] ? 1ULL << KPF_HWPOISON : 0;
}

uint64_t census_cgroup(const struct census *c, uint64_t pfn)
{
	return kernel.targets[pfn] ? 7 : 3;
}

uint64_t machine_vmstat(const char *name)
{
	assert_string_equal(name, "pgmigrate_success");
	return kernel.dropping ? 0 : kernel.taken;
}

size_t census_find_dirty(const struct census *c, uint64_t cgroup, uint64_t first, uint64_t count,
			 uint64_t *out, size_t room)
{
	size_t found = 0;

	assert_true(first + count <= ALL);
	for (uint64_t pfn = first; pfn < first + count && found < room; pfn++) {
		if (kernel.dirty[pfn] && (!cgroup || kernel.targets[pfn]))
			out[found++] = pfn;
	}
	return found;
}

/* ---- one injection of it ---- */

static int begin(const char *arg, uint64_t cgroup)
{
	struct error e;

	memset(&kernel, 0, sizeof(kernel));
	for (unsigned int i = FRAMES; i < ALL; i += 2)
		kernel.dirty[i] = true;
	for (unsigned int i = FRAMES; i < ALL; i += 4)
		kernel.targets[i] = true;
	make_injection(&injector_softoffline, arg);
	params.value[0] = 10; /* batch */
	in.cgroup = cgroup;
	assert_int_equal(injector_softoffline.start(&in, &e), 0);
	return injector_softoffline.phase(&in, &e);
}

static unsigned int poisoned(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < ALL; i++)
		n += kernel.poisoned[i];
	return n;
}

static void pages_are_taken_and_given_back(void **state)
{
	assert_int_equal(begin("any", 7), 0);
	for (unsigned int i = 0; i < 100; i++) {
		assert_int_equal(injector_softoffline.step(&in), STEP_DONE);
		assert_int_equal(poisoned(), 0);
	}
	assert_true(kernel.taken > 300);
	assert_int_equal(atomic_load(&exposure.pages), kernel.taken);
	assert_in_range(atomic_load(&exposure.dirty), kernel.taken / 3, kernel.taken * 2 / 3);
	assert_int_equal(atomic_load(&exposure.unsure), 0);
	assert_string_equal(kernel.notes, "");
	injector_softoffline.finish(&in);
}

static void only_the_targets_pages_if_asked(void **state)
{
	assert_int_equal(begin("target", 0), -1);
	injector_softoffline.finish(&in);
	assert_int_equal(begin("target", 7), 0);
	for (unsigned int i = 0; i < ALL; i++)
		kernel.dirty[i] &= kernel.targets[i] || i < 2 * FRAMES;
	for (unsigned int i = 0; i < 20; i++)
		injector_softoffline.step(&in);
	assert_true(kernel.taken > 20);
	assert_int_equal(atomic_load(&exposure.dirty), kernel.taken);
	injector_softoffline.finish(&in);
}

static void what_may_have_been_dropped_is_unsure(void **state)
{
	assert_int_equal(begin("target", 7), 0);
	for (unsigned int i = 0; i < ALL; i++)
		kernel.dirty[i] &= kernel.targets[i] || i < 2 * FRAMES;
	kernel.dropping = true;
	for (unsigned int i = 0; i < 20; i++)
		injector_softoffline.step(&in);
	assert_true(kernel.taken > 20);
	assert_int_equal(atomic_load(&exposure.unsure), kernel.taken);
	injector_softoffline.finish(&in);
}

static void a_frame_that_refuses_does_not_count(void **state)
{
	assert_int_equal(begin("any", 0), 0);
	memset(kernel.dirty, 0, sizeof(kernel.dirty));
	kernel.refuses = ALL - 1;
	kernel.dirty[kernel.refuses] = true;
	for (unsigned int i = 0; i < 20; i++)
		assert_int_not_equal(injector_softoffline.step(&in), STEP_DONE);
	assert_int_equal(atomic_load(&exposure.pages), 0);
	assert_true(kernel.calls > 0);
	injector_softoffline.finish(&in);
}

static void without_dirty_pages_it_is_idle(void **state)
{
	assert_int_equal(begin("any", 0), 0);
	memset(kernel.dirty, 0, sizeof(kernel.dirty));
	assert_int_equal(injector_softoffline.step(&in), STEP_IDLE);
	assert_int_equal(kernel.calls, 0);
	injector_softoffline.finish(&in);
}

static void no_more_are_taken_when_one_stays(void **state)
{
	unsigned int calls;

	assert_int_equal(begin("any", 0), 0);
	kernel.keeps = 2 * FRAMES + 32;
	for (unsigned int i = 0; i < 200 && !poisoned(); i++)
		injector_softoffline.step(&in);
	assert_int_equal(poisoned(), 1);
	calls = kernel.calls;
	assert_int_equal(injector_softoffline.step(&in), STEP_IDLE);
	assert_int_equal(kernel.calls, calls);
	assert_string_equal(kernel.notes, "1 pages could not be given back: no more are taken\n");
	injector_softoffline.finish(&in);
}

/* ---- what the guard notes ---- */

static void poisoned_frames_are_listed(void **state)
{
	char path[] = "/tmp/recow-kpageflags-XXXXXX", list[64];
	static uint64_t flags[10000];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	memset(flags, 0, sizeof(flags));
	flags[7] = flags[4100] = flags[8191] = flags[8192] = 1ULL << KPF_HWPOISON | 1ULL << KPF_LRU;
	flags[9] = 1ULL << KPF_LRU | 1ULL << KPF_DIRTY;
	assert_int_equal(write(fd, flags, sizeof(flags)), sizeof(flags));
	assert_int_equal(poison_list(path, 0, 8192, "", list, sizeof(list)), 0);
	assert_string_equal(list, "7 1004 1fff");
	assert_int_equal(poison_list(path, 0, 8192, "1fff 7", list, sizeof(list)), 0);
	assert_string_equal(list, "1004");
	assert_int_equal(poison_list(path, 8, 4000, "", list, sizeof(list)), 0);
	assert_string_equal(list, "");
	assert_int_equal(poison_list(path, 0, 8192, "", list, 8), EFBIG);
	assert_int_equal(poison_list(path, 8192, 8192, "", list, sizeof(list)), EIO);
	assert_int_equal(poison_list("/nowhere", 0, 1, "", list, sizeof(list)), ENOENT);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_taken_and_given_back),
		cmocka_unit_test(only_the_targets_pages_if_asked),
		cmocka_unit_test(what_may_have_been_dropped_is_unsure),
		cmocka_unit_test(a_frame_that_refuses_does_not_count),
		cmocka_unit_test(without_dirty_pages_it_is_idle),
		cmocka_unit_test(no_more_are_taken_when_one_stays),
		cmocka_unit_test(poisoned_frames_are_listed),
	};

	return cmocka_run_group_tests_name("softoffline", tests, NULL, NULL);
}
