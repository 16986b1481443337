/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hotplug injector on a made-up machine: blocks that agree or refuse, pages that move with them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "injectors/census.h"
#include "src/base/clock.h"
#include "tests/unit/injection.h"

extern const struct injector injector_hotplug;

#define COUNT 40U
#define FULL  32768U /* pages in a block */

static struct {
	struct memory_block block[COUNT];
	uint64_t pages[COUNT];        /* what can be migrated */
	uint64_t dirty[COUNT];        /* of them */
	uint64_t writeback;           /* in each block */
	uint64_t writes;              /* pages written out while a block goes offline */
	bool unmovable[COUNT];        /* refuses to go offline, always */
	bool stuck[COUNT];            /* refuses to come back, once */
	unsigned int attempts[COUNT]; /* to take it offline */
	unsigned int away, most_away, touched;
	bool ever[COUNT];
	uint64_t migrated, written, available, total;
	bool shown; /* the kernel shows what is dirty */
	char notes[8192];
} machine;

/* ---- takes the place of src/machine ---- */

void machine_note(struct machine *m, const char *who, const char *text)
{
	size_t used = strlen(machine.notes);

	snprintf(machine.notes + used, sizeof(machine.notes) - used, "%s\n", text);
}

uint64_t machine_vmstat(const char *name)
{
	if (!strcmp(name, "nr_written"))
		return machine.written;
	assert_string_equal(name, "pgmigrate_success");
	return machine.migrated;
}

uint64_t machine_meminfo_kib(const char *name)
{
	if (!strcmp(name, "MemTotal"))
		return machine.total / KiB;
	assert_string_equal(name, "MemAvailable");
	return machine.available / KiB;
}

uint64_t machine_memory_block_size(void)
{
	return 128 * MiB;
}

size_t machine_memory_blocks(struct memory_block *out, size_t room)
{
	assert_true(room >= COUNT);
	memcpy(out, machine.block, sizeof(machine.block));
	return COUNT;
}

/* ---- takes the place of injectors/census.c ---- */

void census_open(struct census *c)
{
}

void census_close(struct census *c)
{
}

int census_take(const struct census *c, uint64_t cgroup, uint64_t first, uint64_t count, unsigned int sample,
		struct census_count *out)
{
	assert_int_equal(count, FULL);
	assert_int_equal(first % FULL, 0);
	assert_true(first / FULL < COUNT);
	*out = (struct census_count){0};
	if (!machine.shown)
		return -1;
	out->cached = machine.pages[first / FULL];
	out->dirty = machine.dirty[first / FULL];
	out->writeback = machine.writeback;
	return 0;
}

/* ---- how blocks go and come ---- */

static uint64_t take_from(uint64_t *from, uint64_t part)
{
	part = MIN(part, *from);
	*from -= part;
	return part;
}

static int go_offline(unsigned int n)
{
	machine.attempts[n]++;
	if (machine.unmovable[n])
		return EIO;
	machine.block[n].online = false;
	machine.migrated += machine.pages[n];
	/* The pages move into the first movable block that has room, as they would on a real machine. */
	for (unsigned int i = 0; i < COUNT && machine.pages[n]; i++) {
		uint64_t part;

		if (!machine.block[i].online || strcmp(machine.block[i].zone, "Movable") != 0)
			continue;
		part = take_from(&machine.pages[n], FULL - machine.pages[i]);
		machine.pages[i] += part;
		machine.dirty[i] += take_from(&machine.dirty[n], part);
	}
	machine.pages[n] = machine.dirty[n] = 0;
	machine.written += machine.writes;
	machine.available -= 128 * MiB;
	machine.away++;
	machine.most_away = MAX(machine.most_away, machine.away);
	machine.touched += !machine.ever[n];
	machine.ever[n] = true;
	return 0;
}

static const char *kernel_zone(unsigned int n)
{
	return n == 0 ? "none" : n < 12 ? "DMA32" : n < 20 ? "" : "Normal";
}

