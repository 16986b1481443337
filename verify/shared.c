/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/shared.h"

#include <stdlib.h>
#include <string.h>

#include "src/model/stripes.h"

bool shared_unsure(const struct verification *v, uint32_t object)
{
	struct object o;

	for (size_t i = 0; i < v->view_count; i++) {
		if (view_object(v->views[i], object, &o) && o.flags & OBJECT_UNSURE)
			return true;
	}
	return false;
}

/* A worker's part of a block; false when its model is damaged there. */
static bool entry_of(const struct model_view *view, uint32_t object, uint64_t block, struct block_entry *out)
{
	struct object o;

	return view_object(view, object, &o) && view_blocks(view, &o, block, 1, out) == 1;
}

/* Nobody writes the bytes of another, and where nobody wrote there are zeroes. */
bool shared_regenerate(const struct verification *v, uint32_t object, uint64_t block, unsigned char *buf)
{
	unsigned char part[BLOCK_SIZE];
	struct block_entry entry;

	memset(buf, 0, BLOCK_SIZE);
	for (size_t i = 0; i < v->view_count; i++) {
		if (!entry_of(v->views[i], object, block, &entry))
			return false;
		if (!entry.writer)
			continue;
		view_regenerate(v->views[i], object, block, &entry, part);
		for (size_t k = 0; k < BLOCK_SIZE; k++)
			buf[k] |= part[k];
	}
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct fragment *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

size_t shared_fragments(const struct verification *v, uint32_t object, uint64_t block, struct fragment *out,
			size_t room)
{
	struct block_entry entry;
	size_t count = 0;

	for (size_t i = 0; i < v->view_count && count < room; i++) {
		if (entry_of(v->views[i], object, block, &entry))
			count += view_fragments(v->views[i], object, &entry, out + count, room - count);
	}
	qsort(out, count, sizeof(*out), by_start);
	return count;
}

struct subject shared_owner(const struct verification *v, uint32_t object, uint64_t offset)
{
	const uint32_t owner =
		stripes_owner(object - OBJECT_FIRST_SHARED_FILE, offset, (uint32_t)v->view_count);
	struct subject s = {v->views[owner], object, NAME_NONE};
	struct object o;

	if (view_object(s.view, object, &o))
		s.name = o.first_name;
	return s;
}

void shared_compare(struct check *c, struct file *file, uint64_t first, uint64_t count,
		    const unsigned char *buf)
{
	unsigned char expected[BLOCK_SIZE];

	for (uint64_t i = 0; i < count; i++) {
		const unsigned char *block = buf + i * BLOCK_SIZE;
		struct block_entry entry = {0};

		if (!shared_regenerate(c->v, file->subject.object, first + i, expected)) {
			check_harness(c, &file->subject, "the block map of object");
			continue;
		}
		if (memcmp(block, expected, BLOCK_SIZE) == 0)
			continue;
		entry.hash = content_hash(expected);
		file_note(file, first + i, &entry, block, 0);
	}
	c->v->counters->blocks += count;
}
