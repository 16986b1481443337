// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/fs/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mutants/fs/promise.h"

/* Pieces of one write that are tried, from a random one on, until one can be hit. */
#define TRIES 8U

static uint64_t piece_count(const struct write *w)
{
	return (w->offset + w->size - 1) / PAGE - w->offset / PAGE + 1;
}

/* Where piece `n` lies. */
static void piece_place(const struct write *w, uint64_t n, struct piece *p)
{
	const uint64_t page = (w->offset / PAGE + n) * PAGE, end = w->offset + w->size;

	p->offset = page > w->offset ? page : w->offset;
	p->length = (size_t)((page + PAGE < end ? page + PAGE : end) - p->offset);
	p->new = w->data + (p->offset - w->offset);
}

static void spoil(struct fs *fs, const struct write *w, const struct page_bug *bug, const struct piece *p)
{
	const struct damage d = {
		.kind = bug->kind,
		.op = "write",
		.how = how_written(w),
		.inode = w->inode,
		.offset = p->offset,
		.length = p->length,
		.right = p->new,
		.wrong = p->after,
		.request_offset = w->offset,
		.request_length = w->size,
		.overlay = bug->overlay,
		.from = p->from,
		.from_offset = p->from_offset,
		.from_inode = p->from_inode,
	};

	if (bug->later)
		promise_damage(fs, &d, bug->later);
	else
		damage_data(fs, &d);
}

/* Choose a piece in which the bug makes a difference. `old` is what was there before the write. */
static bool choose(struct fs *fs, const struct write *w, const struct page_bug *bug, const unsigned char *old,
		   struct piece *p, unsigned char after[PAGE])
{
	const uint64_t count = piece_count(w), first = chance_below(&fs->chance, 0, count);

	for (uint64_t i = 0; i < count && i < TRIES; i++) {
		*p = (struct piece){.after = after};
		piece_place(w, (first + i) % count, p);
		if (bug->whole && p->length < PAGE)
			continue;
		p->old = old + (p->offset - w->offset);
		memcpy(after, p->new, p->length);
		if (bug->alter(fs, w, p) && memcmp(after, p->new, p->length) != 0)
			return true;
	}
	return false;
}

ssize_t page_write(struct fs *fs, const struct write *w, const struct page_bug *bug)
{
	unsigned char after[PAGE], *old;
	struct piece p;
	ssize_t n;

	if (!w->size || !fs_fires(fs))
		return plain_write(fs, w);
	old = malloc(w->size);
	n = old && bytes_get(w->inode, old, w->size, w->offset) == 0 ? plain_write(fs, w) : -EIO;
	if (n == (ssize_t)w->size && choose(fs, w, bug, old, &p, after))
		spoil(fs, w, bug, &p);
	else
		fs_spare(fs);
	free(old);
	return n;
}
