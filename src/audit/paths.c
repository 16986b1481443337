/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The path of the file that a finding is about, read from the very trees that are audited: back references of
 * inodes up to the top of the subvolume, then of the subvolume up to the top of the filesystem. They may lie:
 * what can't be read, or goes round in circles, ends the path early, and then there is none.
 */
#include <stdio.h>
#include <stdlib.h>

#include "src/audit/walk.h"
#include "src/base/units.h"

#define DEPTH 1024U /* directories and subvolumes above a file */

/* struct btrfs_inode_ref: index; btrfs_inode_extref: directory, index; btrfs_root_ref: directory, sequence.
 * The length of the name follows, then the name. */
#define REF_HEAD    10U
#define EXTREF_HEAD 18U
#define ROOT_HEAD   18U

/* A path that grows from its end. */
struct path {
	char bytes[AUDIT_PATH];
	size_t at; /* where it begins */
};

static bool prepend(struct path *p, const unsigned char *name, size_t length)
{
	bool first = p->at == sizeof(p->bytes);

	if (!length || length > BTRFS_NAME_MAX || length + 1 > p->at)
		return false;
	if (!first)
		p->bytes[--p->at] = '/';
	p->at -= length;
	memcpy(p->bytes + p->at, name, length);
	return true;
}

/* The name at the start of an item, behind a head of this size. */
static bool prepend_item(struct path *p, const struct found_item *item, uint32_t head)
{
	uint16_t length;

	if (item->size < head)
		return false;
	length = le16_at(item->bytes + head - sizeof(length));
	return length <= item->size - head && prepend(p, item->bytes + head, length);
}

/* The tree of this number: a copy, since the list may move. */
static bool tree_of(struct walk *w, uint64_t id, struct tree *out)
{
	bool found = false;

	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < w->root_count && !found; i++) {
		found = w->roots[i].id == id && !w->roots[i].log;
		if (found)
			*out = w->roots[i];
	}
	pthread_mutex_unlock(&w->lock);
	return found;
}

/* One step up inside a subvolume: a name of the inode, and its directory. The last item of an inode that is
 * not above this key is one of its longer references if it has any, else one of the usual ones. */
static bool step_up(const struct walk *w, const struct tree *t, uint64_t *inode, struct path *p,
		    unsigned char *buf)
{
	const struct key key = {*inode, ITEM_INODE_EXTREF, UINT64_MAX};
	struct found_item item;
	bool longer;

	if (!walk_item(w, t, &key, buf, &item) || item.key.objectid != *inode)
		return false;
	longer = item.key.type == ITEM_INODE_EXTREF;
	if (!longer && item.key.type != ITEM_INODE_REF)
		return false;
	if (!prepend_item(p, &item, longer ? EXTREF_HEAD : REF_HEAD))
		return false;
	*inode = longer ? le64_at(item.bytes) : item.key.offset;
	return true;
}

/* From the top of a subvolume to the directory that holds it. */
static bool leave_subvolume(const struct walk *w, const struct tree *roots, uint64_t *subvolume,
			    uint64_t *inode, struct path *p, unsigned char *buf)
{
	const struct key key = {*subvolume, ITEM_ROOT_BACKREF, UINT64_MAX};
	struct found_item item;

	if (!walk_item(w, roots, &key, buf, &item) || item.key.objectid != *subvolume ||
	    item.key.type != ITEM_ROOT_BACKREF || !prepend_item(p, &item, ROOT_HEAD))
		return false;
	*inode = le64_at(item.bytes);
	*subvolume = item.key.offset;
	return true;
}

static bool climb(struct walk *w, uint64_t subvolume, uint64_t inode, struct path *p, unsigned char *buf)
{
	const struct tree roots = {.id = TREE_ROOT,
				   .bytenr = w->super.root,
				   .generation = w->super.format.generation,
				   .level = w->super.root_level};
	struct tree t;

	for (unsigned int depth = 0; depth < DEPTH; depth++) {
		if (inode == OBJECT_FIRST_FREE) {
			if (subvolume == TREE_FS)
				return true;
			if (!leave_subvolume(w, &roots, &subvolume, &inode, p, buf))
				return false;
		} else if (!tree_of(w, subvolume, &t) || !step_up(w, &t, &inode, p, buf)) {
			return false;
		}
	}
	return false;
}

/* ---- whose it is */

