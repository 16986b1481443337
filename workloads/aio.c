/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workloads/workload.h"

/* Direct writes many at a time. On btrfs the workers' own directories are nodatacow: there they are really
 * direct and go over the old data in place; in the shared directories the filesystem takes them through its
 * cache. Buffered writes and truncates of the same files come between. */
static const struct weight mix[] = {
	{"aio_write", 60}, {"aio_read", 30}, {"write", 12},    {"append", 6}, {"read", 6},
	{"truncate", 4},   {"create", 4},    {"unlink", 3},    {"rename", 4}, {"mkdir", 1},
	{"rmdir", 1},      {"fsync", 1},     {"fdatasync", 1}, {NULL, 0},
};

const struct workload workload_aio = {
	.name = "aio",
	.summary = "direct reads and writes, 16 in flight, in nodatacow directories; buffered ones between",
	.needs = NEED_NOTHING,
	.mix = mix,
	.shape = {.files = 48,
		  .dirs = 6,
		  .size = {16 * KiB, 16 * MiB},
		  .write = {1, 256 * KiB},
		  .depth = 2,
		  .shared_dirs = true,
		  .nocow = true},
};
