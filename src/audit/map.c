/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/audit/map.h"

#include <errno.h>
#include <stdlib.h>

#include "src/base/list.h"
#include "src/base/random.h"

void map_start(struct map *m, uint32_t sectorsize)
{
	*m = (struct map){.sectorsize = sectorsize};
}

static void chunk_free(struct chunk *c)
{
	free(c->item);
	free((void *)c->allocated);
	free((void *)c->summed);
	free(c);
}

void map_end(struct map *m)
{
	for (size_t i = 0; i < m->count; i++)
		chunk_free(m->chunks[i]);
	free(m->chunks);
	map_start(m, m->sectorsize);
}

uint64_t map_edge(uint64_t address)
{
	return mix64(address + 0x9e3779b97f4a7c15ULL);
}

uint64_t map_stripe(uint64_t devid, uint64_t physical, uint64_t length)
{
	return mix64(mix64(mix64(devid + 1) ^ physical) + length);
}

/* The first chunk that ends behind `start`. */
static size_t place_of(const struct map *m, uint64_t start)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->chunks[mid]->start + (m->chunks[mid]->length - 1) < start)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct chunk *chunk_new(const struct event *ev, bool from_tree)
{
	struct chunk *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->item = malloc(ev->size);
	if (!c->item) {
		free(c);
		return NULL;
	}
	memcpy(c->item, ev->bytes, ev->size);
	c->size = ev->size;
	c->start = ev->start;
	c->length = ev->length;
	c->type = le64_at(ev->bytes + CHUNK_TYPE);
	c->device_bytes = chunk_device_bytes(c->item, c->size);
	c->from_tree = from_tree;
	for (unsigned int i = 0; i < le16_at(c->item + CHUNK_STRIPES); i++) {
		const unsigned char *s = c->item + CHUNK_HEAD + (size_t)i * STRIPE_SIZE;

		c->stripes +=
			map_stripe(le64_at(s + STRIPE_DEVID), le64_at(s + STRIPE_OFFSET), c->device_bytes);
	}
	return c;
}

/* One that is known already: from the superblock, and now from the chunk tree. */
static const char *again(struct chunk *c, const struct event *ev, bool from_tree)
{
	if (c->start != ev->start || c->length != ev->length)
		return "it overlaps another chunk";
	if (c->from_tree && from_tree)
		return "it is there twice";
	c->from_tree |= from_tree;
	return c->size == ev->size && memcmp(c->item, ev->bytes, ev->size) == 0
		       ? NULL
		       : "it differs between the superblock and the chunk tree";
}

const char *map_add(struct map *m, const struct event *ev, bool from_tree)
{
	size_t at = place_of(m, ev->start);
	struct chunk **all, *c;

	if (at < m->count && m->chunks[at]->start <= ev->start + (ev->length - 1))
		return again(m->chunks[at], ev, from_tree);
	all = list_grown(m->chunks, m->count, &m->room, sizeof(struct chunk *));
	if (all)
		m->chunks = all;
	c = all ? chunk_new(ev, from_tree) : NULL;
	if (!c)
		return "there is no memory for it";
	memmove(m->chunks + at + 1, m->chunks + at, (m->count - at) * sizeof(struct chunk *));
	m->chunks[at] = c;
	m->count++;
	return NULL;
}

struct chunk *map_find(const struct map *m, uint64_t start, uint64_t length, size_t *number)
{
	size_t at = place_of(m, start);
	struct chunk *c = at < m->count ? m->chunks[at] : NULL;

	if (!c || start < c->start || !length || length > c->length || start - c->start > c->length - length)
		return NULL;
	if (number)
		*number = at;
	return c;
}

bool map_overlaps(const struct map *m, uint64_t start, uint64_t length)
{
	size_t at = place_of(m, start);

	return at < m->count && m->chunks[at]->start - MIN(start, m->chunks[at]->start) < length;
}

uint64_t map_run(const struct map *m, uint64_t start)
{
	const struct chunk *c = map_find(m, start, 1, NULL);

	return c ? chunk_run(c->item, c->size, c->start, start) : 0;
}

const char *map_place(const struct map *m, const struct disks *d, uint64_t start, uint64_t length,
		      struct target_address *out)
{
	const struct chunk *c = map_find(m, start, length, NULL);
	struct error e;

	if (!c)
		return "no chunk holds all of it";
	if (map_run(m, start) < length)
		return "it crosses the end of a stripe";
	if (chunk_map(c->item, c->size, c->start, start, out, &e))
		return "its chunk can't be mapped";
	for (unsigned int i = 0; i < out->mirrors; i++) {
		const struct disk *disk = disks_find(d, out->mirror[i].devid);

		if (!disk)
			return "a copy of it lies on a device that is not there";
		if (out->mirror[i].physical > disk->bytes || length > disk->bytes - out->mirror[i].physical)
			return "a copy of it lies beyond the end of its device";
	}
	return NULL;
}

int map_bits(struct map *m, uint64_t device_bytes, struct error *e)
{
	for (size_t i = 0; i < m->count; i++) {
		struct chunk *c = m->chunks[i];
		uint64_t words = div_up_u64(c->length / m->sectorsize, 64);

		if (!(c->type & GROUP_DATA) || c->length > device_bytes)
			continue;
		c->allocated = calloc(words, sizeof(*c->allocated));
		c->summed = calloc(words, sizeof(*c->summed));
		if (!c->allocated || !c->summed)
			return error_errno(e, EXIT_HARNESS, ENOMEM, "a bit for each sector of data");
	}
	return 0;
}

/* The bits [from, to) that lie in word `word`. */
static uint64_t word_mask(uint64_t word, uint64_t from, uint64_t to)
{
	uint64_t low = from > word * 64 ? from - word * 64 : 0;
	uint64_t high = to < (word + 1) * 64 ? to - word * 64 : 64;

	return (high == 64 ? ~(uint64_t)0 : ((uint64_t)1 << high) - 1) & ~(((uint64_t)1 << low) - 1);
}

bool map_mark(_Atomic uint64_t *bits, const struct map *m, const struct chunk *c, uint64_t start,
	      uint64_t length)
{
	uint64_t from = (start - c->start) / m->sectorsize, to = from + length / m->sectorsize;
	bool before = false;

	for (uint64_t word = from / 64; word * 64 < to; word++) {
		uint64_t mask = word_mask(word, from, to);

		before |= __atomic_fetch_or((uint64_t *)&bits[word], mask, __ATOMIC_RELAXED) & mask;
	}
	return before;
}

bool map_marked(const _Atomic uint64_t *bits, const struct map *m, const struct chunk *c, uint64_t start,
		uint64_t length)
{
	uint64_t from = (start - c->start) / m->sectorsize, to = from + length / m->sectorsize;

	for (uint64_t word = from / 64; word * 64 < to; word++) {
		uint64_t mask = word_mask(word, from, to);

		if ((bits[word] & mask) != mask)
			return false;
	}
	return true;
}
