/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <endian.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <string.h>

#include "src/target/chunk.h"

#define ONE_STRIPE_ITEM sizeof(struct btrfs_chunk) /* the first stripe is part of the struct */

/* A chunk in the machine's byte order. */
struct layout {
	uint64_t length, stripe_length, type;
	unsigned int stripes, sub_stripes;
	const unsigned char *stripe; /* unaligned, in the item */
};

static bool layout_read(const void *item, size_t length, struct layout *l)
{
	struct btrfs_chunk c;

	if (length < ONE_STRIPE_ITEM)
		return false;
	memcpy(&c, item, sizeof(c));
	l->length = le64toh(c.length);
	l->stripe_length = le64toh(c.stripe_len);
	l->type = le64toh(c.type);
	l->stripes = le16toh(c.num_stripes);
	l->sub_stripes = le16toh(c.sub_stripes);
	l->stripe = (const unsigned char *)item + offsetof(struct btrfs_chunk, stripe);
	return l->length && l->stripe_length && l->stripes &&
	       length >= ONE_STRIPE_ITEM + (l->stripes - 1) * sizeof(struct btrfs_stripe);
}

bool chunk_holds(const void *item, size_t length, uint64_t start, uint64_t logical)
{
	struct layout l;

	return layout_read(item, length, &l) && logical >= start && logical - start < l.length;
}

static void add_mirror(const struct layout *l, unsigned int stripe, uint64_t within,
		       struct target_address *out)
{
	struct btrfs_stripe s;

	if (out->mirrors == ARRAY_SIZE(out->mirror))
		return;
	memcpy(&s, l->stripe + stripe * sizeof(s), sizeof(s));
	out->mirror[out->mirrors].devid = le64toh(s.devid);
	out->mirror[out->mirrors].physical = le64toh(s.offset) + within;
	out->mirrors++;
}

/* DUP and RAID1* hold a whole copy in each stripe; SINGLE (profile 0) is one stripe. */
#define WHOLE_COPIES                                                                                         \
	(BTRFS_BLOCK_GROUP_DUP | BTRFS_BLOCK_GROUP_RAID1 | BTRFS_BLOCK_GROUP_RAID1C3 |                       \
	 BTRFS_BLOCK_GROUP_RAID1C4)

/* How a chunk is spread over its devices. */
struct spread {
	unsigned int copies, parity;
	unsigned int columns; /* stripes of a row that hold different data */
	bool striped;         /* or else each copy lies in one piece */
};

/* False: a profile that is unknown, or stripe counts that it cannot have. */
static bool spread_of(const struct layout *l, struct spread *s)
{
	uint64_t profile = l->type & BTRFS_BLOCK_GROUP_PROFILE_MASK;

	*s = (struct spread){.copies = 1, .striped = true};
	if (profile == 0 ? l->stripes == 1 : (profile & WHOLE_COPIES) == profile)
		*s = (struct spread){.copies = l->stripes};
	else if (profile == BTRFS_BLOCK_GROUP_RAID10)
		s->copies = l->sub_stripes;
	else if (profile == BTRFS_BLOCK_GROUP_RAID5)
		s->parity = 1;
	else if (profile == BTRFS_BLOCK_GROUP_RAID6)
		s->parity = 2;
	else if (profile != BTRFS_BLOCK_GROUP_RAID0)
		return false;
	if (l->stripes <= s->parity || !s->copies || l->stripes % s->copies)
		return false;
	s->columns = (l->stripes - s->parity) / s->copies;
	return true;
}

static void map_copies(const struct layout *l, const struct spread *s, uint64_t offset,
		       struct target_address *out)
{
	uint64_t number = offset / l->stripe_length, row = number / s->columns;
	uint64_t within = row * l->stripe_length + offset % l->stripe_length;
	unsigned int column = (unsigned int)(number % s->columns);

	for (unsigned int i = 0; i < s->copies; i++) {
		if (!s->striped)
			add_mirror(l, i, offset, out);
		else if (s->parity) /* each row begins one device later than the row before */
			add_mirror(l, (unsigned int)((row + column) % l->stripes), within, out);
		else
			add_mirror(l, column * s->copies + i, within, out);
	}
}

int chunk_map(const void *item, size_t length, uint64_t start, uint64_t logical, struct target_address *out,
	      struct error *e)
{
	struct layout l;
	struct spread s;

	out->mirrors = 0;
	if (!layout_read(item, length, &l) || logical < start || logical - start >= l.length)
		return error_set(e, EXIT_HARNESS, "the chunk item at %llu is damaged or does not hold %llu",
				 (unsigned long long)start, (unsigned long long)logical);
	if (!spread_of(&l, &s))
		return error_set(
			e, EXIT_CANNOT,
			"the chunk at %llu has a profile that recow does not know (type 0x%llx, %u stripes)",
			(unsigned long long)start, (unsigned long long)l.type, l.stripes);
	map_copies(&l, &s, logical - start, out);
	return 0;
}

uint64_t chunk_run(const void *item, size_t length, uint64_t start, uint64_t logical)
{
	struct layout l;
	struct spread s;
	uint64_t within = logical - start;

	if (!layout_read(item, length, &l) || logical < start || within >= l.length || !spread_of(&l, &s))
		return 0;
	return s.striped ? MIN(l.stripe_length - within % l.stripe_length, l.length - within)
			 : l.length - within;
}

uint64_t chunk_device_bytes(const void *item, size_t length)
{
	struct layout l;
	struct spread s;

	return layout_read(item, length, &l) && spread_of(&l, &s) ? l.length / s.columns : 0;
}
