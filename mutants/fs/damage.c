// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/fs/damage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mutants/fs/wound.h"

const char *how_written(const struct write *w)
{
	return w->mapped ? "mapped" : w->direct ? "direct" : "buffered";
}

/* What every firing says of a file: path, inode. */
static json_t *place_of(struct fs *fs, const char *kind, const char *op, struct inode *inode)
{
	char *path = inode_path(fs, inode->id);
	json_t *line = json_pack("{s:s, s:s, s:s?, s:I}", "kind", kind, "op", op, "path", path, "inode",
				 (json_int_t)inode->id.number);

	free(path);
	return line;
}

static void tell(struct fs *fs, json_t *line, json_t *more)
{
	if (more)
		json_object_update(line, more);
	json_decref(more);
	truth_write(&fs->truth, "fired", fs->chance.fired, line);
}

static bool is_zero(const unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i])
			return false;
	return true;
}

static size_t differing(const struct damage *d, size_t from, size_t to)
{
	size_t n = 0;

	for (size_t i = from; i < to; i++)
		n += d->right[i] != d->wrong[i];
	return n;
}

static void tell_bytes(struct fs *fs, const struct damage *d, size_t from, size_t to)
{
	json_t *line = place_of(fs, d->kind, d->op, d->inode);
	json_t *more =
		json_pack("{s:I, s:I, s:I, s:b, s:b}", "offset", (json_int_t)d->offset + (json_int_t)from,
			  "length", (json_int_t)(to - from), "differing", (json_int_t)differing(d, from, to),
			  "persistent", !d->answer, "zeroes", is_zero(d->wrong + from, to - from));

	if (d->request_length)
		json_object_set_new(more, "request",
				    json_pack("{s:I, s:I}", "offset", (json_int_t)d->request_offset, "length",
					      (json_int_t)d->request_length));
	if (d->how)
		json_object_set_new(more, "how", json_string(d->how));
	if (d->overlay)
		json_object_set_new(more, "seen_by", json_string("buffered"));
	if (d->from)
		json_object_set_new(more, "from_offset",
				    json_integer((json_int_t)d->from_offset + (json_int_t)from));
	if (d->from_inode)
		json_object_set_new(more, "from_inode", json_integer((json_int_t)d->from_inode));
	if (d->more)
		json_object_update(more, d->more);
	json_decref(d->more);
	tell(fs, line, more);
}

/* False when it can't be done. */
static bool put(const struct damage *d, size_t from, size_t to)
{
	return d->overlay || d->answer || d->done ||
	       bytes_put(d->inode, d->wrong + from, to - from, d->offset + from) == 0;
}

bool damage_data(struct fs *fs, const struct damage *d)
{
	size_t from = 0, to = d->length;
	struct wound_bytes wound;

	while (from < to && d->right[from] == d->wrong[from])
		from++;
	while (from < to && d->right[to - 1] == d->wrong[to - 1])
		to--;
	if (from == to || !put(d, from, to)) {
		json_decref(d->more);
		fs_spare(fs);
		return false;
	}
	tell_bytes(fs, d, from, to);
	wound = (struct wound_bytes){
		.number = fs->chance.fired,
		.offset = d->offset + from,
		.length = to - from,
		.right = d->right + from,
		.bad = d->wrong + from,
		.overlay = d->overlay,
	};
	if (!d->answer)
		wound_bytes(fs, d->inode->id, &wound);
	return true;
}

void damage_attribute(struct fs *fs, const char *kind, const char *op, struct inode *inode, const char *name,
		      json_t *expected, json_t *actual, bool lasting)
{
	json_t *more = json_pack("{s:s, s:o*, s:o*, s:b}", "name", name, "expected", expected, "actual",
				 actual, "persistent", lasting);

	tell(fs, place_of(fs, kind, op, inode), more);
	if (lasting)
		wound_named(fs, inode->id, fs->chance.fired, name, 0);
}

void damage_name(struct fs *fs, const char *kind, const char *op, struct inode *parent, const char *name,
		 json_t *more, bool lasting)
{
	char *path = inode_path_of(fs, parent, name), wound[300];

	snprintf(wound, sizeof(wound), "name %s", name);
	tell(fs,
	     json_pack("{s:s, s:s, s:s?, s:b}", "kind", kind, "op", op, "path", path, "persistent", lasting),
	     more);
	if (lasting)
		wound_named(fs, parent->id, fs->chance.fired, wound, 0);
	free(path);
}

void damage_size(struct fs *fs, const char *op, struct inode *inode, uint64_t expected, uint64_t actual)
{
	damage_attribute(fs, "attribute", op, inode, "size", json_integer((json_int_t)expected),
			 json_integer((json_int_t)actual), false);
	wound_named(fs, inode->id, fs->chance.fired, "size", expected);
}

void damage_answer(struct fs *fs, const char *kind, const char *op, struct inode *inode, json_t *more)
{
	tell(fs, place_of(fs, kind, op, inode), more);
}
