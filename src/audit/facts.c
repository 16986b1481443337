/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What blocks say of others, put together. Runs in all reading threads. */
#include <inttypes.h>
#include <stdlib.h>

#include "src/audit/walk.h"
#include "src/base/list.h"
#include "src/base/random.h"

#define INODE_NODATASUM 1ULL

uint64_t who_points(uint64_t root, uint64_t parent)
{
	return parent ? mix64(mix64(parent) + 1) : mix64(mix64(root) + 2);
}

uint64_t who_refers(uint64_t root, uint64_t inode, uint64_t offset, uint64_t parent)
{
	if (parent)
		return mix64(mix64(parent) + 3);
	return mix64(mix64(mix64(mix64(root) + inode) + 4) + offset);
}

uint32_t data_bucket(uint64_t start)
{
	return (uint32_t)(mix64(start ^ 0x5bd1e995U) % DATA_BUCKETS);
}

/* A fault that shows only here. */
#define event_fault(k, rule, ev, ...)                                                                        \
	do {                                                                                                 \
		const struct sink s_ = {(k), walk_fault, NULL};                                              \
		fault_emit(&s_, rule, (int)(ev)->slot, &(ev)->key, __VA_ARGS__);                             \
	} while (0)

static void root_item(struct worker *k, const struct event *ev)
{
	struct walk *w = k->w;
	bool log = k->tree->log;
	struct tree t = {.id = log ? TREE_LOG : ev->key.objectid,
			 .offset = ev->key.offset,
			 .bytenr = ev->root.bytenr,
			 .generation = ev->root.generation,
			 .level = ev->root.level,
			 .log = log,
			 .dropping = ev->root.drop.objectid || ev->root.drop.offset || ev->root.drop.type,
			 .drop_level = ev->root.drop_level,
			 .drop = ev->root.drop,
			 .refs = ev->root.refs};

	struct tree *roots;

	pthread_mutex_lock(&w->lock);
	roots = list_grown(w->roots, w->root_count, &w->root_room, sizeof(*roots));
	if (roots) {
		w->roots = roots;
		roots[w->root_count++] = t;
	} else {
		atomic_store(&w->no_memory, true);
	}
	pthread_mutex_unlock(&w->lock);
}

static void root_ref(struct worker *k, const struct event *ev)
{
	struct walk *w = k->w;
	struct root_ref *refs;

	pthread_mutex_lock(&w->lock);
	refs = list_grown(w->refs, w->ref_count, &w->ref_room, sizeof(*refs));
	if (refs) {
		w->refs = refs;
		refs[w->ref_count++] =
			(struct root_ref){ev->root_ref.parent, ev->root_ref.child,  ev->root_ref.dir,
					  ev->root_ref.index,  ev->root_ref.digest, ev->root_ref.back};
	} else {
		atomic_store(&w->no_memory, true);
	}
	pthread_mutex_unlock(&w->lock);
}

static void chunk(struct worker *k, const struct event *ev)
{
	const char *wrong;

	pthread_mutex_lock(&k->w->lock);
	wrong = map_add(&k->w->map, ev, true);
	pthread_mutex_unlock(&k->w->lock);
	if (wrong)
		event_fault(k, RULE_SYSTEM_CHUNKS, ev, "%s", wrong);
	for (unsigned int i = 0; i < le16_at(ev->bytes + CHUNK_STRIPES); i++) {
		const unsigned char *stripe = ev->bytes + CHUNK_HEAD + (size_t)i * STRIPE_SIZE;
		const struct disk *disk = disks_find(&k->w->disks, le64_at(stripe + STRIPE_DEVID));

		if (disk && memcmp(stripe + STRIPE_UUID, disk->uuids, BTRFS_UUID) != 0)
			event_fault(k, RULE_CHUNK_DEVICE, ev,
				    "stripe %u has another uuid for device %" PRIu64 " than %s", i,
				    disk->devid, disk->path);
	}
}

