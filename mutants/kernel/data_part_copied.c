// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration of a data page copies all but its last 512 bytes; the new page keeps there what its frame held
 * (zeroes where the kernel clears what it allocates). A page that is clean is wrong in the cache until it is
 * dropped, a dirty one is written like that.
 *
 * No report of exactly this is known. The class: the migration hooks of btrfs, f2fs, UBIFS, ZFS and hugetlbfs
 * each had to be taught by a corruption what belongs to a page.
 */
#include "mutants/kernel/mutant.h"

#include <linux/highmem.h>
#include <linux/migrate.h>
#include <linux/module.h>
#include <linux/pagemap.h>

#define LEFT 512

static int (*migrate_original)(struct address_space *, struct folio *, struct folio *, enum migrate_mode);

/* Put into the end of the folio what it held before. False: that is what it holds anyway. */
static bool put_back(struct folio *folio, const u8 *before)
{
	u8 *end = kmap_local_folio(folio, folio_size(folio) - LEFT);
	bool differs = memcmp(end, before, LEFT) != 0;

	if (differs)
		memcpy(end, before, LEFT);
	kunmap_local(end);
	return differs;
}

static int migrate(struct address_space *mapping, struct folio *dst, struct folio *src,
		   enum migrate_mode mode)
{
	u8 before[LEFT], *end;
	int ret;

	end = kmap_local_folio(dst, folio_size(dst) - LEFT);
	memcpy(before, end, LEFT);
	kunmap_local(end);
	ret = migrate_original(mapping, dst, src, mode);
	if (ret != MIGRATEPAGE_SUCCESS || !folio_test_uptodate(dst) || !mutant_draw())
		return ret;
	if (put_back(dst, before))
		mutant_fired();
	else
		mutant_missed();
	return ret;
}

static struct mutant_hook hooks[] = {
	{"btrfs_migrate_folio", migrate, (void **)&migrate_original},
};

static int __init data_part_copied_init(void)
{
	return mutant_install(hooks, ARRAY_SIZE(hooks));
}
module_init(data_part_copied_init);
MODULE_DESCRIPTION("btrfs: migration copies a part of a data page");
MODULE_LICENSE("GPL");
