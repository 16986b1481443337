// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/device/chunks.h"

#include <endian.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* struct btrfs_super_block */
#define SUPER_MAGIC                 64
#define SUPER_CHUNK_ROOT            88
#define SUPER_NODE_SIZE             148
#define SUPER_ARRAY_SIZE            160
#define SUPER_CHUNK_ROOT_GENERATION 164
#define SUPER_CHUNK_ROOT_LEVEL      199
#define SUPER_DEVICE_ID             201
#define SUPER_ARRAY                 811
#define MAGIC                       "_BHRfS_M"

/* struct btrfs_header, btrfs_item, btrfs_key_ptr */
#define HEADER_ADDRESS     48
#define HEADER_GENERATION  80
#define HEADER_COUNT       96
#define HEADER_LEVEL       100
#define HEADER_SIZE        101u
#define ITEM_SIZE          25u
#define ITEM_OFFSET        17 /* of the data, behind the header */
#define ITEM_LENGTH        21
#define POINTER_SIZE       33u
#define POINTER_ADDRESS    17
#define POINTER_GENERATION 25
#define LEVEL_MAX          8u /* BTRFS_MAX_LEVEL */
#define NODE_MAX           65536u

/* Enough for the chunks of an array, and for all SYSTEM chunks that a tree is likely to have. */
#define SYSTEM_MAX 64

static uint64_t get64(const unsigned char *at)
{
	uint64_t v;

	memcpy(&v, at, sizeof(v));
	return le64toh(v);
}

static uint32_t get32(const unsigned char *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return le32toh(v);
}

bool super_read(struct super *s, int image)
{
	unsigned char raw[SUPER_SIZE];

	if (pread(image, raw, sizeof(raw), SUPER_OFFSET) != (ssize_t)sizeof(raw) ||
	    memcmp(raw + SUPER_MAGIC, MAGIC, sizeof(MAGIC) - 1) != 0)
		return false;
	s->root = get64(raw + SUPER_CHUNK_ROOT);
	s->generation = get64(raw + SUPER_CHUNK_ROOT_GENERATION);
	s->device = get64(raw + SUPER_DEVICE_ID);
	s->node_size = get32(raw + SUPER_NODE_SIZE);
	s->level = raw[SUPER_CHUNK_ROOT_LEVEL];
	s->array_size = get32(raw + SUPER_ARRAY_SIZE);
	memcpy(s->array, raw + SUPER_ARRAY, sizeof(s->array));
	return s->node_size >= 4096 && s->node_size <= NODE_MAX && s->level < LEVEL_MAX &&
	       s->array_size <= sizeof(s->array);
}

/* A chunk item in the machine's byte order. */
struct chunk {
	uint64_t start, length, stripe_length, flags;
	unsigned int stripes, sub_stripes;
	const unsigned char *stripe; /* in the item, unaligned */
};

/* Bytes of the item that are used, or 0: it is damaged. */
static size_t chunk_read(struct chunk *c, uint64_t start, const unsigned char *item, size_t room)
{
	struct btrfs_chunk raw;
	size_t size;

	if (room < sizeof(raw))
		return 0;
	memcpy(&raw, item, sizeof(raw));
	*c = (struct chunk){start,
			    le64toh(raw.length),
			    le64toh(raw.stripe_len),
			    le64toh(raw.type),
			    le16toh(raw.num_stripes),
			    le16toh(raw.sub_stripes),
			    item + offsetof(struct btrfs_chunk, stripe)};
	if (!c->stripes || !c->length || !c->stripe_length)
		return 0;
	size = sizeof(raw) + (c->stripes - 1) * sizeof(struct btrfs_stripe);
	return size <= room ? size : 0;
}

/* Stripes that hold different bytes: the others are copies or parity. 0: a profile that can't have these
 * stripes. */
static unsigned int data_stripes(const struct chunk *c)
{
	switch (c->flags & BTRFS_BLOCK_GROUP_PROFILE_MASK) {
	case BTRFS_BLOCK_GROUP_RAID0:
		return c->stripes;
	case BTRFS_BLOCK_GROUP_RAID10:
		return c->sub_stripes ? c->stripes / c->sub_stripes : 0;
	case BTRFS_BLOCK_GROUP_RAID5:
		return c->stripes - 1;
	case BTRFS_BLOCK_GROUP_RAID6:
		return c->stripes > 2 ? c->stripes - 2 : 0;
	default: /* SINGLE, DUP, RAID1 and its kin */
		return 1;
	}
}

static const unsigned char *stripe_at(const struct chunk *c, unsigned int i)
{
	return c->stripe + i * sizeof(struct btrfs_stripe);
}

static uint64_t stripe_device(const struct chunk *c, unsigned int i)
{
	return get64(stripe_at(c, i) + offsetof(struct btrfs_stripe, devid));
}

static uint64_t stripe_start(const struct chunk *c, unsigned int i)
{
	return get64(stripe_at(c, i) + offsetof(struct btrfs_stripe, offset));
}

/* Does stripe `i` hold the stripe_length bytes that are number `number` of the chunk? `row`: at which place
 * of it. The arithmetic of btrfs_map_block() in the kernel's fs/btrfs/volumes.c. */
