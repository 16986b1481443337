/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Damage that comes later: so many requests after the one that gave the chance, unless the place is written
 * or cut off before. An older version of a page that is written back after a newer one, for example.
 */
#ifndef MUTANTS_FS_PROMISE_H
#define MUTANTS_FS_PROMISE_H

#include "mutants/fs/damage.h"

/* Do it `later` requests from now. All that `d` points to is copied; d->inode is looked for anew. */
void promise_damage(struct fs *fs, const struct damage *d, unsigned int later);

/* These bytes are about to have another meaning. */
void promises_touched(struct fs *fs, struct file_id id, uint64_t offset, uint64_t length);

/* Called before each request. */
void promises_keep(struct fs *fs);
void promises_free(struct fs *fs);

#endif
