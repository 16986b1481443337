/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RECOW_BTRFS_CHUNK_H
#define RECOW_BTRFS_CHUNK_H

#include "verify/btrfs/event.h"

/* Check a chunk item and, when it can be used, hand it on as EVENT_CHUNK (fs/btrfs/tree-checker.c:
 * btrfs_check_chunk_valid()). */
void chunk_item(const struct format *f, const struct key *key, const unsigned char *item, uint32_t size,
		unsigned int slot, const struct sink *sink);

/* Is this a possible set of GROUP_ flags? Otherwise why not. */
const char *group_flags_wrong(const struct format *f, uint64_t flags);

#endif
