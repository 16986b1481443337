/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is there room? Asked beforehand: an image that can't grow shows as I/O errors of the filesystem under test.
 */
#ifndef RECOW_SPACE_H
#define RECOW_SPACE_H

#include "src/base/base.h"
#include "src/base/error.h"
#include "src/target/target.h"

/* `growth`: bytes that a sparse image at (or to be made in) `path` may still take. */
int space_for_image(const char *path, uint64_t growth, struct error *e);

/* Bytes that a new throw-away image takes at most: all of it, unless little of it is ever filled. */
uint64_t space_of_new_image(const struct target_spec *spec);

/* An image on a tmpfs takes memory. */
int space_for_memory_image(uint64_t size, struct error *e);

/* A mounted filesystem that recow shares with others: writable, with bytes and inodes enough for a churn. */
int space_for_churn(const char *path, struct error *e);

#endif
