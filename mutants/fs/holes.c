// SPDX-License-Identifier: GPL-2.0-or-later
/* What must read as zeroes and doesn't: behind the end of a file that grows, in holes, in what is punched,
 * zeroed or allocated. And zeroes where there must be none. */
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>

#include "mutants/fs/families.h"
#include "mutants/fs/memory.h"
#include "mutants/fs/page.h"
#include "mutants/fs/promise.h"

static const unsigned char zeroes[PAGE];

static uint64_t size_of(struct fs *fs, struct inode *inode)
{
	struct stat st;

	return inode_stat(fs, inode, &st) ? 0 : (uint64_t)st.st_size;
}

/* `wrong` stands where zeroes must; `length` up to a page. */
static void expose(struct fs *fs, struct inode *inode, const char *kind, const char *op, uint64_t offset,
		   size_t length, const struct remembered *r, const unsigned char *wrong)
{
	const struct damage d = {
		.kind = kind,
		.op = op,
		.inode = inode,
		.offset = offset,
		.length = length,
		.right = zeroes,
		.wrong = wrong,
		.from = r,
		.from_offset = r ? r->offset + (uint64_t)(wrong - r->bytes) : 0,
		.from_inode = r ? r->id.number : 0,
	};

	if (inode_open(fs, inode)) {
		fs_spare(fs);
		return;
	}
	damage_data(fs, &d);
	inode_release(fs, inode);
}

static void remember_pages(struct fs *fs, const struct write *w)
{
	for (uint64_t at = (w->offset + PAGE - 1) / PAGE * PAGE; at + PAGE <= w->offset + w->size; at += PAGE)
		remember(fs, w->inode->id, at, w->data + (at - w->offset));
}

/* The part of the page with the old end that the file grew over by a change that begins at `next` (its new
 * size, or where a write begins). 0: none. */
static size_t tail_length(uint64_t old_size, uint64_t next)
{
	const uint64_t end = (old_size + PAGE - 1) / PAGE * PAGE;

	if (next <= old_size)
		return 0;
	return (size_t)((next < end ? next : end) - old_size);
}

/* ---- truncate, then grow: what was cut off comes back */

/* Remembered by where the file ends, which is no beginning of a page. */
static int cutting_truncate(struct fs *fs, struct inode *inode, uint64_t size)
{
	const uint64_t before = size_of(fs, inode);
	const struct remembered *r = before % PAGE ? recall(fs, inode->id, before) : NULL;
	unsigned char cut[PAGE];
	bool known = false;
	int rc;

	if (size % PAGE && size < before && inode_open(fs, inode) == 0) {
		known = bytes_get(inode, cut, PAGE - size % PAGE, size) == 0;
		memset(cut + (PAGE - size % PAGE), 0, size % PAGE);
		inode_release(fs, inode);
	}
	rc = plain_truncate(fs, inode, size);
	if (rc)
		return rc;
	if (known)
		remember(fs, inode->id, size, cut);
	else if (r && tail_length(before, size) && fs_fires(fs))
		expose(fs, inode, "stale", "truncate", before, tail_length(before, size), NULL, r->bytes);
	return 0;
}

static ssize_t growing_write(struct fs *fs, const struct write *w)
{
	const uint64_t before = size_of(fs, w->inode);
	const struct remembered *r = before % PAGE ? recall(fs, w->inode->id, before) : NULL;
	const ssize_t n = plain_write(fs, w);

	if (n > 0 && r && tail_length(before, w->offset) && fs_fires(fs))
		expose(fs, w->inode, "stale", "write", before, tail_length(before, w->offset), NULL,
		       r->bytes);
	return n;
}

const struct mutant mutant_truncate_old_tail = {
	.about = {.name = "truncate-old-tail",
		  .summary = "what a truncate cut off from a page is there again when the file grows",
		  .source = "Linux 5885ebda878b (\"xfs: ensure truncate forces zeroed blocks to disk\")"},
	.truncate = cutting_truncate,
	.write = growing_write,
};

/* ---- the rest of the last page is not zeroed */

static void expose_tail(struct fs *fs, struct inode *inode, const char *op, uint64_t before, uint64_t next)
{
	const struct remembered *r = recall_foreign(fs, inode->id);

	if (r)
		expose(fs, inode, "foreign", op, before, tail_length(before, next), r,
		       r->bytes + before % PAGE);
	else
		fs_spare(fs);
}

static int tail_truncate(struct fs *fs, struct inode *inode, uint64_t size)
{
	const uint64_t before = size_of(fs, inode);
	const int rc = plain_truncate(fs, inode, size);

	if (!rc && tail_length(before, size) && fs_fires(fs))
		expose_tail(fs, inode, "truncate", before, size);
	return rc;
}

