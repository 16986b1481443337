/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/audit/table.h"

#include <errno.h>
#include <stdlib.h>

#include "src/base/random.h"

#define SLOTS_FIRST 4096U

int table_start(struct table *t, uint64_t limit, struct error *e)
{
	*t = (struct table){.limit = (uint32_t)MIN(limit, UINT32_MAX - 1), .slots = SLOTS_FIRST};
	t->segments = calloc(t->limit / TABLE_SEGMENT + 1, sizeof(struct entry *));
	t->index = calloc(t->slots, sizeof(*t->index));
	t->bytes = t->slots * sizeof(*t->index);
	if (t->segments && t->index)
		return 0;
	table_end(t);
	return error_errno(e, EXIT_HARNESS, ENOMEM, "the table of blocks");
}

void table_end(struct table *t)
{
	for (uint32_t i = 0; t->segments && i <= t->limit / TABLE_SEGMENT; i++)
		free(t->segments[i]);
	free(t->segments);
	free(t->index);
	t->segments = NULL;
	t->index = NULL;
}

/* The slot that holds the block, or the free one where it belongs. */
static uint64_t slot_of(const struct table *t, const uint32_t *index, uint64_t slots, uint64_t bytenr)
{
	uint64_t at = mix64(bytenr) & (slots - 1);

	while (index[at] && table_entry(t, index[at] - 1)->bytenr != bytenr)
		at = (at + 1) & (slots - 1);
	return at;
}

/* The index is between two and four fifths full. */
static bool grow(struct table *t)
{
	uint64_t slots = t->slots * 2;
	uint32_t *index = calloc(slots, sizeof(*index));

	if (!index)
		return false;
	for (uint32_t i = 0; i < t->count; i++)
		index[slot_of(t, index, slots, table_entry(t, i)->bytenr)] = i + 1;
	t->bytes = MAX(t->bytes,
		       (uint64_t)t->count * sizeof(struct entry) + (slots + t->slots) * sizeof(*index));
	free(t->index);
	t->index = index;
	t->slots = slots;
	return true;
}

uint32_t table_find(const struct table *t, uint64_t bytenr)
{
	uint32_t found = t->index[slot_of(t, t->index, t->slots, bytenr)];

	return found ? found - 1 : TABLE_FULL;
}

uint32_t table_get(struct table *t, uint64_t bytenr, bool *made)
{
	uint64_t at = slot_of(t, t->index, t->slots, bytenr);
	struct entry **segment;

	*made = false;
	if (t->index[at])
		return t->index[at] - 1;
	if (t->count >= t->limit)
		return TABLE_FULL;
	if ((uint64_t)t->count * 5 > t->slots * 4) {
		if (!grow(t))
			return TABLE_FULL;
		at = slot_of(t, t->index, t->slots, bytenr);
	}
	segment = &t->segments[t->count / TABLE_SEGMENT];
	if (!*segment)
		*segment = calloc(TABLE_SEGMENT, sizeof(**segment));
	if (!*segment)
		return TABLE_FULL;
	t->index[at] = ++t->count;
	t->bytes = MAX(t->bytes, (uint64_t)t->count * sizeof(struct entry) + t->slots * sizeof(*t->index));
	table_entry(t, t->count - 1)->bytenr = bytenr;
	*made = true;
	return t->count - 1;
}
