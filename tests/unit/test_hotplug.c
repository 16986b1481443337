/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hotplug injector on a made-up machine: blocks that agree or refuse, pages that move with them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "injectors/injector.h"
#include "src/base/clock.h"
#include "tests/unit/unit.h"

extern const struct injector injector_hotplug;

#define COUNT 40U
#define FULL  32768U /* pages in a block */

static struct {
	struct memory_block block[COUNT];
	uint64_t pages[COUNT];        /* what can be migrated */
	bool unmovable[COUNT];        /* refuses to go offline, always */
	bool stuck[COUNT];            /* refuses to come back, once */
	unsigned int attempts[COUNT]; /* to take it offline */
	unsigned int away, most_away, touched;
	bool ever[COUNT];
	uint64_t migrated, available;
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
	assert_string_equal(name, "pgmigrate_success");
	return machine.migrated;
}

uint64_t machine_meminfo_kib(const char *name)
{
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
		part = MIN(machine.pages[n], FULL - machine.pages[i]);
		machine.pages[i] += part;
		machine.pages[n] -= part;
	}
	machine.pages[n] = 0;
	machine.away++;
	machine.most_away = MAX(machine.most_away, machine.away);
	machine.touched += !machine.ever[n];
	machine.ever[n] = true;
	return 0;
}

int machine_memory_block(struct machine *m, unsigned int n, const char *state, uint64_t limit)
{
	assert_true(n < COUNT);
	assert_int_equal(limit, 2 * NSEC_PER_SEC);
	if (!strcmp(state, "offline"))
		return machine.block[n].online ? go_offline(n) : EINVAL;
	assert_string_equal(state, "online_movable");
	if (machine.block[n].online)
		return EINVAL;
	if (machine.stuck[n]) {
		machine.stuck[n] = false;
		return ENOMEM;
	}
	machine.away--;
	machine.block[n].online = true;
	strcpy(machine.block[n].zone, "Movable");
	return 0;
}

/* ---- one injection of it ---- */

static struct params params;
static struct exposure exposure;
static _Atomic uint32_t serial;
static _Atomic bool stop;
static struct injection in;

/* Block 0 belongs to no zone, 1-11 to DMA32, 12-19 are missing, the rest is Normal and refuses. */
static int set_up(void **state)
{
	struct error e;

	memset(&machine, 0, sizeof(machine));
	memset(&exposure, 0, sizeof(exposure));
	machine.available = 20 * GiB;
	for (unsigned int i = 0; i < COUNT; i++) {
		machine.block[i].number = i;
		machine.block[i].online = i < 12 || i >= 20;
		strcpy(machine.block[i].zone, i == 0 ? "none" : i < 12 ? "DMA32" : i < 20 ? "" : "Normal");
		machine.unmovable[i] = i >= 20;
	}
	assert_int_equal(params_init(&params, injector_hotplug.params, injector_hotplug.param_count, &e), 0);
	in = (struct injection){.name = "hotplug",
				.params = &params,
				.random = stream_make(1, 2, 3),
				.target = -1,
				.phase_arg = "",
				.exposure = &exposure,
				.serial_now = &serial,
				.stop = &stop};
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
		TEST(makes_four_blocks_movable), TEST(edges_of_a_zone_are_left_alone),
		TEST(full_blocks_are_a_ring),    TEST(empty_blocks_are_idle),
		TEST(attract_empties_all),       TEST(refusals_are_remembered),
		TEST(nothing_below_the_floor),   TEST(a_block_that_stays_away_is_fetched_later),
		TEST(no_block_is_no_start),
	};

	return cmocka_run_group_tests_name("hotplug", tests, NULL, NULL);
}
