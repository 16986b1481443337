// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/device/damage.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mutants/device/device.h"

void damage_free(struct damage *d)
{
	free(d->wrong);
	*d = (struct damage){0};
}

void damage_add(struct damage *d, uint64_t firing, uint64_t offset, uint64_t length)
{
	struct wrong *last = d->count ? &d->wrong[d->count - 1] : NULL;

	if (last && last->firing == firing && last->offset + last->length == offset) {
		last->length += length;
		return;
	}
	if (d->count == d->room) {
		d->room = d->room ? d->room * 2 : 64;
		d->wrong = reallocarray(d->wrong, d->room, sizeof(*d->wrong));
		if (!d->wrong)
			abort(); /* without its truth a mutant proves nothing */
	}
	d->wrong[d->count++] = (struct wrong){offset, length, firing};
}

void damage_compare(struct damage *d, uint64_t firing, uint64_t offset, const unsigned char *should,
		    const unsigned char *is, size_t length)
{
	for (size_t at = 0, end; at < length; at = end) {
		size_t first = at, last;

		end = at + SECTOR - (offset + at) % SECTOR;
		end = end < length ? end : length;
		last = end;
		while (first < last && should[first] == is[first])
			first++;
		while (last > first && should[last - 1] == is[last - 1])
			last--;
		if (last > first)
			damage_add(d, firing, offset + first, last - first);
	}
}

static bool is_left(const struct damage *d, uint64_t firing)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->wrong[i].firing == firing)
			return true;
	return false;
}

/* What is left of one range before and behind what was healed takes its place. False: nothing is. */
static bool cut_out(struct damage *d, size_t i, uint64_t offset, uint64_t end)
{
	const struct wrong w = d->wrong[i];
	const uint64_t w_end = w.offset + w.length;
	const bool before = w.offset<offset, behind = w_end> end;

	if (before)
		d->wrong[i].length = offset - w.offset;
	else if (behind)
		d->wrong[i] = (struct wrong){end, w_end - end, w.firing};
	if (before && behind)
		damage_add(d, w.firing, end, w_end - end);
	return before || behind;
}

void damage_heal(struct damage *d, uint64_t offset, uint64_t length,
		 void (*gone)(void *context, uint64_t firing), void *context)
{
	const uint64_t end = offset + length;

	for (size_t i = 0; i < d->count;) {
		const struct wrong w = d->wrong[i];

		if (w.offset >= end || w.offset + w.length <= offset || cut_out(d, i, offset, end)) {
			i++;
			continue;
		}
		d->wrong[i] = d->wrong[--d->count];
		if (!is_left(d, w.firing))
			gone(context, w.firing);
	}
}
