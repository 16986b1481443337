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
 * writeout() cleared the dirty flag, made the entries mappings again and called ->writepage. Later btrfs has
 * none for data, and its ->writepages clears the flag itself. So the module writes the page as any writer
 * does, its mappings being there, and gives one of them back afterwards what the walk took: leave to store.
 *
 * Only that counts. A page that write(2) made dirty, or that is mapped elsewhere in the file only, is written
 * as it should be. And what is stored then is not lost as long as it stays in the cache: when the mapping
 * goes, or the page is migrated again, the page becomes dirty and is written. So harm comes of a store that
 * follows, seen by who looks past the cache, or at a snapshot, before that.
 */
#include "mutants/kernel/mutant.h"

#include <linux/fs.h>
#include <linux/migrate.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/swapops.h>
#include <linux/writeback.h>

#if !KERNEL_IS(6, 1) && !KERNEL_IS(6, 12)
#error "mmap-store-unseen knows migration in Linux 6.1 and 6.12 only"
#endif

static int (*migrate_original)(struct address_space *, struct folio *, struct folio *, enum migrate_mode);
static typeof(remove_migration_ptes) *restore_mappings;
static typeof(rmap_walk) *walk_mappings;
static typeof(page_vma_mapped_walk) *walk_entries;

/* A place where a folio is mapped and may be stored to. The area is only compared: it may be gone. */
struct place {
	const struct vm_area_struct *vma;
	unsigned long address;
};

static bool is_writable(pte_t pte)
{
	return !pte_present(pte) && is_writable_migration_entry(pte_to_swp_entry(pte));
}

#if KERNEL_IS(6, 1)
#define mkwrite pte_mkwrite
#else
#define mkwrite pte_mkwrite_novma
#endif

/* What is done to the entries of a folio: find one that will be writable, or make it so again. */
struct visit {
	struct place place;
	unsigned int flags; /* of page_vma_mapped_walk() */
	bool (*entry)(struct visit *v, struct page_vma_mapped_walk *at);
	bool done;
};

static bool visit_area(struct folio *folio, struct vm_area_struct *vma, unsigned long address, void *arg)
{
	struct visit *v = arg;
	struct page_vma_mapped_walk at = {
		.pfn = folio_pfn(folio),
		.nr_pages = folio_nr_pages(folio),
		.pgoff = folio->index,
		.vma = vma,
		.address = address,
		.flags = v->flags,
	};

	while (walk_entries(&at)) {
		if (!at.pte || !v->entry(v, &at))
			continue;
		v->done = true;
		page_vma_mapped_walk_done(&at);
		return false;
	}
	return true;
}

/* The folio is locked. */
static bool visit(struct folio *folio, struct visit *v)
{
	struct rmap_walk_control control = {.rmap_one = visit_area, .arg = v};

	walk_mappings(folio, &control);
	return v->done;
}

static bool take_place(struct visit *v, struct page_vma_mapped_walk *at)
{
	if (!is_writable(ptep_get(at->pte)))
		return false;
	v->place = (struct place){at->vma, at->address};
	return true;
}

/* Without a mark that it is dirty. A mapping that allows more needs no flush. */
static bool give_leave(struct visit *v, struct page_vma_mapped_walk *at)
{
	pte_t pte = ptep_get(at->pte);

	if (at->vma != v->place.vma || at->address != v->place.address || !pte_present(pte) || pte_write(pte))
		return false;
	set_pte_at(at->vma->vm_mm, at->address, at->pte, mkwrite(pte));
	return true;
}

/* As writeout() of mm/migrate.c does, the folio is unlocked for it. It is in the cache still, and clean, when
 * this returns true. */
static bool write_out(struct address_space *mapping, struct folio *folio)
{
	struct writeback_control wbc = {
		.sync_mode = WB_SYNC_ALL,
		.nr_to_write = 1,
		.range_start = folio_pos(folio),
		.range_end = folio_pos(folio) + folio_size(folio) - 1,
	};

	restore_mappings(folio, folio, 0);
	folio_unlock(folio);
	mapping->a_ops->writepages(mapping, &wbc);
	folio_lock(folio);
	folio_wait_writeback(folio);
	return folio->mapping == mapping && !folio_test_dirty(folio);
}

static int migrate(struct address_space *mapping, struct folio *dst, struct folio *src,
		   enum migrate_mode mode)
{
	struct visit find = {.flags = PVMW_SYNC | PVMW_MIGRATION, .entry = take_place}, give;

	/* Asynchronous migration may hold other folios of the same range locked, and never wrote. */
	if (mode == MIGRATE_ASYNC || !folio_test_dirty(src) || !mapping_writably_mapped(mapping) ||
	    !visit(src, &find) || !mutant_draw())
		return migrate_original(mapping, dst, src, mode);
	give = (struct visit){.place = find.place, .flags = PVMW_SYNC, .entry = give_leave};
	if (write_out(mapping, src) && visit(src, &give))
		mutant_fired();
	else
		mutant_missed();
	return -EAGAIN;
}

static struct mutant_hook hooks[] = {
	{"btrfs_migrate_folio", migrate, (void **)&migrate_original},
};

static int __init mmap_store_unseen_init(void)
{
	restore_mappings = mutant_symbol("remove_migration_ptes");
	walk_mappings = mutant_symbol("rmap_walk");
	walk_entries = mutant_symbol("page_vma_mapped_walk");
	if (!restore_mappings || !walk_mappings || !walk_entries)
		return -ENOENT;
	return mutant_install(hooks, ARRAY_SIZE(hooks));
}
module_init(mmap_store_unseen_init);
MODULE_DESCRIPTION("btrfs: stores through a mapping behind migration are not seen by writeback");
MODULE_LICENSE("GPL");
