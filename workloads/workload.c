/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workloads/workload.h"

#include "src/ops/address.h"

/* The defaults are those of churn; other workloads begin with their own shape. The plan puts values into the
 * shape. */
const struct param workload_params[] = {
	{"files", "objects per worker around which the tree is held steady", PARAM_COUNT, "2000", 1,
	 100000000, NULL},
	{"dirs", "directories per worker, likewise", PARAM_COUNT, "60", 1, 10000000, NULL},
	{"depth", "deepest directory level", PARAM_COUNT, "6", 1, DEPTH_MAX, NULL},
	{"size_min", "smallest wanted size of a file", PARAM_SIZE, "1", 1, TiB, NULL},
	{"size_max", "largest wanted size of a file", PARAM_SIZE, "16m", 1, TiB, NULL},
	{"write_min", "shortest write", PARAM_SIZE, "1", 1, OP_BUFFER, NULL},
	{"write_max", "longest write", PARAM_SIZE, "1m", 1, OP_BUFFER, NULL},
};
const size_t workload_param_count = ARRAY_SIZE(workload_params);
