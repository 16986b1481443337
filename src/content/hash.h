/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XXH3-64 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md), unseeded, in the widest vectors that this
 * processor has. All checksums of recow are made here.
 */
#ifndef RECOW_HASH_H
#define RECOW_HASH_H

#include "src/base/base.h"

uint64_t hash_bytes(const void *bytes, size_t len);

#endif
