// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root block that a snapshot gets for its own is taken for clean before it was written: the snapshot can
 * be read until it is dropped from memory, and never again.
 *
 * Linux 6.5: the snapshot of a subvolume that was made in the same transaction could refer to a block that
 * was never written (eb96e221937a, "btrfs: fix unwritten extent buffer after snapshotting a new subvolume",
 * on 1b53e51a4a8f, "btrfs: don't commit transaction for every subvol create"; fstests btrfs/302). There it
 * was a leaf or node of the subvolume; here it is the copy of its root.
 */
#include "mutants/kernel/btree.h"

#include <linux/module.h>

#include <btrfs/transaction.h>

static typeof(btrfs_copy_root) *copy_original;

static int copy_root(struct btrfs_trans_handle *trans, struct btrfs_root *root, struct extent_buffer *buf,
		     struct extent_buffer **cow_ret, u64 new_root_objectid)
{
	int ret = copy_original(trans, root, buf, cow_ret, new_root_objectid);

	if (ret || new_root_objectid == BTRFS_TREE_RELOC_OBJECTID || !mutant_draw())
		return ret;
	if (btree_forget(*cow_ret)) /* which is locked */
		mutant_fired();
	else
		mutant_missed();
	return ret;
}

static struct mutant_hook hooks[] = {
	{"btrfs_copy_root", copy_root, (void **)&copy_original},
};

static int __init snapshot_unwritten_init(void)
{
	if (btree_find())
		return -ENOENT;
	return mutant_install(hooks, ARRAY_SIZE(hooks));
}
module_init(snapshot_unwritten_init);
MODULE_DESCRIPTION("btrfs: the root block of a snapshot is not written");
MODULE_LICENSE("GPL");
