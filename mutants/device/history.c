// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/device/history.h"

#include <stdlib.h>
#include <string.h>

#include "mutants/device/device.h"

#define SLOTS 4096u /* 16 MiB */

struct history {
	uint64_t offset[SLOTS];
	uint64_t count; /* blocks kept so far; the last SLOTS of them are here */
	unsigned char block[SLOTS][BLOCK];
};

struct history *history_new(void)
{
	return calloc(1, sizeof(struct history));
}

void history_free(struct history *h)
{
	free(h);
}

void history_keep(struct history *h, const struct device *d, const unsigned char *data, size_t length,
		  uint64_t offset)
{
	for (size_t at = (size_t)((BLOCK - offset % BLOCK) % BLOCK); at + BLOCK <= length; at += BLOCK) {
		unsigned char *slot = h->block[h->count % SLOTS];

		h->offset[h->count % SLOTS] = NOWHERE; /* it may be read in half */
		if (image_load(d, slot, BLOCK, offset + at) || !memcmp(slot, data + at, BLOCK))
			continue;
		h->offset[h->count++ % SLOTS] = offset + at;
	}
}

const unsigned char *history_find(const struct history *h, uint64_t offset, const unsigned char *now)
{
	const uint64_t oldest = h->count > SLOTS ? h->count - SLOTS : 0;

	for (uint64_t i = h->count; i > oldest; i--) {
		const size_t slot = (size_t)((i - 1) % SLOTS);

		if (h->offset[slot] == offset && memcmp(h->block[slot], now, BLOCK) != 0)
			return h->block[slot];
	}
	return NULL;
}
