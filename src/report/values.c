/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attributes that were found wrong: the values that they had, one after the other, from the journal. Is the
 * one that was found among them, who gave it and who took it away? If it isn't, and the journal has all that
 * was done to the object, it was never ours.
 */
#include <stdlib.h>
#include <string.h>

#include "src/content/hash.h"
#include "src/ops/table.h"
#include "src/report/story.h"

/* The kernel's coarse clock, of which it takes timestamps, lags behind by up to so much (HZ is 100 at least);
 * and the journal counts on another clock than the files do, which may drift by so many parts of the time
 * since the run's start (the kernel slews by 500 ppm at most). */
#define LAG        (11 * NSEC_PER_MSEC)
#define DRIFT_PART 2000

#define NEVER_FITS UINT64_MAX

/* ---- taking findings in */

static bool same_value(const struct attribute_seen *a, const struct attribute_seen *b)
{
	return a->which == b->which && a->number == b->number && a->absent == b->absent &&
	       a->found == b->found && a->hash == b->hash;
}

void values_add(struct story *s, const struct finding *f)
{
	struct story_value *v = &s->value[s->values];

	if (f->class != FINDING_ATTRIBUTE || f->attribute.which == ATTRIBUTE_NONE ||
	    s->values == STORY_VALUES || f->worker != s->first.worker || f->object != s->first.object)
		return;
	for (unsigned int i = 0; i < s->values; i++) {
		if (same_value(&s->value[i].seen, &f->attribute))
			return;
	}
	*v = (struct story_value){
		.seen = f->attribute,
		.time = f->time,
		.origin = {.worker = f->attribute.origin.worker,
			   .object = f->attribute.object,
			   .operation = f->attribute.origin.operation},
		.set_fits_by = NEVER_FITS,
	};
	memcpy(v->detail, f->detail, sizeof(v->detail));
	s->values++;
}

/* ---- does an operation give it the value that was found? */

static bool same_bytes(const struct attribute_seen *seen, const void *bytes, size_t len)
{
	return len == seen->found && hash_bytes(bytes, len) == seen->hash;
}

static bool is_same_xattr(const struct story_value *v, const struct story_record *r, const struct effect *x)
{
	const struct content_key key = {r->run, {r->worker, r->record->operation}, x->object};
	unsigned char *bytes;
	bool same;

	if (x->removed || x->length != v->seen.found)
		return false;
	bytes = malloc(MAX(x->length, 1U));
	if (!bytes)
		return false;
	content_xattr(&key, x->number, bytes, x->length);
	same = same_bytes(&v->seen, bytes, x->length);
	free(bytes);
	return same;
}

/* By how many nanoseconds the time that was found lies outside of what the operation can have set. */
static uint64_t time_distance(const struct story_value *v, const struct story_record *r,
			      const struct effect *x)
{
	const int64_t found = (int64_t)v->seen.found, min = x->mtime_min - (int64_t)LAG;
	const uint64_t drift = r->record->start / DRIFT_PART;
	uint64_t off = 0;

	if (x->mtime_min == x->mtime_max)
		return found == x->mtime_min ? 0 : NEVER_FITS;
	if (found < min)
		off = (uint64_t)min - (uint64_t)found;
	else if (found > x->mtime_max)
		off = (uint64_t)found - (uint64_t)x->mtime_max;
	return off <= drift ? off : NEVER_FITS;
}

/* 0: it is the value that was found; times may fit a little less well; NEVER_FITS. */
static uint64_t misfit(const struct story_value *v, const struct story_record *r, const struct effect *x)
{
	const uint64_t found = v->seen.found;
	bool same = false;

	switch ((enum finding_attribute)v->seen.which) {
	case ATTRIBUTE_SIZE:
		same = x->size == found;
		break;
	case ATTRIBUTE_MODE:
		same = x->mode == found;
		break;
	case ATTRIBUTE_OWNER:
		same = x->uid == found;
		break;
	case ATTRIBUTE_GROUP:
		same = x->gid == found;
		break;
	case ATTRIBUTE_LINKS:
		same = x->links == found;
		break;
	case ATTRIBUTE_MTIME:
		return time_distance(v, r, x);
	case ATTRIBUTE_XATTR:
		same = v->seen.absent ? x->removed || x->made : !x->made && is_same_xattr(v, r, x);
		break;
	case ATTRIBUTE_TARGET: /* is_found_target() */
	case ATTRIBUTE_NONE:
	case ATTRIBUTES:
		break;
	}
	return same ? 0 : NEVER_FITS;
}

