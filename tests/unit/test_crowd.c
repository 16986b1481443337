/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What compaction and pressure are made of, on a made-up machine: how much is taken and what is left, how
 * single pages are held, when a squeeze is lifted. The memory of arenas is real, some MiB of it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "injectors/arena.h"
#include "injectors/ballast.h"
#include "injectors/fragmenter.h"
#include "injectors/setting.h"
#include "injectors/squeeze.h"
#include "src/base/clock.h"
#include "tests/unit/unit.h"

#define HUGE (2 * MiB)

/* ---- takes the place of src/machine ---- */

static struct {
	uint64_t available, free; /* bytes, without the pool */
	uint64_t pool, most;      /* huge pages; the pool never gets beyond `most` */
	char set[8][160];         /* "path value", the last ones */
	unsigned int sets;
	int refuse; /* errno of any change of a setting */
	uint64_t usage, file, dirty, under_oom;
	uint64_t growth; /* of what can't be given, with each look */
	char notes[2048];
} machine;

void machine_note(struct machine *m, const char *who, const char *text)
{
	size_t used = strlen(machine.notes);

	snprintf(machine.notes + used, sizeof(machine.notes) - used, "%s\n", text);
}

int machine_set(struct machine *m, const char *path, const char *value, uint64_t limit)
{
	snprintf(machine.set[machine.sets++ % 8], sizeof(machine.set[0]), "%s %s", path, value);
	if (machine.refuse)
		return machine.refuse;
	if (!strcmp(path, "/proc/sys/vm/nr_hugepages"))
		machine.pool = MIN(strtoull(value, NULL, 10), machine.most);
	return 0;
}

int machine_read(const char *path, char *buf, size_t len)
{
	if (strstr(path, "nr_hugepages")) {
		snprintf(buf, len, "%lu", machine.pool);
	} else if (strstr(path, "usage_in_bytes")) {
		snprintf(buf, len, "%lu", machine.usage);
		machine.usage += machine.growth;
	} else {
		snprintf(buf, len, "5");
	}
	return 0;
}

int machine_read_setting(const char *path, char *buf, size_t len)
{
	if (strstr(path, "absent")) {
		errno = ENOENT;
		return -1;
	}
	snprintf(buf, len, "madvise");
	return 0;
}

uint64_t machine_meminfo_kib(const char *name)
{
	if (!strcmp(name, "Hugepagesize"))
		return HUGE / KiB;
	return ((!strcmp(name, "MemFree") ? machine.free : machine.available) - machine.pool * HUGE) / KiB;
}

uint64_t machine_counter(const char *path, const char *name)
{
	if (!strcmp(name, "under_oom"))
		return machine.under_oom;
	if (!strcmp(name, "inactive_file"))
		return machine.file;
	return strcmp(name, "dirty") ? 0 : machine.dirty;
}

static _Atomic uint32_t serial;
static _Atomic bool stop;
static struct injection in = {.name = "test", .serial_now = &serial, .stop = &stop, .cgroup_dir = ""};

static int set_up(void **state)
{
	memset(&machine, 0, sizeof(machine));
	machine.available = 20 * GiB;
	machine.free = 18 * GiB;
	machine.most = 1 << 20;
	return 0;
}

/* ---- ballast ---- */

static void only_free_memory_above_what_is_left_is_taken(void **state)
{
	const struct ballast b = {.page = HUGE, .held = 10}, none = {.page = 0, .held = 10};

	assert_int_equal(ballast_change(&b, 3 * GiB, 3 * GiB, GiB), 1024);
	/* Much is available, little is free: the cache is not pushed out. */
	assert_int_equal(ballast_change(&b, 3 * GiB, 356 * MiB, GiB), 50);
	assert_int_equal(ballast_change(&b, 3 * GiB, 100 * MiB, GiB), 0);
	/* Nearly there: not worth a change. */
	assert_int_equal(ballast_change(&b, GiB + 63 * MiB, GiB, GiB), 0);
	assert_int_equal(ballast_change(&b, GiB, GiB, GiB), 0);
	/* Too little is left: give back, but no more than is held. */
	assert_int_equal(ballast_change(&b, GiB - 1, GiB, GiB), -1);
	assert_int_equal(ballast_change(&b, GiB - 5 * MiB, GiB, GiB), -3);
	assert_int_equal(ballast_change(&b, 0, 0, GiB), -10);
	assert_int_equal(ballast_change(&none, 3 * GiB, 3 * GiB, GiB), 0);
}

static void the_pool_grows_and_comes_back(void **state)
{
	struct ballast b = {.page = HUGE};

	machine.pool = 7;
	ballast_settle(&in, &b, 2 * GiB);
	assert_true(b.held > 0);
	assert_int_equal(machine.pool, 7 + b.held);
	assert_in_range(memory_available(), 2 * GiB, 2 * GiB + 600 * MiB);
	machine.available -= GiB;
	ballast_settle(&in, &b, 2 * GiB);
	assert_true(memory_available() >= 2 * GiB);
	ballast_drop(&in, &b);
	assert_int_equal(machine.pool, 7);
	assert_int_equal(b.held, 0);
}

