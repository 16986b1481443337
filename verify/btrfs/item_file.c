/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inodes, their names, xattrs and extents: tree-checker.c, check_inode_item(), check_dir_item(),
 * check_extent_data_item() and their neighbours. */
#include <inttypes.h>
#include <sys/stat.h>

#include "src/content/hash.h"
#include "verify/btrfs/checksum.h"
#include "verify/btrfs/item.h"

enum {
	INODE_GENERATION = 0,
	INODE_TRANSID = 8,
	INODE_BYTES = 16,
	INODE_NBYTES = 24,
	INODE_LINKS = 40,
	INODE_MODE = 52,
	INODE_FLAGS = 64,
	INODE_SIZE = 160,
	REF_INDEX = 0,
	REF_LENGTH = 8,
	REF_HEAD = 10,
	EXTREF_PARENT = 0,
	EXTREF_INDEX = 8,
	EXTREF_LENGTH = 16,
	EXTREF_HEAD = 18,
	DIR_LOCATION = 0,
	DIR_DATA_LENGTH = 25,
	DIR_NAME_LENGTH = 27,
	DIR_TYPE = 29,
	DIR_HEAD = 30,
	FILE_GENERATION = 0,
	FILE_RAM_BYTES = 8,
	FILE_COMPRESSION = 16,
	FILE_ENCRYPTION = 17,
	FILE_TYPE = 20,
	FILE_INLINE = 21, /* inline data begin here */
	FILE_DISK_BYTENR = 21,
	FILE_DISK_LENGTH = 29,
	FILE_OFFSET = 37,
	FILE_LENGTH = 45,
	FILE_SIZE = 53,
};

/* BTRFS_INODE_FLAG_MASK, BTRFS_INODE_ROOT_ITEM_INIT, BTRFS_INODE_RO_VERITY */
#define INODE_FLAGS_KNOWN ((uint64_t)0xfff | (uint64_t)1 << 31 | (uint64_t)1 << 32)

enum { FILE_IS_INLINE, FILE_IS_REGULAR, FILE_IS_PREALLOC };
#define COMPRESSIONS   3U /* zlib, lzo, zstd */
#define DIR_TYPE_XATTR 8U
#define DIR_ENCRYPTED  0x80U

static bool mode_right(uint32_t mode)
{
	return !(mode >> 16) && (S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISCHR(mode) ||
				 S_ISBLK(mode) || S_ISFIFO(mode) || S_ISSOCK(mode));
}

/* In the tree of roots there are the directory of roots and the files of the old free space cache. */
static bool inode_number_right(const struct item *it)
{
	uint64_t n = it->key.objectid;

	return (n >= OBJECT_FIRST_FREE && n <= OBJECT_LAST_FREE) || n == OBJECT_ROOT_DIR ||
	       n == OBJECT_FREE_INO;
}

void item_inode(const struct item *it)
{
	struct event ev = item_event(it, EVENT_INODE, 0);
	uint64_t generation, transid;
	uint32_t mode;

	if (!inode_number_right(it) || it->key.offset)
		item_fault(it, RULE_ITEM_KEY, "no inode has this key");
	if (item_size_wrong(it, INODE_SIZE))
		return;
	generation = le64_at(it->bytes + INODE_GENERATION);
	transid = le64_at(it->bytes + INODE_TRANSID);
	mode = le32_at(it->bytes + INODE_MODE);
	ev.inode.flags = le64_at(it->bytes + INODE_FLAGS);
	ev.inode.size = le64_at(it->bytes + INODE_BYTES);
	ev.inode.bytes = le64_at(it->bytes + INODE_NBYTES);
	ev.inode.links = le32_at(it->bytes + INODE_LINKS);
	ev.inode.mode = mode;
	if (generation > it->newest || transid > it->newest)
		item_fault(it, RULE_INODE,
			   "generation %" PRIu64 " or transid %" PRIu64 " is newer than %" PRIu64, generation,
			   transid, it->newest);
	if (!mode_right(mode))
		item_fault(it, RULE_INODE, "mode 0%o has no known type", mode);
	if (S_ISDIR(mode) && le32_at(it->bytes + INODE_LINKS) > 1)
		item_fault(it, RULE_INODE, "a directory has %u links", le32_at(it->bytes + INODE_LINKS));
	if (ev.inode.flags & ~INODE_FLAGS_KNOWN)
		item_fault(it, RULE_INODE, "flags 0x%" PRIx64 " are unknown",
			   ev.inode.flags & ~INODE_FLAGS_KNOWN);
	it->sink->event(it->sink->context, &ev);
}

/* A name of `name` bytes behind a head of `head`, at byte `at`: the bytes of both, 0 when they don't fit. */
static uint32_t name_fits(const struct item *it, enum rule rule, uint32_t at, uint32_t head, uint32_t name)
{
	if (name && name <= BTRFS_NAME_MAX && at + head + name <= it->size)
		return head + name;
	item_fault(it, rule, "the name at byte %u has %u bytes, of which %u are left", at + head, name,
		   it->size - MIN(it->size, at + head));
	return 0;
}

