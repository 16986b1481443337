/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chunks of a filesystem: where logical addresses lie, and what is said of each stretch. */
#ifndef RECOW_AUDIT_MAP_H
#define RECOW_AUDIT_MAP_H

#include <stdatomic.h>

#include "src/audit/disks.h"
#include "src/target/chunk.h"

struct chunk {
	uint64_t start, length, type;
	unsigned char *item; /* the chunk item */
	uint32_t size;
	uint64_t device_bytes; /* that it takes of each of its devices */
	bool from_tree;        /* else from the superblock only */
	/* What the block group item says. */
	bool grouped;
	uint64_t group_used;
	/* What the free space tree says, and how often it said it; not of what is kept in bitmaps. */
	bool free_known, free_bitmaps;
	uint32_t free_extents, free_counted;
	/* Sums that must come out even: stripes less device extents; see tally.h for the others. */
	uint64_t stripes;
	/* A bit for each sector of data that is allocated, that has a checksum; NULL: no data. */
	_Atomic uint64_t *allocated, *summed;
};

struct map {
	struct chunk **chunks; /* by start */
	size_t count, room;
	uint32_t sectorsize;
};

void map_start(struct map *m, uint32_t sectorsize);
void map_end(struct map *m);

/* Take a chunk (EVENT_CHUNK). NULL: done; otherwise why it can't be. */
const char *map_add(struct map *m, const struct event *ev, bool from_tree);

/* The chunk that holds all of the stretch, or NULL; `number` (may be NULL): its place in the map. */
struct chunk *map_find(const struct map *m, uint64_t start, uint64_t length, size_t *number);

/* Does any chunk hold some of the stretch? */
bool map_overlaps(const struct map *m, uint64_t start, uint64_t length);

/* Where its copies lie. NULL: known; otherwise why they can't be reached. */
const char *map_place(const struct map *m, const struct disks *d, uint64_t start, uint64_t length,
		      struct target_address *out);

/* How far one read may reach from `start` on: to the end of the stripe, or of the chunk. 0: no chunk. */
uint64_t map_run(const struct map *m, uint64_t start);

/* Bits for the sectors of each data chunk that is not larger than the devices. */
int map_bits(struct map *m, uint64_t device_bytes, struct error *e);

/* Set the bits of a stretch; true when one of them was set before. */
bool map_mark(_Atomic uint64_t *bits, const struct map *m, const struct chunk *c, uint64_t start,
	      uint64_t length);

/* Are all of them set? */
bool map_marked(const _Atomic uint64_t *bits, const struct map *m, const struct chunk *c, uint64_t start,
		uint64_t length);

/* A hash of one end of a stretch: sums of these over stretches that lie end to end telescope. */
uint64_t map_edge(uint64_t address);

/* A hash of one stretch of a device. */
uint64_t map_stripe(uint64_t devid, uint64_t physical, uint64_t length);

#endif
