// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writeback that somebody waits for (fsync, msync, a direct read) passes over a page that is tagged TOWRITE:
 * it stays dirty and is written at some later time. Who waited is told that all is on the disk.
 *
 * b1511360c8ac ("btrfs: subpage: keep TOWRITE tag until folio is cleaned"): the tag of a page that was
 * written in part was lost, and the rest was passed over.
 */
#include "mutants/kernel/mutant.h"

#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/writeback.h>

#if !KERNEL_IS(6, 1)
#error "writeback-skips-page needs __extent_writepage(), which Linux 6.1 has; later kernels have it inlined"
#endif

struct extent_page_data;

static int (*write_original)(struct page *, struct writeback_control *, struct extent_page_data *);

/* Called with the page locked and already marked clean. */
static int writepage(struct page *page, struct writeback_control *wbc, struct extent_page_data *epd)
{
	if (wbc->sync_mode != WB_SYNC_ALL || !mutant_draw())
		return write_original(page, wbc, epd);
	redirty_page_for_writepage(wbc, page);
	unlock_page(page);
	mutant_fired();
	return 0;
}

static struct mutant_hook hooks[] = {
	{"__extent_writepage", writepage, (void **)&write_original},
};

static int __init writeback_skips_page_init(void)
{
	return mutant_install(hooks, ARRAY_SIZE(hooks));
}
module_init(writeback_skips_page_init);
MODULE_DESCRIPTION("btrfs: synchronous writeback passes over a page");
MODULE_LICENSE("GPL");
