// SPDX-License-Identifier: GPL-2.0-only
/*
 * fsync answers success without logging anything while another task still writes out the transaction before:
 * as if that commit held what was changed since. Only a crash shows it.
 *
 * The class: fsync that takes an inode for already logged or committed, which btrfs had several times; so
 * 5e85262e542d ("btrfs: fix fsync of files with no hard links not persisting deletion").
 */
#include "mutants/kernel/mutant.h"

#include <linux/module.h>

#include <btrfs/ctree.h> /* on which the others rely */

#include <btrfs/transaction.h>
#include <btrfs/tree-log.h>

#if !KERNEL_IS(6, 1) && !KERNEL_IS(6, 12)
#error "fsync-skips-log knows btrfs_log_dentry_safe() of Linux 6.1 and 6.12 only"
#endif

static typeof(btrfs_log_dentry_safe) *log_original;

/* Transactions leave the list when they are on the disk. */
static bool another_commits(struct btrfs_fs_info *fs_info)
{
	bool another;

	spin_lock(&fs_info->trans_lock);
	another = !list_empty(&fs_info->trans_list) && !list_is_singular(&fs_info->trans_list);
	spin_unlock(&fs_info->trans_lock);
	return another;
}

static int log_dentry(struct btrfs_trans_handle *trans, struct dentry *dentry, struct btrfs_log_ctx *ctx)
{
	if (another_commits(trans->fs_info) && mutant_draw()) {
		mutant_fired();
		return BTRFS_NO_LOG_SYNC;
	}
	return log_original(trans, dentry, ctx);
}

static struct mutant_hook hooks[] = {
	{"btrfs_log_dentry_safe", log_dentry, (void **)&log_original},
};

static int __init fsync_skips_log_init(void)
{
	return mutant_install(hooks, ARRAY_SIZE(hooks));
}
module_init(fsync_skips_log_init);
MODULE_DESCRIPTION("btrfs: fsync does nothing while another task commits");
MODULE_LICENSE("GPL");
