/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/btrfs/super.h"

#include <inttypes.h>
#include <stdio.h>

#include "verify/btrfs/checksum.h"
#include "verify/btrfs/chunk.h"

uint64_t super_place(unsigned int i)
{
	static const uint64_t places[SUPER_MIRRORS] = {64 * KiB, 64 * MiB, 256 * GiB};

	return places[i];
}

bool super_is(const unsigned char *bytes)
{
	return le64_at(bytes + SUPER_MAGIC) == BTRFS_MAGIC;
}

static void read_fields(const unsigned char *b, struct super *s)
{
	struct format *f = &s->format;

	f->nodesize = le32_at(b + SUPER_NODESIZE);
	f->sectorsize = le32_at(b + SUPER_SECTORSIZE);
	f->csum_type = le16_at(b + SUPER_CSUM_TYPE);
	f->csum_size = csum_size(f->csum_type);
	f->generation = le64_at(b + SUPER_GENERATION);
	f->incompat = le64_at(b + SUPER_INCOMPAT);
	f->compat_ro = le64_at(b + SUPER_COMPAT_RO);
	memcpy(s->fsid, b + HEADER_FSID, BTRFS_UUID);
	memcpy(f->fsid, f->incompat & INCOMPAT_METADATA_UUID ? b + SUPER_METADATA_UUID : s->fsid, BTRFS_UUID);
	s->root = le64_at(b + SUPER_ROOT);
	s->chunk_root = le64_at(b + SUPER_CHUNK_ROOT);
	s->log_root = le64_at(b + SUPER_LOG_ROOT);
	s->root_level = b[SUPER_ROOT_LEVEL];
	s->chunk_level = b[SUPER_CHUNK_LEVEL];
	s->log_level = b[SUPER_LOG_LEVEL];
	s->chunk_generation = le64_at(b + SUPER_CHUNK_GENERATION);
	s->total_bytes = le64_at(b + SUPER_TOTAL_BYTES);
	s->bytes_used = le64_at(b + SUPER_BYTES_USED);
	s->devices = le64_at(b + SUPER_NUM_DEVICES);
	s->cache_generation = le64_at(b + SUPER_CACHE_GENERATION);
	s->devid = le64_at(b + SUPER_DEV_ITEM + DEVICE_ID);
	s->device_bytes = le64_at(b + SUPER_DEV_ITEM + DEVICE_TOTAL);
	s->bytes = b;
}

static bool power_of_two_within(uint32_t n, uint32_t low, uint32_t high)
{
	return n >= low && n <= high && !(n & (n - 1));
}

static void wrong(const struct sink *sink, bool *usable, const char *what, uint64_t value)
{
	fault_emit(sink, RULE_SUPER_FIELD, -1, NULL, "%s %" PRIu64 " is not possible", what, value);
	*usable = false;
}

/* Without these nothing else can be read. */
static bool sizes_right(const struct super *s, const struct sink *sink)
{
	const struct format *f = &s->format;
	bool usable = true;

	if (!power_of_two_within(f->sectorsize, BTRFS_NODE_MIN, BTRFS_NODE_MAX))
		wrong(sink, &usable, "sectorsize", f->sectorsize);
	else if (!power_of_two_within(f->nodesize, f->sectorsize, BTRFS_NODE_MAX))
		wrong(sink, &usable, "nodesize", f->nodesize);
	if (le32_at(s->bytes + SUPER_ARRAY_SIZE) > SUPER_ARRAY_MAX)
		wrong(sink, &usable, "sys_array_size", le32_at(s->bytes + SUPER_ARRAY_SIZE));
	return usable;
}

static void check_root(const struct super *s, const char *what, uint64_t bytenr, uint8_t level,
		       const struct sink *sink)
{
	if (level >= BTRFS_LEVELS)
		fault_emit(sink, RULE_SUPER_FIELD, -1, NULL, "%s has level %u, above the highest, %u", what,
			   level, BTRFS_LEVELS - 1);
	if (bytenr % s->format.sectorsize)
		fault_emit(sink, RULE_SUPER_FIELD, -1, NULL,
			   "%s %" PRIu64 " is no multiple of the sector size", what, bytenr);
}

