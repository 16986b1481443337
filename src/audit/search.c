/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking something up in a tree, block by block, as a reader of the filesystem does. */
#include <inttypes.h>

#include "src/audit/walk.h"

const unsigned char *walk_read(const struct walk *w, const struct promise *p, unsigned char *buf)
{
	const struct sink quiet = {NULL, walk_no_fault, NULL};
	const struct format *f = &w->super.format;
	struct target_address at;

	if (map_place(&w->map, &w->disks, p->bytenr, f->nodesize, &at))
		return NULL;
	for (unsigned int i = 0; i < at.mirrors; i++) {
		unsigned char *copy = buf + (size_t)i * f->nodesize;

		if (!disk_read(disks_find(&w->disks, at.mirror[i].devid), copy, f->nodesize,
			       at.mirror[i].physical) &&
		    block_is(f, p, copy, &quiet) && copy[HEADER_LEVEL] == p->level &&
		    (!p->generation || le64_at(copy + HEADER_GENERATION) == p->generation))
			return copy;
	}
	return NULL;
}

/* The last entry of a block whose key is not above this one; -1: all are. */
static int search(const unsigned char *block, unsigned int entry, uint32_t count, const struct key *key)
{
	int low = -1, high = (int)count;

	while (high - low > 1) {
		int mid = low + (high - low) / 2;
		struct key at = key_at(block + HEADER_SIZE + (size_t)mid * entry);

		if (key_compare(&at, key) <= 0)
			low = mid;
		else
			high = mid;
	}
	return low;
}

const unsigned char *walk_descend(const struct walk *w, const struct tree *t, const struct key *key,
				  unsigned char *buf)
{
	struct promise p = {.bytenr = t->bytenr, .generation = t->generation, .level = t->level};
	const unsigned char *block = walk_read(w, &p, buf);

	while (block && p.level) {
		uint32_t count = MIN(le32_at(block + HEADER_COUNT), format_node_room(&w->super.format));
		int slot = MAX(search(block, POINTER_SIZE, count, key), 0);
		const unsigned char *at = block + HEADER_SIZE + (size_t)slot * POINTER_SIZE;

		p.bytenr = le64_at(at + POINTER_BYTENR);
		p.generation = le64_at(at + POINTER_GENERATION);
		p.level--;
		block = count ? walk_read(w, &p, buf) : NULL;
	}
	return block;
}

bool walk_item(const struct walk *w, const struct tree *t, const struct key *key, unsigned char *buf,
	       struct found_item *out)
{
	const uint32_t room = format_leaf_room(&w->super.format);
	const unsigned char *leaf = walk_descend(w, t, key, buf), *item;
	uint32_t offset;
	int slot;

	if (!leaf)
		return false;
	slot = search(leaf, ITEM_SIZE, MIN(le32_at(leaf + HEADER_COUNT), room / ITEM_SIZE), key);
	if (slot < 0)
		return false;
	item = leaf + HEADER_SIZE + (size_t)slot * ITEM_SIZE;
	out->key = key_at(item);
	out->size = le32_at(item + ITEM_LENGTH);
	offset = le32_at(item + ITEM_OFFSET);
	if (offset > room || out->size > room - offset)
		return false;
	out->bytes = leaf + HEADER_SIZE + offset;
	return true;
}