/* Is the attribute among these of x? */
static bool concerns(const struct story_value *v, const struct effect *x, uint32_t attributes)
{
	if (!(attributes & EFFECT(v->seen.which)))
		return false;
	return v->seen.which != ATTRIBUTE_XATTR || x->number == v->seen.number;
}

/* A new object has no extended attributes. */
static bool sets(const struct story_value *v, const struct effect *x)
{
	return (x->made && v->seen.which == ATTRIBUTE_XATTR) || concerns(v, x, x->sets);
}

/* ---- going through the journal */

static struct story_writer make_writer(const struct story_record *r, uint32_t object,
				       const struct story_op *line)
{
	return (struct story_writer){
		.worker = r->worker, .object = object, .operation = r->record->operation, .op = *line};
}

static void take_found(struct story_value *v, const struct story_writer *w, uint64_t fits_by)
{
	if (fits_by > v->set_fits_by)
		return;
	v->set = *w;
	v->set_fits_by = fits_by;
	v->replaced = (struct story_op){0};
}

/* The value that should be there as far as was read was the one that was found: until now. */
static void end_value(struct story_value *v, const struct story_op *line)
{
	if (v->seen.which == ATTRIBUTE_TARGET) /* take_own() */
		return;
	if (v->fits)
		take_found(v, &v->should, v->fits_by);
	if (v->set.operation && !v->replaced.known)
		v->replaced = *line;
	v->fits = false;
}

/* Its number was another object's before. That may have had the same target. */
static void forget(struct story_value *v)
{
	const struct story_value empty = {.set_fits_by = NEVER_FITS};

	v->should = empty.should;
	v->whole = true;
	v->lost = v->fits = false;
	if (v->seen.which == ATTRIBUTE_TARGET)
		return;
	v->set = empty.set;
	v->replaced = empty.replaced;
	v->set_fits_by = NEVER_FITS;
}

static bool is_later(const struct story_value *v, const struct story_record *r)
{
	return v->seen.learned && r->record->operation > v->seen.learned;
}

static void take_effect(struct story_value *v, const struct story_record *r, const struct effect *x,
			const struct story_op *line)
{
	const struct story_writer now = make_writer(r, x->object, line);
	const bool new_value = sets(v, x), maybe = concerns(v, x, x->maybe);

	if (is_later(v, r)) {
		if (new_value || maybe)
			take_found(v, &now, misfit(v, r, x));
		return;
	}
	if (x->made)
		forget(v);
	if (new_value) {
		end_value(v, line);
		v->should = now;
		v->fits_by = misfit(v, r, x);
		v->fits = v->fits_by != NEVER_FITS;
	}
	if (maybe && misfit(v, r, x) != NEVER_FITS)
		take_found(v, &now, misfit(v, r, x));
	v->lost |= concerns(v, x, x->lost) || x->lost == EFFECT(ATTRIBUTES) - 1;
}

/* Targets are given once: what was found is that of another symbolic link, which may have had this one's name
 * before. */
static bool is_found_target(const struct story_value *v, const struct story_record *r)
{
	const struct op_args *args = &r->record->args;
	const struct content_key key = {r->run, {r->worker, r->record->operation}, args->object};
	char target[4097];

	if (v->seen.which != ATTRIBUTE_TARGET || r->record->kind != OP_SYMLINK || r->record->answer < 0 ||
	    args->aux != v->seen.found || args->aux >= sizeof(target))
		return false;
	content_symlink(&key, target, args->aux);
	return same_bytes(&v->seen, target, args->aux);
}

static bool has_its_name(const struct story_value *v, const struct story_record *r, const struct effect *x)
{
	return v->seen.which == ATTRIBUTE_TARGET && x->instead_of && x->instead_of == v->set.object &&
	       r->worker == v->set.worker;
}

static bool is_origin(const struct story_value *v, const struct story_record *r)
{
	return v->origin.operation == r->record->operation && v->origin.worker == r->worker;
}

