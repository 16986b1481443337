/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copying to and from mapped files. A page that can't be had raises SIGBUS (a store when the filesystem is
 * full, a load that can't be read): that is an answer, not the end of the process.
 */
#ifndef RECOW_OPS_GUARDED_H
#define RECOW_OPS_GUARDED_H

#include "src/base/base.h"

/*
 * Copy into a shared mapping, from the first byte to the last, by stores that never straddle two pages.
 * Returns how many bytes were stored: with less than `len` the next one raised SIGBUS, and neither it nor
 * any behind it was touched.
 */
size_t guarded_store(unsigned char *to, const unsigned char *from, size_t len);

/* Copy out of a mapping. False when a SIGBUS ended it; *fault is then the offset of the byte that could not
 * be read. */
bool guarded_load(unsigned char *to, const unsigned char *from, size_t len, size_t *fault);

#endif
