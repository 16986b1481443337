/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared files: each worker's model has only its own bytes of them, so what a block must be is put together
 * from the models of all.
 */
#ifndef RECOW_VERIFY_SHARED_H
#define RECOW_VERIFY_SHARED_H

#include "verify/files.h"

static inline bool shared_is(const struct object *o)
{
	return o->type == OBJECT_FILE && (o->flags & OBJECT_SHARED);
}

/* Does one of the workers not know its part any more (OBJECT_UNSURE)? */
bool shared_unsure(const struct verification *v, uint32_t object);

/* The bytes of a block. False when a worker's model is damaged in memory. */
bool shared_regenerate(const struct verification *v, uint32_t object, uint64_t block, unsigned char *buf);

/* The fragments of a block, of all workers, by start. Returns their number. */
size_t shared_fragments(const struct verification *v, uint32_t object, uint64_t block, struct fragment *out,
			size_t room);

/* Whose byte at `offset` is. */
struct subject shared_owner(const struct verification *v, uint32_t object, uint64_t offset);

/* Compare `count` blocks from `first` on, as data_compare(). */
void shared_compare(struct check *c, struct file *file, uint64_t first, uint64_t count,
		    const unsigned char *buf);

#endif
