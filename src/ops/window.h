/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Windows: shared mappings that are kept over several operations, so that pages stay mapped while they are
 * written back and moved, and a later store meets a clean page that is mapped still. Each worker has a few.
 */
#ifndef RECOW_OPS_WINDOW_H
#define RECOW_OPS_WINDOW_H

#include "src/ops/op.h"

/*
 * Store c->buffer[0, args->aux) at args->offset of the file that the arguments name, through a window that is
 * there or is made now. The range must lie within the file. The answer is the number of bytes stored, or an
 * error: -EFAULT for a SIGBUS at the first byte that nothing else explains, EROFS or what reading the same
 * byte answers otherwise; answer->done is then what was stored before it.
 */
void window_store(struct op_ctx *c, const struct op_args *args, struct op_answer *a);

/* Why did touching byte `offset` of an open file raise SIGBUS? An errno. */
int window_fault(int fd, uint64_t offset, bool store);

/* After an operation: close the windows of files that are gone, or that are shorter now than what was stored
 * through them. So no window outlives its file but by the operation that removes it. */
void windows_settle(struct op_ctx *c);

/* Close all: before the target is unmounted. */
void windows_close(struct op_ctx *c);

#endif
