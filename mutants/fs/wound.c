// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/fs/wound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mutants/fs/inode.h"

/* Of mapped bytes it is judged by pieces of this length whether they are new: single ones are equal by
 * chance. */
#define GRAIN 64U

struct wound {
	uint64_t number;
	struct file_id id;
	char *name;        /* NULL: bytes */
	uint64_t expected; /* with name "size" */
	uint64_t offset;
	size_t length;
	bool overlay;
	unsigned char *wrong; /* which bytes still are */
	unsigned char *bad;
	struct wound *next;
};

static bool is_of(const struct wound *w, struct file_id id)
{
	return w->id.device == id.device && w->id.number == id.number;
}

static void free_one(struct wound *w)
{
	free(w->name);
	free(w->wrong);
	free(w->bad);
	free(w);
}

void wounds_free(struct fs *fs)
{
	while (fs->wounds) {
		struct wound *w = fs->wounds;

		fs->wounds = w->next;
		free_one(w);
	}
}

static struct wound *add(struct fs *fs, struct file_id id, uint64_t number)
{
	struct wound *w = calloc(1, sizeof(*w));

	if (!w)
		abort(); /* without its truth a mutant proves nothing */
	*w = (struct wound){.number = number, .id = id, .next = fs->wounds};
	fs->wounds = w;
	return w;
}

void wound_bytes(struct fs *fs, struct file_id id, const struct wound_bytes *b)
{
	struct wound *w = add(fs, id, b->number);

	w->offset = b->offset;
	w->length = b->length;
	w->overlay = b->overlay;
	w->wrong = calloc(b->length, sizeof(*w->wrong));
	w->bad = malloc(b->length);
	if (!w->wrong || !w->bad)
		abort();
	memcpy(w->bad, b->bad, b->length);
	for (size_t i = 0; i < b->length; i++)
		w->wrong[i] = b->bad[i] != b->right[i];
}

void wound_named(struct fs *fs, struct file_id id, uint64_t number, const char *name, uint64_t expected)
{
	struct wound *w = add(fs, id, number);

	w->expected = expected;
	w->name = strdup(name);
	if (!w->name)
		abort();
}

/* Take *at out of the list. The firing is gone with its last wound. */
static void heal(struct fs *fs, struct wound **at, const char *why)
{
	struct wound *healed = *at;

	*at = healed->next;
	for (struct wound *w = fs->wounds; w; w = w->next)
		if (w->number == healed->number)
			why = NULL;
	if (why)
		truth_write(&fs->truth, "gone", healed->number, json_pack("{s:s}", "why", why));
	free_one(healed);
}

static bool is_healed(const struct wound *w)
{
	return !w->name && !memchr(w->wrong, 1, w->length);
}

static void heal_all(struct fs *fs, const char *why)
{
	for (struct wound **at = &fs->wounds; *at;) {
		if (is_healed(*at))
			heal(fs, at, why);
		else
			at = &(*at)->next;
	}
}

/* The part [*from, *to) of the wound, counted in it, that lies in the range. */
static bool overlaps(const struct wound *w, uint64_t offset, uint64_t end, size_t *from, size_t *to)
{
	const uint64_t first = offset > w->offset ? offset : w->offset;
	const uint64_t last = end < w->offset + w->length ? end : w->offset + w->length;

	if (w->name || first >= last)
		return false;
	*from = (size_t)(first - w->offset);
	*to = (size_t)(last - w->offset);
	return true;
}

/* `data` stands for byte `from` of the wound. */
static void keep_equal(struct wound *w, size_t from, size_t to, const unsigned char *data)
{
	for (size_t at = from; at < to; at += GRAIN) {
		const size_t end = at + GRAIN < to ? at + GRAIN : to;
		size_t wrong = 0, equal = 0;

		for (size_t i = at; i < end; i++) {
			wrong += w->wrong[i];
			equal += w->wrong[i] && data[i - from] == w->bad[i];
		}
		for (size_t i = at; i < end; i++)
			w->wrong[i] = w->wrong[i] && 2 * equal >= wrong && data[i - from] == w->bad[i];
	}
	w->overlay = false; /* what is left of it now stands in the file */
}

