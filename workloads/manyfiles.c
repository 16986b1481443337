/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workloads/workload.h"

/* Little but new files, most of them small or empty: the trees grow wide, and with `files` in the hundred
 * thousands they hold more metadata than data. */
static const struct weight mix[] = {
	{"create", 800},  {"write", 120}, {"mkdir", 10},  {"symlink", 20}, {"link", 20}, {"rename", 30},
	{"setxattr", 40}, {"chmod", 10},  {"unlink", 20}, {"rmdir", 3},    {"fsync", 1}, {NULL, 0},
};

const struct workload workload_manyfiles = {
	.name = "manyfiles",
	.summary = "little but new small files, for wide trees: give it `files` in the hundred thousands",
	.needs = NEED_NOTHING,
	.mix = mix,
	.shape = {.files = 20000,
		  .dirs = 200,
		  .size = {1, 1 * KiB},
		  .write = {1, 1 * KiB},
		  .depth = 4,
		  .shared_dirs = true},
};
