/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The header's own copy of XXH3: for so few bytes a call into the library takes longer than the hash. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "src/content/hash.h"

uint64_t hash_line(const void *line, size_t len, uint64_t place)
{
	return XXH3_64bits_withSeed(line, len, place);
}

uint64_t hash_lines(const void *lines, size_t count, uint64_t first)
{
	const unsigned char *line = lines;
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += XXH3_64bits_withSeed(line + i * HASH_LINE, HASH_LINE, first + i);
	return sum;
}
