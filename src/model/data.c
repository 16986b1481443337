/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in files: writes and sizes. */
#include <string.h>

#include "src/model/private.h"

/* One write, as it is taken in block by block. */
struct write {
	struct origin origin;
	uint32_t object;
	uint64_t offset;
	const unsigned char *data;
	size_t len;
};

void data_count(struct model *m, const struct block_entry *before, const struct block_entry *after,
		uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		m->head.blocks_used -= before && before[i].writer != WRITER_HOLE;
		m->head.blocks_used += after && after[i].writer != WRITER_HOLE;
	}
}

/* ---- writing ----------------------------------------------------------------------------- */

/* The block holds nothing but this write, from its start. */
static struct block_entry entry_plain(struct model *m, const struct write *w, const unsigned char *data,
				      uint32_t len, uint64_t old)
{
	chain_free(m, old);
	if (len < BLOCK_SIZE) {
		unsigned char *block = m->scratch->block;

		memcpy(block, data, len);
		memset(block + len, 0, BLOCK_SIZE - len);
		data = block;
	}
	return (struct block_entry){.hash = content_hash(data), .writer = writer_pack(w->origin, len - 1)};
}

/* The block holds parts of older writes too. */
static struct block_entry entry_mixed(struct model *m, const struct write *w, uint64_t number,
				      const unsigned char *data, uint32_t start, uint32_t len, uint64_t old)
{
	struct makeup *mk = &m->scratch->makeup;
	unsigned char *block = m->scratch->block;
	struct fragment f = {.start = start, .length = len, .origin = w->origin, .object = w->object};
	struct block_entry out;

	makeup_load(&m->head, w->object, old, mk);
	makeup_regenerate(&m->head, number, mk, block);
	memcpy(block + start, data, len);
	makeup_overlay(mk, &f);
	out.hash = content_hash(block);
	out.writer = makeup_store(m, w->object, old, mk);
	return out;
}

static struct block_entry entry_write(struct model *m, const struct write *w, uint64_t number, uint64_t old)
{
	uint64_t begin = number * BLOCK_SIZE;
	uint64_t from = MAX(begin, w->offset), to = MIN(begin + BLOCK_SIZE, w->offset + w->len);
	const unsigned char *data = w->data + (from - w->offset);
	uint32_t len = (uint32_t)(to - from);

	if (from == begin && (len == BLOCK_SIZE || len >= block_end(&m->head, old)))
		return entry_plain(m, w, data, len, old);
	return entry_mixed(m, w, number, data, (uint32_t)(from - begin), len, old);
}

static void write_blocks(struct model *m, const struct write *w, struct object *o)
{
	struct block_entry before[RUN_BLOCKS], after[RUN_BLOCKS];
	uint32_t block = (uint32_t)(w->offset / BLOCK_SIZE);
	uint32_t end = (uint32_t)div_up_u64(w->offset + w->len, BLOCK_SIZE);

	while (block < end) {
		uint32_t count =
			map_read(&m->head, o->blocks, o->mapped, block, MIN(RUN_BLOCKS, end - block), before);

		if (!count)
			return;
		for (uint32_t i = 0; i < count; i++)
			after[i] = entry_write(m, w, block + i, before[i].writer);
		map_write(m, &o->blocks, o->mapped, block, count, after);
		data_count(m, before, after, count);
		block += count;
	}
}

void model_write(struct model *m, uint64_t op, uint32_t object, uint64_t offset, const void *data, size_t len)
{
	struct write w = {
		.origin = {.worker = m->head.worker, .operation = op},
		.object = object,
		.offset = offset,
		.data = data,
		.len = len,
	};
	struct object o;

	model_learned(m, op);
	object_get(m, object, &o);
	if (o.type != OBJECT_FILE || !len)
		return;
	if (offset + len > o.size)
		data_resize(m, object, &o, offset + len);
	write_blocks(m, &w, &o);
	o.changed = op;
	object_put(m, object, &o);
}

/* ---- sizes ------------------------------------------------------------------------------- */

