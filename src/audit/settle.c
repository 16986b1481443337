/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Extents without checksums whose inode stands in another leaf: only the inode says whether that is right. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/audit/walk.h"

#define INODE_FLAGS     64U
#define INODE_NODATASUM 1ULL

static void no_fault(void *context, const struct fault *f)
{
}

const unsigned char *walk_read(const struct walk *w, const struct promise *p, unsigned char *buf)
{
	const struct sink quiet = {NULL, no_fault, NULL};
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

/* Down a tree to the leaf that would hold the key; NULL: it can't be read. */
static const unsigned char *descend(const struct walk *w, const struct tree *t, const struct key *key,
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

const unsigned char *walk_find(const struct walk *w, const struct tree *t, const struct key *key,
			       unsigned char *buf, uint32_t *size)
{
	const unsigned char *leaf = descend(w, t, key, buf);
	const uint32_t room = format_leaf_room(&w->super.format);
	const unsigned char *item;
	struct key at;
	uint32_t offset;
	int slot;

	if (!leaf)
		return NULL;
	slot = search(leaf, ITEM_SIZE, MIN(le32_at(leaf + HEADER_COUNT), room / ITEM_SIZE), key);
	if (slot < 0)
		return NULL;
	item = leaf + HEADER_SIZE + (size_t)slot * ITEM_SIZE;
	at = key_at(item);
	offset = le32_at(item + ITEM_OFFSET);
	*size = le32_at(item + ITEM_LENGTH);
	if (key_compare(&at, key) != 0 || offset > room || *size > room - offset)
		return NULL;
	return leaf + HEADER_SIZE + offset;
}

/* False: the tree does not have the inode (or can't be read). */
static bool inode_flags(const struct walk *w, const struct tree *t, uint64_t inode, unsigned char *buf,
			uint64_t *flags)
{
	const struct key key = {inode, ITEM_INODE, 0};
	uint32_t size;
	const unsigned char *item = walk_find(w, t, &key, buf, &size);

	if (!item || size < INODE_FLAGS + sizeof(uint64_t))
		return false;
	*flags = le64_at(item + INODE_FLAGS);
	return true;
}

static int by_inode(const void *a, const void *b)
{
	const struct unsettled *x = a, *y = b;

	if (x->tree != y->tree)
		return x->tree < y->tree ? -1 : 1;
	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static void missing(struct walk *w, const struct unsettled *u)
{
	struct audit_finding f = {.rule = RULE_CSUM_MISSING,
				  .tree = w->trees[u->tree].id,
				  .block = u->block,
				  .slot = (int)u->slot,
				  .key = u->key,
				  .keyed = true};

	snprintf(f.text, sizeof(f.text), "data of this extent have no checksums");
	walk_found(w, &f);
}

void settle(struct walk *w)
{
	unsigned char *buf = aligned_alloc(4096, (size_t)READER_COPIES * w->super.format.nodesize);
	uint64_t flags = 0;
	bool known = false;

	if (!buf) {
		walk_unchecked(w, "checksums of some extents: there is no memory");
		return;
	}
	if (w->unsettled_count)
		qsort(w->unsettled, w->unsettled_count, sizeof(*w->unsettled), by_inode);
	for (size_t i = 0; i < w->unsettled_count && !walk_stopped(w); i++) {
		const struct unsettled *u = &w->unsettled[i];

		if (!i || by_inode(u, u - 1) != 0)
			known = inode_flags(w, &w->trees[u->tree], u->inode, buf, &flags);
		if (known && !(flags & INODE_NODATASUM))
			missing(w, u);
		else if (!known && !atomic_load(&w->broken))
			walk_unchecked(w, "checksums of an extent of inode %" PRIu64 ": the inode is missing",
				       u->inode);
	}
	free(buf);
}
