/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worker's descriptors of files that have no name. */
#ifndef RECOW_OPS_HELD_H
#define RECOW_OPS_HELD_H

#include "src/ops/op.h"

/* Its descriptor (open for reading and writing, still the table's), or -1. Other threads may ask while the
 * worker is parked. */
int held_fd(const struct op_ctx *c, uint32_t object);

/* Close them all. Before the target is unmounted; the files are gone then. */
void held_close_all(struct op_ctx *c);

/* Before the worker goes on in another subvolume: close those that lie in its own, in call(); and in learn(),
 * whatever the operation came to, forget them. */
void held_close_own(struct op_ctx *c);
void held_forget_own(struct op_ctx *c);

#endif
