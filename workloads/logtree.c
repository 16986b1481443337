/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workloads/workload.h"

/* Small files, each fsynced at once: every fsync writes the log tree instead of a commit. */
static const struct weight mix[] = {
	{"write", 40}, {"fsync", 40}, {"create", 10}, {"rename", 5}, {"unlink", 5}, {NULL, 0},
};

const struct workload workload_logtree = {
	.name = "logtree",
	.summary = "small files, fsynced at once (btrfs log tree)",
	.needs = NEED_NOTHING,
	.mix = mix,
	.shape = {.files = 2000, .size = {1, 16 * KiB}, .write = {1, 16 * KiB}, .shared_dirs = true},
};