static void check_fields(const struct super *s, const struct sink *sink)
{
	check_root(s, "root", s->root, s->root_level, sink);
	check_root(s, "chunk root", s->chunk_root, s->chunk_level, sink);
	check_root(s, "log root", s->log_root, s->log_level, sink);
	if (s->chunk_generation > s->format.generation)
		fault_emit(sink, RULE_SUPER_FIELD, -1, NULL,
			   "chunk_root_generation %" PRIu64 " is newer than the generation, %" PRIu64,
			   s->chunk_generation, s->format.generation);
	if (!s->devices)
		fault_emit(sink, RULE_SUPER_FIELD, -1, NULL, "num_devices is 0");
	if (s->bytes_used > s->total_bytes)
		fault_emit(sink, RULE_SUPER_FIELD, -1, NULL,
			   "bytes_used %" PRIu64 " is more than total_bytes, %" PRIu64, s->bytes_used,
			   s->total_bytes);
	if (le32_at(s->bytes + SUPER_LEAFSIZE) != s->format.nodesize)
		fault_emit(sink, RULE_SUPER_FIELD, -1, NULL, "leafsize %u is not the nodesize, %u",
			   le32_at(s->bytes + SUPER_LEAFSIZE), s->format.nodesize);
}

bool super_parse(const unsigned char *bytes, uint64_t place, struct super *out, const struct sink *sink)
{
	memset(out, 0, sizeof(*out));
	read_fields(bytes, out);
	if (!super_is(bytes)) {
		fault_emit(sink, RULE_SUPER_FIELD, -1, NULL, "the magic number is not that of btrfs");
		return false;
	}
	if (!out->format.csum_size) {
		fault_emit(sink, RULE_SUPER_FIELD, -1, NULL, "checksum type %u is unknown",
			   out->format.csum_type);
		return false;
	}
	if (!csum_holds(out->format.csum_type, bytes, SUPER_SIZE)) {
		fault_emit(sink, RULE_SUPER_CHECKSUM, -1, NULL, "the %s checksum is wrong",
			   csum_name(out->format.csum_type));
		return false;
	}
	if (le64_at(bytes + SUPER_BYTENR) != place)
		fault_emit(sink, RULE_SUPER_BYTENR, -1, NULL, "it says that it lies at %" PRIu64,
			   le64_at(bytes + SUPER_BYTENR));
	if (!sizes_right(out, sink))
		return false;
	check_fields(out, sink);
	return true;
}

/* What is not named here is shown as the number of its bit. NULL: understood. */
struct feature {
	const char *name;
	bool understood;
};

static const struct feature incompat[64] = {
	{"mixed_backref", true}, {"default_subvol", true},  {"mixed_groups", true},
	{"compress_lzo", true},  {"compress_zstd", true},   {"big_metadata", true},
	{"extended_iref", true}, {"raid56", true},          {"skinny_metadata", true},
	{"no_holes", true},      {"metadata_uuid", true},   {"raid1c34", true},
	{"zoned", false},        {"extent_tree_v2", false}, {"raid_stripe_tree", false},
	{NULL, false},           {"simple_quota", true},    {"remap_tree", false},
};

static const struct feature compat_ro[64] = {
	{"free_space_tree", true},
	{"free_space_tree_valid", true},
	{"verity", true},
	{"block_group_tree", true},
};

bool super_unknown(const struct super *s, bool ro, char *buf, size_t len)
{
	const struct feature *known = ro ? compat_ro : incompat;
	uint64_t flags = ro ? s->format.compat_ro : s->format.incompat;
	const char *kind = ro ? "compat_ro" : "incompat";
	size_t used = 0;

	buf[0] = '\0';
	for (unsigned int i = 0; i < 64 && used < len; i++) {
		if (!(flags >> i & 1) || known[i].understood)
			continue;
		if (known[i].name)
			used += (size_t)snprintf(buf + used, len - used, "%s%s:%s", used ? ", " : "", kind,
						 known[i].name);
		else
			used += (size_t)snprintf(buf + used, len - used, "%s%s bit %u", used ? ", " : "",
						 kind, i);
	}
	return used;
}

void super_chunks(const struct super *s, const struct sink *sink)
{
	const unsigned char *array = s->bytes + SUPER_ARRAY;
	uint32_t size = le32_at(s->bytes + SUPER_ARRAY_SIZE), at = 0, item;
	unsigned int slot = 0;

	for (; at < size; at += KEY_SIZE + item, slot++) {
		struct key key;
		uint32_t left = size - at;

		if (left < KEY_SIZE + CHUNK_HEAD + STRIPE_SIZE) {
			fault_emit(sink, RULE_SYSTEM_CHUNKS, (int)slot, NULL,
				   "%u bytes are left, too few for a chunk", left);
			return;
		}
		key = key_at(array + at);
		item = CHUNK_HEAD + STRIPE_SIZE * (uint32_t)le16_at(array + at + KEY_SIZE + CHUNK_STRIPES);
		if (key.type != ITEM_CHUNK || item > left - KEY_SIZE) {
			fault_emit(sink, RULE_SYSTEM_CHUNKS, (int)slot, &key,
				   "an entry is no chunk, or is cut off");
			return;
		}
		chunk_item(&s->format, &key, array + at + KEY_SIZE, item, slot, sink);
	}
}