static void device(struct worker *k, const struct event *ev)
{
	const struct disk *disk = disks_find(&k->w->disks, ev->start);

	if (!disk) {
		event_fault(k, RULE_DEVICE, ev, "device %" PRIu64 " is not there", ev->start);
		return;
	}
	k->w->device_known[disk - k->w->disks.disk] = true;
	atomic_fetch_add(&k->w->device_used[disk - k->w->disks.disk], le64_at(ev->bytes + DEVICE_USED));
	if (memcmp(ev->bytes + DEVICE_UUID, disk->uuids, sizeof(disk->uuids)) != 0)
		event_fault(k, RULE_DEVICE, ev,
			    "the uuids of the device are not those in the superblock of %s", disk->path);
	if (ev->length > disk->bytes)
		event_fault(k, RULE_DEVICE, ev, "%s has %" PRIu64 " bytes, the filesystem counts on %" PRIu64,
			    disk->path, disk->bytes, ev->length);
}

static void device_extent(struct worker *k, const struct event *ev)
{
	struct chunk *c = map_find(&k->w->map, ev->device_extent.chunk, 1, NULL);
	const struct disk *disk = disks_find(&k->w->disks, ev->device_extent.devid);

	if (disk)
		atomic_fetch_sub(&k->w->device_used[disk - k->w->disks.disk], ev->length);
	if (!c || c->start != ev->device_extent.chunk) {
		event_fault(k, RULE_CHUNK_DEVICE, ev, "there is no chunk at %" PRIu64,
			    ev->device_extent.chunk);
		return;
	}
	pthread_mutex_lock(&k->w->lock);
	c->stripes -= map_stripe(ev->device_extent.devid, ev->device_extent.physical, ev->length);
	pthread_mutex_unlock(&k->w->lock);
}

static void group(struct worker *k, const struct event *ev)
{
	struct chunk *c = map_find(&k->w->map, ev->start, 1, NULL);
	const char *wrong = NULL;

	if (!c || c->start != ev->start || c->length != ev->length) {
		event_fault(k, RULE_GROUP_CHUNK, ev, "there is no chunk that is this stretch");
		return;
	}
	pthread_mutex_lock(&k->w->lock);
	if (c->grouped)
		wrong = "it is there twice";
	else if (c->type != ev->group.flags)
		wrong = "its flags are not those of the chunk";
	c->grouped = true;
	c->group_used = ev->group.used;
	pthread_mutex_unlock(&k->w->lock);
	if (wrong)
		event_fault(k, RULE_GROUP_CHUNK, ev, "%s", wrong);
}

/* An extent item against what was said of the block before: NULL, or what differs. */
static const char *allocate(struct walk *w, const struct event *ev)
{
	bool made;
	uint32_t number = table_get(&w->table, ev->start, &made);
	struct entry *n;
	const char *wrong = NULL;

	if (number == TABLE_FULL) {
		atomic_store(&w->crowded, true);
		return NULL;
	}
	n = table_entry(&w->table, number);
	if (n->flags & ENTRY_ALLOCATED)
		return "it is allocated twice";
	if ((n->flags & ENTRY_REACHED) && n->generation != ev->extent.generation)
		wrong = "its generation is not that of the block";
	if ((n->flags & ENTRY_REACHED) && ev->extent.level_known && n->level != ev->extent.level)
		wrong = "its level is not that of the block";
	if (!(n->flags & ENTRY_REACHED)) {
		n->generation = ev->extent.generation;
		n->level = ev->extent.level;
		n->flags |= ev->extent.level_known ? ENTRY_LEVEL : 0;
	}
	n->flags |= (uint8_t)(ENTRY_ALLOCATED | (ev->extent.full_backref ? ENTRY_FULL : 0));
	n->count += (int32_t)MIN(ev->extent.refs, (uint64_t)INT32_MAX / 2);
	return wrong;
}

