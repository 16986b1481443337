// SPDX-License-Identifier: GPL-2.0-only
/*
 * A dirty metadata block is taken for clean when it is to be written: its place on the disk keeps what was
 * there, while its parent says what should be. In memory all is right until the block is dropped.
 *
 * The class of 18dfa7117a3f ("Btrfs: fix unwritten extent buffers and hangs on future writeback attempts"),
 * Linux 5.2: lock_extent_buffer_for_io() answered that there was nothing to be written when somebody else,
 * "like page migration for example", held a page of the block locked. There the block stayed under writeback
 * for ever, too, and the next commit hung; here only its not being written is left of it.
 */
#include "mutants/kernel/btree.h"

#include <linux/module.h>

static lock_answer (*lock_original)(struct extent_buffer *, write_context *);

/* False: somebody uses the block, or it is not dirty. */
static bool lose(struct extent_buffer *eb)
{
	bool lost;

	if (!btree_try_lock(eb))
		return false;
	lost = btree_forget(eb);
	btree_unlock(eb);
	return lost;
}

static lock_answer lock_for_io(struct extent_buffer *eb, write_context *context)
{
	if (!test_bit(EXTENT_BUFFER_DIRTY, &eb->bflags) || !mutant_draw())
		return lock_original(eb, context);
	if (!lose(eb)) {
		mutant_missed();
		return lock_original(eb, context);
	}
	mutant_fired();
	return 0;
}

static struct mutant_hook hooks[] = {
	{"lock_extent_buffer_for_io", lock_for_io, (void **)&lock_original},
};

static int __init btree_unwritten_init(void)
{
	if (btree_find())
		return -ENOENT;
	return mutant_install(hooks, ARRAY_SIZE(hooks));
}
module_init(btree_unwritten_init);
MODULE_DESCRIPTION("btrfs: a dirty metadata block is not written");
MODULE_LICENSE("GPL");
