/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page of memory that caches a block of a file. */
#ifndef RECOW_VERIFY_PAGE_H
#define RECOW_VERIFY_PAGE_H

#include "src/finding/finding.h"

/* Fill f->page for the cached page at f->offset of an open file, where it is cached and the kernel tells. The
 * page is mapped for it, never read in: what is cached stays as it is, but for the mark of an access. */
void page_look(int fd, struct finding *f);

#endif
