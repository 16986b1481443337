// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes that are acknowledged and not done, or in part.
 */
#include <string.h>

#include "mutants/device/mutant.h"

static bool lose(struct spoil *s)
{
	memcpy(s->made, s->old, s->length);
	return true;
}

static void keep_old(struct spoil *s, size_t at, size_t length)
{
	memcpy(s->made + at, s->old + at, length);
}

/* A border between units of `unit` bytes inside of `length`; 0: there is none. */
static size_t border(const struct spoil *s, size_t length, size_t unit)
{
	const size_t units = length / unit;

	return units < 2 ? 0 : unit * (1 + (size_t)chance_below(s->chance, 1, units - 1));
}

static void tear_tail(struct spoil *s, size_t at, size_t length, size_t unit)
{
	const size_t cut = border(s, length, unit);

	if (cut)
		keep_old(s, at + cut, length - cut);
}

static void tear_block(struct spoil *s, size_t at, size_t length)
{
	tear_tail(s, at, length, SECTOR);
}

static bool torn_block(struct spoil *s)
{
	return spoil_pieces(s, BLOCK, tear_block);
}

static void tear_head(struct spoil *s, size_t at, size_t length)
{
	keep_old(s, at, border(s, length, SECTOR));
}

static bool torn_head(struct spoil *s)
{
	return spoil_pieces(s, BLOCK, tear_head);
}

static void tear_extent(struct spoil *s, size_t at, size_t length)
{
	tear_tail(s, at, length, BLOCK);
}

static bool torn_extent(struct spoil *s)
{
	return spoil_pieces(s, 65536, tear_extent);
}

static bool half(struct spoil *s)
{
	const size_t kept = s->length / 2 - s->length / 2 % SECTOR;

	keep_old(s, kept, s->length - kept);
	return true;
}

static void mix_sector(struct spoil *s, size_t at, size_t length)
{
	const size_t cut = (size_t)chance_below(s->chance, 1, length);

	keep_old(s, at + cut, length - cut);
}

static bool mixed_sector(struct spoil *s)
{
	return spoil_pieces(s, SECTOR, mix_sector);
}

const struct mutant mutant_lost_write = {
	.about = {.name = "lost-write",
		  .summary = "a write is acknowledged and not done",
		  .source = "b844fe691897 dm cache: fix writes to cache device in writethrough mode"},
	.on = ON_WRITE,
	.kind = "lost",
	.spoil = lose,
};

const struct mutant mutant_lost_after_flush = {
	.about = {.name = "lost-after-flush", .summary = "the first write behind a flush is lost"},
	.on = ON_WRITE,
	.kind = "lost",
	.behind_flush = true,
	.spoil = lose,
};

const struct mutant mutant_torn_block = {
	.about = {.name = "torn-block",
		  .summary = "of 4 KiB the first sectors (512 bytes) are new, the others old"},
	.on = ON_WRITE,
	.kind = "torn",
	.least = 2 * SECTOR,
	.spoil = torn_block,
};

const struct mutant mutant_torn_head = {
	.about = {.name = "torn-head", .summary = "of 4 KiB the first sectors are old, the others new"},
	.on = ON_WRITE,
	.kind = "torn",
	.least = 2 * SECTOR,
	.spoil = torn_head,
};

const struct mutant mutant_torn_extent = {
	.about = {.name = "torn-extent",
		  .summary = "of 64 KiB the first blocks (4 KiB) are new, the others old",
		  .source = "QEMU 391827eb106d block: fix overlapping multiwrite requests"},
	.on = ON_WRITE,
	.kind = "torn",
	.least = 2 * BLOCK,
	.spoil = torn_extent,
};

const struct mutant mutant_half_write = {
	.about = {.name = "half-write",
		  .summary = "a write is acknowledged, and only its first half is done",
		  .source = "ffe81d45322c blk-mq: fix corruption with direct issue"},
	.on = ON_WRITE,
	.kind = "torn",
	.least = 2 * SECTOR,
	.spoil = half,
};

const struct mutant mutant_mixed_sector = {
	.about = {.name = "mixed-sector", .summary = "one sector is partly new, partly old"},
	.on = ON_WRITE,
	.kind = "torn",
	.least = SECTOR,
	.spoil = mixed_sector,
};
