/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workloads/workload.h"

/* Extents that many files share, and writes, holes and truncates into them: each must stay its own. Where a
 * filesystem shares no extents, copy_file_range is left of it. Few files, so that they share with each other
 * again and again. */
static const struct weight mix[] = {
	{"clone", 30},      {"clone_range", 100}, {"copy_range", 40}, {"write", 160},
	{"append", 20},     {"truncate", 25},     {"punch", 40},      {"zero_range", 25},
	{"fallocate", 10},  {"read", 80},         {"create", 30},     {"unlink", 25},
	{"rename_over", 5}, {"fsync", 2},         {"fdatasync", 2},   {NULL, 0},
};

const struct workload workload_reflink = {
	.name = "reflink",
	.summary = "clones, and overwrites, holes and truncates in what is shared",
	.needs = NEED_NOTHING,
	.mix = mix,
	.shape = {.files = 200,
		  .dirs = 8,
		  .size = {4 * KiB, 8 * MiB},
		  .write = {1, 256 * KiB},
		  .depth = 2,
		  .shared_dirs = true},
};