/* Blocks from `first` on go: their fragments first. */
static void drop_blocks(struct model *m, const struct object *o, uint32_t first)
{
	struct block_entry entries[RUN_BLOCKS];
	uint32_t block = map_skip(&m->head, o->blocks, o->mapped, first);

	while (block < o->mapped) {
		uint32_t count = map_read(&m->head, o->blocks, o->mapped, block, RUN_BLOCKS, entries);

		if (!count)
			return;
		for (uint32_t i = 0; i < count; i++)
			chain_free(m, entries[i].writer);
		data_count(m, entries, NULL, count);
		block = map_skip(&m->head, o->blocks, o->mapped, block + count);
	}
}

/* Bytes [start, end) of this block are zero from now on. */
static void zero_part(struct model *m, uint32_t id, struct object *o, uint32_t number, uint32_t start,
		      uint32_t end)
{
	struct makeup *mk = &m->scratch->makeup;
	struct block_entry before, after;

	if (!map_read(&m->head, o->blocks, o->mapped, number, 1, &before) ||
	    block_end(&m->head, before.writer) <= start)
		return;
	makeup_load(&m->head, id, before.writer, mk);
	makeup_punch(mk, start, end);
	makeup_regenerate(&m->head, number, mk, m->scratch->block);
	after.writer = makeup_store(m, id, before.writer, mk);
	after.hash = after.writer == WRITER_HOLE ? 0 : content_hash(m->scratch->block);
	map_write(m, &o->blocks, o->mapped, number, 1, &after);
	data_count(m, &before, &after, 1);
}

void data_resize(struct model *m, uint32_t id, struct object *o, uint64_t size)
{
	uint32_t mapped = (uint32_t)div_up_u64(size, BLOCK_SIZE);

	if (mapped < o->mapped)
		drop_blocks(m, o, mapped);
	map_resize(m, &o->blocks, o->mapped, mapped);
	m->head.mapped += (uint64_t)mapped - o->mapped;
	m->head.bytes += size - o->size;
	o->mapped = mapped;
	if (size < o->size && size % BLOCK_SIZE)
		zero_part(m, id, o, mapped - 1, size % BLOCK_SIZE, BLOCK_SIZE);
	o->size = size;
}

void model_truncate(struct model *m, uint64_t op, uint32_t object, uint64_t size)
{
	struct object o;

	model_learned(m, op);
	object_get(m, object, &o);
	if (o.type != OBJECT_FILE)
		return;
	data_resize(m, object, &o, size);
	if (!size)
		o.flags &= (uint8_t)~OBJECT_UNSURE;
	o.changed = op;
	object_put(m, object, &o);
}

/* ---- zeroes ------------------------------------------------------------------------------ */

/* Blocks [first, end) become holes. */
static void zero_blocks(struct model *m, struct object *o, uint32_t first, uint32_t end)
{
	static const struct block_entry holes[RUN_BLOCKS];
	struct block_entry before[RUN_BLOCKS];
	uint32_t block = map_skip(&m->head, o->blocks, o->mapped, first);

	while (block < end) {
		uint32_t count =
			map_read(&m->head, o->blocks, o->mapped, block, MIN(RUN_BLOCKS, end - block), before);

		if (!count)
			return;
		for (uint32_t i = 0; i < count; i++)
			chain_free(m, before[i].writer);
		map_write(m, &o->blocks, o->mapped, block, count, holes);
		data_count(m, before, NULL, count);
		block = map_skip(&m->head, o->blocks, o->mapped, block + count);
	}
}

void model_zero(struct model *m, uint64_t op, uint32_t object, uint64_t offset, uint64_t len)
{
	uint32_t first, last, head;
	struct object o;
	uint64_t end;

	model_learned(m, op);
	object_get(m, object, &o);
	if (o.type != OBJECT_FILE || !len || offset >= o.size)
		return;
	end = MIN(len, o.size - offset) + offset;
	first = (uint32_t)(offset / BLOCK_SIZE);
	last = (uint32_t)(end / BLOCK_SIZE);
	head = (uint32_t)(offset % BLOCK_SIZE);
	if (end == o.size) { /* nothing is behind it in its last block */
		last = o.mapped;
		end = (uint64_t)last * BLOCK_SIZE;
	}
	if (head)
		zero_part(m, object, &o, first++, head,
			  (uint32_t)MIN(end - offset + head, (uint64_t)BLOCK_SIZE));
	zero_blocks(m, &o, first, last);
	if (end % BLOCK_SIZE && first <= last)
		zero_part(m, object, &o, last, 0, end % BLOCK_SIZE);
	o.changed = op;
	object_put(m, object, &o);
}
