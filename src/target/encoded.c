/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a file can't be read from disk as it is. */
#include <endian.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#undef BLOCK_SIZE /* linux/fs.h has one of its own */

#include "src/target/target.h"

/* Asked about at once. An inline extent is an item of at most a block and its head. */
#define SEARCH_BUFFER (8 * KiB)
#define EXTENTS       64U

/* Bytes of [start, start + length) that lie within the file. */
static uint64_t bytes_within(uint64_t start, uint64_t length, uint64_t size)
{
	uint64_t end = MIN(start + length, size);

	return end > start ? end - start : 0;
}

/* ---- btrfs: file extent items of the inode */

/* Compressed extents are at most this long (BTRFS_MAX_UNCOMPRESSED), others up to 128 MiB. */
#define SHORT_EXTENT (128 * KiB)

/* Items to ask for: about what there is. In search of more the kernel looks at all the rest of the leaf. */
static uint32_t items_wanted(uint64_t bytes)
{
	return (uint32_t)MIN(div_up_u64(bytes, SHORT_EXTENT), UINT32_MAX);
}

/* One extent; *end is where it ends. */
static uint64_t item_bytes(const struct btrfs_ioctl_search_header *h, const unsigned char *at, uint64_t size,
			   uint64_t *end)
{
	struct btrfs_file_extent_item item = {0};
	bool inlined;
	uint64_t length;

	memcpy(&item, at, MIN(h->len, sizeof(item)));
	inlined = item.type == BTRFS_FILE_EXTENT_INLINE;
	length = le64toh(inlined ? item.ram_bytes : item.num_bytes);
	*end = h->offset + MAX(length, 1U);
	return inlined || item.compression ? bytes_within(h->offset, length, size) : 0;
}

/* Add up one answer; *next is the place to go on at. */
static uint64_t answer_bytes(const struct btrfs_ioctl_search_args_v2 *s, uint64_t size, uint64_t *next)
{
	const unsigned char *at = (const unsigned char *)s->buf;
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < s->key.nr_items; i++) {
		struct btrfs_ioctl_search_header h;

		memcpy(&h, at, sizeof(h));
		at += sizeof(h);
		bytes += item_bytes(&h, at, size, next);
		at += h.len;
	}
	return bytes;
}

/* FIEMAP takes three times as long: it finds out for each extent whether others share it. False when the
 * kernel doesn't answer. */
static bool searched_bytes(int fd, uint64_t size, uint64_t *bytes)
{
	union {
		struct btrfs_ioctl_search_args_v2 args;
		unsigned char room[sizeof(struct btrfs_ioctl_search_args_v2) + SEARCH_BUFFER];
	} u;
	uint64_t next = 0;
	struct stat st;

	*bytes = 0;
	if (fstat(fd, &st) != 0)
		return false;
	do {
		u.args.key = (struct btrfs_ioctl_search_key){
			.tree_id = 0, /* that of the descriptor's subvolume */
			.min_objectid = st.st_ino,
			.max_objectid = st.st_ino,
			.min_type = BTRFS_EXTENT_DATA_KEY,
			.max_type = BTRFS_EXTENT_DATA_KEY,
			.min_offset = next,
			.max_offset = UINT64_MAX,
			.max_transid = UINT64_MAX,
			.nr_items = items_wanted(size - next),
		};
		u.args.buf_size = SEARCH_BUFFER;
		if (ioctl(fd, BTRFS_IOC_TREE_SEARCH_V2, &u.args) != 0)
			return false;
		*bytes += answer_bytes(&u.args, size, &next);
	} while (u.args.key.nr_items && next < size);
	return true;
}

/* ---- any filesystem: FIEMAP */

static uint64_t mapped_bytes(int fd, uint64_t size)
{
	const uint32_t encoded = FIEMAP_EXTENT_DATA_INLINE | FIEMAP_EXTENT_DATA_TAIL | FIEMAP_EXTENT_ENCODED |
				 FIEMAP_EXTENT_DATA_ENCRYPTED;
	union {
		struct fiemap map;
		unsigned char room[sizeof(struct fiemap) + EXTENTS * sizeof(struct fiemap_extent)];
	} u;
	uint64_t at = 0, bytes = 0;
	bool last = false;

	while (!last && at < size) {
		memset(&u.map, 0, sizeof(u.map));
		u.map.fm_start = at;
		u.map.fm_length = size - at;
		u.map.fm_extent_count = EXTENTS;
		if (ioctl(fd, FS_IOC_FIEMAP, &u.map) != 0 || u.map.fm_mapped_extents == 0)
			break;
		for (unsigned int i = 0; i < u.map.fm_mapped_extents; i++) {
			const struct fiemap_extent *x = &u.map.fm_extents[i];

			if (x->fe_flags & encoded)
				bytes += bytes_within(x->fe_logical, x->fe_length, size);
			at = x->fe_logical + x->fe_length;
			last = x->fe_flags & FIEMAP_EXTENT_LAST;
		}
	}
	return bytes;
}

uint64_t target_encoded_bytes(const struct target *t, int fd, uint64_t size)
{
	uint64_t bytes;

	if (!size)
		return 0;
	if (t->btrfs && searched_bytes(fd, size, &bytes))
		return bytes;
	return mapped_bytes(fd, size);
}
