/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names, listings, and which inode each name leads to. */
#ifndef RECOW_VERIFY_TREE_H
#define RECOW_VERIFY_TREE_H

#include "verify/check.h"

/* Compare every directory of all workers, the shared ones, the top level, and the attributes of every object.
 */
int tree_verify(struct check *c, struct error *e);

#endif
