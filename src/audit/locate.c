/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sums that did not come out even say that something is wrong, not where. The leaves are read again, and only
 * what belongs to those sums is kept and sorted. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/audit/walk.h"
#include "src/base/list.h"

/* Beyond this the places are not told one by one. */
#define LOCATED_MAX (1U << 20)
#define TOLD        8U /* places in one chunk */

void locate_keep(struct walk *w, const struct located *l)
{
	struct located *all = NULL;

	pthread_mutex_lock(&w->lock);
	if (w->located_count < LOCATED_MAX)
		all = list_grown(w->located, w->located_count, &w->located_room, sizeof(*all));
	if (all) {
		w->located = all;
		all[w->located_count++] = *l;
	} else {
		atomic_store(&w->crowded, true);
	}
	pthread_mutex_unlock(&w->lock);
}

static void keep_ref(struct walk *w, uint64_t start, uint64_t root, uint64_t inode, uint64_t parent,
		     uint64_t who, int64_t count)
{
	const struct located l = {.start = start,
				  .root = root,
				  .inode = inode,
				  .parent = parent,
				  .who = who,
				  .count = count,
				  .kind = LOCATED_REF};

	if (w->bad_bucket[data_bucket(start)])
		locate_keep(w, &l);
}

static void keep_space(struct walk *w, const struct event *ev, enum located_kind kind)
{
	const struct located l = {.start = ev->start, .end = ev->start + ev->length, .kind = kind};
	size_t number;

	if (map_find(&w->map, ev->start, ev->length, &number) && w->bad_chunk[number])
		locate_keep(w, &l);
}

static void keep_file_extent(struct worker *k, const struct event *ev)
{
	uint64_t parent = k->full ? k->promise.bytenr : 0;
	uint64_t who = who_refers(k->owner, ev->key.objectid, ev->start - ev->file_extent.offset, parent);

	if (!k->tree->log)
		keep_ref(k->w, ev->file_extent.disk_bytenr, k->owner, ev->key.objectid, parent, who, -1);
}

void locate_event(struct worker *k, const struct event *ev)
{
	struct walk *w = k->w;

	names_event(k, ev);
	if (ev->kind == EVENT_EXTENT) {
		keep_space(w, ev, LOCATED_ALLOCATED);
		if (!ev->extent.metadata)
			keep_ref(w, ev->start, 0, 0, 0, 0, (int64_t)ev->extent.refs);
	} else if (ev->kind == EVENT_FREE) {
		keep_space(w, ev, LOCATED_FREE);
	} else if (ev->kind == EVENT_DATA_REF) {
		keep_ref(w, ev->start, ev->data_ref.root, ev->data_ref.inode, ev->data_ref.parent,
			 who_refers(ev->data_ref.root, ev->data_ref.inode, ev->data_ref.offset,
				    ev->data_ref.parent),
			 ev->data_ref.count);
		keep_ref(w, ev->start, 0, 0, 0, 0, -(int64_t)ev->data_ref.count);
	} else if (ev->kind == EVENT_FILE_EXTENT) {
		keep_file_extent(k, ev);
	}
}

/* Both kinds of space are looked through together. */
static enum located_kind list_of(enum located_kind kind)
{
	return kind == LOCATED_FREE ? LOCATED_ALLOCATED : kind;
}

static int by_place(const void *a, const void *b)
{
	const struct located *x = a, *y = b;

	if (list_of(x->kind) != list_of(y->kind))
		return list_of(x->kind) < list_of(y->kind) ? -1 : 1;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->who != y->who)
		return x->who < y->who ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

/* About an inode, or space. */
static void say(struct walk *w, const struct located *l, enum rule rule, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void say(struct walk *w, const struct located *l, enum rule rule, const char *fmt, ...)
{
	bool ref = l->kind == LOCATED_REF;
	struct audit_finding f = {.rule = rule,
				  .tree = ref ? TREE_EXTENT : l->root,
				  .block = ref ? l->start : 0,
				  .level = -1,
				  .slot = -1,
				  .subvolume = l->root,
				  .inode = l->inode};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f.text, sizeof(f.text), fmt, ap);
	va_end(ap);
	walk_found(w, &f);
}

