/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One block: two bytes say which tree and level are promised, the rest is the block from its flags on. */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct format f = fuzz_format();
	struct promise p = {.bytenr = 1 << 20, .newest = 100};
	size_t sum = 0;
	const struct sink s = {&sum, fuzz_fault, fuzz_event};
	unsigned char *block;

	if (size < 2)
		return 0;
	block = calloc(1, FUZZ_NODE);
	if (!block)
		return 0;
	p.tree = fuzz_tree(data[0]);
	p.level = data[1] % BTRFS_LEVELS;
	p.below = data[1] & 0x80;
	memcpy(block + HEADER_FLAGS, data + 2, MIN(size - 2, FUZZ_NODE - HEADER_FLAGS));
	block[HEADER_LEVEL] = p.level;
	block_is(&f, &p, block, &s);
	block_parse(&f, &p, block, &s);
	free(block);
	return 0;
}
