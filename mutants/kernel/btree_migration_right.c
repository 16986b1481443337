// SPDX-License-Identifier: GPL-2.0-only
/*
 * No bug: migration of a dirty metadata block writes it out as the rule wants (btree_migration_2010.c),
 * locked and marked. The positive control of the other two: as many blocks are written at the same moments,
 * and nothing may be found.
 */
#include "mutants/kernel/btree_migration.h"

#include <linux/module.h>

static int __init btree_migration_right_init(void)
{
	static const struct btree_migration rule = {.lock = true, .mark = true};

	return btree_migration_install(&rule);
}
module_init(btree_migration_right_init);
MODULE_DESCRIPTION("control: migration writes dirty btrfs metadata as it should be written");
MODULE_LICENSE("GPL");