static void tell_ref(struct walk *w, const struct located *l, int64_t count)
{
	uint64_t n = (uint64_t)(count < 0 ? -count : count);
	char tree[32];

	if (!l->who)
		say(w, l, RULE_DATA_REF,
		    "the item of the data extent says %" PRIu64 " references %s than are listed", n,
		    count > 0 ? "more" : "fewer");
	else if (l->parent)
		say(w, l, RULE_DATA_REF,
		    "leaf %" PRIu64 " uses the data extent %" PRIu64 " times %s than is referenced",
		    l->parent, n, count > 0 ? "less" : "more");
	else
		say(w, l, RULE_DATA_REF,
		    "inode %" PRIu64 " of %s uses the data extent %" PRIu64 " times %s than is referenced",
		    l->inode, tree_show(tree, sizeof(tree), l->root), n, count > 0 ? "less" : "more");
}

static void tell_inode(struct walk *w, const struct located *l, int64_t count)
{
	if (l->rule == RULE_NAMES)
		say(w, l, l->rule,
		    "a name in directory %" PRIu64 ", of inode %" PRIu64 " (index %" PRIu64
		    "): its directory item, index and back reference don't agree",
		    l->start, l->inode, l->parent);
	else if (l->rule == RULE_LINKS)
		say(w, l, l->rule,
		    "inode %" PRIu64 " counts %" PRId64
		    " links %s than it has names, over all trees that hold it",
		    l->inode, count < 0 ? -count : count, count > 0 ? "more" : "fewer");
	else if (l->rule == RULE_DIR_SIZE)
		say(w, l, l->rule,
		    "directory %" PRIu64 " is %" PRId64
		    " bytes %s than twice the length of its names, over all trees that hold it",
		    l->inode, count < 0 ? -count : count, count > 0 ? "larger" : "smaller");
	else
		say(w, l, l->rule,
		    "inode %" PRIu64 " counts %" PRId64
		    " bytes %s than its extents hold, over all trees that hold it",
		    l->inode, count < 0 ? -count : count, count > 0 ? "more" : "fewer");
}

/* Where several trees speak of it, it is not known which of them is wrong. */
static void add_up(struct located *first, const struct located *l, uint64_t *count)
{
	*count += (uint64_t)l->count;
	if (l->kind == LOCATED_INODE && l->root != first->root)
		first->root = 0;
}

/* From entry i of the list on, all of this kind; what does not come out even is told. Returns where the next
 * kind begins. */
static size_t tell_kind(struct walk *w, size_t i, enum located_kind kind,
			void (*tell_one)(struct walk *w, const struct located *l, int64_t count))
{
	size_t next;

	for (; i < w->located_count && w->located[i].kind == kind; i = next) {
		struct located *l = &w->located[i];
		uint64_t count = 0;

		for (next = i; next < w->located_count && w->located[next].kind == kind &&
			       w->located[next].start == l->start && w->located[next].who == l->who;
		     next++)
			add_up(l, &w->located[next], &count);
		if (count)
			tell_one(w, l, (int64_t)count);
	}
	return i;
}

static void tell_gap(struct walk *w, uint64_t from, uint64_t to)
{
	walk_say(w, RULE_SPACE, TREE_FREE_SPACE, from, "%" PRIu64 " bytes are neither allocated nor free",
		 to - from);
}

static void tell_overlap(struct walk *w, const struct located *before, const struct located *l, uint64_t end)
{
	bool both = before->kind == LOCATED_FREE && l->kind == LOCATED_FREE;

	walk_say(w, RULE_SPACE, TREE_FREE_SPACE, l->start, "%" PRIu64 " bytes are %s",
		 MIN(end, l->end) - l->start,
		 both                      ? "free twice"
		 : before->kind == l->kind ? "allocated twice"
					   : "allocated, and free too");
}

