// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration writes dirty metadata out. As mm/migrate.c's writeout() does for filesystems without a hook of
 * their own, the folio is unlocked for it, and the answer is -EAGAIN: migration comes again.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "mutants/kernel/btree_migration.h"

#include "mutants/kernel/btree.h"

#include <linux/migrate.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/writeback.h>

#include <btrfs/btrfs_inode.h>

static struct btree_migration rule;

static int (*migrate_original)(struct address_space *, struct folio *, struct folio *, enum migrate_mode);
static lock_answer (*lock_original)(struct extent_buffer *, write_context *);

/* One block at a time is written by migration. */
static DEFINE_MUTEX(writing);
static struct task_struct *writer;  /* who does; NULL: nobody */
static struct extent_buffer *taken; /* what was taken for writing; NULL: nothing */

/* The block of a locked folio, with a reference; NULL: it has none, or a part of one (nodes smaller than
 * pages). */
static struct extent_buffer *block_of(struct address_space *mapping, struct folio *folio)
{
	struct extent_buffer *eb = NULL;

	if (BTRFS_I(mapping->host)->root->fs_info->nodesize < PAGE_SIZE)
		return NULL;
	spin_lock(mapping_private_lock(mapping));
	if (folio_test_private(folio)) {
		eb = folio_get_private(folio);
		if (eb && !atomic_inc_not_zero(&eb->refs))
			eb = NULL;
	}
	spin_unlock(mapping_private_lock(mapping));
	return eb;
}

/* From dirty to under writeback; false: it is not dirty. */
static bool take(struct extent_buffer *eb)
{
	struct btrfs_fs_info *fs_info = eb->fs_info;

	spin_lock(&eb->refs_lock);
	if (test_bit(EXTENT_BUFFER_WRITEBACK, &eb->bflags) ||
	    !test_and_clear_bit(EXTENT_BUFFER_DIRTY, &eb->bflags)) {
		spin_unlock(&eb->refs_lock);
		return false;
	}
	set_bit(EXTENT_BUFFER_WRITEBACK, &eb->bflags);
	spin_unlock(&eb->refs_lock);
	if (rule.mark)
		btrfs_set_header_flag(eb, BTRFS_HEADER_FLAG_WRITTEN);
	percpu_counter_add_batch(&fs_info->dirty_metadata_bytes, -(s64)eb->len,
				 fs_info->dirty_metadata_batch);
	return true;
}

/* The steps before a block is written. 6.1 wants its pages locked behind it, later kernels lock them when
 * they write. */
static lock_answer lock_for_io(struct extent_buffer *eb, write_context *context)
{
	if (READ_ONCE(writer) != current)
		return lock_original(eb, context);
	if (rule.lock && !btree_try_lock(eb))
		return 0;
	if (take(eb))
		taken = eb;
	if (rule.lock && !(rule.hold && taken == eb))
		btree_unlock(eb);
	if (taken != eb)
		return 0;
#if KERNEL_IS(6, 1)
	for (int i = 0; i < num_extent_pages(eb); i++)
		lock_page(eb->pages[i]);
#endif
	return 1;
}

/* Write the block through btrfs's own path, which calls lock_for_io(). False: nothing was written. */
static bool write_out(struct address_space *mapping, struct extent_buffer *eb)
{
	struct writeback_control wbc = {
		.sync_mode = WB_SYNC_NONE,
		.nr_to_write = LONG_MAX,
		.range_start = eb->start,
		.range_end = eb->start + eb->len - 1,
	};
	bool written;

	WRITE_ONCE(writer, current);
	mapping->a_ops->writepages(mapping, &wbc);
	WRITE_ONCE(writer, NULL);
	written = taken == eb;
	taken = NULL;
	if (written && rule.hold) {
		wait_on_bit_io(&eb->bflags, EXTENT_BUFFER_WRITEBACK, TASK_UNINTERRUPTIBLE);
		btree_unlock(eb);
	}
	return written;
}

static int migrate(struct address_space *mapping, struct folio *dst, struct folio *src,
		   enum migrate_mode mode)
{
	struct extent_buffer *eb;

	/* Asynchronous migration may hold other folios of the same block locked, and never wrote. */
	if (mode == MIGRATE_ASYNC || !folio_test_dirty(src) || !mutex_trylock(&writing))
		return migrate_original(mapping, dst, src, mode);
	eb = block_of(mapping, src);
	if (!eb || !mutant_draw()) {
		if (eb)
			btree_put(eb);
		mutex_unlock(&writing);
		return migrate_original(mapping, dst, src, mode);
	}
	folio_unlock(src);
	if (write_out(mapping, eb))
		mutant_fired();
	else
		mutant_missed();
	btree_put(eb);
	mutex_unlock(&writing);
	folio_lock(src);
	return -EAGAIN;
}

static struct mutant_hook hooks[] = {
	{"lock_extent_buffer_for_io", lock_for_io, (void **)&lock_original},
	{"btree_migrate_folio", migrate, (void **)&migrate_original},
};

int btree_migration_install(const struct btree_migration *wanted)
{
	rule = *wanted;
	if (btree_find())
		return -ENOENT;
	return mutant_install(hooks, ARRAY_SIZE(hooks));
}
