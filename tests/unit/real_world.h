/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of operations in a directory of a real filesystem: $RECOW_TEST_DIR, which is empty, or a
 * temporary one. */
#ifndef RECOW_REAL_WORLD_H
#define RECOW_REAL_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/ops_world.h"
#include "tests/unit/real.h"
#include "tests/unit/tree_walk.h"
#include "tests/unit/unit.h"

static char directory[4096];

static inline uint64_t setting(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : fallback;
}

/* The tree is as the model has it, and nobody complained. */
static inline void expect_right(const struct world *w, const struct tree_walk *t)
{
	if (t->differences)
		print_message("first difference, behind operation %llu: %s\n",
			      (unsigned long long)w->ctx.operation, t->first);
	if (w->findings)
		print_message("first finding: %s\n", w->finding);
	assert_int_equal(t->differences, 0);
	assert_int_equal(w->findings, 0);
	assert_false(w->model.owner.corrupted || w->model.owner.exhausted);
}

/* 0, or the exit code of a program that can't test here. `name`: of the tests. Waits until no others fill
 * memory. */
static inline int open_directory(const char *name)
{
	const char *given = getenv("RECOW_TEST_DIR");

	if (geteuid() != 0) {
		printf("skipped: chown and reading whatever the mode says want root\n");
		return 77;
	}
	take_real_machine();
	if (given)
		snprintf(directory, sizeof(directory), "%s", given);
	else
		snprintf(directory, sizeof(directory), "/tmp/recow-%s-XXXXXX", name);
	if (given || mkdtemp(directory))
		return 0;
	perror(directory);
	return 1;
}

static inline void close_directory(void)
{
	if (getenv("RECOW_TEST_DIR"))
		return;
	world_sweep(directory);
	rmdir(directory);
}

#endif
