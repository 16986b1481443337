// SPDX-License-Identifier: GPL-2.0-or-later
/* Copies within the filesystem (copy_file_range), which may share their blocks. FUSE has no clones: this
 * takes their place. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mutants/fs/families.h"
#include "mutants/fs/page.h"

/* ---- off by one block, short */

static struct damage damage_by(const struct copy *c, const char *kind)
{
	return (struct damage){
		.kind = kind,
		.op = "copy_file_range",
		.inode = c->to,
		.request_offset = c->offset_to,
		.request_length = c->length,
	};
}

/* What is `wrong` at `place` in the copy, up to a page of it. */
static void spoil(struct fs *fs, struct damage d, uint64_t place, const unsigned char wrong[PAGE],
		  size_t length)
{
	unsigned char right[PAGE];

	d.offset = place;
	d.length = length;
	d.right = right;
	d.wrong = wrong;
	if (bytes_get(d.inode, right, length, place) == 0)
		damage_data(fs, &d);
	else
		fs_spare(fs);
}

/* A page of the copy, as far as it is one. */
static void choose_page(struct fs *fs, const struct copy *c, size_t copied, uint64_t *at, size_t *length)
{
	const uint64_t pages = (copied + PAGE - 1) / PAGE;

	*at = chance_below(&fs->chance, 0, pages) * PAGE;
	*length = (size_t)(copied - *at < PAGE ? copied - *at : PAGE);
}

static ssize_t shifted_copy(struct fs *fs, const struct copy *c)
{
	const ssize_t n = plain_copy(fs, c);
	struct damage d = damage_by(c, "foreign");
	unsigned char wrong[PAGE];
	size_t length;
	uint64_t at;

	if (n <= 0 || !fs_fires(fs))
		return n;
	choose_page(fs, c, (size_t)n, &at, &length);
	d.from = true;
	d.from_offset = c->offset_from + at + PAGE;
	d.from_inode = c->from->id.number;
	if (bytes_get(c->from, wrong, length, d.from_offset) == 0)
		spoil(fs, d, c->offset_to + at, wrong, length);
	else
		fs_spare(fs);
	return n;
}

const struct mutant mutant_copy_off_by_one = {
	.about = {.name = "copy-off-by-one", .summary = "a page of a copy is taken from one block further"},
	.copy = shifted_copy,
};

static ssize_t short_copy(struct fs *fs, const struct copy *c)
{
	struct damage d = damage_by(c, "lost");
	unsigned char old[PAGE];
	uint64_t last;
	size_t length;
	ssize_t n;

	if (!c->length || !fs_fires(fs))
		return plain_copy(fs, c);
	/* How much is copied is known only afterwards: the page where the request ends stands for its end. */
	last = (c->length - 1) / PAGE * PAGE;
	length = (size_t)(c->length - last);
	n = bytes_get(c->to, old, length, c->offset_to + last) ? -EIO : plain_copy(fs, c);
	if (n == (ssize_t)c->length)
		spoil(fs, d, c->offset_to + last, old, length);
	else
		fs_spare(fs);
	return n;
}

const struct mutant mutant_copy_short = {
	.about = {.name = "copy-short",
		  .summary = "the last page of a copy is not copied, but counted",
		  .source = "OpenZFS issue 15526 (\"some copied files are corrupted (chunks replaced by "
			    "zeros)\")"},
	.copy = short_copy,
};

/* ---- copies that go on sharing after a write */

#define COPIES 64U

struct share {
	struct file_id from, to;
	uint64_t offset_from, offset_to, length; /* 0: the place is free */
};

struct shares {
	unsigned int next;
	struct share share[COPIES];
};

static bool same(struct file_id a, struct file_id b)
{
	return a.device == b.device && a.number == b.number;
}

static ssize_t sharing_copy(struct fs *fs, const struct copy *c)
{
	const ssize_t n = plain_copy(fs, c);
	struct shares *s = fs->state ? fs->state : (fs->state = calloc(1, sizeof(*s)));

	if (n > 0 && s)
		s->share[s->next++ % COPIES] =
			(struct share){c->from->id, c->to->id, c->offset_from, c->offset_to, (uint64_t)n};
	return n;
}

/* Where a write to one of both shows in the other: `w->offset` less this is the place in the share. */
static bool find_other(const struct share *s, const struct write *w, struct file_id *other, uint64_t *here,
		       uint64_t *there)
{
	const bool source = same(s->from, w->inode->id);

	if (!s->length || (!source && !same(s->to, w->inode->id)))
		return false;
	*other = source ? s->to : s->from;
	*here = source ? s->offset_from : s->offset_to;
	*there = source ? s->offset_to : s->offset_from;
	return w->offset < *here + s->length && *here < w->offset + w->size;
}

/* The other file shows what was written to this one, if it still held the same there. One page of it. */
static void share_write(struct fs *fs, const struct write *w, const struct share *s, const unsigned char *old)
{
	uint64_t here = 0, there = 0, begin, end;
	unsigned char right[PAGE];
	struct file_id id = {0};
	struct damage d = {.kind = "foreign", .op = "write", .how = how_written(w)};

	find_other(s, w, &id, &here, &there);
	begin = w->offset > here ? w->offset : here;
	end = w->offset + w->size < here + s->length ? w->offset + w->size : here + s->length;
	d.length = (size_t)(end - begin < PAGE ? end - begin : PAGE);
	d.inode = inode_find(fs, id);
	d.offset = begin - here + there;
	d.right = right;
	d.wrong = w->data + (begin - w->offset);
	d.from = true;
	d.from_offset = begin;
	d.from_inode = w->inode->id.number;
	if (!d.inode || inode_open(fs, d.inode)) {
		fs_spare(fs);
		return;
	}
	if (bytes_get(d.inode, right, d.length, d.offset) == 0 &&
	    memcmp(right, old + (begin - w->offset), d.length) == 0)
		damage_data(fs, &d);
	else
		fs_spare(fs);
	inode_release(fs, d.inode);
}

static const struct share *find_share(struct fs *fs, const struct write *w)
{
	const struct shares *s = fs->state;
	uint64_t here, there;
	struct file_id id;

	for (unsigned int i = 0; s && i < COPIES; i++)
		if (find_other(&s->share[i], w, &id, &here, &there))
			return &s->share[i];
	return NULL;
}

static ssize_t sharing_write(struct fs *fs, const struct write *w)
{
	const struct share *s = find_share(fs, w);
	unsigned char *old;
	ssize_t n;

	if (!s || w->mapped || !fs_fires(fs))
		return plain_write(fs, w);
	old = malloc(w->size);
	n = !old || bytes_get(w->inode, old, w->size, w->offset) ? -EIO : plain_write(fs, w);
	if (n > 0 && n == (ssize_t)w->size)
		share_write(fs, w, s, old);
	else
		fs_spare(fs);
	free(old);
	return n;
}

const struct mutant mutant_copy_shares = {
	.about = {.name = "copy-shares",
		  .summary = "a write to a file shows in the file that was copied from it, or it was copied "
			     "from"},
	.copy = sharing_copy,
	.write = sharing_write,
};