static void tell_name(const struct item *it, uint64_t dir, uint64_t inode, uint64_t index,
		      const unsigned char *name, uint32_t length, uint8_t type, bool of_root)
{
	struct event ev = item_event(it, EVENT_NAME, 0);

	ev.name.dir = dir;
	ev.name.inode = inode;
	ev.name.index = index;
	ev.name.digest = hash_bytes(name, length);
	ev.name.length = length;
	ev.name.type = type;
	ev.name.of_root = of_root;
	it->sink->event(it->sink->context, &ev);
}

static bool head_fits(const struct item *it, enum rule rule, uint32_t at, uint32_t head)
{
	if (at + head <= it->size)
		return true;
	item_fault(it, rule, "the entry at byte %u is cut off", at);
	return false;
}

void item_inode_ref(const struct item *it)
{
	uint32_t at = 0, n;

	if (item_too_short(it, REF_HEAD))
		return;
	for (; at < it->size; at += n) {
		if (!head_fits(it, RULE_INODE_REF, at, REF_HEAD))
			return;
		n = name_fits(it, RULE_INODE_REF, at, REF_HEAD, le16_at(it->bytes + at + REF_LENGTH));
		if (!n)
			return;
		if (it->key.offset == it->key.objectid &&
		    (le64_at(it->bytes + at + REF_INDEX) || n != REF_HEAD + 2 ||
		     memcmp(it->bytes + at + REF_HEAD, "..", 2) != 0))
			item_fault(it, RULE_INODE_REF,
				   "the first directory of a tree has itself as \"..\", with index 0");
		tell_name(it, it->key.offset, it->key.objectid, le64_at(it->bytes + at + REF_INDEX),
			  it->bytes + at + REF_HEAD, n - REF_HEAD, 0, false);
	}
}

void item_inode_extref(const struct item *it)
{
	uint32_t at = 0, n;

	if (item_too_short(it, EXTREF_HEAD))
		return;
	for (; at < it->size; at += n) {
		const unsigned char *p = it->bytes + at;
		uint16_t len;

		if (!head_fits(it, RULE_INODE_REF, at, EXTREF_HEAD))
			return;
		len = le16_at(p + EXTREF_LENGTH);
		n = name_fits(it, RULE_INODE_REF, at, EXTREF_HEAD, len);
		if (!n)
			return;
		tell_name(it, le64_at(p + EXTREF_PARENT), it->key.objectid, le64_at(p + EXTREF_INDEX),
			  p + EXTREF_HEAD, len, 0, false);
		if (hash_extref(le64_at(p + EXTREF_PARENT), p + EXTREF_HEAD, len) != it->key.offset)
			item_fault(it, RULE_NAME_HASH, "the hash of parent and name is %u",
				   hash_extref(le64_at(p + EXTREF_PARENT), p + EXTREF_HEAD, len));
	}
}

static void check_entry(const struct item *it, const unsigned char *p, uint32_t name)
{
	struct key location = key_at(p + DIR_LOCATION);
	uint8_t type = p[DIR_TYPE] & (uint8_t)~DIR_ENCRYPTED;
	bool xattr = it->key.type == ITEM_XATTR;

	if (type == 0 || type > DIR_TYPE_XATTR || xattr != (type == DIR_TYPE_XATTR))
		item_fault(it, RULE_DIR_ITEM, "file type %u is not possible", type);
	if (!xattr && le16_at(p + DIR_DATA_LENGTH))
		item_fault(it, RULE_DIR_ITEM, "a directory entry has %u bytes of data",
			   le16_at(p + DIR_DATA_LENGTH));
	if (!xattr)
		tell_name(it, it->key.objectid, location.objectid,
			  it->key.type == ITEM_DIR ? 0 : it->key.offset, p + DIR_HEAD, name, p[DIR_TYPE],
			  location.type == ITEM_ROOT);
	if (!xattr && location.type != ITEM_INODE && location.type != ITEM_ROOT &&
	    location.type != ITEM_UNTYPED)
		item_fault(it, RULE_DIR_ITEM, "it leads to an item of type %u", location.type);
	if (it->key.type != ITEM_DIR_INDEX && hash_name(p + DIR_HEAD, name) != it->key.offset)
		item_fault(it, RULE_NAME_HASH, "the hash of the name is %u", hash_name(p + DIR_HEAD, name));
}

void item_names(const struct item *it)
{
	uint32_t at = 0, n;

	if (item_too_short(it, DIR_HEAD))
		return;
	for (; at < it->size; at += n) {
		const unsigned char *p = it->bytes + at;
		uint32_t name, data;

		if (!head_fits(it, RULE_DIR_ITEM, at, DIR_HEAD))
			return;
		name = le16_at(p + DIR_NAME_LENGTH);
		data = le16_at(p + DIR_DATA_LENGTH);
		n = name_fits(it, RULE_DIR_ITEM, at, DIR_HEAD, name);
		if (!n || !head_fits(it, RULE_DIR_ITEM, at, n + data))
			return;
		check_entry(it, p, name);
		n += data;
		if (it->key.type == ITEM_DIR_INDEX && at + n < it->size) {
			item_fault(it, RULE_DIR_ITEM, "an index has more than one entry");
			return;
		}
	}
}