static bool stripe_holds(const struct chunk *c, unsigned int i, uint64_t number, uint64_t *row)
{
	const unsigned int data = data_stripes(c);
	const uint64_t profile = c->flags & BTRFS_BLOCK_GROUP_PROFILE_MASK;

	if (profile == BTRFS_BLOCK_GROUP_RAID5 || profile == BTRFS_BLOCK_GROUP_RAID6) {
		*row = number / data;
		return (*row + number % data) % c->stripes == i;
	}
	*row = number / data;
	return data == 1 || i / (c->stripes / data) == number % data;
}

/* Where in the image the byte at `logical` of the chunk is; false: on other devices only. */
static bool chunk_place(const struct chunk *c, uint64_t device, uint64_t logical, uint64_t *place)
{
	const uint64_t within = logical - c->start;
	uint64_t row;

	for (unsigned int i = 0; data_stripes(c) && i < c->stripes; i++) {
		if (stripe_device(c, i) != device || !stripe_holds(c, i, within / c->stripe_length, &row))
			continue;
		*place = stripe_start(c, i) + row * c->stripe_length + within % c->stripe_length;
		return true;
	}
	return false;
}

/* A walk, and the SYSTEM chunks, in which the tree lies. */
struct walk {
	const struct super *super;
	int image;
	struct chunk system[SYSTEM_MAX];
	unsigned int systems;
	void (*tell)(void *context, uint64_t start, uint64_t length, uint64_t flags);
	void *context;
};

static void tell_stripes(const struct walk *w, const struct chunk *c)
{
	const unsigned int data = data_stripes(c);

	for (unsigned int i = 0; data && i < c->stripes; i++)
		if (stripe_device(c, i) == w->super->device)
			w->tell(w->context, stripe_start(c, i), c->length / data, c->flags);
}

static bool read_array(struct walk *w)
{
	const struct super *s = w->super;
	size_t at = 0, used;

	while (at + sizeof(struct btrfs_disk_key) < s->array_size && w->systems < SYSTEM_MAX) {
		const uint64_t start = get64(s->array + at + offsetof(struct btrfs_disk_key, offset));
		struct chunk *c = &w->system[w->systems];

		at += sizeof(struct btrfs_disk_key);
		used = chunk_read(c, start, s->array + at, s->array_size - at);
		if (!used)
			return false;
		at += used;
		w->systems++;
		tell_stripes(w, c);
	}
	return true;
}

static bool read_node(const struct walk *w, uint64_t logical, unsigned char *node)
{
	uint64_t place;

	for (unsigned int i = 0; i < w->systems; i++) {
		const struct chunk *c = &w->system[i];

		if (logical >= c->start && logical - c->start < c->length)
			return chunk_place(c, w->super->device, logical, &place) &&
			       pread(w->image, node, w->super->node_size, (off_t)place) ==
				       (ssize_t)w->super->node_size;
	}
	return false;
}

static bool read_leaf(const struct walk *w, const unsigned char *node, uint32_t count)
{
	const uint32_t room = w->super->node_size - HEADER_SIZE;
	struct chunk c;

	if (count > room / ITEM_SIZE)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const unsigned char *item = node + HEADER_SIZE + i * ITEM_SIZE;
		const uint32_t offset = get32(item + ITEM_OFFSET), length = get32(item + ITEM_LENGTH);

		if (item[offsetof(struct btrfs_disk_key, type)] != BTRFS_CHUNK_ITEM_KEY)
			continue;
		if (offset > room || length > room - offset ||
		    !chunk_read(&c, get64(item + offsetof(struct btrfs_disk_key, offset)),
				node + HEADER_SIZE + offset, length))
			return false;
		tell_stripes(w, &c);
	}
	return true;
}

static bool walk_down(const struct walk *w, uint64_t logical, uint64_t generation, unsigned int level);

static bool walk_pointers(const struct walk *w, const unsigned char *node, uint32_t count, unsigned int level)
{
	if (count > (w->super->node_size - HEADER_SIZE) / POINTER_SIZE)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const unsigned char *pointer = node + HEADER_SIZE + i * POINTER_SIZE;

		if (!walk_down(w, get64(pointer + POINTER_ADDRESS), get64(pointer + POINTER_GENERATION),
			       level - 1))
			return false;
	}
	return true;
}

/* The node must be the one that is meant: a mutant may have spoilt it, or it isn't written yet. */
static bool walk_down(const struct walk *w, uint64_t logical, uint64_t generation, unsigned int level)
{
	unsigned char *node = malloc(w->super->node_size);
	bool good = node && read_node(w, logical, node) && get64(node + HEADER_ADDRESS) == logical &&
		    get64(node + HEADER_GENERATION) == generation && node[HEADER_LEVEL] == level;

	if (good && level)
		good = walk_pointers(w, node, get32(node + HEADER_COUNT), level);
	else if (good)
		good = read_leaf(w, node, get32(node + HEADER_COUNT));
	free(node);
	return good;
}

bool chunks_walk(const struct super *s, int image,
		 void (*tell)(void *context, uint64_t start, uint64_t length, uint64_t flags), void *context)
{
	struct walk w = {.super = s, .image = image, .tell = tell, .context = context};

	return read_array(&w) && walk_down(&w, s->root, s->generation, s->level);
}
