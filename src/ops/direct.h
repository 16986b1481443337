/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Direct I/O in batches: what its operations need before the first and behind the last of them. */
#ifndef RECOW_OPS_DIRECT_H
#define RECOW_OPS_DIRECT_H

#include "src/ops/op.h"

/* Make c->aio, for OP_BATCH requests at a time. */
int direct_begin(struct op_ctx *c, struct error *e);

/* Nothing is in flight between two operations. */
void direct_end(struct op_ctx *c);

/* One range of a batch: blocks, disjoint from the other ranges. */
struct direct_range {
	uint64_t offset;
	uint32_t length;
};

/* How many ranges the arguments of a batch stand for, and range number i of them. Pure: a journal record has
 * the arguments of the whole batch, and in dir2 the number of its own range. */
unsigned int direct_count(const struct op_args *args);
struct direct_range direct_range(const struct op_args *args, unsigned int i);

#endif
