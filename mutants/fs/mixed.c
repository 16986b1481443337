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

/* Damage by this write. */
static struct damage damage_by(const struct write *w, const char *kind)
{
	return (struct damage){
		.kind = kind,
		.op = "write",
		.how = how_written(w),
		.inode = w->inode,
		.request_offset = w->offset,
		.request_length = w->size,
	};
}

static void swap(struct fs *fs, const struct write *w, uint64_t first, uint64_t count)
{
	const uint64_t at = first + chance_below(&fs->chance, 0, count - 1) * PAGE;
	const unsigned char *right = w->data + (at - w->offset);
	struct damage d = damage_by(w, "swapped");
	unsigned char wrong[2 * PAGE];

	memcpy(wrong, right + PAGE, PAGE);
	memcpy(wrong + PAGE, right, PAGE);
	d.offset = at;
	d.length = sizeof(wrong);
	d.right = right;
	d.wrong = wrong;
	damage_data(fs, &d);
}

static ssize_t swapped_write(struct fs *fs, const struct write *w)
{
	const uint64_t first = (w->offset + PAGE - 1) / PAGE * PAGE,
		       end = (w->offset + w->size) / PAGE * PAGE;
	const ssize_t n = plain_write(fs, w);

	if (n == (ssize_t)w->size && end >= first + 2 * (uint64_t)PAGE && fs_fires(fs))
		swap(fs, w, first, (end - first) / PAGE);
	return n;
}

const struct mutant mutant_pages_swapped = {
	.about = {.name = "pages-swapped", .summary = "two neighbouring pages of a write change places"},
	.write = swapped_write,
};

/* Where else in the file the page goes: a whole page that the write doesn't touch. False: there is none. */
static bool find_other_place(struct fs *fs, const struct write *w, uint64_t *place)
{
	const uint64_t first = w->offset / PAGE, end = (w->offset + w->size + PAGE - 1) / PAGE;
	struct stat st;
	uint64_t pages;

	if (fstat(w->inode->data, &st))
		return false;
	pages = (uint64_t)st.st_size / PAGE;
	if (pages <= end - first)
		return false;
	*place = chance_below(&fs->chance, 1, pages - (end - first));
	if (*place >= first)
		*place += end - first;
	*place *= PAGE;
	return *place + PAGE <= (uint64_t)st.st_size;
}

static void write_twice(struct fs *fs, const struct write *w)
{
	const uint64_t from = (w->offset + PAGE - 1) / PAGE * PAGE;
	struct damage d = damage_by(w, "duplicate");
	unsigned char right[PAGE];

	if (!find_other_place(fs, w, &d.offset) || bytes_get(w->inode, right, PAGE, d.offset)) {
		fs_spare(fs);
		return;
	}
	d.length = PAGE;
	d.right = right;
	d.wrong = w->data + (from - w->offset);
	d.from = true;
	d.from_offset = from;
	d.from_inode = w->inode->id.number;
	damage_data(fs, &d);
}

static ssize_t twice_write(struct fs *fs, const struct write *w)
{
	const uint64_t from = (w->offset + PAGE - 1) / PAGE * PAGE;
	const ssize_t n = plain_write(fs, w);

	if (n == (ssize_t)w->size && from + PAGE <= w->offset + w->size && fs_fires(fs))
		write_twice(fs, w);
	return n;
}

const struct mutant mutant_page_twice = {
	.about = {.name = "page-twice",
		  .summary = "a page is written where it belongs and to another place of the file"},
	.write = twice_write,
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
	.about = {.name = "page-zeroed",
		  .summary = "a page is written as zeroes",
		  .source = "Linux 304a68b9c63b (\"xfs: use iomap_valid method to detect stale cached "
			    "iomaps\")"},
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
