/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ranges that take over what another range holds: clones and copies. */
#include <string.h>

#include "src/model/private.h"

/* One clone, as it is taken in block by block. */
struct clone {
	uint32_t object, source; /* may be one */
	uint64_t offset, end;    /* bytes of `object` that it fills */
	int64_t shift;           /* file offset there minus file offset in the source */
	const struct object *from;
};

static uint32_t fragment_end(const struct fragment *f)
{
	return f->start + f->length;
}

static struct block_entry source_entry(struct model *m, const struct clone *c, uint64_t number)
{
	struct block_entry entry = {0};

	if (number < c->from->mapped)
		map_read(&m->head, c->from->blocks, c->from->mapped, (uint32_t)number, 1, &entry);
	return entry;
}

/* Lay what the source's block `number` holds of file offsets [from, to) there over the make-up of the block
 * that begins at file offset `begin` here. */
static void overlay_source(struct model *m, const struct clone *c, uint64_t number, uint64_t begin,
			   uint64_t from, uint64_t to)
{
	const struct block_entry entry = source_entry(m, c, number);
	const uint64_t base = number * BLOCK_SIZE;
	struct makeup *source = &m->scratch->source;

	makeup_load(&m->head, c->source, entry.writer, source);
	for (unsigned int i = 0; i < source->count; i++) {
		struct fragment f = source->list[i];
		uint64_t lo = MAX(base + f.start, from), hi = MIN(base + fragment_end(&f), to);

		if (lo >= hi)
			continue;
		f.start = (uint32_t)(lo + (uint64_t)c->shift - begin);
		f.length = (uint32_t)(hi - lo);
		f.shift += c->shift;
		makeup_overlay(&m->scratch->makeup, &f);
	}
}

/* Bytes [from, to) of a block, file offsets here, are those of the source. `whole`: nothing else is in the
 * block, and all of it is in one block of the source, whose checksum holds for this one too. */
static struct block_entry entry_clone(struct model *m, const struct clone *c, uint64_t number, uint64_t from,
				      uint64_t to, uint64_t old)
{
	const uint64_t begin = number * BLOCK_SIZE;
	const uint64_t first = from - (uint64_t)c->shift, last = to - (uint64_t)c->shift;
	const struct block_entry source = source_entry(m, c, first / BLOCK_SIZE);
	const uint32_t len = (uint32_t)(to - from);
	const bool whole = from == begin && first % BLOCK_SIZE == 0 && block_end(&m->head, old) <= len &&
			   block_end(&m->head, source.writer) <= len;
	struct makeup *mk = &m->scratch->makeup;
	struct block_entry out = {0};

	makeup_load(&m->head, c->object, old, mk);
	makeup_punch(mk, (uint32_t)(from - begin), (uint32_t)(to - begin));
	for (uint64_t block = first / BLOCK_SIZE; block * BLOCK_SIZE < last; block++)
		overlay_source(m, c, block, begin, first, last);
	if (!whole)
		makeup_regenerate(&m->head, number, mk, m->scratch->block);
	out.writer = makeup_store(m, c->object, old, mk);
	if (out.writer != WRITER_HOLE)
		out.hash = whole ? source.hash : content_hash(m->scratch->block);
	return out;
}

/* One by one: source and destination may share blocks. `o` is the object that is changed. */
static void clone_blocks(struct model *m, const struct clone *c, struct object *o)
{
	uint64_t at = c->offset;

	while (at < c->end) {
		const uint64_t number = at / BLOCK_SIZE, to = MIN((number + 1) * BLOCK_SIZE, c->end);
		struct block_entry before, after;

		if (!map_read(&m->head, o->blocks, o->mapped, (uint32_t)number, 1, &before))
			return;
		after = entry_clone(m, c, number, at, to, before.writer);
		map_write(m, &o->blocks, o->mapped, (uint32_t)number, 1, &after);
		data_count(m, &before, &after, 1);
		at = to;
	}
}

void model_clone(struct model *m, uint64_t op, uint32_t object, uint64_t offset, uint32_t source,
		 uint64_t source_offset, uint64_t len)
{
	struct clone c = {
		.object = object,
		.source = source,
		.offset = offset,
		.end = offset + len,
		.shift = (int64_t)(offset - source_offset),
	};
	struct object o, from;

	model_learned(m, op);
	object_get(m, object, &o);
	object_get(m, source, &from);
	if (o.type != OBJECT_FILE || from.type != OBJECT_FILE || !len)
		return;
	if (c.end > o.size)
		data_resize(m, object, &o, c.end);
	c.from = object == source ? &o : &from;
	clone_blocks(m, &c, &o);
	o.changed = op;
	o.flags |= from.flags & OBJECT_UNSURE;
	object_put(m, object, &o);
}
