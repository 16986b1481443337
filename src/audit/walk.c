/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Level by level through the trees: every block once, all its copies. */
#include "src/audit/walk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/base/list.h"

void walk_found(struct walk *w, struct audit_finding *f)
{
	const struct disk *disk = f->devid ? disks_find(&w->disks, f->devid) : NULL;
	unsigned int limit = w->o->limit ? w->o->limit : UINT32_MAX;
	bool told;

	if (disk && !f->device)
		f->device = disk->path;
	pthread_mutex_lock(&w->lock);
	w->r->findings++;
	told = w->r->by_rule[f->rule]++ < limit && w->o->found;
	pthread_mutex_unlock(&w->lock);
	if (!told)
		return;
	paths_fill(w, f);
	pthread_mutex_lock(&w->lock);
	w->o->found(w->o->context, f);
	pthread_mutex_unlock(&w->lock);
}

void walk_say(struct walk *w, enum rule rule, uint64_t tree, uint64_t block, const char *fmt, ...)
{
	struct audit_finding f = {.rule = rule, .tree = tree, .block = block, .level = -1, .slot = -1};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f.text, sizeof(f.text), fmt, ap);
	va_end(ap);
	walk_found(w, &f);
}

void walk_unchecked(struct walk *w, const char *fmt, ...)
{
	char text[sizeof(w->r->unchecked[0])];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pthread_mutex_lock(&w->lock);
	for (unsigned int i = 0; i < w->r->unchecked_count; i++) {
		if (strcmp(w->r->unchecked[i], text) == 0)
			text[0] = '\0';
	}
	if (text[0] && w->r->unchecked_count < AUDIT_UNCHECKED)
		memcpy(w->r->unchecked[w->r->unchecked_count++], text, sizeof(text));
	pthread_mutex_unlock(&w->lock);
}

bool walk_stopped(const struct walk *w)
{
	return w->o->stop && atomic_load(w->o->stop);
}

void walk_lose(struct walk *w, uint64_t tree)
{
	atomic_store(&w->broken, true);
	/* Without roots there are no extents either; groups are counted with them. */
	if (tree == TREE_EXTENT || tree == TREE_GROUP || tree == TREE_ROOT)
		atomic_store(&w->broken_extent, true);
	if (tree == TREE_FREE_SPACE || tree == TREE_ROOT)
		atomic_store(&w->broken_space, true);
	if (tree == TREE_CSUM || tree == TREE_ROOT)
		atomic_store(&w->broken_csum, true);
}

/* What a log lacks is not missed by others. */
static void lose(const struct worker *k)
{
	if (!k->tree->log)
		walk_lose(k->w, k->tree->id);
}

/* The file whose item comes first in a leaf of files, in a copy that is this leaf; 0: it can't be told. */
static uint64_t first_inode(const struct worker *k, const unsigned char *copy)
{
	uint64_t inode;

	if (!copy || k->promise.level || !(k->tree->log || tree_holds_files(k->tree->id)) ||
	    le64_at(copy + HEADER_BYTENR) != k->promise.bytenr || !le32_at(copy + HEADER_COUNT))
		return 0;
	inode = le64_at(copy + HEADER_SIZE);
	return inode >= OBJECT_FIRST_FREE && inode <= OBJECT_LAST_FREE ? inode : 0;
}

void walk_fault(void *context, const struct fault *f)
{
	struct worker *k = context;
	struct audit_finding found = {.rule = f->rule,
				      .tree = k->tree->id,
				      .block = k->promise.bytenr,
				      .level = k->promise.level,
				      .copy = k->copy,
				      .slot = f->slot,
				      .key = f->key,
				      .keyed = f->slot >= 0,
				      .subvolume = k->tree->log ? k->tree->offset : 0};
	unsigned int copy = k->copy ? (unsigned int)k->copy - 1 : 0;

	if (copy < k->got->copies) {
		found.devid = k->got->at->mirror[copy].devid;
		found.physical = k->got->at->mirror[copy].physical;
		found.inode = f->slot < 0 ? first_inode(k, k->got->copy[copy]) : 0;
	}
	memcpy(found.text, f->text, sizeof(found.text));
	walk_found(k->w, &found);
	/* What these stand for is not seen. */
	if (f->rule == RULE_POINTER || f->rule == RULE_ITEM_BOUNDS)
		lose(k);
}

