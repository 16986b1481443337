/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XXH3-64 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md). All checksums of recow are made here.
 */
#ifndef RECOW_HASH_H
#define RECOW_HASH_H

#include "src/base/base.h"

/* Unseeded, in the widest vectors that this processor has. */
uint64_t hash_bytes(const void *bytes, size_t len);

/*
 * For what is changed a few bytes at a time: a sum of hashes, one for each line (of a cache line's size),
 * each seeded with its place. When a line changes, the sum changes by the hash of the new less that of the
 * old.
 */
#define HASH_LINE 64U

/* One line, which may be shorter. */
uint64_t hash_line(const void *line, size_t len, uint64_t place);

/* The sum over `count` whole lines, the first of which has the place `first`. */
uint64_t hash_lines(const void *lines, size_t count, uint64_t first);

#endif
