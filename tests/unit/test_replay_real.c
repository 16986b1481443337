/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arguments of operations, drawn in one directory and done again in another one, whose kernel answers
 * otherwise now and then: what no longer fits is left out, and the model of the second one stays exact. In
 * the environment:
 *
 *	RECOW_TEST_DIR	an empty directory; a temporary one otherwise
 *	RECOW_TEST_OPS	how many operations (3,000)
 *	RECOW_TEST_SEED	(1)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/ops/held.h"
#include "src/ops/table.h"
#include "src/ops/window.h"
#include "tests/unit/real_world.h"

extern const struct workload workload_aio, workload_churn, workload_mmap, workload_reflink, workload_snapshot,
	workload_subvolume;

#define REFUSED_ONE_IN 100

struct again {
	struct world first, second;
	uint64_t refused, skipped, same, otherwise;
};

/* As if the kernel had no room, or no memory. What these two do of themselves before they fail can't be left
 * out. */
static bool refuse(const struct op *op, uint64_t n)
{
	struct stream s = stream_make(99, n, 0);

	return op != &op_release && op != &op_snapshot_switch && stream_chance(&s, REFUSED_ONE_IN);
}

static void do_again(struct again *a, const struct op *op, const struct op_args *args, uint64_t n,
		     bool refusing, int64_t before)
{
	struct op_ctx *c = &a->second.ctx;
	struct op_answer answer = {0};

	c->operation = n;
	if (!op->fits(c, args)) {
		a->skipped++;
		return;
	}
	if (refusing && refuse(op, n)) {
		answer.ret = -op->errors[0];
		a->refused++;
	} else {
		op->call(c, args, &answer);
	}
	op->learn(c, args, &answer);
	windows_settle(c);
	if (answer.ret == before)
		a->same++;
	else
		a->otherwise++;
}

static void step(struct again *a, uint64_t n, bool refusing)
{
	struct op_ctx *c = &a->first.ctx;
	struct op_answer answer = {0};
	struct op_args args;
	const struct op *op = world_draw(&a->first, n, &args);

	op->call(c, &args, &answer);
	op->learn(c, &args, &answer);
	windows_settle(c);
	do_again(a, op, &args, n, refusing, answer.ret);
}

static void check_tree(struct world *w)
{
	struct tree_walk t = {.target = w->ctx.target, .view = &w->model.head, .holder = &w->ctx};

	tree_walk(&t);
	expect_right(w, &t);
	assert_true(t.names > 0);
}

static void make(char *path, size_t len, const char *name)
{
	snprintf(path, len, "%s/%s", directory, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static struct again again;

static void run_twice(const struct workload *workload, bool refusing)
{
	const uint64_t ops = setting("RECOW_TEST_OPS", 3000), seed = setting("RECOW_TEST_SEED", 1);
	struct workload w = *workload;
	char one[4200], other[4200];

	w.shape.files = MIN(w.shape.files, 200U);
	w.shape.dirs = MIN(w.shape.dirs, 20U);
	w.shape.size[1] = MIN(w.shape.size[1], 256 * KiB);
	w.shape.size[0] = MIN(w.shape.size[0], w.shape.size[1]);
	w.shape.write[1] = MIN(w.shape.write[1], 64 * KiB);
	w.shape.write[0] = MIN(w.shape.write[0], w.shape.write[1]);
	memset(&again, 0, sizeof(again));
	make(one, sizeof(one), "one");
	make(other, sizeof(other), "other");
	world_open(&again.first, one, &w, seed);
	world_open(&again.second, other, &w, seed);
	for (uint64_t n = 1; n <= ops && !again.second.findings; n++) {
		step(&again, n, refusing);
		if (n % 1500 == 0)
			check_tree(&again.second);
	}
	check_tree(&again.second);
	print_message("%s: %llu the same, %llu otherwise, %llu of them refused, %llu left out\n", w.name,
		      (unsigned long long)again.same, (unsigned long long)again.otherwise,
		      (unsigned long long)again.refused, (unsigned long long)again.skipped);
	world_close(&again.first);
	world_close(&again.second);
	world_sweep(directory);
}

static const struct workload *const workloads[] = {
	&workload_churn,   &workload_aio,      &workload_mmap,
	&workload_reflink, &workload_snapshot, &workload_subvolume,
};

static void all_is_done_again(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++) {
		run_twice(workloads[i], false);
		assert_int_equal(again.skipped, 0);
		assert_int_equal(again.otherwise, 0);
	}
}

/* Most of what is left still makes sense: numbers of objects and names that were not given stay free. */
static void what_no_longer_fits_is_left_out(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++) {
		run_twice(workloads[i], true);
		assert_true(again.refused > 0);
		assert_true(again.skipped > 0);
		assert_true(again.same > (again.same + again.skipped) / 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_done_again),
		cmocka_unit_test(what_no_longer_fits_is_left_out),
	};
	int failed = open_directory("replay");

	if (failed)
		return failed;
	failed = cmocka_run_group_tests_name("replay_real", tests, NULL, NULL);
	close_directory();
	return failed;
}
