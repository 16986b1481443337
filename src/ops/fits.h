/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Do arguments out of a journal still make sense? What an operation's draw() would never give in the present
 * state of the model, its fits() refuses: so a replay whose kernel answered otherwise before goes on without
 * what has lost its object, and learns no less exactly. All of these look at the model and change nothing.
 */
#ifndef RECOW_OPS_FITS_H
#define RECOW_OPS_FITS_H

#include "src/ops/choose.h"

/* object, dir and name of the arguments name something that exists, of one of these kinds (enum choose_kind).
 * `out` may be NULL. */
bool fits_subject(const struct op_ctx *c, const struct op_args *args, unsigned int kinds, struct chosen *out);

/* A directory that exists, at most `depth` levels below its anchor. */
bool fits_directory(const struct op_ctx *c, uint32_t dir, uint32_t depth);

/* Nobody has this number of an object, of a name. */
bool fits_free_object(const struct op_ctx *c, uint32_t object);
bool fits_free_name(const struct op_ctx *c, struct nameref ref);

/* dir and name are a place for something new, whose numbers are free; or they exist, and it will be refused.
 * The directory lies at most `depth` levels deep. */
bool fits_new(const struct op_ctx *c, const struct op_args *args, uint32_t depth);

/* dir2 and name2 exist. Fills *out. */
bool fits_target(const struct op_ctx *c, const struct op_args *args, struct chosen *out);

/* dir2 and name2 exist, or may be made: with the number `number`, or, if that is NAME_NONE, a free one. */
bool fits_second(const struct op_ctx *c, const struct op_args *args, uint32_t number, uint32_t depth);

/* dir and name exist, or name nothing at all, on purpose. */
bool fits_removal(const struct op_ctx *c, const struct op_args *args);

/* What many operations have in common: any file with a name; with or without one; anything at all, too. */
bool fits_named_file(const struct op_ctx *c, const struct op_args *args);
bool fits_file(const struct op_ctx *c, const struct op_args *args);
bool fits_anything(const struct op_ctx *c, const struct op_args *args);

/* A range of bytes (offset, aux), not empty, before the end of a file with a name. */
bool fits_range(const struct op_ctx *c, const struct op_args *args);

#endif
