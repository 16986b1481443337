/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which bytes of an image hold what, as far as a btrfs on it says so in its chunk tree. Of a filesystem with
 * several devices each image is looked at for itself.
 */
#ifndef MUTANTS_REGIONS_H
#define MUTANTS_REGIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scope { SCOPE_ANY, SCOPE_DATA, SCOPE_METADATA };

/* What bytes are for; a mixed chunk has both. */
#define REGION_DATA     1u
#define REGION_METADATA 2u /* trees: METADATA and SYSTEM chunks */
#define REGION_SUPER    4u /* a superblock, which counts as metadata */

struct region {
	uint64_t start, end;
	unsigned int what;
};

struct regions {
	struct region *region; /* by rising start, apart from each other */
	size_t count, room;
	uint64_t size;             /* of the image */
	uint64_t root, generation; /* of the chunk tree that this was learnt from; 0: none yet */
	bool due; /* the superblock names another chunk tree, which could not be read so far */
};

void regions_free(struct regions *r);

/* Look at the superblock in the image, and at the chunk tree if it is another than before. True: `r` has
 * changed. What can't be read (no btrfs, a tree that is not written yet, that is damaged or on another
 * device) leaves it as it is. */
bool regions_learn(struct regions *r, int image);

/* Does a write to [offset, offset + length) change the superblock that regions_learn() looks at? */
bool regions_touched(uint64_t offset, uint64_t length);

/* What the byte at `offset` is for; 0: nobody knows. *end: the bytes before that are for the same. */
unsigned int regions_at(const struct regions *r, uint64_t offset, uint64_t *end);

/* The first part of [*offset, *offset + *length) that is in scope; false: none is. */
bool regions_narrow(const struct regions *r, enum scope scope, uint64_t *offset, size_t *length);

/* "data", "metadata", "mixed", "superblock", or "unknown". */
const char *regions_name(unsigned int what);

/* For the ground truth: {"generation": N, "data": [[offset, length], ...], "metadata": [...]}. */
json_t *regions_json(const struct regions *r);

#endif
