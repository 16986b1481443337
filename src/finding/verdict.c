/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/finding/verdict.h"

#include <string.h>

#include "src/finding/explain.h"

#define RUNS 256

/* Neighbouring bytes with one explanation, before they are brought down to FINDING_RANGES. */
struct runs {
	unsigned int count;
	struct finding_range run[RUNS];
};

static uint32_t bits_in(const struct verdict_input *in, unsigned int lo, unsigned int hi)
{
	uint32_t bits = 0;

	for (unsigned int i = lo; i < hi; i++)
		bits += (uint32_t)__builtin_popcount(in->expected[i] ^ in->found[i]);
	return bits;
}

static struct finding_range range_make(const struct explanation *x, unsigned int lo, unsigned int hi)
{
	const struct piece *p = &x->piece[x->by[lo]];
	uint64_t here = x->in->block * BLOCK_SIZE + lo;

	return (struct finding_range){
		.start = (uint16_t)lo,
		.length = (uint16_t)(hi - lo),
		.class = p->class,
		.origin = p->origin,
		.object = p->object,
		.offset = here - (uint64_t)p->distance,
		.bits = p->class == FINDING_FLIPPED ? bits_in(x->in, lo, hi) : 0,
	};
}

static bool same_judgement(const struct finding_range *a, const struct finding_range *b)
{
	return a->class == b->class && a->origin.worker == b->origin.worker &&
	       a->origin.operation == b->origin.operation && a->object == b->object &&
	       (a->class == FINDING_FLIPPED || a->class == FINDING_GARBAGE ||
		b->offset - a->offset == (uint64_t)(b->start - a->start));
}

/* Put run i+1 into run i. */
static void runs_join(struct runs *r, unsigned int i)
{
	r->run[i].length = (uint16_t)(r->run[i + 1].start + r->run[i + 1].length - r->run[i].start);
	r->run[i].bits += r->run[i + 1].bits;
	r->count--;
	memmove(&r->run[i + 1], &r->run[i + 2], (r->count - i - 1) * sizeof(r->run[0]));
}

/* A run behind "flipped, as expected": flips are reported as one range that spans them all. */
static void join_flips(struct runs *r)
{
	if (r->count >= 3 && r->run[r->count - 1].class == FINDING_FLIPPED &&
	    r->run[r->count - 3].class == FINDING_FLIPPED && r->run[r->count - 2].class == FINDING_CLASSES) {
		runs_join(r, r->count - 3);
		runs_join(r, r->count - 2);
	}
}

static void runs_add(struct runs *r, struct finding_range run)
{
	if (r->count == RUNS) { /* a block in shreds: what follows goes with the last run */
		r->run[r->count - 1].length = (uint16_t)(run.start + run.length - r->run[r->count - 1].start);
		return;
	}
	r->run[r->count++] = run;
	join_flips(r);
}

static void runs_collect(struct runs *r, const struct explanation *x)
{
	r->count = 0;
	for (unsigned int lo = 0, hi; lo < BLOCK_SIZE; lo = hi) {
		for (hi = lo + 1; hi < BLOCK_SIZE && x->by[hi] == x->by[lo]; hi++)
			;
		runs_add(r, range_make(x, lo, hi));
	}
}

static bool outweighs(const struct finding_range *a, const struct finding_range *b)
{
	bool wrong_a = a->class != FINDING_CLASSES, wrong_b = b->class != FINDING_CLASSES;

	return wrong_a != wrong_b ? wrong_a : a->length > b->length;
}

/* Join i and i+1 under the judgement of the longer wrong one. */
static void runs_blend(struct runs *r, unsigned int i)
{
	if (outweighs(&r->run[i + 1], &r->run[i])) {
		uint16_t start = r->run[i].start, shift = r->run[i].length;

		r->run[i + 1].start = start;
		r->run[i + 1].length = (uint16_t)(r->run[i + 1].length + shift);
		r->run[i + 1].offset -= shift;
		r->run[i] = (struct finding_range){.start = start};
	}
	if (r->run[i].length)
		runs_join(r, i);
	else {
		r->count--;
		memmove(&r->run[i], &r->run[i + 1], (r->count - i) * sizeof(r->run[0]));
	}
}

/* Down to FINDING_RANGES: like neighbours first, then the shortest pairs. */
static void runs_reduce(struct runs *r)
{
	while (r->count > FINDING_RANGES) {
		unsigned int best = 0, shortest = UINT32_MAX;

		for (unsigned int i = 0; i + 1 < r->count; i++) {
			unsigned int length = r->run[i].length + r->run[i + 1].length;

			if (same_judgement(&r->run[i], &r->run[i + 1]))
				length = 0;
			if (length < shortest) {
				shortest = length;
				best = i;
			}
		}
		runs_blend(r, best);
	}
}

