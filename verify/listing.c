/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/listing.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

void listing_clear(struct listing *l)
{
	l->count = 0;
	l->used = 0;
}

void listing_free(struct listing *l)
{
	free(l->entry);
	free(l->bytes);
	free(l->slot);
	memset(l, 0, sizeof(*l));
}

/* Make *array hold at least `need` items of `size` bytes. */
static bool ensure(void **array, size_t *room, size_t need, size_t size)
{
	size_t grown = MAX(*room, 64U);
	void *new;

	if (need <= *room)
		return true;
	while (grown < need)
		grown *= 2;
	new = realloc(*array, grown * size);
	if (!new)
		return false;
	*array = new;
	*room = grown;
	return true;
}

bool listing_add(struct listing *l, const struct entry *e, const char *name, size_t length)
{
	struct entry *new;

	if (!ensure((void **)&l->entry, &l->room, l->count + 1, sizeof(*l->entry)) ||
	    !ensure((void **)&l->bytes, &l->bytes_room, l->used + length + 1, 1))
		return false;
	new = &l->entry[l->count++];
	*new = *e;
	new->bytes = (uint32_t)l->used;
	new->length = (uint16_t)length;
	new->dtype = DT_UNKNOWN;
	new->seen = 0;
	memcpy(l->bytes + l->used, name, length);
	l->bytes[l->used + length] = '\0';
	l->used += length + 1;
	return true;
}

static size_t slot_of(const struct listing *l, const char *name, size_t length)
{
	return (size_t)XXH3_64bits(name, length) & (l->slots - 1);
}

bool listing_index(struct listing *l)
{
	size_t need = 64;

	while (need < 2 * l->count)
		need *= 2;
	if (need > l->slots) {
		free(l->slot);
		l->slot = malloc(need * sizeof(*l->slot));
		l->slots = l->slot ? need : 0;
		if (!l->slot)
			return false;
	}
	memset(l->slot, 0, l->slots * sizeof(*l->slot));
	for (size_t i = 0; i < l->count; i++) {
		size_t at = slot_of(l, listing_name(l, &l->entry[i]), l->entry[i].length);

		while (l->slot[at])
			at = (at + 1) & (l->slots - 1);
		l->slot[at] = (uint32_t)i + 1;
	}
	return true;
}

struct entry *listing_find(const struct listing *l, const char *name)
{
	size_t length = strlen(name);

	for (size_t at = slot_of(l, name, length); l->slot[at]; at = (at + 1) & (l->slots - 1)) {
		struct entry *e = &l->entry[l->slot[at] - 1];

		if (e->length == length && memcmp(listing_name(l, e), name, length) == 0)
			return e;
	}
	return NULL;
}
