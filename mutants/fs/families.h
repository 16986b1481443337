/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every mutant by its family's file. */
#ifndef MUTANTS_FS_FAMILIES_H
#define MUTANTS_FS_FAMILIES_H

#include "mutants/fs/mutant.h"

/* lost.c: what is written does not arrive */
extern const struct mutant mutant_page_dropped, mutant_page_half, mutant_rewrite_lost, mutant_page_reverted,
	mutant_tail_lost, mutant_error_swallowed, mutant_mmap_lost, mutant_mmap_half, mutant_direct_reverted;

/* mixed.c: something else arrives */
extern const struct mutant mutant_page_foreign, mutant_page_elsewhere, mutant_pages_swapped,
	mutant_page_twice, mutant_page_shifted, mutant_page_zeroed, mutant_page_garbage, mutant_bit_flipped;

#endif
