// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes that change on their way, to the image or from it.
 */
#include <string.h>

#include "mutants/device/mutant.h"

static void flip(struct spoil *s, size_t at, size_t length)
{
	const uint64_t bit = chance_below(s->chance, 1, length * 8);

	s->made[at + bit / 8] ^= (unsigned char)(1u << bit % 8);
}

static bool flip_bit(struct spoil *s)
{
	flip(s, 0, s->length);
	return true;
}

/* 2 to 9 bits, each of a byte of its own. */
static void flip_several(struct spoil *s, size_t at, size_t length)
{
	const unsigned int bits = 2 + (unsigned int)chance_below(s->chance, 1, 8);

	for (unsigned int i = 0; i < bits; i++) {
		const uint64_t bit = chance_below(s->chance, 2 + i, length / bits * 8);

		s->made[at + i * (length / bits) + bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
}

static bool flip_burst(struct spoil *s)
{
	return spoil_pieces(s, SECTOR, flip_several);
}

static void zero(struct spoil *s, size_t at, size_t length)
{
	memset(s->made + at, 0, length);
}

static bool zero_block(struct spoil *s)
{
	return spoil_pieces(s, BLOCK, zero);
}

static void scramble(struct spoil *s, size_t at, size_t length)
{
	const uint64_t seed = chance_below(s->chance, 1, UINT64_MAX);

	for (size_t i = 0; i < length; i++)
		s->made[at + i] = (unsigned char)(chance_number(seed, i / 8) >> i % 8 * 8);
}

static bool garbage_block(struct spoil *s)
{
	return spoil_pieces(s, BLOCK, scramble);
}

static void reverse_words(struct spoil *s, size_t at, size_t length)
{
	for (size_t i = 0; i + 4 <= length; i += 4)
		for (size_t j = 0; j < 4; j++)
			s->made[at + i + j] = s->right[at + i + 3 - j];
}

static bool reversed_sector(struct spoil *s)
{
	return spoil_pieces(s, SECTOR, reverse_words);
}

const struct mutant mutant_flip_write = {
	.about = {.name = "flip-write", .summary = "one bit of a write is stored the other way"},
	.on = ON_WRITE,
	.kind = "flipped",
	.least = 1,
	.spoil = flip_bit,
};

const struct mutant mutant_flip_read = {
	.about = {.name = "flip-read",
		  .summary = "one bit of an answer is the other way; the disk has it right"},
	.on = ON_READ,
	.kind = "flipped",
	.least = 1,
	.spoil = flip_bit,
};

const struct mutant mutant_flip_burst = {
	.about = {.name = "flip-burst",
		  .summary = "2 to 9 bits in one sector of a write are stored the other way"},
	.on = ON_WRITE,
	.kind = "flipped",
	.least = SECTOR,
	.spoil = flip_burst,
};

const struct mutant mutant_zero_write = {
	.about = {.name = "zero-write", .summary = "one block (4 KiB) of a write is stored as zeroes"},
	.on = ON_WRITE,
	.kind = "zeroes",
	.least = 1,
	.spoil = zero_block,
};

const struct mutant mutant_zero_read = {
	.about = {.name = "zero-read", .summary = "one block of an answer is zeroes; the disk has it right"},
	.on = ON_READ,
	.kind = "zeroes",
	.least = 1,
	.spoil = zero_block,
};

const struct mutant mutant_garbage_write = {
	.about = {.name = "garbage-write", .summary = "one block of a write is stored as random bytes"},
	.on = ON_WRITE,
	.kind = "garbage",
	.least = 1,
	.spoil = garbage_block,
};

const struct mutant mutant_garbage_read = {
	.about = {.name = "garbage-read",
		  .summary = "one block of an answer is random bytes; the disk has it right"},
	.on = ON_READ,
	.kind = "garbage",
	.least = 1,
	.spoil = garbage_block,
};

const struct mutant mutant_byteswapped = {
	.about = {.name = "byteswapped",
		  .summary = "one sector of a write has the bytes of each 32-bit word reversed"},
	.on = ON_WRITE,
	.kind = "garbage",
	.least = SECTOR,
	.spoil = reversed_sector,
};
