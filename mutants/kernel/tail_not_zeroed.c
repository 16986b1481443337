// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a file grows, what lies behind its old end in the last block is not zeroed: what a truncate had cut
 * off, or what was stored through a mapping behind the end, is part of the file then.
 *
 * btrfs_cont_expand() says why it calls btrfs_truncate_block(): "otherwise we could expose stale data". The
 * class: 5885ebda878b
 * ("xfs: ensure truncate forces zeroed blocks to disk").
 */
#include "mutants/kernel/mutant.h"

#include <linux/module.h>

#include <btrfs/ctree.h> /* on which the others rely */

#include <btrfs/btrfs_inode.h>

#if !KERNEL_IS(6, 1) && !KERNEL_IS(6, 12)
#error "tail-not-zeroed knows btrfs_truncate_block() of Linux 6.1 and 6.12 only"
#endif

static typeof(btrfs_truncate_block) *truncate_original;

/* Of its callers only those that let a file grow give its end and no length. */
static int truncate_block(struct btrfs_inode *inode, loff_t from, loff_t len, int front)
{
	if (len == 0 && !front && from == i_size_read(&inode->vfs_inode) &&
	    from % inode->root->fs_info->sectorsize != 0 && mutant_draw()) {
		mutant_fired();
		return 0;
	}
	return truncate_original(inode, from, len, front);
}

static struct mutant_hook hooks[] = {
	{"btrfs_truncate_block", truncate_block, (void **)&truncate_original},
};

static int __init tail_not_zeroed_init(void)
{
	return mutant_install(hooks, ARRAY_SIZE(hooks));
}
module_init(tail_not_zeroed_init);
MODULE_DESCRIPTION("btrfs: the tail of the last block is not zeroed when a file grows");
MODULE_LICENSE("GPL");
