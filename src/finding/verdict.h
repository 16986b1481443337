/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decides what is wrong with one block: by regenerating and by reading stamps, never by guessing. Pure; the
 * caller gives what it expected and what it found.
 */
#ifndef RECOW_VERDICT_H
#define RECOW_VERDICT_H

#include "src/finding/finding.h"

struct verdict_input {
	uint64_t run;                          /* content key of the run */
	uint32_t worker, object;               /* whose block it is */
	uint64_t block;                        /* number within the file */
	const unsigned char *expected, *found; /* BLOCK_SIZE each */
	uint32_t valid;                        /* bytes before the end of file; beyond, zeroes are expected */
};

/* Fill class, ranges, hashes, offset and length, dumps and detail of *f. The rest of *f is the caller's. The
 * block must differ. */
void verdict_block(const struct verdict_input *in, struct finding *f);

#endif
