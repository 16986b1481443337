// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/device/spoil.h"

#include <string.h>

#include "mutants/device/mutant.h"

/* The ranges that a firing made wrong, at most so many, stand in the truth. */
#define RANGES 64

/* First and last byte that differ: [*first, *end). False: none does. */
static bool differ(const unsigned char *a, const unsigned char *b, size_t length, size_t *first, size_t *end)
{
	*first = 0;
	*end = length;
	while (*first < *end && a[*first] == b[*first])
		++*first;
	while (*end > *first && a[*end - 1] == b[*end - 1])
		--*end;
	return *end > *first;
}

static size_t count_zeroes(const unsigned char *bytes, size_t length)
{
	size_t n = 0;

	for (size_t i = 0; i < length; i++)
		n += bytes[i] == 0;
	return n;
}

static json_int_t sum(uint64_t offset, size_t more)
{
	return (json_int_t)offset + (json_int_t)more;
}

/* What fired, cut to the bytes that it made wrong; how many of them are zero now, and how many should be. */
static json_t *describe(const struct spoil *s, size_t first, size_t end)
{
	json_t *more = json_pack("{s:I, s:I, s:I, s:I}", "offset", sum(s->offset, first), "length",
				 (json_int_t)(end - first), "zeroes",
				 (json_int_t)count_zeroes(s->made + first, end - first), "right_zeroes",
				 (json_int_t)count_zeroes(s->right + first, end - first));

	if (s->from != NOWHERE)
		json_object_set_new(more, "from_offset", json_integer(sum(s->from, first)));
	return more;
}

/* The sectors that are wrong: [[offset, length], ...]. */
static json_t *ranges(const struct damage *found)
{
	json_t *all = json_array();

	for (size_t i = 0; i < found->count && i < RANGES; i++)
		json_array_append_new(all, json_pack("[I, I]", (json_int_t)found->wrong[i].offset,
						     (json_int_t)found->wrong[i].length));
	return all;
}

static json_t *ranges_of(uint64_t offset, const unsigned char *should, const unsigned char *is, size_t length)
{
	struct damage found = {0};
	json_t *all;

	damage_compare(&found, 0, offset, should, is, length);
	all = ranges(&found);
	damage_free(&found);
	return all;
}

ssize_t spoil_read(struct device *d, struct attempt *a, void *data)
{
	unsigned char *answer = data;
	const struct request *r = a->request;
	struct spoil s = {d, &a->would, a->offset, a->length, NULL, d->old, d->made, NOWHERE, NOWHERE};
	size_t first, end;
	json_t *more;
	int err = image_load(d, answer, r->length, r->offset);

	if (err)
		return err;
	memcpy(d->old, answer + (a->offset - r->offset), a->length);
	memcpy(d->made, d->old, a->length);
	s.old = d->old;
	if (!d->mutant->spoil(&s) || !differ(s.made, s.right, s.length, &first, &end))
		return NOT_NOW;
	memcpy(answer + (a->offset - r->offset), s.made, s.length);
	more = describe(&s, first, end);
	json_object_set_new(more, "damage", ranges_of(s.offset, s.right, s.made, s.length));
	device_fired(d, a, more);
	return (ssize_t)r->length;
}

/* Store made[] where it is other than what is there. */
static int store_changes(struct device *d, const struct spoil *s)
{
	struct damage changes = {0};
	int err = 0;

	damage_compare(&changes, 0, s->offset, s->old, s->made, s->length);
	for (size_t i = 0; i < changes.count && !err; i++) {
		const struct wrong *w = &changes.wrong[i];
		uint64_t from = w->offset - w->offset % SECTOR;
		uint64_t to = w->offset + w->length + SECTOR - 1;

		to -= to % SECTOR;
		from = from > s->offset ? from : s->offset;
		to = to < s->offset + s->length ? to : s->offset + s->length;
		err = image_store(d, s->made + (from - s->offset), (size_t)(to - from), from);
	}
	damage_free(&changes);
	return err;
}

