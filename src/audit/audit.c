/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/audit/audit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/audit/walk.h"
#include "src/base/clock.h"

static void system_fault(void *context, const struct fault *f)
{
	struct audit_finding found = {
		.rule = f->rule, .tree = TREE_CHUNK, .level = -1, .slot = f->slot, .key = f->key};

	found.keyed = f->slot >= 0;
	memcpy(found.text, f->text, sizeof(found.text));
	walk_found(context, &found);
}

static void system_chunk(void *context, const struct event *ev)
{
	struct walk *w = context;
	const char *wrong = map_add(&w->map, ev, false);

	if (wrong)
		walk_say(w, RULE_SYSTEM_CHUNKS, TREE_CHUNK, ev->start,
			 "an entry of the superblock's array: %s", wrong);
}

static int start_workers(struct walk *w, struct error *e)
{
	w->workers = calloc(w->threads, sizeof(*w->workers));
	w->bad_bucket = calloc(DATA_BUCKETS, sizeof(*w->bad_bucket));
	w->bad_name = calloc(NAME_BUCKETS, sizeof(*w->bad_name));
	if (!w->workers || !w->bad_bucket || !w->bad_name)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "threads that audit");
	w->pool = reader_pool_new(w->threads, !w->o->no_queue, e);
	if (!w->pool)
		return -1;
	for (unsigned int i = 0; i < w->threads; i++) {
		struct worker *k = &w->workers[i];

		k->w = w;
		k->child = calloc(format_node_room(&w->super.format), sizeof(*k->child));
		k->data = calloc(DATA_BUCKETS, sizeof(*k->data));
		k->names = calloc(NAME_BUCKETS, sizeof(*k->names));
		if (!k->child || !k->data || !k->names)
			return error_errno(e, EXIT_HARNESS, ENOMEM, "threads that audit");
	}
	return 0;
}

/* What is counted for each chunk, now that all are known. */
static int start_chunks(struct walk *w, struct error *e)
{
	w->bad_chunk = calloc(MAX(w->map.count, 1U), sizeof(*w->bad_chunk));
	for (unsigned int i = 0; i < w->threads; i++) {
		w->workers[i].used = calloc(MAX(w->map.count, 1U), sizeof(uint64_t));
		w->workers[i].tiling = calloc(MAX(w->map.count, 1U), sizeof(uint64_t));
		if (!w->workers[i].used || !w->workers[i].tiling)
			return error_errno(e, EXIT_HARNESS, ENOMEM, "sums by chunk");
	}
	if (!w->bad_chunk)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "sums by chunk");
	return map_bits(&w->map, w->disks.bytes, e);
}

/* The map changes while the chunk tree is read: one thread. */
static int walk_chunks(struct walk *w, struct error *e)
{
	const struct sink sink = {w, system_fault, system_chunk};
	const struct tree chunks = {.id = TREE_CHUNK,
				    .bytenr = w->super.chunk_root,
				    .generation = w->super.chunk_generation,
				    .level = w->super.chunk_level};
	unsigned int threads = w->threads;
	int ret;

	super_chunks(&w->super, &sink);
	walk_add_tree(w, &chunks);
	w->threads = 1;
	ret = walk_queue(w, "chunks", e);
	w->threads = threads;
	return ret;
}

static int walk_roots(struct walk *w, struct error *e)
{
	const struct tree root = {.id = TREE_ROOT,
				  .bytenr = w->super.root,
				  .generation = w->super.format.generation,
				  .level = w->super.root_level};
	const struct tree log = {.id = TREE_LOG,
				 .bytenr = w->super.log_root,
				 .generation = w->super.format.generation + 1,
				 .level = w->super.log_level,
				 .log = true};

	walk_add_tree(w, &root);
	if (log.bytenr)
		walk_add_tree(w, &log);
	return walk_queue(w, "roots", e);
}

/* These say how the blocks of all others are referenced, so they come first. */
static bool comes_first(const struct tree *t)
{
	return !t->log && !tree_holds_files(t->id) && t->id != TREE_RELOC && t->id != TREE_DATA_RELOC;
}

/* The superblock alone says where these begin. */
static bool has_no_root_item(const struct tree *t)
{
	return t->id == TREE_ROOT || t->id == TREE_CHUNK;
}

static int walk_trees(struct walk *w, bool first, struct error *e)
{
	for (size_t i = 0; i < w->root_count; i++) {
		if (has_no_root_item(&w->roots[i])) {
			if (first)
				walk_say(w, RULE_ROOT_ITEM, TREE_ROOT, w->roots[i].bytenr,
					 "a root item of tree %" PRIu64 ", which has none", w->roots[i].id);
		} else if (comes_first(&w->roots[i]) == first)
			walk_add_tree(w, &w->roots[i]);
	}
	return walk_queue(w, first ? "extents" : "files", e);
}

