/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "src/model/private.h"

uint32_t chain_next(const struct model_view *v, uint32_t at, struct fragment *out, bool *bad)
{
	const struct stored_fragment *f = view_record(v, &v->fragments, at - 1);

	if (!f || !f->length) {
		*bad = true;
		return 0;
	}
	*out = (struct fragment){
		.start = writer_low(f->writer),
		.length = f->length,
		.origin = writer_origin(f->writer),
		.object = f->object,
		.shift = f->shift,
	};
	return f->next;
}

static struct fragment plain_fragment(uint32_t object, uint64_t writer)
{
	return (struct fragment){
		.length = writer_low(writer) + 1,
		.origin = writer_origin(writer),
		.object = object,
	};
}

size_t view_fragments(const struct model_view *v, uint32_t object, const struct block_entry *b,
		      struct fragment *out, size_t room)
{
	size_t count = 0;
	bool bad = false;

	if (b->writer == WRITER_HOLE || !room)
		return 0;
	if (!writer_is_chain(b->writer)) {
		*out = plain_fragment(object, b->writer);
		return 1;
	}
	for (uint32_t at = writer_first(b->writer) + 1; at && count < room;) {
		at = chain_next(v, at, &out[count], &bad);
		count += !bad;
	}
	return count;
}

uint32_t block_end(const struct model_view *v, uint64_t writer)
{
	uint32_t end = 0;
	bool bad = false;

	if (writer == WRITER_HOLE)
		return 0;
	if (!writer_is_chain(writer))
		return writer_low(writer) + 1;
	for (uint32_t at = writer_first(writer) + 1, i = 0; at && i < FRAGMENTS_MAX; i++) {
		struct fragment f = {0};

		at = chain_next(v, at, &f, &bad);
		end = f.start + f.length;
	}
	return end;
}

void makeup_load(const struct model_view *v, uint32_t object, uint64_t writer, struct makeup *out)
{
	struct block_entry b = {.writer = writer};

	out->count = (unsigned int)view_fragments(v, object, &b, out->list, FRAGMENTS_MAX);
}

/* ---- changing a make-up ------------------------------------------------------------------ */

static uint32_t fragment_end(const struct fragment *f)
{
	return f->start + f->length;
}

/* Does b go on where a ends, as one write would? */
static bool mergeable(const struct fragment *a, const struct fragment *b)
{
	return fragment_end(a) == b->start && a->origin.worker == b->origin.worker &&
	       a->origin.operation == b->origin.operation && a->object == b->object && a->shift == b->shift;
}

static void insert_at(struct makeup *mk, unsigned int i, const struct fragment *f)
{
	memmove(&mk->list[i + 1], &mk->list[i], (mk->count - i) * sizeof(*f));
	mk->list[i] = *f;
	mk->count++;
}

static void remove_at(struct makeup *mk, unsigned int i, unsigned int count)
{
	memmove(&mk->list[i], &mk->list[i + count], (mk->count - i - count) * sizeof(mk->list[0]));
	mk->count -= count;
}

unsigned int makeup_punch(struct makeup *mk, uint32_t start, uint32_t end)
{
	unsigned int i = 0, covered = 0;

	while (i < mk->count && fragment_end(&mk->list[i]) <= start)
		i++;
	if (i < mk->count && mk->list[i].start < start) {
		struct fragment tail = mk->list[i];

		mk->list[i].length = start - tail.start;
		i++;
		if (fragment_end(&tail) > end) {
			tail.length = fragment_end(&tail) - end;
			tail.start = end;
			insert_at(mk, i, &tail);
			return i;
		}
	}
	while (i + covered < mk->count && fragment_end(&mk->list[i + covered]) <= end)
		covered++;
	remove_at(mk, i, covered);
	if (i < mk->count && mk->list[i].start < end) {
		mk->list[i].length = fragment_end(&mk->list[i]) - end;
		mk->list[i].start = end;
	}
	return i;
}

static void merge_with_next(struct makeup *mk, unsigned int i)
{
	if (i + 1 < mk->count && mergeable(&mk->list[i], &mk->list[i + 1])) {
		mk->list[i].length += mk->list[i + 1].length;
		remove_at(mk, i + 1, 1);
	}
}

void makeup_overlay(struct makeup *mk, const struct fragment *f)
{
	unsigned int i = makeup_punch(mk, f->start, f->start + f->length);

	insert_at(mk, i, f);
	merge_with_next(mk, i);
	if (i)
		merge_with_next(mk, i - 1);
}