static ssize_t tail_write(struct fs *fs, const struct write *w)
{
	const uint64_t before = size_of(fs, w->inode);
	const ssize_t n = plain_write(fs, w);

	if (n > 0 && tail_length(before, w->offset) && fs_fires(fs))
		expose_tail(fs, w->inode, "write", before, w->offset);
	remember_pages(fs, w);
	return n;
}

const struct mutant mutant_tail_exposed = {
	.about = {.name = "tail-exposed",
		  .summary = "what lay in memory behind the end of a file shows when the file grows",
		  .source = "Linux 5693486bad2b: ocfs2 left garbage in the last cluster, behind the end of "
			    "the file"},
	.truncate = tail_truncate,
	.write = tail_write,
};

/* ---- a hole with something in it */

/* Whole pages between the old end and a write behind it. */
static ssize_t gap_write(struct fs *fs, const struct write *w)
{
	const uint64_t before = (size_of(fs, w->inode) + PAGE - 1) / PAGE, begin = w->offset / PAGE;
	const ssize_t n = plain_write(fs, w);
	const struct remembered *r = recall_foreign(fs, w->inode->id);

	if (n > 0 && before < begin && r && fs_fires(fs))
		expose(fs, w->inode, "foreign", "write",
		       (before + chance_below(&fs->chance, 0, begin - before)) * PAGE, PAGE, r, r->bytes);
	remember_pages(fs, w);
	return n;
}

const struct mutant mutant_hole_exposed = {
	.about = {.name = "hole-exposed",
		  .summary = "a hole that a write behind the end leaves shows what the disk held before",
		  .source = "Linux 3660d0bcdb82 (\"btrfs: fix stale data exposure after cloning a hole with "
			    "NO_HOLES enabled\")"},
	.write = gap_write,
};

/* ---- truncate that zeroes too much */

static int zeroing_truncate(struct fs *fs, struct inode *inode, uint64_t size)
{
	const uint64_t before = size_of(fs, inode), page = size - size % PAGE;
	const int rc = plain_truncate(fs, inode, size);
	unsigned char right[PAGE];
	const struct damage d = {
		.kind = "zeroes",
		.op = "truncate",
		.inode = inode,
		.offset = page,
		.length = size % PAGE,
		.right = right,
		.wrong = zeroes,
	};

	if (rc || size == page || size >= before || !fs_fires(fs))
		return rc;
	if (inode_open(fs, inode)) {
		fs_spare(fs);
		return 0;
	}
	if (bytes_get(inode, right, d.length, page) == 0)
		damage_data(fs, &d);
	else
		fs_spare(fs);
	inode_release(fs, inode);
	return 0;
}

const struct mutant mutant_truncate_zeroes_page = {
	.about = {.name = "truncate-zeroes-page",
		  .summary = "a truncate zeroes all of the page in which the file ends now"},
	.truncate = zeroing_truncate,
};

/* ---- punch, zero, allocate */

/* Bytes that a fallocate must have made (or left) `right`, and didn't. */
static void spoil(struct fs *fs, struct inode *inode, struct damage *d, const char *op)
{
	d->op = op;
	d->inode = inode;
	damage_data(fs, d);
}

/* The part of the first or of the last page of a range. */
static void find_edge(uint64_t offset, uint64_t end, bool last, struct damage *d)
{
	const uint64_t first_end = offset - offset % PAGE + PAGE, last_begin = (end - 1) / PAGE * PAGE;

	d->offset = last && last_begin > offset ? last_begin : offset;
	d->length = (size_t)((last || end < first_end ? end : first_end) - d->offset);
}

/* Zero the range, and let one of its edges be as it was. */
static int keep_edge(struct fs *fs, struct inode *inode, int mode, uint64_t offset, uint64_t length,
		     const char *op, bool last)
{
	const uint64_t size = size_of(fs, inode), end = offset + length < size ? offset + length : size;
	struct damage d = {
		.kind = "stale", .right = zeroes, .request_offset = offset, .request_length = length};
	unsigned char old[PAGE];
	int rc;

	if (offset >= end || !fs_fires(fs))
		return plain_allocate(fs, inode, mode, offset, length);
	find_edge(offset, end, last, &d);
	rc = bytes_get(inode, old, d.length, d.offset);
	if (!rc)
		rc = plain_allocate(fs, inode, mode, offset, length);
	d.wrong = old;
	if (rc)
		fs_spare(fs);
	else
		spoil(fs, inode, &d, op);
	return rc;
}

static int edge_punch(struct fs *fs, struct inode *inode, int mode, uint64_t offset, uint64_t length)
{
	/* The part of a page with which it begins or ends; one that fits pages has no edges. */
	const bool first = offset % PAGE;

	if (!(mode & FALLOC_FL_PUNCH_HOLE) || (!first && (offset + length) % PAGE == 0))
		return plain_allocate(fs, inode, mode, offset, length);
	return keep_edge(fs, inode, mode, offset, length, "punch", !first);
}