static void check_trees(struct walk *w)
{
	static const uint64_t always[] = {TREE_EXTENT, TREE_DEVICE, TREE_FS, TREE_CSUM};
	uint64_t wanted[ARRAY_SIZE(always) + 2];
	size_t count = ARRAY_SIZE(always);
	char name[32];

	memcpy(wanted, always, sizeof(always));
	if (w->super.format.compat_ro & COMPAT_RO_FREE_SPACE_TREE)
		wanted[count++] = TREE_FREE_SPACE;
	if (w->super.format.compat_ro & COMPAT_RO_GROUP_TREE)
		wanted[count++] = TREE_GROUP;
	for (size_t i = 0; i < count; i++) {
		bool there = false;

		for (size_t k = 0; k < w->root_count; k++)
			there |= w->roots[k].id == wanted[i];
		if (there)
			continue;
		walk_say(w, RULE_TREE_MISSING, wanted[i], 0, "there is no root item of %s",
			 tree_show(name, sizeof(name), wanted[i]));
		walk_lose(w, wanted[i]);
	}
}

static int walk_all(struct walk *w, struct error *e)
{
	if (walk_chunks(w, e) || start_chunks(w, e) || walk_roots(w, e))
		return -1;
	check_trees(w);
	if (walk_trees(w, true, e) || walk_list_owners(w, e) || walk_trees(w, false, e))
		return -1;
	settle(w);
	if (cross_check(w, e))
		return -1;
	if (w->o->scan && scan_unreached(w, e))
		return -1;
	return w->o->data ? data_check(w, e) : 0;
}

/* More blocks than this don't fit on the devices. */
static uint64_t block_limit(const struct walk *w)
{
	return w->disks.bytes / w->super.format.nodesize + 1;
}

static bool refuse(struct walk *w)
{
	char names[128];

	for (int ro = 0; ro < 2; ro++) {
		if (!super_unknown(&w->super, ro, names, sizeof(names)))
			continue;
		walk_unchecked(w, "anything but the superblocks: the filesystem has %s", names);
		w->r->refused = true;
	}
	return w->r->refused;
}

static int audit(struct walk *w, struct error *e)
{
	int ret = supers_read(w, e);

	if (ret > 0)
		walk_unchecked(w, "anything but the superblocks: none of them is sound");
	if (ret || refuse(w))
		return ret < 0 ? -1 : 0;
	map_start(&w->map, w->super.format.sectorsize);
	if (table_start(&w->table, block_limit(w), e) || start_workers(w, e) || walk_all(w, e))
		return -1;
	if (walk_stopped(w))
		return error_set(e, EXIT_HARNESS, "the audit was cut short after %" PRIu64 " blocks",
				 atomic_load(&w->done));
	return 0;
}

static void count_up(struct walk *w)
{
	for (unsigned int i = 0; w->workers && i < w->threads; i++) {
		w->r->blocks += w->workers[i].blocks;
		w->r->copies += w->workers[i].copies;
	}
	w->r->memory = w->table.bytes;
}

static void walk_end(struct walk *w)
{
	for (unsigned int i = 0; w->workers && i < w->threads; i++) {
		free(w->workers[i].child);
		free(w->workers[i].data);
		free(w->workers[i].names);
		free(w->workers[i].used);
		free(w->workers[i].tiling);
	}
	free(w->workers);
	reader_pool_free(w->pool);
	free(w->queue);
	free(w->now);
	free(w->trees);
	free(w->roots);
	free(w->refs);
	free(w->owners);
	free(w->unsettled);
	free(w->bad_bucket);
	free(w->bad_name);
	free(w->bad_chunk);
	free(w->located);
	table_end(&w->table);
	map_end(&w->map);
	disks_close(&w->disks);
	pthread_mutex_destroy(&w->lock);
}

int audit_run(const char *const *paths, size_t count, const struct audit_options *options,
	      struct audit_result *result, struct error *e)
{
	uint64_t began = clock_mono();
	struct walk *w = calloc(1, sizeof(*w));
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int ret;

	if (!w)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "the audit");
	memset(result, 0, sizeof(*result));
	w->o = options;
	w->r = result;
	w->threads = options->threads ? options->threads : (unsigned int)MAX(processors, 1L);
	pthread_mutex_init(&w->lock, NULL);
	ret = disks_open(&w->disks, paths, count, e);
	if (!ret)
		ret = audit(w, e);
	count_up(w);
	result->ns = clock_mono() - began;
	walk_end(w);
	free(w);
	return ret;
}
