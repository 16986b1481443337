/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workloads/workload.h"

/* Subvolumes come and go, empty and with files in them, are moved and named over; snapshots of what is around
 * them. */
static const struct weight mix[] = {
	{"subvol_create", 60}, {"subvol_delete", 60},  {"mkdir", 20},    {"rmdir", 30},
	{"create", 140},       {"unlink", 60},         {"rename", 100},  {"rename_over", 60},
	{"link", 50},          {"write", 100},         {"append", 30},   {"truncate", 20},
	{"chmod", 20},         {"utimensat", 20},      {"setxattr", 20}, {"fsync", 2},
	{"snapshot", 6},       {"snapshot_delete", 6}, {NULL, 0},
};

const struct workload workload_subvolume = {
	.name = "subvolume",
	.summary = "subvolumes in the tree: made, filled, moved and deleted",
	.needs = NEED_BTRFS,
	.mix = mix,
	.shape = {.files = 300,
		  .dirs = 40,
		  .size = {1, 256 * KiB},
		  .write = {1, 64 * KiB},
		  .depth = 5,
		  .shared_dirs = true},
};
