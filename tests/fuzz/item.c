/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One item in a leaf of its own: a byte for the tree, its key, its bytes, which end with the leaf's memory.
 */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct format f = fuzz_format();
	struct promise p = {.bytenr = 1 << 20, .newest = 100};
	size_t sum = 0;
	const struct sink s = {&sum, fuzz_fault, fuzz_event};
	unsigned char *leaf;
	uint32_t n, offset;

	if (size < 1 + KEY_SIZE || size > 1 + KEY_SIZE + FUZZ_NODE - HEADER_SIZE - ITEM_SIZE)
		return 0;
	leaf = calloc(1, FUZZ_NODE);
	if (!leaf)
		return 0;
	p.tree = fuzz_tree(data[0]);
	n = (uint32_t)(size - 1 - KEY_SIZE);
	offset = htole32(FUZZ_NODE - HEADER_SIZE - n);
	leaf[HEADER_COUNT] = 1;
	memcpy(leaf + HEADER_SIZE, data + 1, KEY_SIZE);
	memcpy(leaf + HEADER_SIZE + ITEM_OFFSET, &offset, sizeof(offset));
	memcpy(leaf + HEADER_SIZE + ITEM_LENGTH, &(uint32_t){htole32(n)}, sizeof(n));
	memcpy(leaf + FUZZ_NODE - n, data + 1 + KEY_SIZE, n);
	block_parse(&f, &p, leaf, &s);
	free(leaf);
	return 0;
}