/* One class for the whole: the most bytes; zeroes and a few odd bytes beside older or foreign content are
 * part of it (an older version may have had a hole there). */
static enum finding_class main_class(const struct explanation *x)
{
	static const enum finding_class written[] = {FINDING_STALE, FINDING_FOREIGN, FINDING_SHIFTED};
	unsigned int bytes[FINDING_CLASSES + 1] = {0};
	enum finding_class best = FINDING_STALE;
	unsigned int odd;

	for (unsigned int i = 0; i < BLOCK_SIZE; i++)
		bytes[x->piece[x->by[i]].class]++;
	for (size_t i = 1; i < ARRAY_SIZE(written); i++) {
		if (bytes[written[i]] > bytes[best])
			best = written[i];
	}
	odd = bytes[FINDING_GARBAGE] + bytes[FINDING_FLIPPED];
	if (bytes[best] && bytes[best] >= odd)
		return best;
	if (bytes[FINDING_ZEROES] && bytes[FINDING_ZEROES] >= odd)
		return FINDING_ZEROES;
	return bytes[FINDING_GARBAGE] ? FINDING_GARBAGE : FINDING_FLIPPED;
}

/* The bytes between the first and the last wrong one. */
static void wrong_hull(const struct explanation *x, unsigned int *lo, unsigned int *hi)
{
	*lo = 0;
	*hi = BLOCK_SIZE;
	while (*lo < BLOCK_SIZE && x->by[*lo] == 0)
		++*lo;
	while (*hi > *lo && x->by[*hi - 1] == 0)
		--*hi;
}

/* Could `at`, where wrong and expected bytes meet, be the edge of a write, but for bytes that fit both? */
static bool near_edge(const struct verdict_input *in, unsigned int at)
{
	unsigned int last = MIN(at + EDGE_SPAN - 1, BLOCK_SIZE);

	for (unsigned int i = at - MIN(at, EDGE_SPAN - 1); i <= last; i++) {
		if (explain_is_edge(in, i))
			return true;
	}
	return false;
}

/* Is there a write at all at byte `at`? Holes have none; a block without fragments is one write, unless it is
 * a hole. */
static bool is_written(const struct verdict_input *in, unsigned int at)
{
	if (in->fragments)
		return explain_fragment(in, at) != NULL;
	for (unsigned int i = 0; i < BLOCK_SIZE; i++) {
		if (in->expected[i])
			return true;
	}
	return false;
}

/* Torn: of the borders between wrong and expected bytes one, and only one, lies inside a write. (A whole
 * write that is lost has its borders where writes end; a patch in the middle of one isn't torn either.) Sets
 * *line. */
static bool is_torn(const struct explanation *x, enum finding_class class, unsigned int lo, unsigned int hi,
		    uint32_t *line)
{
	unsigned int inside = 0, start = lo, end;

	if (class == FINDING_SHIFTED || class == FINDING_FLIPPED)
		return false;
	while (start < hi) {
		unsigned int right = 0; /* expected bytes behind `end` */

		for (end = start; end < hi && right < EQUAL_LEAST; end++)
			right = x->by[end] == 0 ? right + 1 : 0;
		end -= right;
		for (unsigned int i = 0; i < 2; i++) {
			unsigned int border = i ? end : start;

			if (near_edge(x->in, border) || !is_written(x->in, border))
				continue;
			*line = border;
			inside++;
		}
		for (start = end; start < hi && x->by[start] == 0; start++)
			;
	}
	return inside == 1;
}

/* Who should have written byte `at`: as the fragments say, else the stamp around it. */
static uint64_t expected_operation(const struct verdict_input *in, unsigned int at)
{
	const struct fragment *fragment = explain_fragment(in, at);
	struct stamp s;

	if (fragment)
		return fragment->origin.operation;
	if (!in->fragments && content_stamp(in->run, &in->expected[at - at % LINE_SIZE], &s))
		return s.origin.operation;
	return 0;
}

void verdict_block(const struct verdict_input *in, struct finding *f)
{
	struct explanation x;
	struct runs runs;
	unsigned int lo, hi;

	explain_block(&x, in);
	wrong_hull(&x, &lo, &hi);
	runs_collect(&runs, &x);
	runs_reduce(&runs);

	f->class = main_class(&x);
	if (is_torn(&x, f->class, lo, hi, &f->tear))
		f->class = FINDING_TORN;
	f->operation = expected_operation(in, lo);
	f->ranges = runs.count;
	memcpy(f->range, runs.run, runs.count * sizeof(runs.run[0]));
	f->offset = in->block * BLOCK_SIZE;
	f->length = MAX(in->valid, hi);
	f->expected_hash = content_hash(in->expected);
	f->found_hash = content_hash(in->found);
	f->dumps = true;
	memcpy(f->expected, in->expected, BLOCK_SIZE);
	memcpy(f->found, in->found, BLOCK_SIZE);
	verdict_describe(f);
}
