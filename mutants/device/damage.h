/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which bytes of the image are wrong, and by which firing.
 */
#ifndef MUTANTS_DAMAGE_H
#define MUTANTS_DAMAGE_H

#include <stddef.h>
#include <stdint.h>

struct wrong {
	uint64_t offset, length;
	uint64_t firing;
};

struct damage {
	struct wrong *wrong; /* in no order; those of one firing don't overlap */
	size_t count, room;
};

void damage_free(struct damage *d);

/* Bytes are wrong by that firing. */
void damage_add(struct damage *d, uint64_t firing, uint64_t offset, uint64_t length);

/* Compare what is with what should be, and add the sectors that differ, cut to their first and last differing
 * byte. */
void damage_compare(struct damage *d, uint64_t firing, uint64_t offset, const unsigned char *should,
		    const unsigned char *is, size_t length);

/* [offset, offset + length) is right again. gone() is told each firing of which nothing is left. */
void damage_heal(struct damage *d, uint64_t offset, uint64_t length,
		 void (*gone)(void *context, uint64_t firing), void *context);

#endif
