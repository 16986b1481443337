/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Comparing what an operation has read with the model, at once. */
#ifndef RECOW_OPS_READ_H
#define RECOW_OPS_READ_H

#include <sys/types.h>

#include "src/ops/op.h"

/* What came of a read of [offset, offset + length) of a file. */
struct read_range {
	uint64_t offset;
	uint32_t length, got; /* bytes asked for, bytes that came */
	const unsigned char *data;
};

/* Compare with the model's file `args->object`; emits the findings if there are any: too many or too few
 * bytes, other bytes. */
void read_compare(struct op_ctx *c, const struct op *op, const struct op_args *args,
		  const struct op_answer *a, const struct read_range *range);

/* pread of as much as there is. -1 and errno on failure. */
ssize_t read_whole(int fd, unsigned char *buf, size_t len, uint64_t offset);

#endif
