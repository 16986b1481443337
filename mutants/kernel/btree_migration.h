/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MUTANTS_KERNEL_BTREE_MIGRATION_H
#define MUTANTS_KERNEL_BTREE_MIGRATION_H

#include <linux/types.h>

/* Which of the steps of Chris Mason's rule (btree_migration_2010.c) are kept. */
struct btree_migration {
	bool lock; /* the extent buffer is locked while its state changes */
	bool mark; /* its header says WRITTEN */
	bool hold; /* it stays locked until it is on the disk */
};

/* From now on a dirty metadata block that is to be migrated is written out instead of refused. 0 or a
 * negative error. */
int btree_migration_install(const struct btree_migration *rule);

#endif
