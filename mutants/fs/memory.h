/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages that were there or were written lately: what a bug that mixes pages up has at hand. Bounded: the
 * oldest are forgotten.
 */
#ifndef MUTANTS_FS_MEMORY_H
#define MUTANTS_FS_MEMORY_H

#include "mutants/fs/fs.h"

struct remembered {
	struct file_id id;
	uint64_t offset;
	uint64_t request; /* when; 0: the place is free */
	unsigned char bytes[PAGE];
};

/* Remember a page. Returns -ENOMEM when there is no memory for any. */
int remember(struct fs *fs, struct file_id id, uint64_t offset, const unsigned char bytes[PAGE]);

/* The last one of this place; of another file; of another place of this file. NULL: none. */
const struct remembered *recall(const struct fs *fs, struct file_id id, uint64_t offset);
const struct remembered *recall_foreign(const struct fs *fs, struct file_id id);
const struct remembered *recall_elsewhere(const struct fs *fs, struct file_id id, uint64_t offset);

void memory_free(struct fs *fs);

#endif
