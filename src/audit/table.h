/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One entry for each metadata block that something points to or that is allocated: what is promised of it,
 * and whether references and reaches cancel out. Both are sums, so that the order in which blocks are read
 * does not matter.
 */
#ifndef RECOW_AUDIT_TABLE_H
#define RECOW_AUDIT_TABLE_H

#include "src/base/base.h"
#include "src/base/error.h"

enum entry_flag {
	ENTRY_REACHED = 1,   /* something points to it */
	ENTRY_ALLOCATED = 2, /* the extent tree has it */
	ENTRY_FULL = 4,      /* references to its children name it, not its owner */
	ENTRY_LOG = 8,       /* of a log: not in the extent tree until it is replayed */
	ENTRY_BELOW = 16,    /* a node points to it; first_key holds */
	ENTRY_LEVEL = 32,    /* level is known (an extent item need not say it) */
	ENTRY_DROPPING = 64, /* of a tree that is being deleted, too */
};

/* 48 bytes: with its share of the index an entry takes less than 64. */
struct entry {
	uint64_t bytenr;
	uint64_t generation; /* as promised */
	uint64_t who;        /* references less reaches, as a sum of hashes of who they are */
	int32_t count;       /* references less reaches */
	uint32_t first_key;  /* digest */
	uint32_t tree;       /* by which it was reached first: a number in the walk's list */
	uint8_t level;
	uint8_t flags;
	uint16_t unused;
	uint32_t weight; /* by how many trees of files it is reached; final when it is read */
} __attribute__((packed, aligned(4)));

#define TABLE_SEGMENT (1U << 14) /* entries */
#define TABLE_FULL    UINT32_MAX

struct table {
	struct entry **segments;
	uint32_t *index; /* number of an entry + 1; 0: none */
	uint64_t slots;  /* of the index, a power of two */
	uint32_t count, limit;
	uint64_t bytes; /* at most, so far */
};

/* At most `limit` entries. */
int table_start(struct table *t, uint64_t limit, struct error *e);
void table_end(struct table *t);

/* The number of the entry for a block, new ones zeroed but for bytenr; TABLE_FULL: there is no room or no
 * memory. */
uint32_t table_get(struct table *t, uint64_t bytenr, bool *made);

/* The same, without making one. */
uint32_t table_find(const struct table *t, uint64_t bytenr);

/* Stays where it is while the table grows. */
static inline struct entry *table_entry(const struct table *t, uint32_t number)
{
	return &t->segments[number / TABLE_SEGMENT][number % TABLE_SEGMENT];
}

#endif
