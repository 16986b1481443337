/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks that an ext4 file was given behind its end (fallocate with FALLOC_FL_KEEP_SIZE). Where the tree of
 * its extents is two levels deep or more, e2fsck takes the nodes that lie behind the end for damage, and what
 * they lead to for unused (https://github.com/tytso/e2fsprogs/issues/145; seen with 1.47.0). Its repair would
 * free the blocks: the complaint is e2fsck's fault, the tree is right.
 */
#ifndef RECOW_VERIFY_BEHIND_H
#define RECOW_VERIFY_BEHIND_H

#include "verify/verifier.h"

/* Is all that `e2fsck -fn` said (its output) about such nodes, and about what follows from leaving them out?
 */
bool behind_is_all(const char *output);

/* Are the trees that it names right, as debugfs shows them on the unmounted target: in order, with nothing
 * but unwritten extents behind the end, as many blocks as the inode says, and every block that e2fsck takes
 * for unused one of theirs? 1, 0; -1 with *e. */
int behind_is_right(const struct verification *v, const char *output, struct error *e);

#endif