static void extent(struct worker *k, const struct event *ev)
{
	struct walk *w = k->w;
	size_t number;
	struct chunk *c = map_find(&w->map, ev->start, ev->length, &number);
	const char *wrong = NULL;

	if (!c || !(c->type & (ev->extent.metadata ? GROUP_METADATA | GROUP_SYSTEM : GROUP_DATA))) {
		event_fault(k, RULE_UNMAPPED, ev, "no chunk of its kind holds all of it");
		return;
	}
	k->used[number] += ev->length;
	k->tiling[number] += map_edge(ev->start + ev->length) - map_edge(ev->start);
	if (ev->extent.metadata) {
		pthread_mutex_lock(&w->lock);
		wrong = allocate(w, ev);
		pthread_mutex_unlock(&w->lock);
	} else {
		k->data[data_bucket(ev->start)] += ev->extent.refs * map_edge(ev->start);
	}
	if (c->allocated && map_mark(c->allocated, &w->map, c, ev->start, ev->length))
		event_fault(k, RULE_SPACE, ev, "it overlaps another extent");
	if (wrong)
		event_fault(k, RULE_EXTENT_PROMISE, ev, "%s", wrong);
}

static void tree_ref(struct worker *k, const struct event *ev)
{
	struct walk *w = k->w;
	bool made;
	uint32_t number;

	pthread_mutex_lock(&w->lock);
	number = table_get(&w->table, ev->start, &made);
	if (number != TABLE_FULL)
		table_entry(&w->table, number)->who += who_points(ev->tree_ref.root, ev->tree_ref.parent);
	else
		atomic_store(&w->crowded, true);
	pthread_mutex_unlock(&w->lock);
}

static void data_ref(struct worker *k, const struct event *ev)
{
	uint64_t who =
		who_refers(ev->data_ref.root, ev->data_ref.inode, ev->data_ref.offset, ev->data_ref.parent);

	k->data[data_bucket(ev->start)] +=
		ev->data_ref.count * (mix64(who + ev->start) - map_edge(ev->start));
}

static void free_space(struct worker *k, const struct event *ev)
{
	struct chunk *c;
	size_t number;

	/* mkfs leaves entries of the block groups that it began with and has no more; nobody looks at them.
	 */
	if (!map_overlaps(&k->w->map, ev->start, ev->length))
		return;
	c = map_find(&k->w->map, ev->start, ev->length, &number);
	if (!c) {
		event_fault(k, RULE_UNMAPPED, ev, "no chunk holds all of it");
		return;
	}
	if (ev->key.type == ITEM_FREE_EXTENT)
		__atomic_fetch_add(&c->free_counted, 1, __ATOMIC_RELAXED);
	k->tiling[number] += map_edge(ev->start + ev->length) - map_edge(ev->start);
}

static void free_info(struct worker *k, const struct event *ev)
{
	struct chunk *c = map_find(&k->w->map, ev->start, ev->length, NULL);

	if (!c) /* see free_space() */
		return;
	pthread_mutex_lock(&k->w->lock);
	c->free_known = true;
	c->free_bitmaps = ev->free_info.bitmaps;
	c->free_extents = ev->free_info.extents;
	pthread_mutex_unlock(&k->w->lock);
}

static void csum(struct worker *k, const struct event *ev)
{
	const struct map *m = &k->w->map;
	uint64_t start = ev->start, left = ev->length;

	/* An item may reach from one chunk into the next. */
	while (left) {
		struct chunk *c = map_find(m, start, 1, NULL);
		uint64_t n;

		if (!c || !(c->type & GROUP_DATA)) {
			event_fault(k, RULE_UNMAPPED, ev, "no chunk of data is at %" PRIu64, start);
			return;
		}
		n = MIN(left, c->start + c->length - start);
		if (c->summed && map_mark(c->summed, m, c, start, n))
			event_fault(k, RULE_CSUM_OVERLAP, ev, "other checksums are of the same data");
		start += n;
		left -= n;
	}
}