void wounds_written(struct fs *fs, struct file_id id, uint64_t offset, const unsigned char *data,
		    size_t length, bool mapped)
{
	size_t from, to;
	bool any = false;

	for (struct wound *w = fs->wounds; w; w = w->next) {
		if (!is_of(w, id) || !overlaps(w, offset, offset + length, &from, &to))
			continue;
		if (mapped)
			keep_equal(w, from, to, data + (w->offset + from - offset));
		else
			memset(w->wrong + from, 0, to - from);
		any = true;
	}
	if (any)
		heal_all(fs, "written again");
}

void wounds_cut(struct fs *fs, struct file_id id, uint64_t size)
{
	size_t from, to;
	bool any = false;

	for (struct wound *w = fs->wounds; w; w = w->next) {
		if (!is_of(w, id) || !overlaps(w, size, UINT64_MAX, &from, &to))
			continue;
		memset(w->wrong + from, 0, to - from);
		any = true;
	}
	if (any)
		heal_all(fs, "cut off");
}

void wounds_set(struct fs *fs, struct file_id id, const char *name)
{
	for (struct wound **at = &fs->wounds; *at;) {
		if (is_of(*at, id) && (*at)->name && !strcmp((*at)->name, name))
			heal(fs, at, "set again");
		else
			at = &(*at)->next;
	}
}

void wounds_sized(struct fs *fs, struct file_id id, uint64_t size)
{
	for (struct wound **at = &fs->wounds; *at;) {
		if (is_of(*at, id) && (*at)->name && !strcmp((*at)->name, "size") && size >= (*at)->expected)
			heal(fs, at, "written up to its end");
		else
			at = &(*at)->next;
	}
}

void wounds_lost(struct fs *fs, struct file_id id, const char *why)
{
	for (struct wound **at = &fs->wounds; *at;) {
		if (is_of(*at, id))
			heal(fs, at, why);
		else
			at = &(*at)->next;
	}
}

/* ---- what spreads, what is shown */

static void tell_spread(struct fs *fs, const struct wound *w)
{
	char *path = inode_path(fs, w->id);

	truth_write(&fs->truth, "spread", w->number,
		    json_pack("{s:s?, s:I, s:I, s:I}", "path", path, "inode", (json_int_t)w->id.number,
			      "offset", (json_int_t)w->offset, "length", (json_int_t)w->length));
	free(path);
}

void wounds_copied(struct fs *fs, struct file_id from, uint64_t offset, struct file_id to, uint64_t offset_to,
		   size_t length)
{
	size_t first, last;

	for (struct wound *w = fs->wounds; w; w = w->next) {
		struct wound *copy;

		if (!is_of(w, from) || w->overlay || !overlaps(w, offset, offset + length, &first, &last) ||
		    !memchr(w->wrong + first, 1, last - first))
			continue;
		copy = add(fs, to, w->number);
		copy->offset = w->offset + first - offset + offset_to;
		copy->length = last - first;
		copy->wrong = malloc(copy->length * sizeof(*copy->wrong));
		copy->bad = malloc(copy->length);
		if (!copy->wrong || !copy->bad)
			abort();
		memcpy(copy->wrong, w->wrong + first, copy->length * sizeof(*copy->wrong));
		memcpy(copy->bad, w->bad + first, copy->length);
		tell_spread(fs, copy);
	}
}

bool wounds_touch(const struct fs *fs, struct file_id id, uint64_t offset, size_t length)
{
	size_t from, to;

	for (const struct wound *w = fs->wounds; w; w = w->next)
		if (is_of(w, id) && overlaps(w, offset, offset + length, &from, &to))
			return true;
	return false;
}

void wounds_show(const struct fs *fs, struct file_id id, unsigned char *data, uint64_t offset, size_t length)
{
	size_t from, to;

	for (const struct wound *w = fs->wounds; w; w = w->next) {
		if (!w->overlay || !is_of(w, id) || !overlaps(w, offset, offset + length, &from, &to))
			continue;
		for (size_t i = from; i < to; i++)
			if (w->wrong[i])
				data[w->offset + i - offset] = w->bad[i];
	}
}
