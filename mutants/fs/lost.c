// SPDX-License-Identifier: GPL-2.0-or-later
/* What is written does not arrive, or not for long: the place shows what was there before. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mutants/fs/families.h"
#include "mutants/fs/memory.h"
#include "mutants/fs/page.h"

static bool keep_old(struct fs *fs, const struct write *w, struct piece *p)
{
	memcpy(p->after, p->old, p->length);
	return true;
}

/* ---- a page that was moved while dirty */

static const struct page_bug dropped = {.kind = "lost", .alter = keep_old};

static ssize_t dropped_write(struct fs *fs, const struct write *w)
{
	return page_write(fs, w, &dropped);
}

const struct mutant mutant_page_dropped = {
	.about = {.name = "page-dropped",
		  .summary = "a dirty page is dropped, as if it had been clean when it was migrated",
		  .source = "Linux f8e6608180a3 (\"btrfs: implement migratepage callback for data pages\"): "
			    "before it dirty data pages were written out to be migrated, and lost"},
	.write = dropped_write,
};

const struct mutant mutant_dirty_lost = {
	.about = {.name = "dirty-lost",
		  .summary = "a dirty page is taken for clean and stays in the cache: right there, wrong on "
			     "disk",
		  .source = "Linux f8e6608180a3 (\"btrfs: implement migratepage callback for data pages\"), "
			    "as page-dropped"},
	.keep_cache = true,
	.write = dropped_write,
};

/* Only the first half of it was copied to its new place. */
static bool keep_second_half(struct fs *fs, const struct write *w, struct piece *p)
{
	const size_t half = p->length / 2;

	memcpy(p->after + half, p->old + half, p->length - half);
	return p->length > 1;
}

static const struct page_bug half = {.kind = "torn", .alter = keep_second_half};

static ssize_t half_write(struct fs *fs, const struct write *w)
{
	return page_write(fs, w, &half);
}

const struct mutant mutant_page_half = {
	.about = {.name = "page-half", .summary = "only the first half of what is written to a page arrives"},
	.write = half_write,
};

/* ---- writeback */

/* Requests between the write that is overtaken and the old version that overtakes it. */
#define WRITEBACK 12

static const struct page_bug reverted = {.kind = "stale", .later = WRITEBACK, .alter = keep_old};

static ssize_t reverted_write(struct fs *fs, const struct write *w)
{
	return page_write(fs, w, &reverted);
}

const struct mutant mutant_page_reverted = {
	.about = {.name = "page-reverted",
		  .summary = "an older version of a page is written back after a newer one"},
	.write = reverted_write,
};

static ssize_t direct_reverted_write(struct fs *fs, const struct write *w)
{
	return w->direct ? page_write(fs, w, &reverted) : plain_write(fs, w);
}

const struct mutant mutant_direct_reverted = {
	.about = {.name = "direct-reverted",
		  .summary = "what the page cache still held is written back over a direct write"},
	.write = direct_reverted_write,
};

/* Requests for which a page that was written is on its way to disk. */
#define ON_ITS_WAY 500

static bool is_on_its_way(const struct fs *fs, const struct write *w, uint64_t offset)
{
	const struct remembered *r = recall(fs, w->inode->id, offset - offset % PAGE);

	return r && r->request + ON_ITS_WAY >= fs->request;
}

static bool lose_rewrite(struct fs *fs, const struct write *w, struct piece *p)
{
	return is_on_its_way(fs, w, p->offset) && keep_old(fs, w, p);
}

static const struct page_bug rewrite = {.kind = "lost", .alter = lose_rewrite};

/* The first and the last page stand for all. */
static ssize_t rewrite_write(struct fs *fs, const struct write *w)
{
	static const unsigned char nothing[PAGE];
	const uint64_t last = w->offset + w->size - 1;
	const bool again = is_on_its_way(fs, w, w->offset) || is_on_its_way(fs, w, last);
	const ssize_t n = again ? page_write(fs, w, &rewrite) : plain_write(fs, w);

	remember(fs, w->inode->id, w->offset - w->offset % PAGE, nothing);
	remember(fs, w->inode->id, last - last % PAGE, nothing);
	return n;
}

const struct mutant mutant_rewrite_lost = {
	.about = {.name = "rewrite-lost",
		  .summary = "a page that is written again while it is under writeback: the second write is "
			     "lost",
		  .source = "OpenZFS pull request 16019 (\"Fix corruption caused by mmap flushing "
			    "problems\"): dirty pages that were under writeback were skipped"},
	.write = rewrite_write,
};

/* ---- whole requests */

static bool lose_tail(struct fs *fs, const struct write *w, struct piece *p)
{
	const uint64_t end = w->offset + w->size;

	return p->offset + p->length == end && keep_old(fs, w, p);
}

static const struct page_bug tail = {.kind = "lost", .alter = lose_tail};

static ssize_t tail_write(struct fs *fs, const struct write *w)
{
	return w->size <= PAGE ? plain_write(fs, w) : page_write(fs, w, &tail);
}

const struct mutant mutant_tail_lost = {
	.about = {.name = "tail-lost",
		  .summary = "a short write is answered as if all had been written: the last page is missing",
		  .source = "Linux b73a6fd1b1ef (\"btrfs: split partial dio bios before submit\"): direct "
			    "writes that were done in part"},
	.write = tail_write,
};

/* The size is already what the write made it: only the data is not. */
static void swallow(struct fs *fs, const struct write *w, const unsigned char *old)
{
	const struct damage d = {
		.kind = "lost",
		.op = "write",
		.how = how_written(w),
		.inode = w->inode,
		.offset = w->offset,
		.length = w->size,
		.right = w->data,
		.wrong = old,
		.request_offset = w->offset,
		.request_length = w->size,
	};

	damage_data(fs, &d);
}

static ssize_t swallowed_write(struct fs *fs, const struct write *w)
{
	unsigned char *old;
	ssize_t n;

	if (!w->size || !fs_fires(fs))
		return plain_write(fs, w);
	old = malloc(w->size);
	n = old && bytes_get(w->inode, old, w->size, w->offset) == 0 ? plain_write(fs, w) : -EIO;
	if (n == (ssize_t)w->size)
		swallow(fs, w, old);
	else
		fs_spare(fs);
	free(old);
	return n;
}

const struct mutant mutant_error_swallowed = {
	.about = {.name = "error-swallowed",
		  .summary = "writing fails, and the error is answered as success: nothing of the request "
			     "arrives",
		  .source = "Linux 5660e13d2fd6 (\"fs: new infrastructure for writeback error handling and "
			    "reporting\")"},
	.write = swallowed_write,
};

/* ---- mapped stores */

static ssize_t mmap_lost_write(struct fs *fs, const struct write *w)
{
	return w->mapped ? page_write(fs, w, &dropped) : plain_write(fs, w);
}

const struct mutant mutant_mmap_lost = {
	.about = {.name = "mmap-lost",
		  .summary = "a mapped page that is dirty is taken for clean: its stores are lost",
		  .source = "Linux 7658cc289288 (\"VM: Fix nasty and subtle race in shared mmap'ed page "
			    "writeback\")"},
	.write = mmap_lost_write,
};

static ssize_t mmap_half_write(struct fs *fs, const struct write *w)
{
	return w->mapped ? page_write(fs, w, &half) : plain_write(fs, w);
}

const struct mutant mutant_mmap_half = {
	.about = {.name = "mmap-half", .summary = "of a mapped page only the first half is written back"},
	.write = mmap_half_write,
};