int store_rest(struct device *d, const struct attempt *a)
{
	const struct request *r = a->request;
	const uint64_t end = a->offset + a->length, r_end = r->offset + r->length;
	int err = 0;

	if (a->offset > r->offset)
		err = image_store(d, r->data, (size_t)(a->offset - r->offset), r->offset);
	if (!err && r_end > end)
		err = image_store(d, r->data + (end - r->offset), (size_t)(r_end - end), end);
	return err;
}

/* Let the content land elsewhere, too. What was there is in d->old, which s->old is no longer needed for. */
static int land(struct device *d, const struct spoil *s)
{
	int err = image_load(d, d->old, s->length, s->landing);

	return err ? err : image_store(d, s->right, s->length, s->landing);
}

/* What the landing made wrong. */
static json_t *describe_landing(const struct device *d, const struct spoil *s)
{
	size_t first, end;
	uint64_t ignored;

	differ(d->old, s->right, s->length, &first, &end);
	return json_pack("{s:s, s:I, s:I, s:I, s:s, s:o}", "kind", d->mutant->kind_landing, "offset",
			 sum(s->landing, first), "length", (json_int_t)(end - first), "from_offset",
			 sum(s->offset, first), "region",
			 regions_name(regions_at(&d->regions, s->landing, &ignored)), "damage",
			 ranges_of(s->landing, d->old, s->right, s->length));
}

/* Write down what has been stored, for the truth and for the ledger of what is wrong. */
static void report_write(struct device *d, struct attempt *a, const struct spoil *s)
{
	size_t first, end;
	uint64_t firing;
	json_t *more;

	if (differ(s->made, s->right, s->length, &first, &end)) {
		more = describe(s, first, end);
		json_object_set_new(more, "damage", ranges_of(s->offset, s->right, s->made, s->length));
		if (s->landing != NOWHERE)
			json_object_set_new(more, "other", describe_landing(d, s));
	} else {
		more = describe_landing(d, s);
	}
	json_object_set_new(more, "persistent", json_true());
	firing = device_fired(d, a, more);
	damage_compare(&d->damage, firing, s->offset, s->right, s->made, s->length);
	if (s->landing != NOWHERE)
		damage_compare(&d->damage, firing, s->landing, d->old, s->right, s->length);
}

ssize_t spoil_write(struct device *d, struct attempt *a)
{
	const struct request *r = a->request;
	const unsigned char *right = r->data + (a->offset - r->offset);
	struct spoil s = {d, &a->would, a->offset, a->length, d->old, right, d->made, NOWHERE, NOWHERE};
	int err = image_load(d, d->old, a->length, a->offset);

	if (err)
		return err;
	memcpy(d->made, right, a->length);
	if (!d->mutant->spoil(&s) || (!memcmp(s.made, right, s.length) && s.landing == NOWHERE))
		return NOT_NOW;
	err = store_changes(d, &s);
	err = err ? err : store_rest(d, a);
	err = err || s.landing == NOWHERE ? err : land(d, &s);
	if (err)
		return err;
	device_healed(d, r->offset, r->length, "written again");
	report_write(d, a, &s);
	return (ssize_t)r->length;
}

bool spoil_pieces(struct spoil *s, size_t size, void (*one)(struct spoil *s, size_t at, size_t length))
{
	size_t first = (size_t)((size - s->offset % size) % size), count, start;

	if (first + size > s->length)
		first = 0; /* no whole piece at its natural place */
	count = s->length < size ? 1 : (s->length - first) / size;
	start = (size_t)chance_below(s->chance, 0, count);
	for (size_t i = 0; i < count; i++) {
		const size_t at = first + (start + i) % count * size;
		const size_t length = s->length - at < size ? s->length - at : size;

		one(s, at, length);
		if (memcmp(s->made + at, s->right + at, length) != 0)
			return true;
	}
	return false;
}
