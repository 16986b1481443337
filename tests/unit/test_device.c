/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device injector on a made-up machine, and the tables that the guard makes for it. On a kernel with a
 * device mapper both are run by tests/integration/71-devices.test, in a guest. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/guard/table.h"
#include "src/target/mapping.h"
#include "tests/unit/injection.h"

extern const struct injector injector_device;

/* ---- the made-up machine ---- */

static struct {
	struct machine_way last;
	unsigned int asked[WAY_HOLD + 1];
	unsigned int most_read, most_write;
	uint64_t longest, held;
	int refuses_delay; /* errno, 0: it doesn't */
	char notes[1024];
} machine;

int machine_mapping(struct machine *m, const struct machine_way *way)
{
	machine.last = *way;
	machine.asked[way->kind]++;
	if (way->kind == WAY_DELAY) {
		machine.most_read = MAX(machine.most_read, way->read_ms);
		machine.most_write = MAX(machine.most_write, way->write_ms);
		assert_true(way->read_ms || way->write_ms);
		return machine.refuses_delay;
	}
	if (way->kind == WAY_HOLD) {
		assert_true(way->hold_ns);
		machine.longest = MAX(machine.longest, way->hold_ns);
		machine.held += way->hold_ns;
	}
	return 0;
}

void machine_note(struct machine *m, const char *who, const char *text)
{
	size_t used = strlen(machine.notes);

	snprintf(machine.notes + used, sizeof(machine.notes) - used, "%s\n", text);
}

/* ---- one injection of it, in a phase that is over: it waits for nothing ---- */

static void begin(const char *arg)
{
	struct error e;

	memset(&machine, 0, sizeof(machine));
	make_injection(&injector_device, arg);
	params.value[0] = 30 * NSEC_PER_MSEC; /* hold */
	params.value[1] = 8 * NSEC_PER_MSEC;  /* delay */
	end_phase();
	assert_int_equal(injector_device.start(&in, &e), 0);
	assert_int_equal(injector_device.phase(&in, &e), 0);
}

static void step(unsigned int times, enum step expected)
{
	for (unsigned int i = 0; i < times; i++)
		assert_int_equal(injector_device.step(&in), expected);
}

static void end(void)
{
	injector_device.rest(&in);
	assert_int_equal(machine.last.kind, WAY_PLAIN);
	injector_device.finish(&in);
}

static void it_stands_still_as_long_as_is_allowed(void **state)
{
	char said[128];

	begin("hold");
	step(300, STEP_DONE);
	assert_int_equal(machine.asked[WAY_HOLD], 300);
	assert_int_equal(machine.asked[WAY_DELAY] + machine.asked[WAY_PLAIN], 0);
	assert_int_equal(machine.longest, 30 * NSEC_PER_MSEC);
	snprintf(said, sizeof(said), "it stood still 300 times, %llu ms in all, and was slow 0 times\n",
		 (unsigned long long)(machine.held / NSEC_PER_MSEC));
	end();
	assert_string_equal(machine.notes, said);
}

static void it_is_slow_up_to_the_limit(void **state)
{
	begin("slow");
	step(300, STEP_DONE);
	assert_int_equal(machine.asked[WAY_DELAY], 300);
	assert_int_equal(machine.asked[WAY_HOLD] + machine.asked[WAY_PLAIN], 0);
	assert_int_equal(machine.most_read, 8);
	assert_int_equal(machine.most_write, 8);
	end();
}

static void mixed_does_all_of_it(void **state)
{
	begin("");
	step(300, STEP_DONE);
	for (unsigned int way = 0; way < ARRAY_SIZE(machine.asked); way++)
		assert_in_range(machine.asked[way], 30, 200);
	end();
}

static void without_dm_delay_it_only_stands_still(void **state)
{
	begin("slow");
	machine.refuses_delay = EINVAL;
	step(1, STEP_REFUSED);
	step(5, STEP_IDLE);
	assert_int_equal(machine.asked[WAY_DELAY], 1);
	assert_non_null(strstr(in.idle_reason, "dm-delay"));
	assert_string_equal(machine.notes, "the device refuses to be slow: Invalid argument\n");
	in.phase_arg = "hold";
	step(5, STEP_DONE);
	end();
}

