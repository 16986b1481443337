/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workloads/workload.h"

/* Few and small files, which change all over between one snapshot and the next (src/ops/snapshot.c). */
static const struct weight mix[] = {
	{"write", 200},  {"append", 60},  {"truncate", 40},       {"create", 60},         {"unlink", 50},
	{"mkdir", 10},   {"rmdir", 10},   {"rename", 60},         {"link", 20},           {"rename_over", 30},
	{"symlink", 10}, {"chmod", 20},   {"utimensat", 20},      {"setxattr", 20},       {"removexattr", 10},
	{"fsync", 2},    {"snapshot", 4}, {"snapshot_switch", 4}, {"snapshot_delete", 6}, {NULL, 0},
};

const struct workload workload_snapshot = {
	.name = "snapshot",
	.summary = "much change under frequent snapshots, read-only and gone on in, which the verifier "
		   "`snapshots` compares",
	.needs = NEED_BTRFS,
	.mix = mix,
	.shape = {.files = 300,
		  .dirs = 20,
		  .size = {1, 1 * MiB},
		  .write = {1, 256 * KiB},
		  .depth = 4,
		  .shared_dirs = true},
};
