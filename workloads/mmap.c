/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workloads/workload.h"

/* Stores into few files, so that their pages stay mapped: they are written out under the mapping, and the
 * next store finds them clean. Buffered writes and truncates of the same files are beside it, and in the
 * shared files stores and writes of all workers in different parts of one page. */
static const struct weight mix[] = {
	{"mmap_write", 120},  {"mmap_read", 30},   {"msync", 6},       {"shared_store", 60},
	{"shared_write", 40}, {"shared_read", 20}, {"shared_sync", 2}, {"write", 40},
	{"append", 10},       {"read", 10},        {"truncate", 6},    {"create", 4},
	{"unlink", 3},        {"rename", 4},       {"fsync", 1},       {NULL, 0},
};

const struct workload workload_mmap = {
	.name = "mmap",
	.summary =
		"stores through mappings that are kept, msync and private reads, buffered writes beside them",
	.needs = NEED_NOTHING,
	.mix = mix,
	.shape = {.files = 24,
		  .dirs = 4,
		  .size = {1, 8 * MiB},
		  .write = {1, 256 * KiB},
		  .depth = 2,
		  .shared_dirs = true},
};
