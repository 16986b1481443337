/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workloads/workload.h"

/* All of it, names and attributes most of the time; about one operation in four moves data. fsyncs are rare,
 * since one costs as much as a hundred others: logtree is made of them. */
static const struct weight mix[] = {
	{"create", 130},      {"unlink", 110},        {"mkdir", 30},
	{"rmdir", 30},        {"rename", 100},        {"rename_over", 50},
	{"link", 40},         {"symlink", 30},        {"write", 130},
	{"append", 40},       {"truncate", 40},       {"read", 60},
	{"chmod", 50},        {"chown", 30},          {"utimensat", 50},
	{"setxattr", 50},     {"removexattr", 24},    {"fsync", 2},
	{"fdatasync", 2},     {"fallocate", 8},       {"fallocate_keep", 4},
	{"punch", 12},        {"zero_range", 8},      {"clone", 6},
	{"clone_range", 12},  {"copy_range", 12},     {"exchange", 16},
	{"noreplace", 12},    {"whiteout", 8},        {"tmpfile", 10},
	{"linkat", 8},        {"orphan", 8},          {"release", 12},
	{"mmap_write", 20},   {"mmap_read", 12},      {"msync", 1},
	{"aio_write", 8},     {"aio_read", 6},        {"shared_write", 10},
	{"shared_store", 10}, {"shared_read", 5},     {"shared_sync", 1},
	{"snapshot", 1},      {"snapshot_delete", 1}, {NULL, 0},
};

const struct workload workload_churn = {
	.name = "churn",
	.summary = "every operation, mostly on names and attributes; files of 1 byte to 16 MiB",
	.needs = NEED_NOTHING,
	.mix = mix,
	.shape = {.files = 2000,
		  .dirs = 60,
		  .size = {1, 16 * MiB},
		  .write = {1, 1 * MiB},
		  .depth = 6,
		  .shared_dirs = true},
};
