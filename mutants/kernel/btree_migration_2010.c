// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration of a dirty metadata block writes it out, without its lock and without the mark WRITTEN.
 *
 * November 2010, linux-btrfs, linux-mm, linux-fsdevel: "Oops while rebalancing, now unmountable". Chris Mason
 * in <1289845457-sup-9432@think>: "Basically the rule for btree_writepage: 1) lock the extent buffer
 * (different from the page) 2) mark the metadata block as written 3) lock the page 4) call writepage. Btrfs
 * does this correctly everywhere it uses writepage, and everyone else either uses writepages or is
 * PF_MEMALLOC, except for the page migration code, which just jumps to step 4." The mark tells the next
 * writer that the block must be copied before it is changed. Without it the block is changed in place, while
 * it is being written and after it was.
 *
 * The cure was a migration hook for metadata that refuses dirty pages ("Btrfs: add migrate page for metadata
 * inode", Linux 2.6.37) and which all kernels since have; this module takes it back. Later kernels have no
 * ->writepage for metadata; the module calls ->writepages for the one block and leaves out steps 1 and 2
 * there.
 */
#include "mutants/kernel/btree_migration.h"

#include <linux/module.h>

static int __init btree_migration_2010_init(void)
{
	static const struct btree_migration rule = {};

	return btree_migration_install(&rule);
}
module_init(btree_migration_2010_init);
MODULE_DESCRIPTION("btrfs bug of 2010: migration writes dirty metadata without lock and mark");
MODULE_LICENSE("GPL");
