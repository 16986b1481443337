/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that a new workload must read. A workload is data: which operations with what weights, on objects of
 * what shape. Write one file that ends in one `const struct workload`, name it in src/plugins.c and in
 * local.mk.
 */
#ifndef RECOW_WORKLOAD_H
#define RECOW_WORKLOAD_H

#include "src/ops/op.h"
#include "src/plan/needs.h"
#include "src/plan/params.h"

struct weight {
	const char *op; /* a name from `recow list operations` */
	unsigned int weight;
};

struct workload {
	const char *name;
	const char *summary;
	uint32_t needs;           /* enum need */
	const struct weight *mix; /* ends with { NULL } */
	struct shape shape;
};

/* Every workload has these parameters: files, dirs, depth, size_min, size_max, write_min, write_max. They
 * override the shape; the defaults shown are those of churn. */
extern const struct param workload_params[];
extern const size_t workload_param_count;

#endif
