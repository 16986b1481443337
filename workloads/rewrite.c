/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workloads/workload.h"

/* A few large files, written over again and again in long ranges: their pages are dirty, and dirty again soon
 * after they were written out. Neighbouring dirty ranges become one extent, which is what the filesystem
 * reserves space for: so it holds many of them dirty before it writes them out by itself. */
static const struct weight mix[] = {
	{"write", 180}, {"append", 10}, {"read", 6},      {"truncate", 2}, {"create", 2},
	{"unlink", 1},  {"rename", 2},  {"fdatasync", 1}, {NULL, 0},
};

const struct workload workload_rewrite = {
	.name = "rewrite",
	.summary = "a few large files, overwritten in long ranges, so that much is dirty all the time",
	.needs = NEED_NOTHING,
	.mix = mix,
	.shape = {.files = 4,
		  .dirs = 2,
		  .size = {32 * MiB, 64 * MiB},
		  .write = {64 * KiB, 1 * MiB},
		  .depth = 2,
		  .shared_dirs = true},
};
