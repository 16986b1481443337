/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Extents without checksums whose inode stands in another leaf: only the inode says whether that is right. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/audit/walk.h"

#define INODE_FLAGS     64U
#define INODE_NODATASUM 1ULL

/* False: the tree does not have the inode (or can't be read). */
static bool inode_flags(const struct walk *w, const struct tree *t, uint64_t inode, unsigned char *buf,
			uint64_t *flags)
{
	const struct key key = {inode, ITEM_INODE, 0};
	struct found_item item;

	if (!walk_item(w, t, &key, buf, &item) || key_compare(&item.key, &key) != 0 ||
	    item.size < INODE_FLAGS + sizeof(uint64_t))
		return false;
	*flags = le64_at(item.bytes + INODE_FLAGS);
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