const struct mutant mutant_punch_edge = {
	.about = {.name = "punch-edge",
		  .summary = "punching leaves the part of a page at the edge of the hole as it was",
		  .source = "Linux ba06208a1315 (\"ext4: fix xfstests 75, 112, 127 punch hole failure\")"},
	.allocate = edge_punch,
};

static int short_zero(struct fs *fs, struct inode *inode, int mode, uint64_t offset, uint64_t length)
{
	if (!(mode & FALLOC_FL_ZERO_RANGE))
		return plain_allocate(fs, inode, mode, offset, length);
	return keep_edge(fs, inode, mode, offset, length, "zero_range", true);
}

const struct mutant mutant_zero_short = {
	.about = {.name = "zero-range-short", .summary = "zeroing a range leaves its last page as it was"},
	.allocate = short_zero,
};

/* The page behind a hole goes, too. */
static int wide_punch(struct fs *fs, struct inode *inode, int mode, uint64_t offset, uint64_t length)
{
	const uint64_t next = (offset + length + PAGE - 1) / PAGE * PAGE;
	const int rc = plain_allocate(fs, inode, mode, offset, length);
	unsigned char right[PAGE];
	struct damage d = {.kind = "zeroes",
			   .offset = next,
			   .length = PAGE,
			   .right = right,
			   .wrong = zeroes,
			   .request_offset = offset,
			   .request_length = length};

	if (rc || !(mode & FALLOC_FL_PUNCH_HOLE) || next >= size_of(fs, inode) || !fs_fires(fs))
		return rc;
	if (bytes_get(inode, right, PAGE, next) == 0)
		spoil(fs, inode, &d, "punch");
	else
		fs_spare(fs);
	return 0;
}

const struct mutant mutant_punch_wide = {
	.about = {.name = "punch-wide",
		  .summary = "punching a hole takes the page behind it, too",
		  .source = "Linux 6f30b7e37a82 (\"ext4: fix indirect punch hole corruption\")"},
	.allocate = wide_punch,
};

/* Requests after which what was punched shows again. */
#define FORGOTTEN 20

static int returning_punch(struct fs *fs, struct inode *inode, int mode, uint64_t offset, uint64_t length)
{
	const uint64_t page = (offset + PAGE - 1) / PAGE * PAGE;
	unsigned char old[PAGE];
	const struct damage d = {.kind = "stale",
				 .op = "punch",
				 .inode = inode,
				 .offset = page,
				 .length = PAGE,
				 .right = zeroes,
				 .wrong = old,
				 .request_offset = offset,
				 .request_length = length};
	int rc;

	if (!(mode & FALLOC_FL_PUNCH_HOLE) || page + PAGE > offset + length || page >= size_of(fs, inode) ||
	    !fs_fires(fs))
		return plain_allocate(fs, inode, mode, offset, length);
	rc = bytes_get(inode, old, PAGE, page);
	if (!rc)
		rc = plain_allocate(fs, inode, mode, offset, length);
	if (rc || !memcmp(old, zeroes, PAGE))
		fs_spare(fs);
	else
		promise_damage(fs, &d, FORGOTTEN);
	return rc;
}

const struct mutant mutant_hole_old_data = {
	.about = {.name = "hole-old-data",
		  .summary = "a page of a hole shows what was there before it was punched",
		  .source = "Linux 40144e49ff84 (\"xfs: Fix stale data exposure when readahead races with "
			    "hole punch\")"},
	.allocate = returning_punch,
};

/* An allocated page of zeroes that shows another file's. */
static int exposing_allocate(struct fs *fs, struct inode *inode, int mode, uint64_t offset, uint64_t length)
{
	const uint64_t page = (offset + PAGE - 1) / PAGE * PAGE;
	const int rc = plain_allocate(fs, inode, mode, offset, length);
	const struct remembered *r = recall_foreign(fs, inode->id);
	unsigned char there[PAGE];

	if (rc || mode & ~FALLOC_FL_KEEP_SIZE || page + PAGE > offset + length ||
	    page + PAGE > size_of(fs, inode) || !r || bytes_get(inode, there, PAGE, page) ||
	    memcmp(there, zeroes, PAGE) != 0 || !fs_fires(fs))
		return rc;
	expose(fs, inode, "foreign", "fallocate", page, PAGE, r, r->bytes);
	return 0;
}

static ssize_t remembering_write(struct fs *fs, const struct write *w)
{
	remember_pages(fs, w);
	return plain_write(fs, w);
}

const struct mutant mutant_allocate_exposed = {
	.about = {.name = "allocate-exposed",
		  .summary = "an allocated page that was never written shows what the disk held before",
		  .source = "Linux 2cd8bdb5efc1 (\"ext4: mark buffer new if it is unwritten to avoid stale "
			    "data exposure\")"},
	.allocate = exposing_allocate,
	.write = remembering_write,
};
