// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/fs/families.h"

static const struct mutant control = {
	.about = {.name = "control", .summary = "no bug: serves faithfully"},
};

/* The same, with a page cache that outlives the last close, as some mutants have it. */
static const struct mutant control_cached = {
	.about = {.name = "control-cached",
		  .summary = "no bug: serves faithfully; the page cache outlives the last close"},
	.keep_cache = true,
};

const struct mutant *const fs_mutants[] = {
	&control,
	&control_cached,
	&mutant_page_dropped,
	&mutant_page_half,
	&mutant_page_reverted,
	&mutant_direct_reverted,
	&mutant_rewrite_lost,
	&mutant_tail_lost,
	&mutant_mmap_lost,
	&mutant_mmap_half,
	&mutant_page_foreign,
	&mutant_page_elsewhere,
	&mutant_page_shifted,
	&mutant_page_zeroed,
	&mutant_page_garbage,
	&mutant_bit_flipped,
};
const size_t fs_mutant_count = sizeof(fs_mutants) / sizeof(fs_mutants[0]);
