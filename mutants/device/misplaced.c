// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The right bytes at the wrong place, or of the wrong time.
 */
#include <string.h>

#include "mutants/device/history.h"
#include "mutants/device/mutant.h"

#define TRIES 8u

/* May content of the one place be at the other? It stays within what the scope allows, and off superblocks.
 */
static bool is_alike(const struct device *d, uint64_t one, uint64_t other, size_t length)
{
	uint64_t end;
	const unsigned int what = regions_at(&d->regions, one, &end);

	return regions_at(&d->regions, other, &end) == what && end >= other + length;
}

static bool is_possible(struct device *d, uint64_t place, uint64_t offset, size_t length,
			const unsigned char *right)
{
	unsigned char block[BLOCK];
	const size_t look = length < BLOCK ? length : BLOCK;

	return place < d->size && length <= d->size - place &&
	       (place + length <= offset || offset + length <= place) && is_alike(d, offset, place, length) &&
	       !image_load(d, block, look, place) && memcmp(block, right, look) != 0;
}

/* A place that was written lately is likely to be in use; else one not far away. */
uint64_t place_elsewhere(struct device *d, const struct chance *c, uint64_t offset, size_t length,
			 const unsigned char *right)
{
	const size_t slots = sizeof(d->recent) / sizeof(d->recent[0]);
	const uint64_t recents = d->recents < slots ? d->recents : slots;

	for (unsigned int i = 0; i < TRIES && recents; i++) {
		const uint64_t place = d->recent[chance_below(c, 2 * i, recents)];

		if (is_possible(d, place, offset, length, right))
			return place;
	}
	for (unsigned int i = 0; i < TRIES; i++) {
		const uint64_t away = length + BLOCK - 1 - (length + BLOCK - 1) % BLOCK +
				      BLOCK * chance_below(c, 2 * i + 1, 256);
		const uint64_t place = i % 2 ? offset - away : offset + away; /* below 0: beyond the end */

		if (is_possible(d, place, offset, length, right))
			return place;
	}
	return NOWHERE;
}

static bool misdirect_write(struct spoil *s)
{
	s->landing = place_elsewhere(s->device, s->chance, s->offset, s->length, s->right);
	memcpy(s->made, s->old, s->length);
	return s->landing != NOWHERE && memcmp(s->made, s->right, s->length) != 0;
}

static bool duplicate(struct spoil *s)
{
	s->landing = place_elsewhere(s->device, s->chance, s->offset, s->length, s->right);
	return s->landing != NOWHERE;
}

static bool misdirect_read(struct spoil *s)
{
	s->from = place_elsewhere(s->device, s->chance, s->offset, s->length, s->right);
	return s->from != NOWHERE && !image_load(s->device, s->made, s->length, s->from);
}

/* One sector of the answer is that before or behind it. */
static bool neighbour(struct spoil *s)
{
	const size_t sectors = s->length / SECTOR;
	const size_t at = SECTOR * (size_t)chance_below(s->chance, 0, sectors);
	const uint64_t place = s->offset + at;
	const bool before =
		place >= SECTOR && (place + 2ull * SECTOR > s->device->size || chance_below(s->chance, 1, 2));

	s->from = (before ? s->offset - SECTOR : s->offset + SECTOR);
	return s->from + at + SECTOR <= s->device->size &&
	       !image_load(s->device, s->made + at, SECTOR, s->from + at);
}

/* The content of a block before its last change, if that is still known. */
static bool read_stale(struct spoil *s)
{
	const size_t first = (size_t)((BLOCK - s->offset % BLOCK) % BLOCK);
	const size_t count = s->length < first + BLOCK ? 0 : (s->length - first) / BLOCK;
	const size_t start = count ? (size_t)chance_below(s->chance, 0, count) : 0;

	for (size_t i = 0; i < count; i++) {
		const size_t at = first + (start + i) % count * BLOCK;
		const unsigned char *older = history_find(s->device->history, s->offset + at, s->right + at);

		if (!older)
			continue;
		memcpy(s->made + at, older, BLOCK);
		return true;
	}
	return false;
}

static bool swap_blocks(struct spoil *s)
{
	const size_t count = s->length / BLOCK;
	const size_t one = (size_t)chance_below(s->chance, 0, count);

	for (size_t i = 1; i < count; i++) {
		const size_t other = (one + i) % count;

		if (!memcmp(s->right + one * BLOCK, s->right + other * BLOCK, BLOCK))
			continue;
		memcpy(s->made + one * BLOCK, s->right + other * BLOCK, BLOCK);
		memcpy(s->made + other * BLOCK, s->right + one * BLOCK, BLOCK);
		return true;
	}
	return false;
}

static bool shift(struct spoil *s)
{
	memcpy(s->made, s->old, SECTOR);
	memcpy(s->made + SECTOR, s->right, s->length - SECTOR);
	return true;
}

const struct mutant mutant_misdirected_write = {
	.about = {.name = "misdirected-write",
		  .summary = "a write is stored at another place than its own",
		  .source = "c84a1372df92 md/raid0: avoid RAID0 data corruption due to layout confusion."},
	.on = ON_WRITE,
	.kind = "lost",
	.kind_landing = "foreign",
	.least = SECTOR,
	.spoil = misdirect_write,
};

const struct mutant mutant_duplicated_write = {
	.about = {.name = "duplicated-write", .summary = "a write is stored at another place, too"},
	.on = ON_WRITE,
	.kind = "duplicate",
	.kind_landing = "duplicate",
	.least = SECTOR,
	.spoil = duplicate,
};

const struct mutant mutant_misdirected_read = {
	.about = {.name = "misdirected-read",
		  .summary = "an answer is the content of another place",
		  .source = "62530ed8b1d0 bio: ensure __bio_clone_fast copies bi_partno"},
	.on = ON_READ,
	.kind = "foreign",
	.least = SECTOR,
	.spoil = misdirect_read,
};

const struct mutant mutant_neighbour_read = {
	.about = {.name = "neighbour-read",
		  .summary = "one sector of an answer is the sector before or behind it"},
	.on = ON_READ,
	.kind = "foreign",
	.least = SECTOR,
	.spoil = neighbour,
};

const struct mutant mutant_stale_read = {
	.about = {.name = "stale-read",
		  .summary = "one block of an answer is what was there before it was overwritten",
		  .source = "e555190d82c0 md/raid1: delay reads that could overtake behind-writes."},
	.on = ON_READ,
	.kind = "stale",
	.least = BLOCK,
	.wants_history = true,
	.spoil = read_stale,
};

const struct mutant mutant_swapped_blocks = {
	.about = {.name = "swapped-blocks",
		  .summary = "two blocks (4 KiB) of a write are stored in each other's place"},
	.on = ON_WRITE,
	.kind = "swapped",
	.least = 2 * BLOCK,
	.spoil = swap_blocks,
};

const struct mutant mutant_shifted_write = {
	.about = {.name = "shifted-write",
		  .summary = "a write is stored one sector further on; its last sector is lost",
		  .source = "a7297a6a3a33 block: loop: fix filesystem corruption in case of aio/dio"},
	.on = ON_WRITE,
	.kind = "shifted",
	.least = 2 * SECTOR,
	.spoil = shift,
};
