/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes free memory lie in single pages: takes memory page by page, frees every other page, and mixes what it
 * holds again and again, since compaction undoes it. What others allocate then lies between pages that move.
 */
#ifndef RECOW_FRAGMENTER_H
#define RECOW_FRAGMENTER_H

#include "injectors/arena.h"

struct fragmenter {
	struct arena *arena;
	uint64_t page;      /* bytes */
	void **piece;       /* NULL: freed */
	uint64_t room;      /* pieces */
	uint64_t taken;     /* while it fills: pieces taken so far */
	uint64_t next;      /* window to be mixed next */
	unsigned int round; /* which of two neighbours is freed: changes with each round over all windows */
	bool scattered;     /* every other page was freed */
};

/* For `bytes` of pages, none of them taken yet. Returns 0 or an errno. */
int fragmenter_open(struct fragmenter *f, uint64_t bytes);

/* Most bytes that one call of fragmenter_fill() or fragmenter_mix() takes. */
#define FRAGMENTER_SLICE (64 * MiB)

/* Take the next slice; frees every other page once all is taken. True when that is done. */
bool fragmenter_fill(struct fragmenter *f);

/* Free every other page of what there is, before all is taken: there is no more memory to take. */
void fragmenter_scatter(struct fragmenter *f);

/* Take a window's freed pages and free the others. */
void fragmenter_mix(struct fragmenter *f);

/* Give everything back; it can be filled again. */
void fragmenter_yield(struct fragmenter *f);

/* Bytes held now. */
uint64_t fragmenter_held(const struct fragmenter *f);

void fragmenter_close(struct fragmenter *f);

#endif
