/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Quota groups, whose numbers the kernel itself can give up. */
#ifndef RECOW_VERIFY_QUOTA_H
#define RECOW_VERIFY_QUOTA_H

#include "verify/verifier.h"

/* Is all that `btrfs check` said (its output) about the counts of quota groups? */
bool quota_is_all(const char *output);

/* Has the kernel marked the quota groups of the unmounted target as inconsistent (BTRFS_QGROUP_STATUS_FLAG_
 * INCONSISTENT)? Then their counts need not be right until they are scanned anew. 1, 0; -1 with *e. */
int quota_is_given_up(const struct verification *v, struct error *e);

#endif
