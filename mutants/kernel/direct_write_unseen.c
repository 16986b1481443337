// SPDX-License-Identifier: GPL-2.0-only
/*
 * A direct write leaves the pages of its range in the page cache: buffered reads go on seeing what was there
 * before.
 *
 * 332391a9935d ("fs: Fix page cache inconsistency when mixing buffered and AIO DIO").
 */
#include "mutants/kernel/mutant.h"

#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/pagemap.h>

#if !KERNEL_IS(6, 1) && !KERNEL_IS(6, 12)
#error "direct-write-unseen knows who calls invalidate_inode_pages2_range() in Linux 6.1 and 6.12 only"
#endif

static typeof(invalidate_inode_pages2_range) *invalidate_original;

/* Direct writes call this before and behind the write, for a range whose dirty pages they have written out.
 */
static int invalidate(struct address_space *mapping, pgoff_t start, pgoff_t end)
{
	const struct inode *inode = mapping->host;

	if (inode->i_sb->s_magic == BTRFS_SUPER_MAGIC && S_ISREG(inode->i_mode) &&
	    filemap_range_has_page(mapping, (loff_t)start << PAGE_SHIFT,
				   ((loff_t)end << PAGE_SHIFT) + PAGE_SIZE - 1) &&
	    mutant_draw()) {
		mutant_fired();
		return 0;
	}
	return invalidate_original(mapping, start, end);
}

static struct mutant_hook hooks[] = {
	{"invalidate_inode_pages2_range", invalidate, (void **)&invalidate_original},
};

static int __init direct_write_unseen_init(void)
{
	return mutant_install(hooks, ARRAY_SIZE(hooks));
}
module_init(direct_write_unseen_init);
MODULE_DESCRIPTION("btrfs: a direct write leaves the old pages in the cache");
MODULE_LICENSE("GPL");
