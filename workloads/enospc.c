/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workloads/workload.h"

/*
 * At the edge of a full filesystem. The files want more room than a small target has (some 3 GiB for each
 * worker), and nothing keeps them from taking it: so what grows is refused again and again, and what shrinks
 * makes room for a while. Half of the files are so small that they lie within metadata, which fills up too.
 */
static const struct weight mix[] = {
	{"write", 120},   {"append", 60},      {"fallocate", 25}, {"fallocate_keep", 12}, {"truncate", 40},
	{"punch", 25},    {"zero_range", 20},  {"clone", 10},     {"clone_range", 20},    {"copy_range", 25},
	{"read", 60},     {"create", 90},      {"unlink", 70},    {"mkdir", 20},          {"rmdir", 15},
	{"rename", 40},   {"rename_over", 25}, {"link", 25},      {"symlink", 15},        {"chmod", 10},
	{"chown", 10},    {"utimensat", 10},   {"setxattr", 60},  {"removexattr", 25},    {"fsync", 3},
	{"fdatasync", 3}, {NULL, 0},
};

const struct workload workload_enospc = {
	.name = "enospc",
	.summary = "on a full filesystem: wants a small target (image_size of 2g or less)",
	.needs = NEED_NOTHING,
	.mix = mix,
	.shape = {.files = 4000,
		  .dirs = 60,
		  .size = {1, 16 * MiB},
		  .write = {512, 1 * MiB},
		  .depth = 4,
		  .shared_dirs = true,
		  .brim = true},
};