/* The stretches of one chunk, from entry i of the list on. Returns where those of the next begin. */
static size_t tell_space(struct walk *w, const struct chunk *c, size_t i)
{
	uint64_t at = c->start, end = c->start + c->length;
	const struct located *last = NULL;
	unsigned int told = 0;

	for (; i < w->located_count && w->located[i].start < end; i++) {
		const struct located *l = &w->located[i];

		if (l->start > at && told++ < TOLD)
			tell_gap(w, at, l->start);
		if (l->start < at && last && told++ < TOLD)
			tell_overlap(w, last, l, at);
		if (l->end > at) {
			at = l->end;
			last = l;
		}
	}
	if (at < end && told < TOLD)
		tell_gap(w, at, end);
	return i;
}

/* What can't be told in detail is told all the same. */
static void tell_sums(struct walk *w)
{
	for (size_t i = 0; i < w->map.count; i++) {
		if (w->bad_chunk[i])
			walk_say(w, RULE_SPACE, TREE_FREE_SPACE, w->map.chunks[i]->start,
				 "allocated and free space of this block group don't fill it exactly");
	}
	walk_say(w, RULE_DATA_REF, TREE_EXTENT, 0,
		 "references of data and their uses, or names and inodes, differ in too many places to tell");
}

static void tell(struct walk *w)
{
	uint64_t before = w->r->findings;
	size_t at;

	if (w->located_count)
		qsort(w->located, w->located_count, sizeof(*w->located), by_place);
	at = tell_kind(w, 0, LOCATED_REF, tell_ref);
	at = tell_kind(w, at, LOCATED_INODE, tell_inode);
	for (size_t i = 0; i < w->map.count; i++) {
		if (w->bad_chunk[i])
			at = tell_space(w, w->map.chunks[i], at);
	}
	if (w->r->findings == before)
		tell_sums(w);
}

/* Leaves of trees that speak of data or space. */
static bool speaks(const struct entry *n, const struct tree *t, bool refs, bool space)
{
	if (n->level || !(n->flags & ENTRY_REACHED) || t->log)
		return false;
	if (t->id == TREE_EXTENT)
		return true;
	if (t->id == TREE_FREE_SPACE)
		return space;
	return refs && (tree_holds_files(t->id) || t->id == TREE_ROOT || t->id == TREE_RELOC ||
			t->id == TREE_DATA_RELOC);
}

static int queue_leaves(struct walk *w, bool refs, bool space, struct error *e)
{
	w->queue = malloc(MAX(w->table.count, 1U) * sizeof(*w->queue));
	if (!w->queue)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "the leaves that are to be read again");
	w->queue_room = w->table.count;
	for (uint32_t i = 0; i < w->table.count; i++) {
		const struct entry *n = table_entry(&w->table, i);

		if ((n->flags & ENTRY_REACHED) && speaks(n, &w->trees[n->tree], refs, space))
			w->queue[w->queue_count++] = (struct queued){i, n->tree};
	}
	return 0;
}

static bool any(const bool *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i])
			return true;
	}
	return false;
}

int locate(struct walk *w, struct error *e)
{
	bool refs = any(w->bad_bucket, DATA_BUCKETS) || any(w->bad_name, NAME_BUCKETS);
	bool space = any(w->bad_chunk, w->map.count);

	if (!refs && !space)
		return 0;
	free(w->queue);
	w->queue_count = 0;
	if (queue_leaves(w, refs, space, e))
		return -1;
	w->pass = PASS_LOCATE;
	if (walk_queue(w, "looking for what does not come out even", e))
		return -1;
	if (atomic_load(&w->crowded))
		tell_sums(w);
	else if (!walk_stopped(w))
		tell(w);
	return 0;
}
