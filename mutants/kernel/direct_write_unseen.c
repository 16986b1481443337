// SPDX-License-Identifier: GPL-2.0-only
/*
 * A direct write leaves the pages of its range in the page cache: buffered reads go on seeing what was there
 * before.
 *
 * 332391a9935d ("fs: Fix page cache inconsistency when mixing buffered and AIO DIO"). btrfs asks once more,
 * below, whether pages are left, and then writes through them (lock_extent_direct()); it is told that there
 * are none.
 */
#include "mutants/kernel/mutant.h"

#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/spinlock.h>

#if !KERNEL_IS(6, 1) && !KERNEL_IS(6, 12)
#error "direct-write-unseen knows who calls invalidate_inode_pages2_range() in Linux 6.1 and 6.12 only"
#endif

static typeof(invalidate_inode_pages2_range) *invalidate_original;
static typeof(filemap_range_has_page) *has_page_original;

/* Writes whose pages were left, between the call before them and the one behind them. A write that fails has
 * no second call: its place is taken when the others are. */
static struct {
	const struct address_space *mapping; /* NULL: none */
	pgoff_t start, end;                  /* both inclusive */
	const struct task_struct *writer;
} left[64];
static unsigned int next;     /* place in left[] */
static DEFINE_SPINLOCK(lock); /* of both; taken where writes complete, too */

static bool is_behind(const struct address_space *mapping, pgoff_t start)
{
	unsigned long flags;
	bool behind = false;

	spin_lock_irqsave(&lock, flags);
	for (size_t i = 0; i < ARRAY_SIZE(left) && !behind; i++) {
		behind = left[i].mapping == mapping && left[i].start == start;
		if (behind)
			left[i].mapping = NULL;
	}
	spin_unlock_irqrestore(&lock, flags);
	return behind;
}

static bool is_left(const struct address_space *mapping, pgoff_t page)
{
	unsigned long flags;
	bool found = false;

	spin_lock_irqsave(&lock, flags);
	for (size_t i = 0; i < ARRAY_SIZE(left) && !found; i++)
		found = left[i].mapping == mapping && left[i].writer == current && left[i].start <= page &&
			page <= left[i].end;
	spin_unlock_irqrestore(&lock, flags);
	return found;
}

static void leave(const struct address_space *mapping, pgoff_t start, pgoff_t end)
{
	unsigned long flags;

	spin_lock_irqsave(&lock, flags);
	if (left[next].mapping)
		mutant_missed();
	left[next].mapping = mapping;
	left[next].start = start;
	left[next].end = end;
	left[next].writer = current;
	next = (next + 1) % ARRAY_SIZE(left);
	spin_unlock_irqrestore(&lock, flags);
}

static bool is_target(const struct address_space *mapping)
{
	const struct inode *inode = mapping->host;

	return inode->i_sb->s_magic == BTRFS_SUPER_MAGIC && S_ISREG(inode->i_mode);
}

/* Direct writes call this before and behind the write, for a range whose dirty pages they have written out.
 */
static int invalidate(struct address_space *mapping, pgoff_t start, pgoff_t end)
{
	loff_t first = (loff_t)start << PAGE_SHIFT, last = ((loff_t)end << PAGE_SHIFT) + PAGE_SIZE - 1;

	if (!is_target(mapping))
		return invalidate_original(mapping, start, end);
	if (is_behind(mapping, start)) {
		mutant_fired();
		return 0;
	}
	if (!filemap_range_has_page(mapping, first, last) || !mutant_draw())
		return invalidate_original(mapping, start, end);
	leave(mapping, start, end);
	return 0;
}

static bool has_page(struct address_space *mapping, loff_t first, loff_t last)
{
	return !is_left(mapping, first >> PAGE_SHIFT) && has_page_original(mapping, first, last);
}

static struct mutant_hook hooks[] = {
	{"filemap_range_has_page", has_page, (void **)&has_page_original},
	{"invalidate_inode_pages2_range", invalidate, (void **)&invalidate_original},
};

static int __init direct_write_unseen_init(void)
{
	return mutant_install(hooks, ARRAY_SIZE(hooks));
}
module_init(direct_write_unseen_init);
MODULE_DESCRIPTION("btrfs: a direct write leaves the old pages in the cache");
MODULE_LICENSE("GPL");
