// SPDX-License-Identifier: GPL-2.0-only
/*
 * The quiet half of the bug of 2010 (btree_migration_2010.c): the block is locked until it is on the disk, so
 * that nobody changes what is being written; only the mark WRITTEN is missing. What is on the disk is whole,
 * and then is changed in place instead of copied.
 */
#include "mutants/kernel/btree_migration.h"

#include <linux/module.h>

static int __init btree_migration_quiet_init(void)
{
	static const struct btree_migration rule = {.lock = true, .hold = true};

	return btree_migration_install(&rule);
}
module_init(btree_migration_quiet_init);
MODULE_DESCRIPTION("quiet half of the btrfs bug of 2010: migration writes dirty metadata without its mark");
MODULE_LICENSE("GPL");
