/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every mutant by its family's file. */
#ifndef MUTANTS_FS_FAMILIES_H
#define MUTANTS_FS_FAMILIES_H

#include "mutants/fs/mutant.h"

/* lost.c: what is written does not arrive */
extern const struct mutant mutant_page_dropped, mutant_dirty_lost, mutant_page_half, mutant_page_reverted,
	mutant_direct_reverted, mutant_rewrite_lost, mutant_tail_lost, mutant_error_swallowed,
	mutant_mmap_lost, mutant_mmap_half;

/* mixed.c: something else arrives */
extern const struct mutant mutant_page_foreign, mutant_page_elsewhere, mutant_pages_swapped,
	mutant_page_twice, mutant_page_shifted, mutant_page_zeroed, mutant_page_garbage, mutant_bit_flipped;

/* direct.c: direct and buffered I/O disagree */
extern const struct mutant mutant_direct_read_stale, mutant_direct_unseen;

/* size.c */
extern const struct mutant mutant_append_stale_size, mutant_failed_write_grows, mutant_truncate_lost;

/* holes.c: what must read as zeroes */
extern const struct mutant mutant_truncate_old_tail, mutant_tail_exposed, mutant_hole_exposed,
	mutant_truncate_zeroes_page, mutant_punch_edge, mutant_punch_wide, mutant_zero_short,
	mutant_hole_old_data, mutant_allocate_exposed;

/* copy.c */
extern const struct mutant mutant_copy_off_by_one, mutant_copy_short, mutant_copy_shares;

/* errors.c */
extern const struct mutant mutant_write_eio, mutant_rename_eio, mutant_fsync_eio, mutant_read_eio,
	mutant_fsync_early;

/* attribute.c, xattr.c */
extern const struct mutant mutant_mode_lost, mutant_owner_lost, mutant_mtime_back, mutant_mtime_kept,
	mutant_utimes_lost, mutant_nlink_low, mutant_nlink_high, mutant_xattr_lost, mutant_xattr_stale,
	mutant_xattr_foreign, mutant_xattr_kept;

/* names.c, returning.c, list.c */
extern const struct mutant mutant_rename_loses, mutant_rename_both, mutant_exchange_ignored,
	mutant_create_lost, mutant_unlink_lost, mutant_unlink_returns, mutant_link_split, mutant_symlink_cut,
	mutant_listed_twice, mutant_listed_never, mutant_listed_type, mutant_name_unfound;

/* snapshot.c */
extern const struct mutant mutant_snapshot_changes;

#endif