/* ---- storing ----------------------------------------------------------------------------- */

static bool is_plain(const struct makeup *mk, uint32_t object)
{
	const struct fragment *f = &mk->list[0];

	return mk->count == 1 && f->start == 0 && f->shift == 0 && f->object == object;
}

static void chain_free_from(struct model *m, uint32_t at)
{
	for (unsigned int i = 0; at && i < FRAGMENTS_MAX; i++) {
		struct fragment f;
		bool bad = false;
		uint32_t next = chain_next(&m->head, at, &f, &bad);

		array_free(&m->owner, &m->head.fragments, at - 1);
		at = next;
	}
}

void chain_free(struct model *m, uint64_t writer)
{
	if (writer_is_chain(writer))
		chain_free_from(m, writer_first(writer) + 1);
}

static struct stored_fragment fragment_pack(const struct fragment *f, uint32_t next)
{
	return (struct stored_fragment){
		.next = next,
		.object = f->object,
		.length = f->length,
		.writer = writer_pack(f->origin, f->start),
		.shift = f->shift,
	};
}

/* Write the fragments over the records of the old chain, and only where they differ: an append to a block of
 * many changes two records. Records are taken or freed at the end. Returns 1 + the number of the first. */
static uint32_t chain_store(struct model *m, uint32_t old, const struct makeup *mk)
{
	struct array *a = &m->head.fragments;
	uint32_t at = old ? old : array_new(&m->owner, a) + 1;
	uint32_t first = at;

	for (unsigned int i = 0; at && i < mk->count; i++) {
		const struct stored_fragment *now = array_at(m->head.pool, a, at - 1);
		bool last = i + 1 == mk->count;
		uint32_t next = now->next;
		uint32_t surplus = last ? next : 0;
		struct stored_fragment f;

		if (!last && !next)
			next = array_new(&m->owner, a) + 1;
		f = fragment_pack(&mk->list[i], last ? 0 : next);
		if (memcmp(array_at(m->head.pool, a, at - 1), &f, sizeof(f)) != 0)
			array_put(&m->owner, a, at - 1, 0, &f, sizeof(f));
		chain_free_from(m, surplus);
		at = next;
	}
	return first;
}

uint64_t makeup_store(struct model *m, uint32_t object, uint64_t old, const struct makeup *mk)
{
	if (mk->count && !is_plain(mk, object)) {
		uint32_t first = chain_store(m, writer_is_chain(old) ? writer_first(old) + 1 : 0, mk);

		return first ? writer_chain(first - 1) : WRITER_HOLE;
	}
	chain_free(m, old);
	if (!mk->count)
		return WRITER_HOLE;
	return writer_pack(mk->list[0].origin, mk->list[0].length - 1);
}

/* ---- regenerating ------------------------------------------------------------------------ */

static void fragment_fill(const struct model_view *v, uint64_t block, const struct fragment *f,
			  unsigned char *buf)
{
	struct content_key key = {.run = v->run, .origin = f->origin, .object = f->object};
	uint64_t offset = block * BLOCK_SIZE + f->start;

	if (fragment_end(f) <= BLOCK_SIZE)
		content_fill(&key, offset - (uint64_t)f->shift, buf + f->start, f->length);
}

void makeup_regenerate(const struct model_view *v, uint64_t block, const struct makeup *mk,
		       unsigned char *buf)
{
	memset(buf, 0, BLOCK_SIZE);
	for (unsigned int i = 0; i < mk->count; i++)
		fragment_fill(v, block, &mk->list[i], buf);
}

void view_regenerate(const struct model_view *v, uint32_t object, uint64_t block, const struct block_entry *b,
		     unsigned char *buf)
{
	bool bad = false;
	struct fragment f;

	memset(buf, 0, BLOCK_SIZE);
	if (b->writer == WRITER_HOLE)
		return;
	if (!writer_is_chain(b->writer)) {
		f = plain_fragment(object, b->writer);
		fragment_fill(v, block, &f, buf);
		return;
	}
	for (uint32_t at = writer_first(b->writer) + 1, i = 0; at && i < FRAGMENTS_MAX; i++) {
		at = chain_next(v, at, &f, &bad);
		if (!bad)
			fragment_fill(v, block, &f, buf);
	}
}
