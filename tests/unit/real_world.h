/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of operations in a directory of a real filesystem: $RECOW_TEST_DIR, which is empty, or a
 * temporary one. */
#ifndef RECOW_REAL_WORLD_H
#define RECOW_REAL_WORLD_H

#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "src/plugins.h"
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

/* A workload on few and small files: a test that runs all of them stays quick. */
static inline struct workload few_and_small(const struct workload *workload)
{
	struct workload small = *workload;

	small.shape.files = 100;
	small.shape.dirs = 12;
	small.shape.size[1] = MIN(small.shape.size[1], 256 * KiB);
	small.shape.size[0] = MIN(small.shape.size[0], small.shape.size[1]);
	return small;
}

/* A test: `try` every workload that the filesystem can take, few_and_small(), in the directory that is opened
 * for it. `name`: as open_directory() wants it. */
static inline void try_every_workload(const char *name, void (*try)(const struct workload *small))
{
	int failed = open_directory(name);
	struct statfs fs;

	if (failed == 77)
		skip();
	assert_int_equal(failed, 0);
	assert_int_equal(statfs(directory, &fs), 0);
	for (const struct workload *const *w = plugin_workloads; *w; w++) {
		const struct workload small = few_and_small(*w);

		if (small.needs & NEED_BTRFS && fs.f_type != BTRFS_SUPER_MAGIC)
			continue;
		try(&small);
		world_sweep(directory);
	}
	close_directory();
}

#endif
