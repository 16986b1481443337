/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first half of a verdict: say of each byte of a wrong block what it is. Private to src/finding.
 */
#ifndef RECOW_EXPLAIN_H
#define RECOW_EXPLAIN_H

#include "src/finding/verdict.h"

/* One explanation, shared by all bytes that it explains. */
struct piece {
	uint8_t class; /* enum finding_class; FINDING_CLASSES: as expected */
	struct origin origin;
	uint32_t object;
	int64_t distance; /* file offset here minus file offset for which it was written */
};

/* Two versions of a line share up to 15 bytes in a row: its number, its object, and the upper bytes of its
 * operation. So equal bytes count as "as expected" only from this many on; fewer belong to what surrounds
 * them. */
#define EQUAL_LEAST 24U

/* Bytes at the edge of a piece that may fit both sides. */
#define EDGE_SPAN 16U

#define PIECES     512
#define BY_NOTHING UINT16_MAX /* differs, not explained yet */

struct explanation {
	const struct verdict_input *in;
	unsigned int pieces; /* piece[0] is "as expected" */
	struct piece piece[PIECES];
	uint16_t by[BLOCK_SIZE]; /* which piece explains this byte */
};

/* Explain every byte: afterwards no byte is BY_NOTHING. */
void explain_block(struct explanation *x, const struct verdict_input *in);

/* Is `at` an edge of a write in this block: start or end of a fragment, the end of file, an end of the block?
 */
bool explain_is_edge(const struct verdict_input *in, unsigned int at);

/* The fragment that byte `at` belongs to, or NULL. */
const struct fragment *explain_fragment(const struct verdict_input *in, unsigned int at);

#endif