int machine_memory_block(struct machine *m, unsigned int n, const char *state, uint64_t limit)
{
	assert_true(n < COUNT);
	assert_int_equal(limit, 2 * NSEC_PER_SEC);
	if (!strcmp(state, "offline"))
		return machine.block[n].online ? go_offline(n) : EINVAL;
	if (machine.block[n].online)
		return EINVAL;
	if (machine.stuck[n]) {
		machine.stuck[n] = false;
		return ENOMEM;
	}
	machine.away--;
	machine.available += 128 * MiB;
	machine.block[n].online = true;
	if (strcmp(state, "online_movable") != 0)
		assert_string_equal(state, "online_kernel");
	strcpy(machine.block[n].zone, !strcmp(state, "online_movable") ? "Movable" : kernel_zone(n));
	return 0;
}

/* ---- one injection of it ---- */

/* Block 0 belongs to no zone, 1-11 to DMA32, 12-19 are missing, the rest is Normal and refuses. */
static int set_up(void **state)
{
	memset(&machine, 0, sizeof(machine));
	machine.available = 20 * GiB;
	machine.total = 24 * GiB;
	for (unsigned int i = 0; i < COUNT; i++) {
		machine.block[i].number = i;
		machine.block[i].online = i < 12 || i >= 20;
		strcpy(machine.block[i].zone, kernel_zone(i));
		machine.unmovable[i] = i >= 20;
	}
	make_injection(&injector_hotplug, "");
	return 0;
}

static int tear_down(void **state)
{
	injector_hotplug.finish(&in);
	return 0;
}

static void begin(const char *arg)
{
	struct error e;

	in.phase_arg = arg;
	assert_int_equal(injector_hotplug.start(&in, &e), 0);
	assert_int_equal(injector_hotplug.phase(&in, &e), 0);
}

static unsigned int movable(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < COUNT; i++)
		n += machine.block[i].online && !strcmp(machine.block[i].zone, "Movable");
	return n;
}

/* Put `pages` into each movable block. */
static void load(uint64_t pages)
{
	for (unsigned int i = 0; i < COUNT; i++) {
		if (!strcmp(machine.block[i].zone, "Movable"))
			machine.pages[i] = pages;
	}
}

static void makes_four_blocks_movable(void **state)
{
	begin("");
	assert_int_equal(movable(), 4);
	assert_int_equal(machine.away, 0);
	assert_int_equal(machine.most_away, 1);
}

static void edges_of_a_zone_are_left_alone(void **state)
{
	params.value[0] = 30; /* blocks: more than agree */
	begin("");
	assert_int_equal(movable(), 9);
	assert_int_equal(machine.attempts[0], 0);
	assert_int_equal(machine.attempts[1], 0);
	assert_int_equal(machine.attempts[11], 0);
}

static void full_blocks_are_a_ring(void **state)
{
	begin("");
	load(FULL);
	/* The first step frees one block; from then on each moves a whole block into the one before. */
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(injector_hotplug.step(&in), STEP_DONE);
	assert_int_equal(atomic_load(&exposure.pages), 20 * FULL);
	assert_int_equal(machine.touched, 4);
	assert_int_equal(machine.away, 0);
}

static void empty_blocks_are_idle(void **state)
{
	begin("");
	assert_int_equal(injector_hotplug.step(&in), STEP_IDLE);
	assert_non_null(strstr(in.idle_reason, "nothing to move"));
}

static void attract_empties_all(void **state)
{
	struct error e;
	unsigned int before;

	begin("attract");
	load(FULL);
	assert_int_equal(injector_hotplug.phase(&in, &e), 0);
	for (unsigned int i = 0; i < COUNT; i++)
		assert_int_equal(machine.pages[i], 0);
	assert_int_equal(machine.most_away, 4);
	assert_int_equal(movable(), 4);
	before = (unsigned int)machine.migrated;
	load(FULL);
	assert_int_equal(injector_hotplug.step(&in), STEP_IDLE);
	assert_int_equal(machine.migrated, before);
}

/* Numbers of the movable blocks, in their order. */
static void list_movable(unsigned int number[4])
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < COUNT; i++) {
		if (!strcmp(machine.block[i].zone, "Movable") && n < 4)
			number[n++] = i;
	}
	assert_int_equal(n, 4);
}

static void the_dirtiest_block_goes(void **state)
{
	unsigned int number[4], before;

	begin("cycle");
	load(FULL);
	machine.shown = true;
	list_movable(number);
	machine.dirty[number[1]] = 900;
	machine.dirty[number[2]] = 2000;
	machine.dirty[number[3]] = 400;
	before = machine.attempts[number[2]];
	assert_int_equal(injector_hotplug.step(&in), STEP_DONE);
	assert_int_equal(machine.attempts[number[2]], before + 1);
	assert_int_equal(atomic_load(&exposure.dirty), 2000);
}

