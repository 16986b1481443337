/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Data against their checksums: every copy of all that the checksum tree knows, some leaves of it at a time.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/audit/walk.h"
#include "src/base/list.h"
#include "verify/btrfs/checksum.h"

#define LEAVES 64U /* of the checksum tree, at a time */

/* A stretch of data, and its checksums. */
struct summed {
	uint64_t start, length;
	const unsigned char *sums;
};

struct data {
	struct walk *w;
	unsigned char *leaf[LEAVES]; /* room for all copies of each */
	struct summed *summed;
	size_t count, room, at;
	uint64_t within; /* the stretch that is handed out now */
	_Atomic uint64_t bytes;
};

static void take_csum(void *context, const struct event *ev)
{
	struct data *d = context;
	struct summed *all;

	if (ev->kind != EVENT_CSUM)
		return;
	all = list_grown(d->summed, d->count, &d->room, sizeof(*all));
	if (!all) {
		atomic_store(&d->w->no_memory, true);
		return;
	}
	d->summed = all;
	all[d->count++] = (struct summed){ev->start, ev->length, ev->bytes};
}

static int by_start(const void *a, const void *b)
{
	const struct summed *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* tag: the place in d->summed; tag2: the sector in it. */
static bool next(void *context, struct wanted *wanted)
{
	struct data *d = context;
	const struct map *m = &d->w->map;

	while (d->at < d->count) {
		const struct summed *s = &d->summed[d->at];
		uint64_t start = s->start + d->within, n = MIN(s->length - d->within, READER_SPAN);
		struct target_address at;

		n = MIN(n, map_run(m, start));
		if (!n || map_place(m, &d->w->disks, start, n, &at)) { /* told before: csum-stray, unmapped */
			d->at++;
			d->within = 0;
			continue;
		}
		*wanted = (struct wanted){start, (uint32_t)n, (uint32_t)d->at,
					  (uint32_t)(d->within / m->sectorsize)};
		d->within += n;
		if (d->within >= s->length) {
			d->at++;
			d->within = 0;
		}
		return true;
	}
	return false;
}

static void tell(struct walk *w, const struct got *g, unsigned int copy, uint64_t within, const char *text)
{
	struct audit_finding f = {.rule = RULE_DATA,
				  .block = g->wanted->start + within,
				  .level = -1,
				  .copy = (int)copy + 1,
				  .devid = g->at->mirror[copy].devid,
				  .physical = g->at->mirror[copy].physical + within,
				  .slot = -1};

	snprintf(f.text, sizeof(f.text), "%s", text);
	walk_found(w, &f);
}

static void check_copy(struct walk *w, const struct got *g, unsigned int copy, const unsigned char *sums)
{
	const struct format *f = &w->super.format;
	uint64_t bad = UINT64_MAX, count = 0;
	unsigned char sum[BTRFS_CSUM];
	char text[96];

	for (uint64_t at = 0; at < g->wanted->length; at += f->sectorsize, sums += f->csum_size) {
		csum_make(f->csum_type, g->copy[copy] + at, f->sectorsize, sum);
		if (memcmp(sum, sums, f->csum_size) == 0)
			continue;
		bad = MIN(bad, at);
		count++;
	}
	if (!count)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " of %u sectors here don't have the checksum kept of them",
		 count, g->wanted->length / f->sectorsize);
	tell(w, g, copy, bad, text);
}

static void take(void *context, unsigned int thread, const struct got *g)
{
	struct data *d = context;
	const struct format *f = &d->w->super.format;
	const unsigned char *sums = d->summed[g->wanted->tag].sums + (size_t)g->wanted->tag2 * f->csum_size;

	for (unsigned int i = 0; i < g->copies; i++) {
		if (g->copy[i])
			check_copy(d->w, g, i, sums);
		else
			tell(d->w, g, i, 0, strerror(g->err[i]));
		atomic_fetch_add_explicit(&d->bytes, g->wanted->length, memory_order_relaxed);
	}
}

static void tick(void *context)
{
	const struct data *d = context;

	if (d->w->o->progress)
		d->w->o->progress(d->w->o->context, "data",
				  atomic_load(&d->bytes) / d->w->super.format.sectorsize);
}

static int check_some(struct data *d, struct error *e)
{
	struct walk *w = d->w;
	struct reader r = {.map = &w->map,
			   .disks = &w->disks,
			   .pool = w->pool,
			   .threads = w->threads,
			   .stop = w->o->stop,
			   .context = d,
			   .next = next,
			   .take = take,
			   .tick = tick};

	if (!d->count)
		return 0;
	qsort(d->summed, d->count, sizeof(*d->summed), by_start);
	d->at = 0;
	d->within = 0;
	if (reader_run(&r, e))
		return -1;
	d->count = 0;
	return 0;
}

/* One leaf of the checksum tree into place i. */
static void read_leaf(struct data *d, const struct entry *n, unsigned int i)
{
	const struct sink sink = {d, walk_no_fault, take_csum};
	const struct promise p = {.bytenr = n->bytenr,
				  .tree = TREE_CSUM,
				  .generation = n->generation,
				  .newest = d->w->super.format.generation,
				  .level = 0};
	const unsigned char *leaf = walk_read(d->w, &p, d->leaf[i]);

	if (leaf)
		block_parse(&d->w->super.format, &p, leaf, &sink);
}

static int check_all(struct data *d, struct error *e)
{
	struct walk *w = d->w;
	unsigned int leaves = 0;

	for (uint32_t i = 0; i < w->table.count && !walk_stopped(w); i++) {
		const struct entry *n = table_entry(&w->table, i);

		if (!(n->flags & ENTRY_REACHED) || n->level || w->trees[n->tree].id != TREE_CSUM)
			continue;
		read_leaf(d, n, leaves++);
		if (leaves < LEAVES)
			continue;
		if (check_some(d, e))
			return -1;
		leaves = 0;
	}
	return leaves ? check_some(d, e) : 0;
}

int data_check(struct walk *w, struct error *e)
{
	size_t room = (size_t)READER_COPIES * w->super.format.nodesize;
	unsigned char *leaves = aligned_alloc(4096, LEAVES * room);
	struct data d = {.w = w};
	int ret;

	if (!leaves)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "leaves of checksums");
	for (unsigned int i = 0; i < LEAVES; i++)
		d.leaf[i] = leaves + i * room;
	ret = check_all(&d, e);
	if (!ret && atomic_load(&w->no_memory))
		ret = error_errno(e, EXIT_HARNESS, ENOMEM, "stretches of data");
	w->r->data_bytes = d.bytes;
	free(d.summed);
	free(leaves);
	return ret;
}
