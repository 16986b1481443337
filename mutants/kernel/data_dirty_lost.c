// SPDX-License-Identifier: GPL-2.0-only
/*
 * A dirty data page is clean after it was migrated: right in the cache, never written.
 *
 * The outcome of what btrfs did before Linux 5.8 (mmap_store_unseen.c), for every dirty page and for good.
 * The page loses its dirty state as a whole (flag, tag, delayed allocation), so that the filesystem has
 * nothing left to stumble over: where the flag alone is lost, sync hangs.
 */
#include "mutants/kernel/mutant.h"

#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>

#include <btrfs/ctree.h> /* on which the others rely */

#include <btrfs/btrfs_inode.h>
#include <btrfs/extent-io-tree.h>

#if !KERNEL_IS(6, 1) && !KERNEL_IS(6, 12)
#error "data-dirty-lost knows the extent states of Linux 6.1 and 6.12 only"
#endif

static int (*migrate_original)(struct address_space *, struct folio *, struct folio *, enum migrate_mode);
static typeof(__clear_extent_bit) *clear_bits;

/* What is promised for a dirty range: that it will be written, and room for it. */
#define PROMISES (EXTENT_DELALLOC | EXTENT_DELALLOC_NEW | EXTENT_DO_ACCOUNTING | EXTENT_DEFRAG)

static void forget(struct address_space *mapping, struct folio *folio)
{
	struct extent_io_tree *tree = &BTRFS_I(mapping->host)->io_tree;
	u64 start = folio_pos(folio), end = start + folio_size(folio) - 1;
	unsigned long flags;

	folio_cancel_dirty(folio);
	xa_lock_irqsave(&mapping->i_pages, flags);
	__xa_clear_mark(&mapping->i_pages, folio->index, PAGECACHE_TAG_DIRTY);
	xa_unlock_irqrestore(&mapping->i_pages, flags);
#if KERNEL_IS(6, 1)
	clear_bits(tree, start, end, PROMISES, NULL, GFP_NOFS, NULL);
#else
	clear_bits(tree, start, end, PROMISES, NULL, NULL);
#endif
}

/* Both folios are locked: nobody begins to write the new one. */
static int migrate(struct address_space *mapping, struct folio *dst, struct folio *src,
		   enum migrate_mode mode)
{
	bool dirty = folio_test_dirty(src) && !folio_test_ordered(src) && !folio_test_large(src);
	int ret = migrate_original(mapping, dst, src, mode);

	if (ret == MIGRATEPAGE_SUCCESS && dirty && mutant_draw()) {
		forget(mapping, dst);
		mutant_fired();
	}
	return ret;
}

static struct mutant_hook hooks[] = {
	{"btrfs_migrate_folio", migrate, (void **)&migrate_original},
};

static int __init data_dirty_lost_init(void)
{
	clear_bits = mutant_symbol("__clear_extent_bit");
	if (!clear_bits)
		return -ENOENT;
	return mutant_install(hooks, ARRAY_SIZE(hooks));
}
module_init(data_dirty_lost_init);
MODULE_DESCRIPTION("btrfs: a dirty data page is clean after migration");
MODULE_LICENSE("GPL");