static void unsettled(struct worker *k, const struct event *ev)
{
	struct walk *w = k->w;
	struct unsettled *all;

	pthread_mutex_lock(&w->lock);
	all = list_grown(w->unsettled, w->unsettled_count, &w->unsettled_room, sizeof(*all));
	if (all) {
		w->unsettled = all;
		all[w->unsettled_count++] = (struct unsettled){k->tree_number, ev->key.objectid,
							       k->promise.bytenr, ev->key, ev->slot};
	} else {
		atomic_store(&w->no_memory, true);
	}
	pthread_mutex_unlock(&w->lock);
	k->inode = ev->key.objectid; /* once for a leaf */
	k->inode_flags = INODE_NODATASUM;
}

/* Data that were written have checksums, unless the inode is one without. */
static void expect_csum(struct worker *k, const struct event *ev, const struct chunk *c)
{
	uint64_t start = ev->file_extent.disk_bytenr, length = ev->file_extent.disk_length;

	if (!ev->file_extent.compressed) {
		start += ev->file_extent.offset;
		length = ev->length;
	}
	if (!map_find(&k->w->map, start, length, NULL) || map_marked(c->summed, &k->w->map, c, start, length))
		return;
	if (k->inode != ev->key.objectid)
		unsettled(k, ev);
	else if (!(k->inode_flags & INODE_NODATASUM))
		event_fault(k, RULE_CSUM_MISSING, ev, "data %" PRIu64 "+%" PRIu64 " have no checksums", start,
			    length);
}

static void file_extent(struct worker *k, const struct event *ev)
{
	uint64_t start = ev->file_extent.disk_bytenr;
	const struct chunk *c = map_find(&k->w->map, start, ev->file_extent.disk_length, NULL);
	uint64_t who;

	if (!c || !(c->type & GROUP_DATA)) {
		event_fault(k, RULE_UNMAPPED, ev, "data %" PRIu64 "+%" PRIu64 " lie in no chunk of data",
			    start, ev->file_extent.disk_length);
		return;
	}
	if (k->tree->log)
		return;
	who = who_refers(k->owner, ev->key.objectid, ev->start - ev->file_extent.offset,
			 k->full ? k->promise.bytenr : 0);
	k->data[data_bucket(start)] -= mix64(who + start);
	if (c->summed && !ev->file_extent.prealloc && tree_holds_files(k->tree->id) &&
	    !atomic_load_explicit(&k->w->broken_csum, memory_order_relaxed))
		expect_csum(k, ev, c);
}

static void walk_event(struct worker *k, const struct event *ev)
{
	switch (ev->kind) {
	case EVENT_POINTER:
		k->child[k->children++] = *ev;
		break;
	case EVENT_ROOT:
		root_item(k, ev);
		break;
	case EVENT_ROOT_REF:
		root_ref(k, ev);
		break;
	case EVENT_CHUNK:
		chunk(k, ev);
		break;
	case EVENT_DEVICE:
		device(k, ev);
		break;
	case EVENT_DEVICE_EXTENT:
		device_extent(k, ev);
		break;
	case EVENT_GROUP:
		group(k, ev);
		break;
	case EVENT_EXTENT:
		extent(k, ev);
		break;
	case EVENT_TREE_REF:
		tree_ref(k, ev);
		break;
	case EVENT_DATA_REF:
		data_ref(k, ev);
		break;
	case EVENT_FREE_INFO:
		free_info(k, ev);
		break;
	case EVENT_FREE:
		free_space(k, ev);
		break;
	case EVENT_CSUM:
		if (!k->tree->log)
			csum(k, ev);
		break;
	case EVENT_INODE:
		k->inode = ev->key.objectid;
		k->inode_flags = ev->inode.flags;
		names_event(k, ev);
		break;
	case EVENT_NAME:
	case EVENT_FILE_BYTES:
		names_event(k, ev);
		break;
	case EVENT_FILE_EXTENT:
		file_extent(k, ev);
		break;
	}
}

void facts_event(void *context, const struct event *ev)
{
	struct worker *k = context;

	if (k->w->pass == PASS_WALK)
		walk_event(k, ev);
	else
		locate_event(k, ev);
}
