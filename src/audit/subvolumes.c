/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The name of a subvolume stands in a directory of another, and in two references in the tree of roots: one
 * of the parent, one of the child. In snapshots of the parent the name is there, too, with nothing behind it
 * and no reference: so names are looked for where references say, and not the other way round.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "src/audit/walk.h"
#include "src/content/hash.h"

/* An index of a directory: key of what it leads to, transaction, bytes of data, of the name, type, name. */
#define INDEX_NAME_LENGTH 27U
#define INDEX_NAME        30U

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* By child, so that all of one lie together. */
static int by_child(const void *a, const void *b)
{
	const struct root_ref *x = a, *y = b;

	return x->child != y->child     ? compare(x->child, y->child)
	       : x->parent != y->parent ? compare(x->parent, y->parent)
					: x->back - y->back;
}

static int by_number(const void *a, const void *b)
{
	const struct tree *x = a, *y = b;

	return compare(x->id, y->id);
}

static const struct tree *find_root(const struct walk *w, uint64_t id)
{
	const struct tree wanted = {.id = id};

	return w->root_count ? bsearch(&wanted, w->roots, w->root_count, sizeof(wanted), by_number) : NULL;
}

static void say(struct walk *w, const struct root_ref *r, const char *text)
{
	walk_say(w, RULE_SUBVOLUME, r->child, 0,
		 "its name in directory %" PRIu64 " (index %" PRIu64 ") of tree %" PRIu64 ": %s", r->dir,
		 r->index, r->parent, text);
}

/* Does the index of the parent's directory lead to the child, by this name? */
static bool is_named(const struct walk *w, const struct tree *parent, const struct root_ref *r,
		     unsigned char *buf)
{
	const struct key key = {r->dir, ITEM_DIR_INDEX, r->index};
	struct found_item item;
	struct key location;
	uint32_t length;

	if (!walk_item(w, parent, &key, buf, &item) || key_compare(&item.key, &key) != 0 ||
	    item.size < INDEX_NAME)
		return false;
	location = key_at(item.bytes);
	length = le16_at(item.bytes + INDEX_NAME_LENGTH);
	return location.objectid == r->child && location.type == ITEM_ROOT &&
	       length <= item.size - INDEX_NAME && hash_bytes(item.bytes + INDEX_NAME, length) == r->digest;
}

/* Two references that say the same of one child, or what is wrong with them. */
static void check_pair(struct walk *w, const struct root_ref *r, size_t count, unsigned char *buf)
{
	const struct tree *parent = find_root(w, r->parent);

	if (count != 2 || r[0].back == r[1].back || r[0].parent != r[1].parent)
		say(w, r, "the references of parent and child are not one of each");
	else if (r[0].dir != r[1].dir || r[0].index != r[1].index || r[0].digest != r[1].digest)
		say(w, r, "the references of parent and child differ");
	else if (!find_root(w, r->child))
		say(w, r, "there is no such subvolume");
	else if (!parent)
		say(w, r, "there is no such parent");
	else if (!is_named(w, parent, r, buf))
		say(w, r, "it does not stand there");
}

static bool has_refs(const struct walk *w, uint64_t child)
{
	size_t low = 0, high = w->ref_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (w->refs[mid].child < child)
			low = mid + 1;
		else
			high = mid;
	}
	return low < w->ref_count && w->refs[low].child == child;
}

static void check_roots(struct walk *w)
{
	for (size_t i = 0; i < w->root_count; i++) {
		const struct tree *t = &w->roots[i];

		if (!t->log && t->id != TREE_FS && tree_holds_files(t->id) && t->refs && !has_refs(w, t->id))
			walk_say(w, RULE_SUBVOLUME, t->id, 0, "nothing says where its name stands");
	}
}

void subvolumes_check(struct walk *w)
{
	unsigned char *buf;
	size_t next;

	if (atomic_load(&w->broken)) {
		walk_unchecked(w, "names of subvolumes: some trees are not whole");
		return;
	}
	buf = aligned_alloc(4096, (size_t)READER_COPIES * w->super.format.nodesize);
	if (!buf) {
		walk_unchecked(w, "names of subvolumes: there is no memory");
		return;
	}
	if (w->root_count)
		qsort(w->roots, w->root_count, sizeof(*w->roots), by_number);
	if (w->ref_count)
		qsort(w->refs, w->ref_count, sizeof(*w->refs), by_child);
	for (size_t i = 0; i < w->ref_count && !walk_stopped(w); i = next) {
		for (next = i + 1; next < w->ref_count && w->refs[next].child == w->refs[i].child;)
			next++;
		check_pair(w, &w->refs[i], next - i, buf);
	}
	check_roots(w);
	free(buf);
}