/* Which copy is the block: the first that is what was promised, or else the first that can be followed. */
static const unsigned char *choose(struct worker *k, bool good[READER_COPIES], int *chosen)
{
	const unsigned char *best = NULL;

	for (unsigned int i = 0; i < k->got->copies; i++) {
		const unsigned char *copy = k->got->copy[i];

		if (!good[i])
			continue;
		if (le64_at(copy + HEADER_GENERATION) == k->promise.generation &&
		    copy[HEADER_LEVEL] == k->promise.level) {
			*chosen = (int)i;
			return copy;
		}
		if (!best) {
			best = copy;
			*chosen = (int)i;
		}
	}
	return best;
}

/* Copies that are the block, and yet not the one that was chosen. False when they all are. */
static bool compare_copies(struct worker *k, const bool good[READER_COPIES], int chosen,
			   const struct sink *sink)
{
	const unsigned char *best = k->got->copy[chosen];
	bool differ = false;

	for (unsigned int i = 0; i < k->got->copies; i++) {
		const unsigned char *copy = k->got->copy[i];

		if (good[i] && (copy == best || memcmp(copy, best, k->w->super.format.nodesize) == 0))
			continue;
		differ = true;
		if (!good[i])
			continue;
		k->copy = (int)i + 1;
		if (le64_at(copy + HEADER_GENERATION) != le64_at(best + HEADER_GENERATION))
			fault_emit(sink, RULE_GENERATION, -1, NULL,
				   "generation %" PRIu64 " instead of %" PRIu64 ", which another copy has",
				   le64_at(copy + HEADER_GENERATION), le64_at(best + HEADER_GENERATION));
		else if ((le64_at(copy + HEADER_FLAGS) ^ le64_at(best + HEADER_FLAGS)) & HEADER_WRITTEN)
			fault_emit(sink, RULE_WRITTEN, -1, NULL, "the mark WRITTEN is on one copy only");
		else
			fault_emit(sink, RULE_MIRROR, -1, NULL, "its content differs from that of copy %d",
				   chosen + 1);
	}
	return differ;
}

/* Check each copy by itself. */
static void try_copies(struct worker *k, bool good[READER_COPIES], const struct sink *sink)
{
	for (unsigned int i = 0; i < k->got->copies; i++) {
		k->copy = (int)i + 1;
		if (!k->got->copy[i])
			fault_emit(sink, RULE_READ, -1, NULL, "%s", strerror(k->got->err[i]));
		else
			good[i] = block_is(&k->w->super.format, &k->promise, k->got->copy[i], sink);
	}
}

/* The first block of the chunk tree says whose chunks these are; all others must agree. */
static void learn_chunk_uuid(struct worker *k, const unsigned char *block)
{
	struct format *f = &k->w->super.format;

	if (f->chunk_uuid_known || k->tree->id != TREE_CHUNK)
		return;
	memcpy(f->chunk_uuid, block + HEADER_CHUNK_UUID, BTRFS_UUID);
	f->chunk_uuid_known = true;
}

/* What is gone already from a tree that is being deleted: everything before the key at which it stopped. */
static bool dropped(const struct worker *k, unsigned int i)
{
	const struct tree *t = k->tree;

	if (!t->dropping || k->promise.level < t->drop_level)
		return false;
	if (k->promise.level == t->drop_level)
		return key_compare(&k->child[i].key, &t->drop) < 0;
	return i + 1 < k->children && key_compare(&k->child[i + 1].key, &t->drop) <= 0;
}

static bool queue_put(struct walk *w, uint32_t entry, uint32_t tree)
{
	if (w->queue_count == w->queue_room) {
		size_t room = w->queue_room ? w->queue_room + w->queue_room / 2 : 1024;
		struct queued *grown = realloc(w->queue, room * sizeof(*grown));

		if (!grown) {
			atomic_store(&w->no_memory, true);
			return false;
		}
		w->queue = grown;
		w->queue_room = room;
	}
	w->queue[w->queue_count++] = (struct queued){entry, tree};
	return true;
}

