/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking again at a range that was read wrong, in an order that does not destroy evidence: first where it
 * lies on the device and what is there (which changes nothing), then a direct read (which writes dirty pages
 * out first), last the page cache.
 */
#ifndef RECOW_VERIFY_LOOK_H
#define RECOW_VERIFY_LOOK_H

#include "verify/files.h"

/* Look at the first block of *f again. Fills logical, mirrors, still; appends to detail where it is wrong.
 * `direct` says how it was read. */
void look_again(struct check *c, const struct file *file, bool direct, struct finding *f);

#endif
