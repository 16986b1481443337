/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Image files. */
#ifndef RECOW_IMAGE_H
#define RECOW_IMAGE_H

#include "src/base/base.h"
#include "src/base/error.h"

/* A new sparse file; it must not exist. */
int image_make(const char *path, uint64_t size, struct error *e);

/* Copy, leaving out holes. Removes what it made after a failure. */
int image_copy(const char *from, const char *to, struct error *e);

#endif