static void a_pool_that_stops_short_is_counted_as_it_is(void **state)
{
	struct ballast b = {.page = HUGE};

	machine.pool = 3;
	machine.most = 50;
	ballast_settle(&in, &b, 2 * GiB);
	assert_int_equal(b.held, 47);
	ballast_add(&in, &b, -1000);
	assert_int_equal(machine.pool, 3);
}

static void a_pool_that_is_read_only_is_named_once(void **state)
{
	struct ballast b = {.page = HUGE};
	unsigned int sets;

	machine.refuse = EROFS;
	ballast_settle(&in, &b, 2 * GiB);
	assert_non_null(strstr(machine.notes, "nr_hugepages: Read-only file system"));
	sets = machine.sets;
	ballast_settle(&in, &b, 2 * GiB);
	ballast_drop(&in, &b);
	assert_int_equal(machine.sets, sets);
}

/* ---- single pages ---- */

static bool resident(void *page)
{
	unsigned char there = 0;

	return !mincore(page, 4096, &there) && (there & 1);
}

/* How many pieces are there, and how many neighbours both are or both are not. */
static uint64_t count_pieces(const struct fragmenter *f, uint64_t *pairs)
{
	uint64_t count = 0;

	*pairs = 0;
	for (uint64_t i = 0; i < f->taken; i++) {
		count += f->piece[i] != NULL;
		*pairs += i % 2 && !f->piece[i] == !f->piece[i - 1];
		if (f->piece[i])
			assert_true(resident(f->piece[i]));
	}
	return count;
}

static void every_other_page_is_held(void **state)
{
	struct fragmenter f;
	uint64_t pages = 40 * MiB / 4096, pairs;

	assert_int_equal(fragmenter_open(&f, 40 * MiB), 0);
	assert_int_equal(fragmenter_held(&f), 0);
	assert_true(fragmenter_fill(&f));
	assert_int_equal(count_pieces(&f, &pairs), pages / 2);
	assert_int_equal(pairs, 0);
	assert_int_equal(fragmenter_held(&f), 20 * MiB);
	fragmenter_close(&f);
}

/* What was held is freed and what was free is held, since only pages that are taken anew lie elsewhere. */
static void mixing_changes_which(void **state)
{
	struct fragmenter f;
	uint64_t pages = 16 * MiB / 4096, pairs;
	bool first;

	assert_int_equal(fragmenter_open(&f, 16 * MiB), 0);
	fragmenter_fill(&f);
	for (unsigned int i = 0; i < 3; i++) {
		first = f.piece[0] != NULL;
		fragmenter_mix(&f);
		assert_int_equal(f.piece[0] != NULL, !first);
		assert_int_equal(count_pieces(&f, &pairs), pages / 2);
		assert_int_equal(pairs, 0);
	}
	fragmenter_yield(&f);
	assert_int_equal(fragmenter_held(&f), 0);
	assert_false(f.scattered);
	assert_true(fragmenter_fill(&f));
	fragmenter_close(&f);
}

static uint64_t process_pages(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	uint64_t size = 0, pages = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu %lu", &size, &pages), 2);
	fclose(file);
	return pages;
}

static void purged_memory_is_the_kernels(void **state)
{
	struct arena *a = arena_open(MiB, 32 * MiB, ARENA_ANY_PAGES);
	uint64_t before = process_pages(), full;
	void *piece[32];

	assert_non_null(a);
	for (unsigned int i = 0; i < 32; i++) {
		piece[i] = arena_take(a);
		assert_non_null(piece[i]);
		assert_int_equal((uintptr_t)piece[i] % MiB, 0);
		memset(piece[i], 1, MiB);
	}
	full = process_pages();
	assert_true(full >= before + 32 * 256);
	for (unsigned int i = 0; i < 32; i++)
		arena_give(a, piece[i]);
	arena_purge(a);
	assert_true(process_pages() + 31 * 256 < full);
	arena_close(a);
}

/* ---- the squeeze ---- */

static void a_limit_takes_clean_cache_only(void **state)
{
	struct squeeze_usage u = {.all = 1000 * MiB, .cache = 600 * MiB, .busy = 200 * MiB};

	/* 400 MiB are clean; a quarter of them stays. */
	assert_int_equal(squeeze_limit(&u, 25), 700 * MiB);
	assert_int_equal(squeeze_limit(&u, 100), 0);
	/* Of little cache SQUEEZE_ROOM stays, whatever the share. */
	assert_int_equal(squeeze_limit(&u, 1), 600 * MiB + SQUEEZE_ROOM);
	u.busy = u.cache;
	assert_int_equal(squeeze_limit(&u, 25), 0);
	u = (struct squeeze_usage){0};
	assert_int_equal(squeeze_limit(&u, 25), 0);
}

