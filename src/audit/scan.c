/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nothing points to any more: blocks of this filesystem that were written without the mark WRITTEN are
 * footprints of a write that took the wrong road. */
#include <inttypes.h>
#include <stdio.h>

#include "src/audit/walk.h"
#include "verify/btrfs/checksum.h"

struct scan {
	struct walk *w;
	size_t chunk;
	uint64_t at;   /* within it */
	uint64_t left; /* bytes that all chunks together can still have, whatever they claim: those of the
			  devices */
	_Atomic uint64_t scanned, footprints;
};

static bool reached(const struct walk *w, uint64_t bytenr)
{
	uint32_t number = table_find(&w->table, bytenr);

	return number != TABLE_FULL && table_entry(&w->table, number)->flags & ENTRY_REACHED;
}

static bool next(void *context, struct wanted *wanted)
{
	struct scan *s = context;
	const struct walk *w = s->w;
	uint32_t nodesize = w->super.format.nodesize;

	for (; s->chunk < w->map.count; s->chunk++, s->at = 0) {
		const struct chunk *c = w->map.chunks[s->chunk];
		struct target_address at;

		if (!(c->type & (GROUP_METADATA | GROUP_SYSTEM)))
			continue;
		while (s->at < c->length && c->length - s->at >= nodesize && s->left >= nodesize) {
			uint64_t bytenr = c->start + s->at;

			s->at += nodesize;
			s->left -= nodesize;
			if (reached(w, bytenr) || map_place(&w->map, &w->disks, bytenr, nodesize, &at))
				continue;
			*wanted = (struct wanted){.start = bytenr, .length = nodesize};
			return true;
		}
	}
	return false;
}

/* A whole block of this filesystem. Anything else is no evidence of anything; nor are the first blocks of
 * all, which mkfs wrote. */
static bool is_block(const struct format *f, const unsigned char *block, uint64_t bytenr)
{
	return block && le64_at(block + HEADER_GENERATION) > GENERATION_OF_MKFS &&
	       memcmp(block + HEADER_FSID, f->fsid, BTRFS_UUID) == 0 &&
	       le64_at(block + HEADER_BYTENR) == bytenr && csum_holds(f->csum_type, block, f->nodesize);
}

static void tell(struct walk *w, const struct got *g, unsigned int copy)
{
	const unsigned char *block = g->copy[copy];
	struct audit_finding f = {.rule = RULE_UNREACHED_UNWRITTEN,
				  .tree = le64_at(block + HEADER_OWNER),
				  .block = g->wanted->start,
				  .level = block[HEADER_LEVEL],
				  .copy = (int)copy + 1,
				  .devid = g->at->mirror[copy].devid,
				  .physical = g->at->mirror[copy].physical,
				  .slot = -1};

	snprintf(f.text, sizeof(f.text),
		 "nothing points to it any more, and it was written without the mark WRITTEN (generation "
		 "%" PRIu64 ", flags 0x%" PRIx64 ")",
		 le64_at(block + HEADER_GENERATION), le64_at(block + HEADER_FLAGS));
	walk_found(w, &f);
}

static void take(void *context, unsigned int thread, const struct got *g)
{
	struct scan *s = context;
	const struct format *f = &s->w->super.format;

	atomic_fetch_add_explicit(&s->scanned, 1, memory_order_relaxed);
	for (unsigned int i = 0; i < g->copies; i++) {
		if (!is_block(f, g->copy[i], g->wanted->start) ||
		    le64_at(g->copy[i] + HEADER_FLAGS) & HEADER_WRITTEN)
			continue;
		atomic_fetch_add_explicit(&s->footprints, 1, memory_order_relaxed);
		tell(s->w, g, i);
		return;
	}
}

static void tick(void *context)
{
	const struct scan *s = context;

	if (s->w->o->progress)
		s->w->o->progress(s->w->o->context, "unreachable blocks", atomic_load(&s->scanned));
}

int scan_unreached(struct walk *w, struct error *e)
{
	struct scan s = {.w = w, .left = w->disks.bytes};
	struct reader r = {.map = &w->map,
			   .disks = &w->disks,
			   .pool = w->pool,
			   .threads = w->threads,
			   .stop = w->o->stop,
			   .context = &s,
			   .next = next,
			   .take = take,
			   .tick = tick};

	if (reader_run(&r, e))
		return -1;
	w->r->scanned = s.scanned;
	w->r->footprints = s.footprints;
	return 0;
}