/* What a pointer says of a block, against what was said before; NULL: it agrees. */
static const char *disagrees(const struct entry *old, const struct promise *p)
{
	if ((old->flags & ENTRY_LEVEL) && old->level != p->level)
		return "level";
	if (p->generation && old->generation != p->generation)
		return "generation";
	if ((old->flags & ENTRY_BELOW) && p->below && old->first_key != p->first_key)
		return "first key";
	return NULL;
}

/* A tree is reached: note it, and queue it when it is the first time. Returns NULL, or why it can't be
 * visited. */
static const char *reach(struct walk *w, const struct promise *p, uint32_t tree, bool dropping,
			 uint32_t weight, uint64_t who, enum rule *rule)
{
	bool made, log = w->trees[tree].log;
	uint32_t number = table_get(&w->table, p->bytenr, &made);
	struct entry *n;
	const char *wrong = NULL;

	if (number == TABLE_FULL) {
		*rule = RULE_TOO_MANY;
		atomic_store(&w->crowded, true);
		return "there are more blocks than the devices have room for";
	}
	n = table_entry(&w->table, number);
	if (n->flags & (ENTRY_REACHED | ENTRY_ALLOCATED))
		wrong = disagrees(n, p);
	*rule = n->flags & ENTRY_REACHED ? RULE_PROMISES : RULE_EXTENT_PROMISE;
	n->weight += weight;
	n->flags |= dropping ? ENTRY_DROPPING : 0;
	if (!log) {
		n->count--;
		n->who -= who;
	}
	if (n->flags & ENTRY_REACHED)
		return wrong;
	n->flags |=
		(uint8_t)(ENTRY_REACHED | ENTRY_LEVEL | (log ? ENTRY_LOG : 0) | (p->below ? ENTRY_BELOW : 0));
	n->generation = p->generation;
	n->level = p->level;
	n->first_key = p->first_key;
	n->tree = tree;
	queue_put(w, number, tree);
	return wrong;
}

/* Where a block is said to lie; NULL: there can be one. */
static const char *impossible(const struct walk *w, uint64_t bytenr)
{
	const struct chunk *c = map_find(&w->map, bytenr, w->super.format.nodesize, NULL);
	struct target_address at;

	if (c && !(c->type & (GROUP_METADATA | GROUP_SYSTEM)))
		return "it lies in a chunk of data";
	return map_place(&w->map, &w->disks, bytenr, w->super.format.nodesize, &at);
}

static void reach_child(struct worker *k, const struct event *ev, const struct sink *sink)
{
	struct walk *w = k->w;
	struct promise p = {.bytenr = ev->pointer.bytenr,
			    .generation = ev->pointer.generation,
			    .first_key = key_digest(&ev->key),
			    .level = (uint8_t)(k->promise.level - 1),
			    .below = true};
	const char *wrong = impossible(w, p.bytenr);
	enum rule rule = RULE_UNMAPPED;

	if (!wrong) {
		pthread_mutex_lock(&w->lock);
		wrong = reach(w, &p, k->tree_number, k->dropping, k->weight,
			      who_points(k->owner, k->full ? k->promise.bytenr : 0), &rule);
		pthread_mutex_unlock(&w->lock);
	}
	if (!wrong)
		return;
	if (rule == RULE_PROMISES || rule == RULE_EXTENT_PROMISE)
		fault_emit(sink, rule, (int)ev->slot, &ev->key,
			   "the %s of block %" PRIu64 " is not what %s says", wrong, p.bytenr,
			   rule == RULE_PROMISES ? "another pointer to it" : "its extent item");
	else
		fault_emit(sink, rule, (int)ev->slot, &ev->key, "block %" PRIu64 ": %s", p.bytenr, wrong);
	if (rule == RULE_UNMAPPED || rule == RULE_TOO_MANY)
		lose(k);
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* While a block is referenced by the trees that reach it, the one that made it is among these; when that
 * leaves it, or is deleted, the references are changed to full ones (fs/btrfs/ctree.c, update_ref_for_cow();
 * extent-tree.c, walk_down_proc()). */
static void check_owner(struct worker *k, const struct sink *sink)
{
	const struct walk *w = k->w;
	char name[32];

	if (k->full || !w->owners || atomic_load(&w->broken_extent) || !tree_holds_files(k->tree->id) ||
	    !tree_holds_files(k->owner) || k->owner == k->tree->id)
		return;
	if (!bsearch(&k->owner, w->owners, w->root_count, sizeof(*w->owners), by_id))
		fault_emit(sink, RULE_OWNER, -1, NULL, "it belongs to %s, which is not there",
			   tree_show(name, sizeof(name), k->owner));
	else if (k->weight == 1 && !k->dropping && !atomic_load(&w->broken))
		fault_emit(sink, RULE_OWNER, -1, NULL, "it belongs to %s, which does not reach it",
			   tree_show(name, sizeof(name), k->owner));
}

int walk_list_owners(struct walk *w, struct error *e)
{
	w->owners = malloc(MAX(w->root_count, (size_t)1) * sizeof(*w->owners));
	if (!w->owners)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "the list of trees");
	for (size_t i = 0; i < w->root_count; i++)
		w->owners[i] = w->roots[i].id;
	if (w->root_count)
		qsort(w->owners, w->root_count, sizeof(*w->owners), by_id);
	return 0;
}