static void tell_bytes(const struct item *it, uint64_t bytes)
{
	struct event ev = item_event(it, EVENT_FILE_BYTES, it->key.offset);

	ev.length = bytes;
	it->sink->event(it->sink->context, &ev);
}

static void check_inline(struct item *it, uint64_t ram, uint8_t compression)
{
	uint32_t stored = it->size - FILE_INLINE;

	if (it->key.offset)
		item_fault(it, RULE_FILE_EXTENT, "inline data begin at %" PRIu64 " of the file",
			   it->key.offset);
	if (!compression && stored != ram)
		item_fault(it, RULE_FILE_EXTENT, "%u bytes of inline data are said to be %" PRIu64, stored,
			   ram);
	it->end = round_up_u64(ram, it->f->sectorsize);
	tell_bytes(it, ram);
}

static bool aligned(const struct item *it, uint64_t disk, uint64_t disk_length, uint64_t offset,
		    uint64_t length)
{
	uint64_t all = it->key.offset | disk | disk_length | offset | length;

	return all % it->f->sectorsize == 0 && it->key.offset + length >= it->key.offset &&
	       disk + disk_length >= disk && offset + length >= offset;
}

static void check_stored(struct item *it, uint64_t ram, uint8_t compression)
{
	struct event ev = item_event(it, EVENT_FILE_EXTENT, it->key.offset);
	uint64_t room;

	ev.file_extent.disk_bytenr = le64_at(it->bytes + FILE_DISK_BYTENR);
	ev.file_extent.disk_length = le64_at(it->bytes + FILE_DISK_LENGTH);
	ev.file_extent.offset = le64_at(it->bytes + FILE_OFFSET);
	ev.length = le64_at(it->bytes + FILE_LENGTH);
	ev.file_extent.compressed = compression;
	ev.file_extent.prealloc = it->bytes[FILE_TYPE] == FILE_IS_PREALLOC;
	if (!ev.length || !aligned(it, ev.file_extent.disk_bytenr, ev.file_extent.disk_length,
				   ev.file_extent.offset, ev.length)) {
		item_fault(it, RULE_FILE_EXTENT, "it does not begin and end with a sector");
		return;
	}
	room = compression ? ram : ev.file_extent.disk_length;
	if (ev.file_extent.disk_bytenr && ev.file_extent.offset + ev.length > room)
		item_fault(it, RULE_FILE_EXTENT,
			   "bytes %" PRIu64 "+%" PRIu64 " of an extent that has %" PRIu64,
			   ev.file_extent.offset, ev.length, room);
	if (it->end > it->key.offset)
		item_fault(it, RULE_FILE_OVERLAP, "the extent before it ends at %" PRIu64, it->end);
	it->end = it->key.offset + ev.length;
	if (!ev.file_extent.disk_bytenr)
		return; /* a hole */
	tell_bytes(it, ev.length);
	it->sink->event(it->sink->context, &ev);
}

void item_file_extent(struct item *it)
{
	uint8_t type, compression;
	uint64_t ram;

	if (item_too_short(it, FILE_INLINE))
		return;
	type = it->bytes[FILE_TYPE];
	compression = it->bytes[FILE_COMPRESSION];
	ram = le64_at(it->bytes + FILE_RAM_BYTES);
	if (type > FILE_IS_PREALLOC || compression > COMPRESSIONS || it->bytes[FILE_ENCRYPTION]) {
		item_fault(it, RULE_FILE_EXTENT, "type %u, compression %u, encryption %u are not known", type,
			   compression, it->bytes[FILE_ENCRYPTION]);
		return;
	}
	if (le64_at(it->bytes + FILE_GENERATION) > it->newest)
		item_fault(it, RULE_FILE_EXTENT, "generation %" PRIu64 " is newer than %" PRIu64,
			   le64_at(it->bytes + FILE_GENERATION), it->newest);
	if (type == FILE_IS_INLINE)
		check_inline(it, ram, compression);
	else if (!item_size_wrong(it, FILE_SIZE))
		check_stored(it, ram, compression);
}

void item_csum(struct item *it)
{
	struct event ev = item_event(it, EVENT_CSUM, it->key.offset);

	if (it->key.objectid != OBJECT_CSUM || it->key.offset % it->f->sectorsize) {
		item_fault(it, RULE_ITEM_KEY, "no checksums have this key");
		return;
	}
	if (!it->size || it->size % it->f->csum_size) {
		item_fault(it, RULE_CSUM_ITEM, "%u bytes are no whole number of checksums", it->size);
		return;
	}
	ev.length = (uint64_t)(it->size / it->f->csum_size) * it->f->sectorsize;
	ev.bytes = it->bytes;
	ev.size = it->size;
	if (ev.start + ev.length < ev.start) {
		item_fault(it, RULE_CSUM_ITEM, "the data would end beyond all addresses");
		return;
	}
	if (it->end > ev.start)
		item_fault(it, RULE_CSUM_OVERLAP, "the checksums before it end at %" PRIu64, it->end);
	it->end = ev.start + ev.length;
	it->sink->event(it->sink->context, &ev);
}
