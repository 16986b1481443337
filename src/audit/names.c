/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A name stands in three items: the directory's item by hash, its index, and the inode's back reference. An
 * inode counts its names, a directory their length. In one tree all of this adds up to nothing. Trees share
 * leaves, and each leaf is read once; but how many trees reach it is known then (its weight), so the sum over
 * all trees is known too.
 */
#include <sys/stat.h>

#include "src/audit/walk.h"
#include "src/base/random.h"

/* Something that adds up to nothing over one tree: `n` times the identity `who` of inode `about`. */
struct share {
	enum rule rule;
	uint64_t about, inode, index, who;
	uint64_t n; /* negative ones count from 2^64 */
};

static uint32_t bucket(uint64_t about)
{
	return (uint32_t)(mix64(about + 77) % NAME_BUCKETS);
}

static void put(struct worker *k, const struct share *s)
{
	const struct located l = {.start = s->about,
				  .inode = s->inode,
				  .parent = s->index,
				  .root = k->tree->id,
				  .who = s->who,
				  .count = (int64_t)(s->n * k->weight),
				  .rule = s->rule,
				  .kind = LOCATED_INODE};

	if (k->w->pass == PASS_WALK)
		k->names[bucket(s->about)] += s->who * s->n * k->weight;
	else if (k->w->bad_name[bucket(s->about)])
		locate_keep(k->w, &l);
}

/* The identity must be odd, so that no number of times but 0 makes it vanish. */
static uint64_t identity(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return mix64(mix64(mix64(mix64(a + 1) ^ b) + c) ^ d) | 1;
}

static void links(struct worker *k, uint64_t inode, uint64_t n)
{
	put(k, &(struct share){RULE_LINKS, inode, inode, 0, identity(inode, RULE_LINKS, 0, 0), n});
}

static void dir_size(struct worker *k, uint64_t dir, uint64_t n)
{
	put(k, &(struct share){RULE_DIR_SIZE, dir, dir, 0, identity(dir, RULE_DIR_SIZE, 0, 0), n});
}

static void file_bytes(struct worker *k, uint64_t inode, uint64_t n)
{
	if (!tree_holds_files(k->tree->id))
		return;
	put(k, &(struct share){RULE_FILE_BYTES, inode, inode, 0, identity(inode, RULE_FILE_BYTES, 0, 0), n});
}

/* Item and index have name, inode and type of file in common; index and back reference name, inode and index.
 * The kind of the pair is part of who it is. */
static void pair(struct worker *k, const struct event *ev, uint64_t common, uint64_t kind, uint64_t n)
{
	uint64_t where = identity(ev->name.dir, ev->name.digest, common, kind);

	put(k, &(struct share){RULE_NAMES, ev->name.dir, ev->name.inode, ev->name.index,
			       identity(where, ev->name.inode, ev->name.length, kind), n});
}

static void name(struct worker *k, const struct event *ev)
{
	const uint64_t minus = ~(uint64_t)0;

	if (ev->key.type == ITEM_DIR) {
		pair(k, ev, ev->name.type, 1, 1);
	} else if (ev->key.type == ITEM_DIR_INDEX) {
		pair(k, ev, ev->name.type, 1, minus);
		if (!ev->name.of_root) /* those are referenced from the tree of roots */
			pair(k, ev, ev->name.index, 2, 1);
		dir_size(k, ev->name.dir, (uint64_t)0 - 2 * (uint64_t)ev->name.length);
	} else {
		if (ev->name.dir !=
		    ev->name.inode) /* a tree's first directory has itself as "..", which no item holds */
			pair(k, ev, ev->name.index, 2, minus);
		links(k, ev->name.inode, minus);
	}
}

void names_event(struct worker *k, const struct event *ev)
{
	if (!k->weight || !tree_has_names(k->tree->id))
		return;
	if (ev->kind == EVENT_NAME) {
		name(k, ev);
	} else if (ev->kind == EVENT_INODE) {
		links(k, ev->key.objectid, ev->inode.links);
		if (S_ISREG(ev->inode.mode) || S_ISLNK(ev->inode.mode))
			file_bytes(k, ev->key.objectid, ev->inode.bytes);
		if (S_ISDIR(ev->inode.mode))
			dir_size(k, ev->key.objectid, ev->inode.size);
	} else if (ev->kind == EVENT_FILE_BYTES) {
		file_bytes(k, ev->key.objectid, (uint64_t)0 - ev->length);
	}
}

void names_check(struct walk *w)
{
	for (uint32_t i = 0; i < NAME_BUCKETS; i++) {
		uint64_t sum = 0;

		for (unsigned int k = 0; k < w->threads; k++)
			sum += w->workers[k].names[i];
		w->bad_name[i] = sum;
	}
}