static void blocks_with_much_dirty_take_turns(void **state)
{
	unsigned int number[4], before[4];

	begin("cycle");
	machine.shown = true;
	list_movable(number);
	for (unsigned int i = 0; i < 4; i++) {
		before[i] = machine.attempts[number[i]];
		machine.pages[number[i]] = FULL;
		machine.dirty[number[i]] = i ? FULL / 2 + i : 10;
	}
	/* One after another; none of them twice before the others had their turn. */
	for (unsigned int i = 0; i < 12; i++)
		assert_int_equal(injector_hotplug.step(&in), STEP_DONE);
	for (unsigned int i = 1; i < 4; i++)
		assert_true(machine.attempts[number[i]] >= before[i] + 2);
	assert_int_equal(machine.away, 0);
}

static void drain_drives_the_same_pages(void **state)
{
	unsigned int number[4];

	begin("drain");
	load(FULL / 2);
	machine.shown = true;
	list_movable(number);
	machine.dirty[number[3]] = FULL / 2;
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(injector_hotplug.step(&in), STEP_DONE);
		assert_int_equal(machine.away, 1);
	}
	assert_int_equal(atomic_load(&exposure.dirty), 10 * (FULL / 2));
	injector_hotplug.rest(&in);
	assert_int_equal(machine.away, 0);
	assert_int_equal(movable(), 4);
}

static void dirty_is_counted_at_least(void **state)
{
	unsigned int number[4];

	begin("cycle");
	machine.shown = true;
	list_movable(number);
	machine.pages[number[0]] = 700;
	machine.dirty[number[0]] = 900; /* 200 of them dropped before they could move */
	machine.writes = 300;
	assert_int_equal(injector_hotplug.step(&in), STEP_DONE);
	assert_int_equal(atomic_load(&exposure.dirty), 400);
	assert_int_equal(atomic_load(&exposure.unsure), 300);
	machine.writes = 5000;
	injector_hotplug.step(&in);
	assert_int_equal(atomic_load(&exposure.dirty), 400);
	assert_int_equal(atomic_load(&exposure.unsure), 1000);
}

static void writeback_is_counted_when_it_moved(void **state)
{
	unsigned int number[4];

	begin("cycle");
	machine.shown = true;
	list_movable(number);
	machine.writeback = 50;
	machine.pages[number[0]] = 30; /* the others were dropped */
	machine.dirty[number[0]] = 30;
	assert_int_equal(injector_hotplug.step(&in), STEP_DONE);
	assert_int_equal(atomic_load(&exposure.writeback), 30);
}

/* Steps of "squeeze" until memory is at the floor; more than are needed. */
static void squeeze_down(void)
{
	for (unsigned int i = 0; i < 40; i++)
		injector_hotplug.step(&in);
}

static void squeeze_takes_all_but_the_floor(void **state)
{
	struct memory_block before[COUNT];

	for (unsigned int i = 20; i < COUNT; i++)
		machine.unmovable[i] = i % 2;
	machine.available = 4 * GiB;
	begin("squeeze");
	memcpy(before, machine.block, sizeof(before));
	load(FULL);
	squeeze_down();
	/* 5 of DMA32 and 10 of Normal agree: 15 blocks of 128 MiB. */
	assert_int_equal(machine.away, 15);
	assert_true(machine.available >= 2 * GiB);
	assert_int_equal(movable(), 4);
	injector_hotplug.rest(&in);
	assert_int_equal(machine.away, 0);
	assert_memory_equal(before, machine.block, sizeof(before));
}

static void squeeze_stops_at_the_floor_and_gives_back(void **state)
{
	memset(machine.unmovable, 0, sizeof(machine.unmovable));
	machine.available = 3 * GiB;
	begin("squeeze");
	load(FULL);
	squeeze_down();
	assert_int_equal(machine.away, 7);
	assert_true(machine.available >= 2 * GiB + 128 * MiB);
	/* Somebody else takes 300 MiB. */
	machine.available -= 300 * MiB;
	squeeze_down();
	assert_true(machine.available >= 2 * GiB);
	assert_in_range(machine.away, 4, 6);
}

