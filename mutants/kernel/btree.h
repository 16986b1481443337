/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Metadata blocks (extent buffers), for the kernels that are known: what differs between them, and functions
 * of btrfs that are not exported.
 */
#ifndef MUTANTS_KERNEL_BTREE_H
#define MUTANTS_KERNEL_BTREE_H

#include "mutants/kernel/mutant.h"

#include <btrfs/ctree.h> /* on which the others rely */

#include <btrfs/extent_io.h>

#if !KERNEL_IS(6, 1) && !KERNEL_IS(6, 12)
#error "mutants of btrfs metadata know the extent buffers of Linux 6.1 and 6.12 only"
#endif

/* int/bool lock_extent_buffer_for_io(struct extent_buffer *, write_context *): takes a dirty block for
 * writing; 6.1 wants its pages locked behind it, later kernels lock them when they write. 0: there is nothing
 * to be written. */
#if KERNEL_IS(6, 1)
typedef int lock_answer;
typedef struct extent_page_data write_context;
#define mapping_private_lock(mapping) (&(mapping)->private_lock)
#define first_folio(eb)               page_folio((eb)->pages[0])
#else
typedef bool lock_answer;
typedef struct writeback_control write_context;
#define mapping_private_lock(mapping) (&(mapping)->i_private_lock)
#define first_folio(eb)               ((eb)->folios[0])
#endif

/* Metadata is never in high memory. */
static inline struct btrfs_header *btree_header(const struct extent_buffer *eb)
{
	struct folio *folio = first_folio(eb);

	return folio_address(folio) + offset_in_folio(folio, eb->start);
}

/* Find the functions of btrfs that the others call. Once, before them; 0 or a negative error. */
int btree_find(void);

/* The lock of a block, for writing. */
bool btree_try_lock(struct extent_buffer *eb);
void btree_unlock(struct extent_buffer *eb);
/* Give a reference back. */
void btree_put(struct extent_buffer *eb);
/* A block that is locked is taken for clean from now on, its pages with it. False: it is not dirty, or being
 * written. */
bool btree_forget(struct extent_buffer *eb);

#endif
