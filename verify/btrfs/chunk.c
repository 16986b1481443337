/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/btrfs/chunk.h"

#include <inttypes.h>

const char *group_flags_wrong(const struct format *f, uint64_t flags)
{
	uint64_t kinds = flags & GROUP_KINDS, profile = flags & GROUP_PROFILES;

	if (flags & ~(GROUP_KINDS | GROUP_PROFILES))
		return "has bits that are unknown";
	if (profile & (profile - 1))
		return "has more than one profile";
	if (!kinds)
		return "is neither data, metadata nor system";
	if ((kinds & GROUP_SYSTEM) && kinds != GROUP_SYSTEM)
		return "mixes system with something else";
	if (kinds == (GROUP_DATA | GROUP_METADATA) && !(f->incompat & INCOMPAT_MIXED_GROUPS))
		return "mixes data and metadata without the feature mixed_groups";
	return NULL;
}

static bool stripes_right(uint64_t profile, unsigned int stripes, unsigned int sub)
{
	switch (profile) {
	case 0:
		return stripes == 1;
	case GROUP_DUP:
	case GROUP_RAID1:
		return stripes == 2;
	case GROUP_RAID1C3:
		return stripes == 3;
	case GROUP_RAID1C4:
		return stripes == 4;
	case GROUP_RAID10:
		return sub == 2 && stripes && stripes % sub == 0;
	case GROUP_RAID5:
		return stripes >= 2;
	case GROUP_RAID6:
		return stripes >= 3;
	default:
		return stripes >= 1;
	}
}

/* Bytes of each device that a chunk takes; false when it does not divide evenly. */
static bool fits_devices(const struct format *f, const unsigned char *item, uint64_t length, uint64_t start)
{
	return length && start % f->sectorsize == 0 && length % f->sectorsize == 0 &&
	       start + length > start && le32_at(item + CHUNK_SECTORSIZE) == f->sectorsize &&
	       le64_at(item + CHUNK_STRIPE_LENGTH) == BTRFS_STRIPE;
}

void chunk_item(const struct format *f, const struct key *key, const unsigned char *item, uint32_t size,
		unsigned int slot, const struct sink *sink)
{
	struct event ev = {.kind = EVENT_CHUNK, .slot = slot, .key = *key, .bytes = item, .size = size};
	unsigned int stripes, sub;
	const char *wrong;
	uint64_t type;

	if (size < CHUNK_HEAD + STRIPE_SIZE ||
	    size != CHUNK_HEAD + STRIPE_SIZE * (uint32_t)le16_at(item + CHUNK_STRIPES)) {
		fault_emit(sink, RULE_ITEM_SIZE, (int)slot, key, "%u bytes are no chunk", size);
		return;
	}
	ev.start = key->offset;
	ev.length = le64_at(item + CHUNK_LENGTH);
	type = le64_at(item + CHUNK_TYPE);
	stripes = le16_at(item + CHUNK_STRIPES);
	sub = le16_at(item + CHUNK_SUB_STRIPES);
	wrong = group_flags_wrong(f, type);
	if (key->objectid != OBJECT_CHUNKS)
		fault_emit(sink, RULE_ITEM_KEY, (int)slot, key, "chunks have the object number 256");
	if (wrong)
		fault_emit(sink, RULE_CHUNK_ITEM, (int)slot, key, "type 0x%" PRIx64 " %s", type, wrong);
	else if (!stripes_right(type & GROUP_PROFILES, stripes, sub))
		fault_emit(sink, RULE_CHUNK_ITEM, (int)slot, key,
			   "%u stripes in groups of %u are not possible with type 0x%" PRIx64, stripes, sub,
			   type);
	else if (!fits_devices(f, item, ev.length, ev.start))
		fault_emit(sink, RULE_CHUNK_ITEM, (int)slot, key,
			   "start, length (%" PRIu64 "), sector size or stripe length are not possible",
			   ev.length);
	else
		sink->event(sink->context, &ev);
}