static void the_floor_of_the_run_holds_too(void **state)
{
	memset(machine.unmovable, 0, sizeof(machine.unmovable));
	machine.available = 4 * GiB;
	in.memory_floor = 3 * GiB; /* above the injector's own */
	begin("squeeze");
	load(FULL);
	squeeze_down();
	assert_true(machine.away > 0);
	assert_true(machine.available >= 3 * GiB);
}

static void refusals_are_remembered(void **state)
{
	unsigned int tried = 0;

	/* Only two blocks of DMA32 agree; the others and Normal refuse. */
	for (unsigned int i = 0; i < 12; i++)
		machine.unmovable[i] = i != 4 && i != 7;
	params.value[0] = 3;
	begin("");
	assert_int_equal(movable(), 2);
	load(FULL);
	for (unsigned int i = 0; i < 200; i++)
		injector_hotplug.step(&in);
	assert_true(atomic_load(&exposure.pages) > 100 * (uint64_t)FULL);
	for (unsigned int i = 0; i < COUNT; i++) {
		if (!machine.unmovable[i])
			continue;
		assert_true(machine.attempts[i] <= 1);
		tried += machine.attempts[i];
	}
	assert_int_equal(tried, 27); /* 7 in DMA32, 20 in Normal: each once */
	assert_non_null(strstr(machine.notes, "refused to go offline: Input/output error"));
}

static void nothing_below_the_floor(void **state)
{
	struct error e;

	machine.available = 2 * GiB + 127 * MiB;
	assert_int_equal(injector_hotplug.start(&in, &e), 0);
	assert_int_equal(injector_hotplug.phase(&in, &e), -1);
	assert_int_equal(machine.touched, 0);
	machine.available = 2 * GiB + 128 * MiB;
	assert_int_equal(injector_hotplug.phase(&in, &e), 0);
	assert_int_equal(machine.touched, 4);
	machine.available = GiB;
	load(FULL);
	assert_int_equal(injector_hotplug.step(&in), STEP_IDLE);
	assert_non_null(strstr(in.idle_reason, "floor"));
}

static void a_small_machine_keeps_a_quarter(void **state)
{
	struct error e;

	machine.total = 2 * GiB;
	machine.available = 512 * MiB + 127 * MiB;
	assert_int_equal(injector_hotplug.start(&in, &e), 0);
	assert_int_equal(injector_hotplug.phase(&in, &e), -1);
	assert_non_null(strstr(e.text, "below the floor of 512 MiB"));
	machine.available = 512 * MiB + 128 * MiB;
	assert_int_equal(injector_hotplug.phase(&in, &e), 0);
	assert_int_equal(machine.touched, 4);
}

static void a_block_that_stays_away_is_fetched_later(void **state)
{
	begin("");
	load(FULL);
	for (unsigned int i = 0; i < COUNT; i++)
		machine.stuck[i] = true;
	assert_int_equal(injector_hotplug.step(&in), STEP_REFUSED);
	assert_int_equal(machine.away, 1);
	injector_hotplug.rest(&in);
	assert_int_equal(machine.away, 0);
	assert_int_equal(movable(), 4);
}

static void no_block_is_no_start(void **state)
{
	struct error e;

	for (unsigned int i = 0; i < COUNT; i++)
		strcpy(machine.block[i].zone, "none");
	assert_int_equal(injector_hotplug.start(&in, &e), -1);
	assert_int_equal(e.exit, EXIT_CANNOT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_four_blocks_movable),
		TEST(edges_of_a_zone_are_left_alone),
		TEST(full_blocks_are_a_ring),
		TEST(empty_blocks_are_idle),
		TEST(attract_empties_all),
		TEST(refusals_are_remembered),
		TEST(nothing_below_the_floor),
		TEST(a_small_machine_keeps_a_quarter),
		TEST(a_block_that_stays_away_is_fetched_later),
		TEST(no_block_is_no_start),
		TEST(the_dirtiest_block_goes),
		TEST(blocks_with_much_dirty_take_turns),
		TEST(drain_drives_the_same_pages),
		TEST(dirty_is_counted_at_least),
		TEST(writeback_is_counted_when_it_moved),
		TEST(squeeze_takes_all_but_the_floor),
		TEST(squeeze_stops_at_the_floor_and_gives_back),
		TEST(the_floor_of_the_run_holds_too),
	};

	return cmocka_run_group_tests_name("hotplug", tests, NULL, NULL);
}
