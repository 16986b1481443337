/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names that a directory must have: a hash table that is filled anew for each directory. */
#ifndef RECOW_VERIFY_LISTING_H
#define RECOW_VERIFY_LISTING_H

#include "verify/check.h"

struct entry {
	struct subject subject; /* view NULL: an anchor, of which only presence and type count */
	size_t view;            /* number of the subject's view */
	uint32_t bytes;         /* where its name starts, NUL-terminated */
	uint16_t length;
	uint8_t type;  /* enum object_type */
	uint8_t dtype; /* as listed, DT_UNKNOWN before */
	uint32_t seen; /* how often it was listed */
};

struct listing {
	struct entry *entry;
	size_t count, room;
	char *bytes;
	size_t used, bytes_room;
	uint32_t *slot; /* 1 + number of an entry */
	size_t slots;   /* a power of two, at least twice the count */
};

void listing_clear(struct listing *l);
void listing_free(struct listing *l);

/* Add a name; the rest of *e but bytes, length, dtype and seen is the caller's. False for lack of memory. */
bool listing_add(struct listing *l, const struct entry *e, const char *name, size_t length);

/* Make the table, after the last add. */
bool listing_index(struct listing *l);

/* NULL if there is no such name. */
struct entry *listing_find(const struct listing *l, const char *name);

static inline const char *listing_name(const struct listing *l, const struct entry *e)
{
	return l->bytes + e->bytes;
}

#endif
