// SPDX-License-Identifier: GPL-2.0-only
#include "mutants/kernel/btree.h"

#include <btrfs/locking.h>

static typeof(free_extent_buffer) *put;
static typeof(btrfs_try_tree_write_lock) *try_lock;
static typeof(btrfs_tree_unlock) *unlock;

#if KERNEL_IS(6, 1)
static typeof(clear_extent_buffer_dirty) *clear_dirty;
#define CLEAR_DIRTY "clear_extent_buffer_dirty"
#else
static typeof(btrfs_clear_buffer_dirty) *clear_dirty;
#define CLEAR_DIRTY "btrfs_clear_buffer_dirty"
#endif

int btree_find(void)
{
	put = mutant_symbol("free_extent_buffer");
	try_lock = mutant_symbol("btrfs_try_tree_write_lock");
	unlock = mutant_symbol("btrfs_tree_unlock");
	clear_dirty = mutant_symbol(CLEAR_DIRTY);
	return put && try_lock && unlock && clear_dirty ? 0 : -ENOENT;
}

bool btree_try_lock(struct extent_buffer *eb)
{
	return try_lock(eb);
}

void btree_unlock(struct extent_buffer *eb)
{
	unlock(eb);
}

void btree_put(struct extent_buffer *eb)
{
	put(eb);
}

bool btree_forget(struct extent_buffer *eb)
{
	if (!test_bit(EXTENT_BUFFER_DIRTY, &eb->bflags) || test_bit(EXTENT_BUFFER_WRITEBACK, &eb->bflags))
		return false;
#if KERNEL_IS(6, 1)
	if (!test_and_clear_bit(EXTENT_BUFFER_DIRTY, &eb->bflags))
		return false;
	percpu_counter_add_batch(&eb->fs_info->dirty_metadata_bytes, -(s64)eb->len,
				 eb->fs_info->dirty_metadata_batch);
	clear_dirty(eb);
#else
	clear_dirty(NULL, eb);
#endif
	return true;
}
