/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a byte of a file lies: FIEMAP, and for btrfs the chunk tree behind it. */
#include <errno.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "src/target/chunk.h"
#include "src/target/filesystem.h"
#include "src/target/target.h"

/* Items of one BTRFS_IOC_TREE_SEARCH_V2: some hundred chunks. */
#define SEARCH_BUFFER (64 * KiB)

/* The extent under `offset`. *count is 0 if there is none. FIEMAP_FLAG_SYNC stays off: flushing would change
 * what the caller wants to look at. */
static int extent_at(int fd, uint64_t offset, struct fiemap_extent *extent, unsigned int *count,
		     struct error *e)
{
	union {
		struct fiemap map;
		unsigned char room[sizeof(struct fiemap) + sizeof(struct fiemap_extent)];
	} u = {.map = {.fm_start = offset, .fm_length = 1, .fm_extent_count = 1}};

	if (ioctl(fd, FS_IOC_FIEMAP, &u.map) < 0)
		return error_errno(e, errno == EOPNOTSUPP || errno == ENOTTY ? EXIT_CANNOT : EXIT_HARNESS,
				   errno, "FIEMAP: the filesystem does not say where data lies");
	*count = u.map.fm_mapped_extents;
	memcpy(extent, u.room + sizeof(struct fiemap), sizeof(*extent));
	return 0;
}

/* Go through one answer. Returns true when the chunk was found (*rc is set); otherwise *next is the place to
 * go on at. */
static bool search_items(const struct btrfs_ioctl_search_args_v2 *s, uint64_t logical,
			 struct target_address *out, uint64_t *next, int *rc, struct error *e)
{
	const unsigned char *at = s->buf;

	for (unsigned int i = 0; i < s->key.nr_items; i++) {
		struct btrfs_ioctl_search_header h;

		memcpy(&h, at, sizeof(h));
		at += sizeof(h);
		if (chunk_holds(at, h.len, h.offset, logical)) {
			*rc = chunk_map(at, h.len, h.offset, logical, out, e);
			return true;
		}
		at += h.len;
		*next = h.offset + 1;
	}
	return false;
}

static void search_from(struct btrfs_ioctl_search_args_v2 *s, uint64_t offset)
{
	s->key = (struct btrfs_ioctl_search_key){
		.tree_id = BTRFS_CHUNK_TREE_OBJECTID,
		.min_objectid = BTRFS_FIRST_CHUNK_TREE_OBJECTID,
		.max_objectid = BTRFS_FIRST_CHUNK_TREE_OBJECTID,
		.min_type = BTRFS_CHUNK_ITEM_KEY,
		.max_type = BTRFS_CHUNK_ITEM_KEY,
		.min_offset = offset,
		.max_offset = UINT64_MAX,
		.max_transid = UINT64_MAX,
		.nr_items = UINT32_MAX,
	};
	s->buf_size = SEARCH_BUFFER;
}

/* Chunks are few (one a GiB) and this is done for findings only, so they are all looked at in order. */
static int map_through_chunks(int fd, uint64_t logical, struct target_address *out, struct error *e)
{
	struct btrfs_ioctl_search_args_v2 *s = malloc(sizeof(*s) + SEARCH_BUFFER);
	uint64_t next = 0;
	int rc = -1;

	if (!s)
		return error_set(e, EXIT_HARNESS, "out of memory");
	for (;;) {
		search_from(s, next);
		if (ioctl(fd, BTRFS_IOC_TREE_SEARCH_V2, s) < 0) {
			error_errno(e, EXIT_HARNESS, errno, "BTRFS_IOC_TREE_SEARCH_V2 on the chunk tree");
			break;
		}
		if (s->key.nr_items == 0) {
			error_set(e, EXIT_HARNESS, "no chunk holds the logical address %llu",
				  (unsigned long long)logical);
			break;
		}
		if (search_items(s, logical, out, &next, &rc, e))
			break;
	}
	free(s);
	return rc;
}

int target_locate(const struct target *t, int fd, uint64_t offset, struct target_address *out,
		  struct error *e)
{
	struct fiemap_extent x = {0};
	unsigned int count = 0;

	memset(out, 0, sizeof(*out));
	if (extent_at(fd, offset, &x, &count, e) < 0)
		return -1;
	out->hole = count == 0;
	if (out->hole)
		return 0;
	out->inline_data = x.fe_flags & FIEMAP_EXTENT_DATA_INLINE;
	out->compressed = x.fe_flags & FIEMAP_EXTENT_ENCODED;
	out->unwritten = x.fe_flags & FIEMAP_EXTENT_UNWRITTEN;
	out->delayed = x.fe_flags & (FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_UNKNOWN);
	if (out->inline_data || out->delayed)
		return 0;
	/* Inside a compressed extent offsets mean nothing: its start is all that can be named. */
	out->logical = x.fe_physical + (out->compressed ? 0 : offset - x.fe_logical);
	if (t->btrfs)
		return map_through_chunks(fd, out->logical, out, e);
	if (filesystem_maps_to_device(t->spec.fs)) {
		out->mirrors = 1;
		out->mirror[0].devid = 1;
		out->mirror[0].physical = out->logical;
	}
	return 0;
}