/* The object is that of the operation, whatever the few bytes of a short value said. */
static void take_origin(struct story_value *v, const struct story_record *r, const struct story_op *line)
{
	const struct op_args *args = &r->record->args;
	const bool xattr = r->record->kind == OP_SETXATTR;

	if (v->origin.op.known)
		return;
	v->origin = make_writer(r, args->object, line);
	if (!xattr || v->seen.value != VALUE_OLDER)
		return;
	if (args->object != v->seen.object)
		v->seen.value = VALUE_FOREIGN;
	else if (args->aux != v->seen.found)
		v->seen.value = VALUE_PART;
}

static void take_sync(struct story_value *v, const struct story_record *r, const struct story_op *line)
{
	const struct op *op = op_by_id(r->record->kind);

	if (op && op->group == GROUP_DURABILITY && r->record->answer >= 0 && v->should.operation &&
	    r->record->args.object == v->should.object && !v->should.sync.known && !is_later(v, r))
		v->should.sync = *line;
}

static bool is_whose(const struct story *s, const struct story_record *r, uint32_t object)
{
	return s->first.object && s->first.worker == r->worker && s->first.object == object;
}

static void take_own(const struct story *s, struct story_value *v, const struct story_record *r,
		     const struct story_op *line)
{
	for (unsigned int i = 0; i < r->effects; i++) {
		if (!is_whose(s, r, r->effect[i].object))
			continue;
		take_effect(v, r, &r->effect[i], line);
		if (has_its_name(v, r, &r->effect[i]) && !is_later(v, r))
			v->replaced = *line;
	}
	if (is_whose(s, r, r->record->args.object))
		take_sync(v, r, line);
}

void values_record(struct story *s, const struct story_record *r, const struct story_op *line)
{
	for (unsigned int i = 0; i < s->values; i++) {
		struct story_value *v = &s->value[i];

		if (r->record->start > v->time)
			continue;
		take_own(s, v, r, line);
		if (is_found_target(v, r))
			v->set = make_writer(r, r->record->args.object, line);
		if (is_origin(v, r))
			take_origin(v, r, line);
	}
}

bool values_want(const struct story *s, const struct story_record *r)
{
	for (unsigned int i = 0; i < s->values; i++) {
		if (is_origin(&s->value[i], r) || is_found_target(&s->value[i], r))
			return true;
	}
	for (unsigned int i = 0; s->values && i < r->effects; i++) {
		if (is_whose(s, r, r->effect[i].object))
			return true;
	}
	return false;
}

bool values_want_worker(const struct story *s, uint32_t worker)
{
	for (unsigned int i = 0; i < s->values; i++) {
		const struct story_value *v = &s->value[i];

		if (v->seen.which == ATTRIBUTE_TARGET || (v->origin.operation && v->origin.worker == worker))
			return true;
	}
	return false;
}

void values_journal(struct story *s, uint32_t worker, uint64_t first)
{
	for (unsigned int i = 0; i < s->values; i++)
		s->value[i].whole |= worker == s->first.worker && first <= 1;
}

/* ---- the verdict */

static enum finding_value whose_target(const struct story *s, const struct story_value *v)
{
	const struct story_writer *w = &v->set;

	if (v->replaced.known || (w->worker == s->first.worker && w->object == s->first.object))
		return VALUE_OLDER;
	return VALUE_FOREIGN;
}

static enum finding_value whose(const struct stories *all, const struct story *s, struct story_value *v)
{
	if (v->set.operation && v->seen.which == ATTRIBUTE_TARGET)
		return whose_target(s, v);
	if (v->set.operation)
		return v->seen.learned && v->set.operation > v->seen.learned ? VALUE_LATER : VALUE_OLDER;
	if (v->seen.value != VALUE_UNKNOWN) {
		v->set = v->origin;
		return (enum finding_value)v->seen.value;
	}
	if (!v->whole || (v->seen.which == ATTRIBUTE_TARGET && all->dropped))
		v->why = "the journal doesn't have all that was done (any more)";
	else if (v->lost)
		v->why = "an operation on it failed and may have done a part of its work";
	return v->why ? VALUE_UNKNOWN : VALUE_NEVER;
}

void values_conclude(const struct stories *all, struct story *s)
{
	for (unsigned int i = 0; i < s->values; i++)
		s->value[i].seen.value = (uint8_t)whose(all, s, &s->value[i]);
}