static void take_walk(struct worker *k, const struct sink *sink)
{
	const struct format *f = &k->w->super.format;
	bool good[READER_COPIES] = {false};
	const unsigned char *block;
	int chosen = 0;

	try_copies(k, good, sink);
	block = choose(k, good, &chosen);
	if (!block) {
		lose(k);
		return;
	}
	k->copy = compare_copies(k, good, chosen, sink) ? chosen + 1 : 0;
	learn_chunk_uuid(k, block);
	k->owner = le64_at(block + HEADER_OWNER);
	check_owner(k, sink);
	if (!block_parse(f, &k->promise, block, sink)) {
		lose(k);
		return;
	}
	for (unsigned int i = 0; i < k->children; i++) {
		if (!dropped(k, i))
			reach_child(k, &k->child[i], sink);
	}
}

/* Faults were told in the first pass. */
static void take_again(struct worker *k)
{
	const struct sink sink = {k, walk_no_fault, facts_event};
	bool good[READER_COPIES] = {false};
	const unsigned char *block;
	int chosen = 0;

	try_copies(k, good, &sink);
	block = choose(k, good, &chosen);
	if (!block)
		return;
	k->owner = le64_at(block + HEADER_OWNER);
	block_parse(&k->w->super.format, &k->promise, block, &sink);
}

static void take(void *context, unsigned int thread, const struct got *g)
{
	struct walk *w = context;
	struct worker *k = &w->workers[thread];
	const struct sink sink = {k, walk_fault, facts_event};
	struct entry n;

	pthread_mutex_lock(&w->lock);
	n = *table_entry(&w->table, g->wanted->tag);
	k->tree_number = g->wanted->tag2;
	k->tree = &w->trees[k->tree_number];
	pthread_mutex_unlock(&w->lock);
	k->got = g;
	k->full = n.flags & ENTRY_FULL;
	k->dropping = n.flags & ENTRY_DROPPING;
	k->weight = n.weight;
	k->children = 0;
	k->inode = 0;
	k->promise = (struct promise){.bytenr = n.bytenr,
				      .tree = k->tree->id,
				      .generation = n.generation,
				      .newest = w->super.format.generation + (k->tree->log ? 1 : 0),
				      .first_key = n.first_key,
				      .level = n.level,
				      .below = n.flags & ENTRY_BELOW};
	if (w->pass == PASS_WALK) {
		take_walk(k, &sink);
		k->blocks++;
		k->copies += g->copies;
		atomic_fetch_add_explicit(&w->done, 1, memory_order_relaxed);
	} else {
		take_again(k);
	}
}

