/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the parser: one item of a leaf. */
#ifndef RECOW_BTRFS_ITEM_H
#define RECOW_BTRFS_ITEM_H

#include "verify/btrfs/event.h"

struct item {
	const struct format *f;
	const struct sink *sink;
	uint64_t tree;   /* which is walked; for a block of a log, TREE_LOG */
	uint64_t owner;  /* as the block's header says */
	uint64_t block;  /* its address */
	uint64_t newest; /* nothing in it is newer */
	unsigned int slot;
	struct key key;
	const unsigned char *bytes;
	uint32_t size;
	struct key previous; /* of the item before it, where slot > 0 */
	uint64_t
		end; /* of the file extent, checksums, device extent before it, of the same object; 0: none */
};

/* Say what is wrong with it. */
#define item_fault(it, rule, ...) fault_emit((it)->sink, rule, (int)(it)->slot, &(it)->key, __VA_ARGS__)

/* True, and a fault, unless the item has exactly (at least) this many bytes. */
bool item_size_wrong(const struct item *it, uint32_t size);
bool item_too_short(const struct item *it, uint32_t size);

/* An event with slot, key and start filled in. */
struct event item_event(const struct item *it, enum event_kind kind, uint64_t start);

/* Every item that a leaf holds, by its type. */
void item_check(struct item *it);

/* Inodes, names and files (item_file.c). */
void item_inode(const struct item *it);
void item_inode_ref(const struct item *it);
void item_inode_extref(const struct item *it);
void item_names(const struct item *it);
void item_file_extent(struct item *it);
void item_csum(struct item *it);

/* Extents and their references (item_extent.c). */
void item_extent(const struct item *it);
void item_tree_ref(const struct item *it);
void item_data_ref(const struct item *it);

#endif
