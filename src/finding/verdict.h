/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decides what is wrong with one block: by regenerating and by reading stamps, never by guessing. Pure; the
 * caller gives what it expected and what it found. The rules are in docs/verify.md.
 */
#ifndef RECOW_VERDICT_H
#define RECOW_VERDICT_H

#include "src/finding/finding.h"
#include "src/model/model.h"

struct verdict_input {
	uint64_t run;                          /* content key of the run */
	uint32_t worker, object;               /* whose block it is */
	uint64_t block;                        /* number within the file */
	const unsigned char *expected, *found; /* BLOCK_SIZE each */
	uint32_t valid;                        /* bytes before the end of file; beyond, zeroes are expected */

	/* What helps to decide; may be left out. */
	const struct fragment *fragment; /* the writes that make up the block (view_fragments) */
	size_t fragments;                /* 0: the block counts as one write */
	uint64_t operations; /* the worker's last operation: pieces of writes that are too short to carry a
				stamp are compared with what each of the last operations would have written */
};

/* Fill class, operation, ranges, hashes, offset and length, dumps and detail of *f. The rest of *f is the
 * caller's. The block must differ. */
void verdict_block(const struct verdict_input *in, struct finding *f);

/* Write f->detail from class, operation, offset, length and ranges (of the first block): again after `length`
 * has grown to take in wrong neighbours. */
void verdict_describe(struct finding *f);

#endif
