/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one line of a verdict that people read. */
#include <stdarg.h>
#include <stdio.h>

#include "src/finding/verdict.h"

struct text {
	char *at;
	size_t room;
};

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->at, t->room, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	n = MIN(n, (int)t->room - 1);
	t->at += n;
	t->room -= (size_t)n;
}

typedef unsigned long long ull;

static void add_writer(struct text *t, const struct finding_range *r)
{
	if (r->origin.operation)
		add(t, ", written by worker %u operation %llu", r->origin.worker, (ull)r->origin.operation);
}

static void add_shift(struct text *t, const struct finding *f, const struct finding_range *r)
{
	int64_t distance = (int64_t)(f->offset + r->start - r->offset);

	add(t, "bytes %u-%u stand %llu bytes too %s", r->start, r->start + r->length - 1U,
	    (ull)(distance < 0 ? -distance : distance), distance < 0 ? "early" : "late");
	add_writer(t, r);
}

static void add_range(struct text *t, const struct finding *f, const struct finding_range *r)
{
	unsigned int first = r->start, last = r->start + r->length - 1U;

	switch ((enum finding_class)r->class) {
	case FINDING_ZEROES:
		add(t, "bytes %u-%u are zeroes", first, last);
		break;
	case FINDING_STALE:
		add(t, "bytes %u-%u are %s version", first, last,
		    f->operation && r->origin.operation > f->operation ? "another" : "an older");
		add_writer(t, r);
		break;
	case FINDING_FOREIGN:
		add(t, "bytes %u-%u belong to worker %u object %u at %llu", first, last, r->origin.worker,
		    r->object, (ull)r->offset);
		add_writer(t, r);
		break;
	case FINDING_SHIFTED:
		add_shift(t, f, r);
		break;
	case FINDING_FLIPPED:
		add(t, "%u bit%s flipped in ", r->bits, r->bits == 1 ? "" : "s");
		add(t, first == last ? "byte %u" : "bytes %u-%u", first, last);
		break;
	default:
		add(t, "bytes %u-%u (%u) carry no stamp of this run", first, last, r->length);
		break;
	}
}

void verdict_describe(struct finding *f)
{
	struct text t = {f->detail, sizeof(f->detail)};
	const char *comma = ": ";

	if (f->length % KiB)
		add(&t, "%llu bytes at %llu", (ull)f->length, (ull)f->offset);
	else
		add(&t, "%llu KiB at %llu", (ull)(f->length / KiB), (ull)f->offset);
	if (f->class == FINDING_TORN)
		add(&t, ", torn at byte %u", f->tear);
	for (unsigned int i = 0; i < f->ranges; i++) {
		if (f->range[i].class == FINDING_CLASSES)
			continue;
		add(&t, "%s", comma);
		add_range(&t, f, &f->range[i]);
		comma = "; ";
	}
	if (f->operation)
		add(&t, " (expected operation %llu)", (ull)f->operation);
	if (f->length > BLOCK_SIZE)
		add(&t, ", the same in the blocks behind");
}