/* Whatever the cgroup holds, a limit is never below what it can't give and some room. */
static void a_limit_always_leaves_room(void **state)
{
	struct stream s = stream_make(1, 2, 3);

	for (unsigned int i = 0; i < 100000; i++) {
		struct squeeze_usage u = {.all = stream_log(&s, 1, 64 * GiB)};
		uint64_t limit;

		u.cache = stream_below(&s, u.all + 1);
		u.busy = stream_below(&s, u.cache + 1);
		limit = squeeze_limit(&u, stream_range(&s, 1, 100));
		assert_true(!limit || limit >= u.all - u.cache + u.busy + SQUEEZE_ROOM);
		assert_true(limit < u.all || !limit);
		assert_false(limit && squeeze_tight(&u, limit));
	}
}

static void begin_squeeze(struct squeeze *s)
{
	*s = (struct squeeze){
		.limit = "/c/limit", .usage = "/c/usage_in_bytes", .stat = "/c/stat", .oom = "/c/oom"};
	strcpy(s->found, "9223372036854771712");
	machine.usage = 500 * MiB;
	machine.file = 400 * MiB;
}

static void a_squeeze_is_lifted(void **state)
{
	struct squeeze s;
	uint64_t begin = clock_mono();

	begin_squeeze(&s);
	assert_int_equal(squeeze_once(&in, &s, 25, 50 * NSEC_PER_MSEC), STEP_DONE);
	assert_true(clock_mono() - begin >= 50 * NSEC_PER_MSEC);
	assert_string_equal(machine.set[0], "/c/limit 209715200");
	assert_string_equal(machine.set[1], "/c/limit 9223372036854771712");
}

static void a_squeeze_ends_early_when_memory_runs_short(void **state)
{
	struct squeeze s;
	uint64_t begin = clock_mono();

	begin_squeeze(&s);
	machine.growth = 10 * MiB;
	squeeze_once(&in, &s, 25, 20 * NSEC_PER_SEC);
	begin_squeeze(&s);
	machine.growth = 0;
	machine.under_oom = 1;
	squeeze_once(&in, &s, 25, 20 * NSEC_PER_SEC);
	assert_true(clock_mono() - begin < 5 * NSEC_PER_SEC);
	assert_string_equal(machine.set[3], "/c/limit 9223372036854771712");
}

static void a_squeeze_that_was_refused_is_lifted_too(void **state)
{
	struct squeeze s;

	begin_squeeze(&s);
	machine.refuse = EBUSY;
	assert_int_equal(squeeze_once(&in, &s, 25, NSEC_PER_SEC), STEP_REFUSED);
	assert_int_equal(machine.sets, 2);
	machine.file = 0;
	assert_int_equal(squeeze_once(&in, &s, 25, NSEC_PER_SEC), STEP_IDLE);
	assert_int_equal(machine.sets, 2);
}

static void no_cgroup_no_squeeze(void **state)
{
	struct squeeze s;

	assert_int_equal(squeeze_open(&in, &s), ENOENT);
}

/* ---- settings ---- */

static void settings_are_held_and_let_go(void **state)
{
	struct setting s[] = {{.path = "/a", .value = "1"}, {.path = "/absent", .value = "2"}};

	settings_find(&in, s, ARRAY_SIZE(s));
	assert_string_equal(machine.notes,
			    "cannot read /absent: No such file or directory; it stays as it is\n");
	settings_hold(&in, s, ARRAY_SIZE(s));
	settings_let_go(&in, s, ARRAY_SIZE(s));
	assert_int_equal(machine.sets, 2);
	assert_string_equal(machine.set[0], "/a 1");
	assert_string_equal(machine.set[1], "/a madvise");
	machine.refuse = EACCES;
	settings_hold(&in, s, ARRAY_SIZE(s));
	settings_hold(&in, s, ARRAY_SIZE(s));
	assert_int_equal(machine.sets, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(only_free_memory_above_what_is_left_is_taken, set_up),
		cmocka_unit_test_setup(the_pool_grows_and_comes_back, set_up),
		cmocka_unit_test_setup(a_pool_that_stops_short_is_counted_as_it_is, set_up),
		cmocka_unit_test_setup(a_pool_that_is_read_only_is_named_once, set_up),
		cmocka_unit_test_setup(every_other_page_is_held, set_up),
		cmocka_unit_test_setup(mixing_changes_which, set_up),
		cmocka_unit_test_setup(purged_memory_is_the_kernels, set_up),
		cmocka_unit_test_setup(a_limit_takes_clean_cache_only, set_up),
		cmocka_unit_test_setup(a_limit_always_leaves_room, set_up),
		cmocka_unit_test_setup(a_squeeze_is_lifted, set_up),
		cmocka_unit_test_setup(a_squeeze_ends_early_when_memory_runs_short, set_up),
		cmocka_unit_test_setup(a_squeeze_that_was_refused_is_lifted_too, set_up),
		cmocka_unit_test_setup(no_cgroup_no_squeeze, set_up),
		cmocka_unit_test_setup(settings_are_held_and_let_go, set_up),
	};

	return cmocka_run_group_tests_name("crowded memory", tests, NULL, NULL);
}
