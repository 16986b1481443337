/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a file is in the page cache. */
#ifndef RECOW_VERIFY_RESIDENT_H
#define RECOW_VERIFY_RESIDENT_H

#include "src/base/base.h"

/* How many of the first `blocks` blocks of an open file are in the page cache. Asking changes nothing there.
 * 0 when the kernel doesn't say. */
uint64_t resident_blocks(int fd, uint64_t blocks);

#endif
