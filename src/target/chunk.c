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

/* RAID0, and RAID10 as stripes over groups of `copies` devices that hold the same. */
static void map_striped(const struct layout *l, uint64_t offset, unsigned int copies,
			struct target_address *out)
{
	unsigned int groups = l->stripes / copies;
	uint64_t number = offset / l->stripe_length;
	uint64_t within = number / groups * l->stripe_length + offset % l->stripe_length;

	for (unsigned int i = 0; i < copies; i++)
		add_mirror(l, (unsigned int)(number % groups) * copies + i, within, out);
}

/* RAID5/6: each row of data stripes begins one device later than the row before. */
static void map_parity(const struct layout *l, uint64_t offset, unsigned int parity,
		       struct target_address *out)
{
	unsigned int data = l->stripes - parity;
	uint64_t number = offset / l->stripe_length, row = number / data;

	add_mirror(l, (unsigned int)((row + number % data) % l->stripes),
		   row * l->stripe_length + offset % l->stripe_length, out);
}

static void map_copies(const struct layout *l, uint64_t offset, struct target_address *out)
{
	for (unsigned int i = 0; i < l->stripes; i++)
		add_mirror(l, i, offset, out);
}

/* DUP and RAID1* hold a whole copy in each stripe; SINGLE (profile 0) is one stripe. */
#define WHOLE_COPIES                                                                                         \
	(BTRFS_BLOCK_GROUP_DUP | BTRFS_BLOCK_GROUP_RAID1 | BTRFS_BLOCK_GROUP_RAID1C3 |                       \
	 BTRFS_BLOCK_GROUP_RAID1C4)

/* False: a profile that is unknown, or stripe counts that it cannot have. */
static bool map_profile(const struct layout *l, uint64_t offset, struct target_address *out)
{
	uint64_t profile = l->type & BTRFS_BLOCK_GROUP_PROFILE_MASK;
	unsigned int parity = profile == BTRFS_BLOCK_GROUP_RAID6 ? 2 : 1;

	if (profile == 0 ? l->stripes == 1 : (profile & WHOLE_COPIES) == profile)
		map_copies(l, offset, out);
	else if (profile == BTRFS_BLOCK_GROUP_RAID0)
		map_striped(l, offset, 1, out);
	else if (profile == BTRFS_BLOCK_GROUP_RAID10 && l->sub_stripes && l->stripes % l->sub_stripes == 0)
		map_striped(l, offset, l->sub_stripes, out);
	else if ((profile == BTRFS_BLOCK_GROUP_RAID5 || profile == BTRFS_BLOCK_GROUP_RAID6) &&
		 l->stripes > parity)
		map_parity(l, offset, parity, out);
	else
		return false;
	return true;
}

int chunk_map(const void *item, size_t length, uint64_t start, uint64_t logical, struct target_address *out,
	      struct error *e)
{
	struct layout l;

	out->mirrors = 0;
	if (!layout_read(item, length, &l) || logical < start || logical - start >= l.length)
		return error_set(e, EXIT_HARNESS, "the chunk item at %llu is damaged or does not hold %llu",
				 (unsigned long long)start, (unsigned long long)logical);
	if (!map_profile(&l, logical - start, out))
		return error_set(
			e, EXIT_CANNOT,
			"the chunk at %llu has a profile that recow does not know (type 0x%llx, %u stripes)",
			(unsigned long long)start, (unsigned long long)l.type, l.stripes);
	return 0;
}
