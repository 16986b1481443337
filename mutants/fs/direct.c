// SPDX-License-Identifier: GPL-2.0-or-later
/* Direct and buffered I/O of one file that disagree. */
#include <string.h>

#include "mutants/fs/families.h"
#include "mutants/fs/memory.h"
#include "mutants/fs/page.h"

/* Pages of one write of which the old content is remembered. */
#define REMEMBERED_MAX 16

/* ---- direct reads that see what was there before */

static void remember_old(struct fs *fs, const struct write *w)
{
	const uint64_t end = w->offset + w->size;
	unsigned char old[PAGE];
	int n = 0;

	for (uint64_t at = w->offset - w->offset % PAGE; at < end && n < REMEMBERED_MAX; at += PAGE, n++)
		if (bytes_get(w->inode, old, PAGE, at) == 0)
			remember(fs, w->inode->id, at, old);
}

static ssize_t remembering_write(struct fs *fs, const struct write *w)
{
	if (!w->direct)
		remember_old(fs, w);
	return plain_write(fs, w);
}

/* The first whole page of the answer that was another before. */
static const struct remembered *find_older(const struct fs *fs, const struct read *r, size_t length)
{
	for (uint64_t at = (r->offset + PAGE - 1) / PAGE * PAGE; at + PAGE <= r->offset + length;
	     at += PAGE) {
		const struct remembered *old = recall(fs, r->inode->id, at);

		if (old && memcmp(old->bytes, r->data + (at - r->offset), PAGE) != 0)
			return old;
	}
	return NULL;
}

static void answer_older(struct fs *fs, const struct read *r, const struct remembered *old)
{
	unsigned char right[PAGE];
	const struct damage d = {
		.kind = "stale",
		.op = "read",
		.how = "direct",
		.inode = r->inode,
		.offset = old->offset,
		.length = PAGE,
		.right = right,
		.wrong = old->bytes,
		.request_offset = r->offset,
		.request_length = r->size,
		.answer = true,
	};

	memcpy(right, r->data + (old->offset - r->offset), PAGE);
	memcpy(r->data + (old->offset - r->offset), old->bytes, PAGE);
	damage_data(fs, &d);
}

static ssize_t stale_read(struct fs *fs, const struct read *r)
{
	const ssize_t n = plain_read(fs, r);
	const struct remembered *old = n > 0 && r->direct ? find_older(fs, r, (size_t)n) : NULL;

	if (old && fs_fires(fs))
		answer_older(fs, r, old);
	return n;
}

const struct mutant mutant_direct_read_stale = {
	.about = {.name = "direct-read-stale",
		  .summary = "a direct read does not see what was written through the cache before, once"},
	.write = remembering_write,
	.read = stale_read,
};

/* ---- buffered reads that don't see a direct write */

static bool keep_old(struct fs *fs, const struct write *w, struct piece *p)
{
	memcpy(p->after, p->old, p->length);
	return true;
}

static const struct page_bug unseen = {.kind = "stale", .overlay = true, .alter = keep_old};

static ssize_t unseen_write(struct fs *fs, const struct write *w)
{
	return w->direct ? page_write(fs, w, &unseen) : plain_write(fs, w);
}

const struct mutant mutant_direct_unseen = {
	.about = {.name = "direct-unseen",
		  .summary =
			  "a direct write leaves the old page in the cache: buffered reads go on seeing it",
		  .source = "Linux 332391a9935d (\"fs: Fix page cache inconsistency when mixing buffered and "
			    "AIO DIO\")"},
	.write = unseen_write,
};
