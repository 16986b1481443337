/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory blocks that an injector may take away and bring back, and those among them that it holds in
 * ZONE_MOVABLE: which ones are fit, which one holds most dirty pages of the target, who refused lately.
 */
#ifndef RECOW_BLOCKS_H
#define RECOW_BLOCKS_H

#include "injectors/census.h"
#include "injectors/injector.h"

struct block {
	unsigned int number;
	bool movable;          /* comes back as ZONE_MOVABLE; else to the kernel zone that it had */
	bool held;             /* made movable for this run, to attract the target's pages and to be cycled */
	bool away;             /* offline, to be brought back */
	unsigned int refusals; /* in a row */
	uint64_t retry;        /* CLOCK_MONOTONIC ns: not before */
	uint64_t turn;         /* when it was taken away last, on the clock of blocks.turn; 0: never */
	uint64_t dirty;        /* the target's dirty pages in it, estimated by blocks_look() */
};

struct blocks {
	uint64_t bytes; /* of one block */
	uint64_t limit; /* ns that an attempt to take one offline may last */
	uint64_t floor; /* MemAvailable, bytes, that is left when a block is offline */
	struct census census;
	uint64_t turn; /* how often a block was taken away */
	size_t held;   /* how many are */
	size_t away;   /* likewise */
	size_t count;  /* all fit blocks, in order of preference for becoming movable */
	struct block block[];
};

/* Survey the machine. `limit` and `floor` as above. The seed's stream decides among equals. NULL: no memory,
 * or no block is fit (*e says which). Free with blocks_close(). */
struct blocks *blocks_open(struct stream *random, uint64_t limit, uint64_t floor, struct error *e);
void blocks_close(struct blocks *b);

/* The next block that is neither held nor away, and didn't refuse lately. NULL: there is none. */
struct block *blocks_spare(struct blocks *b);

/* Count the target's dirty pages in all held blocks (a sample of each). False: this kernel doesn't show them,
 * or there are none. */
bool blocks_look(struct injection *in, struct blocks *b);

/* The held block with most dirty pages when blocks_look() saw them, among those that didn't refuse lately.
 * With `turns`, the one that was left alone longest among those with at least half as many. NULL: all refused
 * lately. */
struct block *blocks_dirtiest(struct blocks *b, bool turns);

/* MemAvailable above the floor, bytes; negative below it. */
int64_t blocks_room(const struct blocks *b);

/* Take a block offline. `moved`: pages that the machine migrated meanwhile. Idle when MemAvailable would fall
 * below the floor. Adds to the exposure. */
enum step blocks_take(struct injection *in, struct blocks *b, struct block *k, uint64_t *moved);

/* Bring it back. */
enum step blocks_return(struct injection *in, struct blocks *b, struct block *k);

/* The block that was taken last and is still away, NULL if none is. */
struct block *blocks_last_taken(struct blocks *b);

/* Bring back all that are away, the last one taken first. What refuses stays away. */
void blocks_return_all(struct injection *in, struct blocks *b);

#endif