/* Items of an inode are kept under its number. */
static void owner_by_key(struct audit_finding *f)
{
	if (f->key.type == ITEM_ORPHAN)
		f->inode = f->key.offset;
	else if (f->key.type <= ITEM_FILE_EXTENT && f->key.objectid >= OBJECT_FIRST_FREE &&
		 f->key.objectid <= OBJECT_LAST_FREE)
		f->inode = f->key.objectid;
}

/* Who uses some data, as an extent item tells. */
struct use {
	uint64_t address, start, length; /* looked for; of the extent */
	uint64_t subvolume, inode, parent;
	bool known;
};

static void take_use(void *context, const struct event *ev)
{
	struct use *u = context;

	if (ev->kind == EVENT_EXTENT && !ev->extent.metadata && ev->start <= u->address &&
	    u->address - ev->start < ev->length) {
		u->start = ev->start;
		u->length = ev->length;
	} else if (ev->kind == EVENT_DATA_REF && u->length && ev->start == u->start && !u->known) {
		u->subvolume = ev->data_ref.root;
		u->inode = ev->data_ref.inode;
		u->parent = ev->data_ref.parent;
		u->known = true;
	}
}

static void take_user(void *context, const struct event *ev)
{
	struct use *u = context;

	if (ev->kind == EVENT_FILE_EXTENT && ev->file_extent.disk_bytenr == u->start && !u->inode)
		u->inode = ev->key.objectid;
}

static void parse(const struct walk *w, uint64_t tree, const unsigned char *leaf, struct use *u,
		  void (*take)(void *context, const struct event *ev))
{
	const struct sink sink = {u, walk_no_fault, take};
	const struct promise p = {.bytenr = le64_at(leaf + HEADER_BYTENR),
				  .tree = tree,
				  .generation = le64_at(leaf + HEADER_GENERATION),
				  .newest = w->super.format.generation};

	block_parse(&w->super.format, &p, leaf, &sink);
}

/* Of data that only leaves refer to, the leaf says who it is. */
static void ask_parent(const struct walk *w, struct use *u, unsigned char *buf)
{
	const struct promise p = {.bytenr = u->parent, .newest = w->super.format.generation};
	const unsigned char *leaf = walk_read(w, &p, buf);

	if (!leaf)
		return;
	u->subvolume = le64_at(leaf + HEADER_OWNER);
	parse(w, u->subvolume, leaf, u, take_user);
}

static void owner_by_address(struct walk *w, struct audit_finding *f, uint64_t address, unsigned char *buf)
{
	const struct key key = {address, ITEM_EXTENT, UINT64_MAX};
	struct use u = {.address = address};
	const unsigned char *leaf;
	struct tree extents;

	if (!tree_of(w, TREE_EXTENT, &extents))
		return;
	leaf = walk_descend(w, &extents, &key, buf);
	if (leaf)
		parse(w, TREE_EXTENT, leaf, &u, take_use);
	if (u.known && u.parent)
		ask_parent(w, &u, buf);
	f->subvolume = u.subvolume;
	f->inode = u.inode;
}

/* The data that it is about; 0: none. */
static uint64_t data_of(const struct walk *w, const struct audit_finding *f)
{
	uint64_t address = f->level < 0 ? f->block : 0;
	const struct chunk *c;

	if (f->keyed && f->tree == TREE_CSUM && f->key.type == ITEM_CSUM)
		address = f->key.offset;
	else if (f->keyed && f->tree == TREE_EXTENT)
		address = f->key.objectid;
	c = address ? map_find(&w->map, address, 1, NULL) : NULL;
	return c && (c->type & GROUP_DATA) ? address : 0;
}

void paths_fill(struct walk *w, struct audit_finding *f)
{
	unsigned char *buf;
	uint64_t address;
	struct path p;

	if (!w->root_count)
		return;
	buf = aligned_alloc(4096, (size_t)READER_COPIES * w->super.format.nodesize);
	if (!buf)
		return;
	if (!f->subvolume && tree_holds_files(f->tree))
		f->subvolume = f->tree;
	if (!f->inode && f->keyed && f->subvolume)
		owner_by_key(f);
	address = f->inode ? 0 : data_of(w, f);
	if (address)
		owner_by_address(w, f, address, buf);
	p.at = sizeof(p.bytes);
	if (f->inode && f->subvolume && climb(w, f->subvolume, f->inode, &p, buf)) {
		bytes_escape(f->path, sizeof(f->path), p.bytes + p.at, sizeof(p.bytes) - p.at);
		if (!f->path[0])
			snprintf(f->path, sizeof(f->path), "."); /* the top itself */
	}
	free(buf);
}
