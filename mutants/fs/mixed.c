// SPDX-License-Identifier: GPL-2.0-or-later
/* Something else arrives than what was written. */
#include <string.h>

#include "mutants/fs/families.h"
#include "mutants/fs/memory.h"
#include "mutants/fs/page.h"

/* ---- pages of other places */

/* Whole pages of what is written, for bugs that mix them up. */
static void remember_pages(struct fs *fs, const struct write *w)
{
	for (uint64_t at = (w->offset + PAGE - 1) / PAGE * PAGE; at + PAGE <= w->offset + w->size; at += PAGE)
		remember(fs, w->inode->id, at, w->data + (at - w->offset));
}

static bool take(struct piece *p, const struct remembered *r)
{
	if (!r)
		return false;
	memcpy(p->after, r->bytes, PAGE);
	p->from = true;
	p->from_offset = r->offset;
	p->from_inode = r->id.number;
	return true;
}

static bool take_foreign(struct fs *fs, const struct write *w, struct piece *p)
{
	return take(p, recall_foreign(fs, w->inode->id));
}

static const struct page_bug foreign = {.kind = "foreign", .whole = true, .alter = take_foreign};

static ssize_t foreign_write(struct fs *fs, const struct write *w)
{
	const ssize_t n = page_write(fs, w, &foreign);

	remember_pages(fs, w);
	return n;
}

const struct mutant mutant_page_foreign = {
	.about = {.name = "page-foreign", .summary = "a page of another file is written"},
	.write = foreign_write,
};

static bool take_elsewhere(struct fs *fs, const struct write *w, struct piece *p)
{
	return take(p, recall_elsewhere(fs, w->inode->id, p->offset));
}

static const struct page_bug elsewhere = {.kind = "foreign", .whole = true, .alter = take_elsewhere};

static ssize_t elsewhere_write(struct fs *fs, const struct write *w)
{
	const ssize_t n = page_write(fs, w, &elsewhere);

	remember_pages(fs, w);
	return n;
}

const struct mutant mutant_page_elsewhere = {
	.about = {.name = "page-elsewhere", .summary = "a page of another place of the same file is written"},
	.write = elsewhere_write,
};

/* ---- wrong bytes */

static bool zero(struct fs *fs, const struct write *w, struct piece *p)
{
	memset(p->after, 0, p->length);
	return true;
}

static const struct page_bug zeroed = {.kind = "zeroes", .alter = zero};

static ssize_t zeroed_write(struct fs *fs, const struct write *w)
{
	return page_write(fs, w, &zeroed);
}

const struct mutant mutant_page_zeroed = {
	.about = {.name = "page-zeroed", .summary = "a page is written as zeroes"},
	.write = zeroed_write,
};

static bool fill_garbage(struct fs *fs, const struct write *w, struct piece *p)
{
	for (size_t i = 0; i < p->length; i++)
		p->after[i] = (unsigned char)chance_number(fs->chance.seed + fs->chance.fired, i);
	return p->length >= 64;
}

static const struct page_bug garbage = {.kind = "garbage", .alter = fill_garbage};

static ssize_t garbage_write(struct fs *fs, const struct write *w)
{
	return page_write(fs, w, &garbage);
}

const struct mutant mutant_page_garbage = {
	.about = {.name = "page-garbage", .summary = "a page is written before it was filled"},
	.write = garbage_write,
};

static bool flip(struct fs *fs, const struct write *w, struct piece *p)
{
	const uint64_t bit = chance_below(&fs->chance, 1, 8 * (uint64_t)p->length);

	p->after[bit / 8] ^= (unsigned char)(1U << bit % 8);
	return true;
}

static const struct page_bug flipped = {.kind = "flipped", .alter = flip};

static ssize_t flipped_write(struct fs *fs, const struct write *w)
{
	return page_write(fs, w, &flipped);
}

const struct mutant mutant_bit_flipped = {
	.about = {.name = "bit-flipped", .summary = "a bit of a page flips above all checksums"},
	.write = flipped_write,
};

/* By 8 bytes: the last ones fall out, the first ones stand twice. */
static bool shift(struct fs *fs, const struct write *w, struct piece *p)
{
	memmove(p->after + 8, p->new, p->length - 8);
	return true;
}

static const struct page_bug shifted = {.kind = "shifted", .whole = true, .alter = shift};

static ssize_t shifted_write(struct fs *fs, const struct write *w)
{
	return page_write(fs, w, &shifted);
}

const struct mutant mutant_page_shifted = {
	.about = {.name = "page-shifted", .summary = "a page is written 8 bytes too late"},
	.write = shifted_write,
};