static void a_passing_refusal_is_no_last_word(void **state)
{
	begin("slow");
	machine.refuses_delay = ENOMEM;
	step(3, STEP_REFUSED);
	machine.refuses_delay = 0;
	step(3, STEP_DONE);
	end();
}

/* ---- what the guard makes of it ---- */

static void becomes(const char *present, struct machine_way way, const char *expected)
{
	char table[MAPPING_TABLE];

	assert_int_equal(table_for(present, &way, table, sizeof(table)), 0);
	assert_string_equal(table, expected);
}

static void tables_lead_to_the_same_place(void **state)
{
	const struct machine_way plain = {.kind = WAY_PLAIN};
	const struct machine_way slow = {.kind = WAY_DELAY, .read_ms = 5, .write_ms = 20};
	const struct machine_way errors = {.kind = WAY_ERRORS}, writes = {.kind = WAY_WRITE_ERRORS},
				 drop = {.kind = WAY_DROP};
	const char linear[] = "0 4194304 linear 7:3 2048", delay[] = "0 4194304 delay 7:3 2048 5 7:3 2048 20";

	becomes(linear, slow, delay);
	becomes(delay, plain, linear);
	becomes(delay, slow, delay);
	becomes(linear, plain, linear);
	becomes(linear, errors, "0 4194304 error ");
	becomes(delay, writes, "0 4194304 flakey 7:3 2048 0 1 1 error_writes");
	becomes(linear, drop, "0 4194304 flakey 7:3 2048 0 1 1 drop_writes");
}

static void what_is_no_table_of_ours_is_left_alone(void **state)
{
	static const char *const others[] = {"", "0 4194304 linear", "0 4194304 error ",
					     "0 4194304 striped 2 128 7:0 0 7:1 0"};
	const struct machine_way slow = {.kind = WAY_DELAY, .write_ms = 1};
	char table[MAPPING_TABLE];

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_int_equal(table_for(others[i], &slow, table, sizeof(table)), EINVAL);
	assert_int_equal(table_for("0 8 linear 7:3 0", &slow, table, 12), EINVAL);
}

static void ways_read_well(void **state)
{
	char text[128];

	assert_string_equal(table_describe(&(struct machine_way){.kind = WAY_PLAIN}, text, sizeof(text)),
			    "plain");
	assert_string_equal(
		table_describe(&(struct machine_way){.kind = WAY_HOLD, .hold_ns = 25 * NSEC_PER_MSEC}, text,
			       sizeof(text)),
		"held for 25 ms");
	assert_string_equal(
		table_describe(&(struct machine_way){.kind = WAY_DELAY, .read_ms = 1, .write_ms = 2}, text,
			       sizeof(text)),
		"delays: reads 1 ms, writes 2 ms");
	table_by_hand("recow-a b", "0 8 linear 7:3 0", text, sizeof(text));
	assert_string_equal(
		text, "dmsetup load 'recow-a b' --table '0 8 linear 7:3 0'; dmsetup resume 'recow-a b'");
}

/* The kernel takes no longer name, and the UUID has a few letters more. */
static void the_name_is_the_runs_and_fits(void **state)
{
	char name[MAPPING_NAME], path[300] = "/var/tmp/";

	assert_string_equal(mapping_name(name, sizeof(name), "/var/tmp/recow/seven"), "recow-seven");
	memset(path + strlen(path), 'x', 250);
	mapping_name(name, sizeof(name), path);
	assert_int_equal(strlen(name) + strlen("RECOW-"), MAPPING_NAME - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_stands_still_as_long_as_is_allowed),
		cmocka_unit_test(it_is_slow_up_to_the_limit),
		cmocka_unit_test(mixed_does_all_of_it),
		cmocka_unit_test(without_dm_delay_it_only_stands_still),
		cmocka_unit_test(a_passing_refusal_is_no_last_word),
		cmocka_unit_test(tables_lead_to_the_same_place),
		cmocka_unit_test(what_is_no_table_of_ours_is_left_alone),
		cmocka_unit_test(ways_read_well),
		cmocka_unit_test(the_name_is_the_runs_and_fits),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
