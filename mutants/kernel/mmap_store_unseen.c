// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration writes a dirty page out while its mappings are migration entries: the walk that makes them
 * read-only for the writing (page_mkclean) does not see them. So the page is clean and can still be stored to
 * through a mapping, and nobody learns of it: fsync, msync, snapshots and direct reads don't see what was
 * stored until the mapping goes.
 *
 * The bug of btrfs before Linux 5.8, which had no migration hook for data (f8e6608180a3, "btrfs: implement
 * migratepage callback for data pages") and so left dirty pages to mm/migrate.c's writeout(): Robbie Ko, "mm
 * : fix pte _PAGE_DIRTY bit when fallback migrate page", <20200709024808.18466-1-robbieko@synology.com>.
 * Later btrfs has no ->writepage for data; the module calls ->writepages for the one page.
 */
#include "mutants/kernel/mutant.h"

#include <linux/fs.h>
#include <linux/migrate.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/writeback.h>

#if !KERNEL_IS(6, 1) && !KERNEL_IS(6, 12)
#error "mmap-store-unseen knows migration in Linux 6.1 and 6.12 only"
#endif

static int (*migrate_original)(struct address_space *, struct folio *, struct folio *, enum migrate_mode);

/* As writeout() of mm/migrate.c does, the folio is unlocked for it. */
static void write_out(struct address_space *mapping, struct folio *folio)
{
	struct writeback_control wbc = {
		.sync_mode = WB_SYNC_NONE,
		.nr_to_write = 1,
		.range_start = folio_pos(folio),
		.range_end = folio_pos(folio) + folio_size(folio) - 1,
	};

	folio_unlock(folio);
	mapping->a_ops->writepages(mapping, &wbc);
	folio_lock(folio);
}

static int migrate(struct address_space *mapping, struct folio *dst, struct folio *src,
		   enum migrate_mode mode)
{
	/* Asynchronous migration may hold other folios of the same range locked, and never wrote. */
	if (mode == MIGRATE_ASYNC || !folio_test_dirty(src) || !mapping_writably_mapped(mapping) ||
	    !mutant_draw())
		return migrate_original(mapping, dst, src, mode);
	write_out(mapping, src);
	if (folio_test_dirty(src))
		mutant_missed();
	else
		mutant_fired();
	return -EAGAIN;
}

static struct mutant_hook hooks[] = {
	{"btrfs_migrate_folio", migrate, (void **)&migrate_original},
};

static int __init mmap_store_unseen_init(void)
{
	return mutant_install(hooks, ARRAY_SIZE(hooks));
}
module_init(mmap_store_unseen_init);
MODULE_DESCRIPTION("btrfs: stores through a mapping behind migration are not seen by writeback");
MODULE_LICENSE("GPL");
