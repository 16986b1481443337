// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/device/regions.h"

#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <stdlib.h>

#include "mutants/device/chunks.h"

/* Of the superblock's copies: btrfs_sb_offset() in the kernel. */
static const uint64_t supers[] = {SUPER_OFFSET, 64ull << 20, 256ull << 30};
#define SUPERS (sizeof(supers) / sizeof(supers[0]))

void regions_free(struct regions *r)
{
	free(r->region);
	*r = (struct regions){0};
}

static void add(void *context, uint64_t start, uint64_t length, uint64_t flags)
{
	struct regions *r = context;
	const unsigned int what =
		(flags & BTRFS_BLOCK_GROUP_DATA ? REGION_DATA : 0) |
		(flags & (BTRFS_BLOCK_GROUP_METADATA | BTRFS_BLOCK_GROUP_SYSTEM) ? REGION_METADATA : 0);

	if (start >= r->size || length > r->size - start)
		return; /* not in this image: damaged, or of a device that has been enlarged since */
	if (r->count == r->room) {
		r->room = r->room ? r->room * 2 : 64;
		r->region = reallocarray(r->region, r->room, sizeof(*r->region));
		if (!r->region)
			abort(); /* a mutant that hits what it must not proves nothing */
	}
	r->region[r->count++] = (struct region){start, start + length, what};
}

static int by_start(const void *a, const void *b)
{
	const struct region *one = a, *other = b;

	return (one->start > other->start) - (one->start < other->start);
}

/* Chunks of the superblock's array are in the tree, too. */
static void sort(struct regions *r)
{
	size_t kept = 0;

	qsort(r->region, r->count, sizeof(*r->region), by_start);
	for (size_t i = 0; i < r->count; i++)
		if (!kept || r->region[i].start >= r->region[kept - 1].end)
			r->region[kept++] = r->region[i];
	r->count = kept;
}

bool regions_learn(struct regions *r, int image)
{
	struct regions found = {.size = r->size};
	struct super s;

	if (!super_read(&s, image) || (s.root == r->root && s.generation == r->generation))
		return false;
	r->due = true;
	if (!chunks_walk(&s, image, add, &found) || !found.count) {
		regions_free(&found);
		return false;
	}
	sort(&found);
	found.root = s.root;
	found.generation = s.generation;
	regions_free(r);
	*r = found;
	return true;
}

bool regions_touched(uint64_t offset, uint64_t length)
{
	return offset < SUPER_OFFSET + SUPER_SIZE && offset + length > SUPER_OFFSET;
}

/* In a superblock: true, and *end is its end. Else *end is cut to the begin of the next one. */
static bool in_super(uint64_t offset, uint64_t *end)
{
	for (size_t i = 0; i < SUPERS; i++) {
		if (offset >= supers[i] && offset < supers[i] + SUPER_SIZE) {
			*end = supers[i] + SUPER_SIZE;
			return true;
		}
		if (offset < supers[i] && *end > supers[i])
			*end = supers[i];
	}
	return false;
}

unsigned int regions_at(const struct regions *r, uint64_t offset, uint64_t *end)
{
	size_t low = 0, high = r->count;

	*end = UINT64_MAX;
	if (!r->count)
		return 0;
	if (in_super(offset, end))
		return REGION_SUPER;
	while (low < high) { /* the first that ends behind offset */
		const size_t middle = low + (high - low) / 2;

		if (r->region[middle].end > offset)
			high = middle;
		else
			low = middle + 1;
	}
	if (low == r->count)
		return 0;
	if (r->region[low].start > offset) {
		*end = *end < r->region[low].start ? *end : r->region[low].start;
		return 0;
	}
	*end = *end < r->region[low].end ? *end : r->region[low].end;
	return r->region[low].what;
}

static bool is_in(enum scope scope, unsigned int what)
{
	return what & (scope == SCOPE_DATA ? REGION_DATA : REGION_METADATA | REGION_SUPER);
}

bool regions_narrow(const struct regions *r, enum scope scope, uint64_t *offset, size_t *length)
{
	const uint64_t stop = *offset + *length;
	uint64_t at = *offset, end, first;

	if (scope == SCOPE_ANY)
		return true;
	while (at < stop && !is_in(scope, regions_at(r, at, &end)))
		at = end;
	if (at >= stop)
		return false;
	first = at;
	while (at < stop && is_in(scope, regions_at(r, at, &end)))
		at = end;
	*offset = first;
	*length = (size_t)((at < stop ? at : stop) - first);
	return true;
}

const char *regions_name(unsigned int what)
{
	if (what & REGION_SUPER)
		return "superblock";
	if (what == (REGION_DATA | REGION_METADATA))
		return "mixed";
	if (what & REGION_DATA)
		return "data";
	return what & REGION_METADATA ? "metadata" : "unknown";
}

static json_t *list(const struct regions *r, unsigned int what)
{
	json_t *all = json_array();

	for (size_t i = 0; i < r->count; i++)
		if (r->region[i].what & what)
			json_array_append_new(all,
					      json_pack("[I, I]", (json_int_t)r->region[i].start,
							(json_int_t)(r->region[i].end - r->region[i].start)));
	return all;
}

json_t *regions_json(const struct regions *r)
{
	return json_pack("{s:I, s:o, s:o}", "generation", (json_int_t)r->generation, "data",
			 list(r, REGION_DATA), "metadata", list(r, REGION_METADATA));
}
