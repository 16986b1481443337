/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What operations that move names share. */
#ifndef RECOW_OPS_RENAME_H
#define RECOW_OPS_RENAME_H

#include "src/ops/choose.h"
#include "src/ops/judge.h"

/* Would the moved object keep its depth limit in the place of `victim`? */
bool rename_fits(const struct op_ctx *c, const struct chosen *from, const struct chosen *victim);

/* Another name of the same object, if it has one. */
bool rename_choose_twin(const struct op_ctx *c, const struct chosen *from, struct chosen *twin);

/* Draw what moves (object, dir, name) and a new name for it (dir2, name2; the record stays). */
bool rename_draw_new(const struct op_ctx *c, struct stream *s, struct op_args *args);

/* May what moves, by arguments out of a journal, go to their directory dir2? */
bool rename_fits_new(const struct op_ctx *c, const struct op_args *args);

/* Judge the answer of a rename to (dir2, name2), over the name number aux unless that is NAME_NONE, and learn
 * it. `same_object`: both names are of one object, so that nothing is to happen. */
void rename_learn_as(struct op_ctx *c, const struct op *op, const struct op_args *args,
		     const struct op_answer *a, const struct expectation *x, bool same_object);

#endif