static bool next(void *context, struct wanted *wanted)
{
	struct walk *w = context;
	const struct queued *q;

	if (w->now_at == w->now_count)
		return false;
	q = &w->now[w->now_at++];
	pthread_mutex_lock(&w->lock);
	*wanted = (struct wanted){.start = table_entry(&w->table, q->entry)->bytenr,
				  .length = w->super.format.nodesize,
				  .tag = q->entry,
				  .tag2 = q->tree};
	pthread_mutex_unlock(&w->lock);
	return true;
}

static int by_address(const void *a, const void *b, void *table)
{
	uint64_t one = table_entry(table, ((const struct queued *)a)->entry)->bytenr;
	uint64_t other = table_entry(table, ((const struct queued *)b)->entry)->bytenr;

	return one < other ? -1 : one > other;
}

static void tick(void *context)
{
	const struct walk *w = context;

	if (w->o->progress)
		w->o->progress(w->o->context, w->stage, atomic_load(&w->done));
}

/* Take what lies on the highest level out of the queue: when a block is read, all that point to it have been.
 */
static int take_level(struct walk *w, struct error *e)
{
	struct queued *now = malloc(w->queue_count * sizeof(*now));
	size_t left = 0;
	uint8_t level = 0;

	if (!now)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "the blocks of a level");
	for (size_t i = 0; i < w->queue_count; i++)
		level = MAX(level, table_entry(&w->table, w->queue[i].entry)->level);
	free(w->now);
	w->now = now;
	w->now_count = w->now_at = 0;
	for (size_t i = 0; i < w->queue_count; i++) {
		if (table_entry(&w->table, w->queue[i].entry)->level == level)
			now[w->now_count++] = w->queue[i];
		else
			w->queue[left++] = w->queue[i];
	}
	w->queue_count = left;
	qsort_r(now, w->now_count, sizeof(*now), by_address, &w->table);
	return 0;
}

static int visit(struct walk *w, struct error *e)
{
	struct reader r = {.map = &w->map,
			   .disks = &w->disks,
			   .pool = w->pool,
			   .stop = w->o->stop,
			   .context = w,
			   .next = next,
			   .take = take,
			   .tick = tick};
	int ret;

	/* Few blocks are not worth more threads. */
	r.threads = (unsigned int)MIN(w->threads, div_up_u64(w->now_count, 32));
	ret = reader_run(&r, e);
	w->r->bytes += r.bytes;
	return ret;
}

int walk_queue(struct walk *w, const char *stage, struct error *e)
{
	w->stage = stage;
	while (w->queue_count && !walk_stopped(w)) {
		if (take_level(w, e) || visit(w, e))
			return -1;
		if (atomic_load(&w->no_memory))
			return error_errno(e, EXIT_HARNESS, ENOMEM, "the blocks that are still to be read");
	}
	return 0;
}

static bool list_tree(struct walk *w, const struct tree *t)
{
	struct tree *all = list_grown(w->trees, w->tree_count, &w->tree_room, sizeof(*all));

	if (!all) {
		atomic_store(&w->no_memory, true);
		return false;
	}
	w->trees = all;
	all[w->tree_count++] = *t;
	return true;
}

void walk_add_tree(struct walk *w, const struct tree *t)
{
	struct promise p = {.bytenr = t->bytenr, .generation = t->generation, .level = t->level};
	const char *wrong = impossible(w, t->bytenr);
	enum rule rule = RULE_UNMAPPED;

	if (!wrong && list_tree(w, t)) {
		pthread_mutex_lock(&w->lock);
		wrong = reach(w, &p, (uint32_t)w->tree_count - 1, t->dropping,
			      tree_has_names(t->id) && !t->dropping,
			      t->id == TREE_RELOC ? who_points(0, t->bytenr) : who_points(t->id, 0), &rule);
		pthread_mutex_unlock(&w->lock);
		w->r->trees++;
	}
	if (!wrong)
		return;
	walk_say(w, rule, t->id, t->bytenr, "the root of the tree: %s%s", wrong,
		 rule == RULE_PROMISES || rule == RULE_EXTENT_PROMISE ? " is not what else is said of it"
								      : "");
	if (rule == RULE_UNMAPPED || rule == RULE_TOO_MANY) {
		if (!t->log)
			walk_lose(w, t->id);
	}
}
