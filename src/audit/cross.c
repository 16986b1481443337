/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When all was seen: what must come out even. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/audit/walk.h"

static const char *count_text(int32_t count)
{
	return count > 0 ? "more references than pointers" : "more pointers than references";
}

static void check_entry(struct walk *w, const struct entry *n)
{
	uint64_t tree = n->flags & ENTRY_REACHED ? w->trees[n->tree].id : 0;
	char promise[64];

	if (n->flags & ENTRY_LOG)
		return;
	snprintf(promise, sizeof(promise), "level %u, generation %" PRIu64, n->level, n->generation);
	if (!(n->flags & ENTRY_ALLOCATED)) {
		if (n->flags & ENTRY_REACHED)
			walk_say(w, RULE_EXTENT_MISSING, tree, n->bytenr,
				 "the extent tree does not know it (%s)", promise);
		else
			walk_say(w, RULE_EXTENT_MISSING, TREE_EXTENT, n->bytenr,
				 "references to it, but no extent item");
	} else if (atomic_load(&w->broken)) {
		return; /* who else might point to it is not known */
	} else if (!(n->flags & ENTRY_REACHED)) {
		walk_say(w, RULE_EXTENT_UNREACHED, TREE_EXTENT, n->bytenr, "nothing points to it (%s)",
			 promise);
	} else if (n->count) {
		walk_say(w, RULE_EXTENT_COUNT, tree, n->bytenr, "%d %s (%s)",
			 n->count > 0 ? n->count : -n->count, count_text(n->count), promise);
	} else if (n->who) {
		walk_say(w, RULE_EXTENT_OWNER, tree, n->bytenr,
			 "its references name others than those that point to it (%s)", promise);
	}
}

static void check_blocks(struct walk *w)
{
	if (atomic_load(&w->broken_extent)) {
		walk_unchecked(w, "references of blocks: the extent tree is not whole");
		return;
	}
	if (atomic_load(&w->broken))
		walk_unchecked(w, "how often blocks are reached: some trees are not whole");
	for (uint32_t i = 0; i < w->table.count && !walk_stopped(w); i++)
		check_entry(w, table_entry(&w->table, i));
}

static uint64_t sum_chunk(const struct walk *w, size_t chunk, bool tiling)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < w->threads; i++)
		sum += tiling ? w->workers[i].tiling[chunk] : w->workers[i].used[chunk];
	return sum;
}

static bool has_free_space_tree(const struct walk *w)
{
	return w->super.format.compat_ro & COMPAT_RO_FREE_SPACE_TREE &&
	       w->super.format.compat_ro & COMPAT_RO_FREE_SPACE_OK;
}

static void check_free(struct walk *w, size_t i, bool even)
{
	const struct chunk *c = w->map.chunks[i];
	uint32_t wanted = c->free_bitmaps ? 0 : c->free_extents;

	w->bad_chunk[i] = !even;
	if (!c->free_known)
		walk_say(w, RULE_SPACE, TREE_FREE_SPACE, c->start,
			 "the free space tree does not know the block group");
	else if (wanted != c->free_counted)
		walk_say(w, RULE_SPACE, TREE_FREE_SPACE, c->start,
			 "%u free extents are said to be there, not in bitmaps; %u are", wanted,
			 c->free_counted);
}

static void check_chunk(struct walk *w, size_t i)
{
	const struct chunk *c = w->map.chunks[i];
	uint64_t used = sum_chunk(w, i, false);
	uint64_t edges = map_edge(c->start + c->length) - map_edge(c->start);
	bool extents = !atomic_load(&w->broken_extent);

	if (!c->from_tree && !atomic_load(&w->broken))
		walk_say(w, RULE_SYSTEM_CHUNKS, TREE_CHUNK, c->start,
			 "the chunk tree does not have this chunk");
	if (c->stripes && !atomic_load(&w->broken))
		walk_say(w, RULE_CHUNK_DEVICE, TREE_DEVICE, c->start,
			 "the chunk's stripes are not the device extents that name it");
	if (!extents)
		return;
	if (!c->grouped)
		walk_say(w, RULE_GROUP_CHUNK, TREE_EXTENT, c->start, "the chunk has no block group");
	else if (c->group_used != used)
		walk_say(w, RULE_GROUP_USED, TREE_EXTENT, c->start,
			 "%" PRIu64 " bytes by the block group, %" PRIu64 " by extents", c->group_used, used);
	if (has_free_space_tree(w) && !atomic_load(&w->broken_space))
		check_free(w, i, sum_chunk(w, i, true) == edges);
}

