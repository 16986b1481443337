// SPDX-License-Identifier: GPL-2.0-only
/*
 * A metadata block is written with the checksum that its header held before: that of an earlier version, or
 * of the block that it was copied from. As if it were changed behind the computation of its checksum.
 *
 * No report of exactly this is known. The class is what the design of btrfs forbids (a block that was marked
 * as written is not changed any more), and what the bug of 2010 (btree_migration_2010.c) does now and then.
 */
#include "mutants/kernel/btree.h"

#include <linux/module.h>

#include <btrfs/disk-io.h>

static void (*csum_original)(struct extent_buffer *, u8 *);

/* Called with a block that was read, to compare, and with one that is being written, to fill it in. */
static void csum(struct extent_buffer *eb, u8 *result)
{
	u32 size = eb->fs_info->csum_size;
	const u8 *before;

	csum_original(eb, result);
	if (!test_bit(EXTENT_BUFFER_WRITEBACK, &eb->bflags) || !mutant_draw())
		return;
	before = btree_header(eb)->csum;
	if (memcmp(result, before, size) == 0) {
		mutant_missed();
		return;
	}
	memcpy(result, before, size);
	mutant_fired();
}

static struct mutant_hook hooks[] = {
	{"csum_tree_block", csum, (void **)&csum_original},
};

static int __init btree_stale_csum_init(void)
{
	return mutant_install(hooks, ARRAY_SIZE(hooks));
}
module_init(btree_stale_csum_init);
MODULE_DESCRIPTION("btrfs: a metadata block is written with the checksum of an earlier version");
MODULE_LICENSE("GPL");
