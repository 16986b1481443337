/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was in the last blocks that were overwritten.
 */
#ifndef MUTANTS_HISTORY_H
#define MUTANTS_HISTORY_H

#include <stddef.h>
#include <stdint.h>

struct device;
struct history;

/* NULL: no memory. */
struct history *history_new(void);
void history_free(struct history *h);

/* Before `data` is stored: keep what the whole blocks of [offset, offset + length) hold, where that is
 * something else. */
void history_keep(struct history *h, const struct device *d, const unsigned char *data, size_t length,
		  uint64_t offset);

/* The last content of the block at `offset` before its present one that isn't `now`; NULL: none is known. */
const unsigned char *history_find(const struct history *h, uint64_t offset, const unsigned char *now);

#endif