/* What no rule speaks of on this filesystem. */
static void tell_unchecked(struct walk *w)
{
	bool parity = false;

	for (size_t i = 0; i < w->map.count; i++)
		parity |= w->map.chunks[i]->type & (GROUP_RAID5 | GROUP_RAID6);
	if (parity)
		walk_unchecked(w, "parity of RAID5 and RAID6: only what it protects is read");
	if (has_free_space_tree(w))
		return;
	if (w->super.cache_generation == w->super.format.generation)
		walk_unchecked(w, "free space: the old space cache (version 1) is not compared with extents");
	else
		walk_unchecked(w, "free space: it is not kept in a free space tree that is valid");
}

static void check_devices(struct walk *w)
{
	if (atomic_load(&w->broken))
		return;
	for (size_t i = 0; i < w->disks.count; i++) {
		int64_t more = (int64_t)atomic_load(&w->device_used[i]);

		if (!w->device_known[i])
			walk_say(w, RULE_DEVICE, TREE_CHUNK, 0, "%s (device %" PRIu64 ") has no device item",
				 w->disks.disk[i].path, w->disks.disk[i].devid);
		else if (more)
			walk_say(
				w, RULE_DEVICE, TREE_CHUNK, 0,
				"device %" PRIu64 " counts %" PRId64 " bytes %s than its device extents have",
				w->disks.disk[i].devid, more < 0 ? -more : more, more > 0 ? "more" : "fewer");
	}
}

static void check_chunks(struct walk *w)
{
	uint64_t used = 0;

	for (size_t i = 0; i < w->map.count; i++) {
		check_chunk(w, i);
		used += w->map.chunks[i]->group_used;
	}
	if (used != w->super.bytes_used && !atomic_load(&w->broken_extent))
		walk_say(w, RULE_GROUP_USED, 0, 0,
			 "%" PRIu64 " bytes used by the superblock, %" PRIu64 " by all block groups",
			 w->super.bytes_used, used);
	tell_unchecked(w);
}

/* Checksums of sectors that hold no data: the first of each stretch is told. */
static void check_stray(struct walk *w, const struct chunk *c)
{
	uint64_t sectors = c->length / w->map.sectorsize;
	bool stray = false;

	for (uint64_t i = 0; i < sectors; i++) {
		bool now;

		if (i % 64 == 0 && !(c->summed[i / 64] & ~c->allocated[i / 64])) {
			stray = false;
			i += 63;
			continue;
		}
		now = (c->summed[i / 64] & ~c->allocated[i / 64]) >> i % 64 & 1;
		if (now && !stray)
			walk_say(w, RULE_CSUM_STRAY, TREE_CSUM, c->start + i * w->map.sectorsize,
				 "there are checksums, and no data");
		stray = now;
	}
}

static void check_csums(struct walk *w)
{
	if (atomic_load(&w->broken_extent) || atomic_load(&w->broken_csum))
		return;
	for (size_t i = 0; i < w->map.count && !walk_stopped(w); i++) {
		if (w->map.chunks[i]->summed)
			check_stray(w, w->map.chunks[i]);
	}
}

static void check_data_refs(struct walk *w)
{
	if (atomic_load(&w->broken)) {
		walk_unchecked(w, "references of data, names and links: some trees are not whole");
		return;
	}
	for (uint32_t i = 0; i < DATA_BUCKETS; i++) {
		uint64_t sum = 0;

		for (unsigned int k = 0; k < w->threads; k++)
			sum += w->workers[k].data[i];
		w->bad_bucket[i] = sum;
	}
	names_check(w);
}

int cross_check(struct walk *w, struct error *e)
{
	if (walk_stopped(w))
		return 0;
	if (atomic_load(&w->crowded)) {
		walk_say(w, RULE_TOO_MANY, 0, 0, "more blocks are named than the devices have room for");
		walk_unchecked(w, "references: there are more blocks than can be");
		return 0;
	}
	check_blocks(w);
	check_devices(w);
	check_chunks(w);
	check_csums(w);
	check_data_refs(w);
	subvolumes_check(w);
	return locate(w, e);
}
