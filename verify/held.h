/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files without a name, through the descriptors by which they live. */
#ifndef RECOW_VERIFY_HELD_H
#define RECOW_VERIFY_HELD_H

#include "verify/links.h"

/* Compare their attributes, and note their inodes in `l`. Contents are compared with those of all files. */
int held_verify(struct check *c, struct links *l, struct error *e);

#endif
