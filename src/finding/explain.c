/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/finding/explain.h"

#include <string.h>

#define ZEROES_LEAST 8U  /* fewer zero bytes in a row count only when they fill a write */
#define SHIFT_LEAST  16U /* bytes that are found elsewhere in the expected block, */
#define SHIFT_WRONG  8U  /* so many of them wrong here */
#define STAMP_LEAST                                                                                          \
	24U /* so many bytes of a line must be right: its first words, and what follows from them */
#define PART_LEAST   8U /* of a part of a line so many bytes must not be explained yet */
#define FLIP_GAP     3U /* bytes in a row with fewer others between them are judged together */
#define LOST_LONGEST (2 * LINE_SIZE - 2) /* content without a whole line in it is no longer than this */
#define LOST_LEAST   8U
#define LOST_SEARCH  (1ULL << 20) /* operations tried for one piece: some 10 ms */
#define LOST_PIECES  4U           /* pieces of one block that are searched for */

const struct fragment *explain_fragment(const struct verdict_input *in, unsigned int at)
{
	for (size_t i = 0; i < in->fragments; i++) {
		if (at >= in->fragment[i].start && at - in->fragment[i].start < in->fragment[i].length)
			return &in->fragment[i];
	}
	return NULL;
}

bool explain_is_edge(const struct verdict_input *in, unsigned int at)
{
	if (at == 0 || at == BLOCK_SIZE || at == in->valid)
		return true;
	for (size_t i = 0; i < in->fragments; i++) {
		if (at == in->fragment[i].start || at == in->fragment[i].start + in->fragment[i].length)
			return true;
	}
	return false;
}

static bool same_piece(const struct piece *a, const struct piece *b)
{
	return a->class == b->class && a->origin.worker == b->origin.worker &&
	       a->origin.operation == b->origin.operation && a->object == b->object &&
	       a->distance == b->distance;
}

/* The number of this piece, made if it is new. When there is no more room, garbage (always piece 1). */
static uint16_t piece_number(struct explanation *x, const struct piece *p)
{
	for (unsigned int i = 0; i < x->pieces; i++) {
		if (same_piece(&x->piece[i], p))
			return (uint16_t)i;
	}
	if (x->pieces == PIECES)
		return 1;
	x->piece[x->pieces] = *p;
	return (uint16_t)x->pieces++;
}

static bool is_open(const struct explanation *x, unsigned int at)
{
	return x->by[at] == BY_NOTHING;
}

/* The next cluster of open bytes at or behind *at: open bytes with fewer than `gap` others between them. */
static bool next_cluster(const struct explanation *x, unsigned int at, unsigned int limit, unsigned int gap,
			 unsigned int *start, unsigned int *end)
{
	while (at < limit && !is_open(x, at))
		at++;
	if (at >= limit)
		return false;
	*start = at;
	*end = at + 1;
	for (at++; at < limit && at - *end < gap; at++) {
		if (is_open(x, at))
			*end = at + 1;
	}
	return true;
}

/* The likeliest edge in [lo, hi], all of whose bytes fit both sides: an edge of a write, or else the most
 * aligned byte. */
static unsigned int best_edge(const struct verdict_input *in, unsigned int lo, unsigned int hi)
{
	unsigned int best = lo;

	for (unsigned int at = lo; at <= hi; at++) {
		if (explain_is_edge(in, at))
			return at;
		if (at && __builtin_ctz(at) > __builtin_ctz(best | BLOCK_SIZE))
			best = at;
	}
	return best;
}

/* Bytes [lo, hi) of the block are those of piece p: give it the open ones among them, with what lies between.
 */
static void claim(struct explanation *x, const struct piece *p, unsigned int lo, unsigned int hi)
{
	uint16_t number = piece_number(x, p);
	unsigned int at = lo, start, end;

	while (next_cluster(x, at, hi, EQUAL_LEAST, &start, &end)) {
		unsigned int from = start, to = end;

		while (from > at && start - from < EDGE_SPAN && x->by[from - 1] == 0)
			from--;
		while (to < hi && to - end < EDGE_SPAN && x->by[to] == 0)
			to++;
		start = best_edge(x->in, from, start);
		end = best_edge(x->in, end, to);
		for (unsigned int i = start; i < end; i++) {
			if (x->by[i] == 0 || is_open(x, i))
				x->by[i] = number;
		}
		at = to;
	}
}

static unsigned int count_open(const struct explanation *x, unsigned int lo, unsigned int hi)
{
	unsigned int count = 0;

	for (unsigned int i = lo; i < hi; i++)
		count += is_open(x, i);
	return count;
}

static uint64_t file_offset(const struct verdict_input *in, unsigned int at)
{
	return in->block * BLOCK_SIZE + at;
}

/* What `key` would have written, laid so that its file offset `offset` is at byte `at` of the block. Bytes in
 * front of its offset 0 are made to differ from `found`. */
static void lay_out(const struct verdict_input *in, const struct content_key *key, uint64_t offset,
		    unsigned int at, unsigned char *made)
{
	unsigned int skip = offset < at ? at - (unsigned int)offset : 0;

	for (unsigned int i = 0; i < skip; i++)
		made[i] = (unsigned char)~in->found[i];
	content_fill(key, offset + skip - at, made + skip, BLOCK_SIZE - skip);
}

/* Grow [*lo, *hi) as far as found and made agree. */
static void grow(const unsigned char *found, const unsigned char *made, unsigned int *lo, unsigned int *hi)
{
	while (*lo > 0 && found[*lo - 1] == made[*lo - 1])
		--*lo;
	while (*hi < BLOCK_SIZE && found[*hi] == made[*hi])
		++*hi;
}

/* Stamps carry the line number modulo 2^32 (256 GiB): the offset nearest to the place where it was seen. */
static uint64_t stamped_offset(const struct verdict_input *in, unsigned int at, uint32_t line)
{
	uint64_t here = file_offset(in, at) / LINE_SIZE;
	int64_t delta = (int32_t)(line - (uint32_t)here);

	if (delta < 0 && (uint64_t)-delta > here)
		return (uint64_t)line * LINE_SIZE;
	return (here + (uint64_t)delta) * LINE_SIZE;
}

/* Content whose place is `distance` bytes from here. */
static enum finding_class distance_class(int64_t distance)
{
	if (distance == 0)
		return FINDING_STALE;
	return distance > -(int64_t)BLOCK_SIZE && distance < (int64_t)BLOCK_SIZE ? FINDING_SHIFTED
										 : FINDING_FOREIGN;
}

/* Does this fragment hold what was written for another place or another object? */
static bool is_cloned(const struct verdict_input *in, const struct fragment *f)
{
	return f && (f->object != in->object || f->shift);
}

/* The line at `at` is another version of what this fragment holds there, or stands beside its place: then set
 * class and distance. */
static bool judge_cloned(const struct verdict_input *in, unsigned int at, const struct stamp *s,
			 struct piece *p)
{
	const struct fragment *f = explain_fragment(in, at);
	enum finding_class class;

	if (!is_cloned(in, f) || s->object != f->object || s->origin.worker != f->origin.worker)
		return false;
	class = distance_class(p->distance - f->shift);
	if (class == FINDING_FOREIGN)
		return false;
	p->class = (uint8_t) class;
	p->distance -= f->shift;
	return true;
}

/* What stands beside this place was cloned from where the line at this place would come from: the clone was
 * here, too, before what should be here was written over it. */
static bool judge_rest_of_clone(const struct verdict_input *in, const struct stamp *s, struct piece *p)
{
	for (size_t i = 0; i < in->fragments; i++) {
		const struct fragment *f = &in->fragment[i];

		if (!is_cloned(in, f) || s->object != f->object || s->origin.worker != f->origin.worker ||
		    p->distance != f->shift)
			continue;
		p->class = FINDING_STALE;
		p->distance = 0;
		return true;
	}
	return false;
}

/* Class and distance of a line: another version of this place, or, where a clone is expected, another version
 * of what was cloned: the source before or after. Its first bytes may belong to the fragment before by
 * chance. */
static void judge_stamp(const struct verdict_input *in, unsigned int at, const struct stamp *s,
			struct piece *p)
{
	p->class = FINDING_FOREIGN;
	if (s->object == in->object && s->origin.worker == in->worker)
		p->class = (uint8_t)distance_class(p->distance);
	if (p->class != FINDING_STALE && !judge_cloned(in, at, s, p) &&
	    !judge_cloned(in, at + LINE_SIZE - 1, s, p))
		judge_rest_of_clone(in, s, p);
}

/* A line at `at`: the bytes from there on that are equal when it is made again from what its first words say,
 * 0 when these are too few to be believed. All of a line, or what is left of one where the file ends or
 * another write begins. */
static unsigned int believe(const struct verdict_input *in, unsigned int at, struct stamp *s)
{
	const unsigned int most = MIN(LINE_SIZE, BLOCK_SIZE - at);
	unsigned char line[LINE_SIZE];
	unsigned int equal = 0;

	if (most < STAMP_LEAST || !content_claim(in->run, in->found + at, s))
		return 0;
	content_fill(&(struct content_key){in->run, s->origin, s->object}, (uint64_t)s->line * LINE_SIZE,
		     line, LINE_SIZE);
	while (equal < most && line[equal] == in->found[at + equal])
		equal++;
	return equal < STAMP_LEAST ? 0 : equal;
}

static unsigned int claim_stamp(struct explanation *x, unsigned int at, unsigned int length,
				const struct stamp *s)
{
	const struct verdict_input *in = x->in;
	struct content_key key = {in->run, s->origin, s->object};
	uint64_t offset = stamped_offset(in, at, s->line);
	unsigned int lo = at, hi = at + length;
	unsigned char made[BLOCK_SIZE];
	struct piece p = {
		.origin = s->origin,
		.object = s->object,
		.distance = (int64_t)(file_offset(in, at) - offset),
	};

	judge_stamp(in, at, s, &p);
	lay_out(in, &key, offset, at, made);
	grow(in->found, made, &lo, &hi);
	claim(x, &p, lo, hi);
	return hi;
}

/* Does this line explain what nothing explains yet? A part of one may go a byte or two into what is wrong by
 * chance. */
static bool tells_something(const struct explanation *x, unsigned int at, unsigned int length)
{
	return length && count_open(x, at, at + length) >= (length == LINE_SIZE ? 1 : PART_LEAST);
}

/* Lines, at any byte alignment. */
static void explain_stamps(struct explanation *x)
{
	unsigned int at = 0;

	while (at + STAMP_LEAST <= BLOCK_SIZE) {
		struct stamp s;
		const unsigned int length = believe(x->in, at, &s);

		if (tells_something(x, at, length))
			at = MAX(claim_stamp(x, at, length, &s) - length, at) + 1;
		else
			at++;
	}
}

static void explain_zeroes(struct explanation *x)
{
	static const struct piece zeroes = {.class = FINDING_ZEROES};
	const unsigned char *found = x->in->found;

	for (unsigned int lo = 0, hi; lo < BLOCK_SIZE; lo = hi + 1) {
		for (hi = lo; hi < BLOCK_SIZE && found[hi] == 0; hi++)
			;
		if (hi - lo >= ZEROES_LEAST ||
		    (hi > lo && explain_is_edge(x->in, lo) && explain_is_edge(x->in, hi)))
			claim(x, &zeroes, lo, hi);
	}
}

/* The longest stretch around found[at] that stands elsewhere in the expected block. */
static void claim_shifted(struct explanation *x, unsigned int at)
{
	const unsigned char *expected = x->in->expected, *found = x->in->found;
	const unsigned char *hit = expected;
	unsigned int best_lo = 0, best_hi = 0;
	int64_t distance = 0;

	while ((hit = memmem(hit, (size_t)(expected + BLOCK_SIZE - hit), found + at, SHIFT_LEAST))) {
		unsigned int from = (unsigned int)(hit++ - expected), lo = at, hi = at + SHIFT_LEAST;

		while (lo > 0 && from - (at - lo) > 0 && found[lo - 1] == expected[from - (at - lo) - 1])
			lo--;
		while (hi < BLOCK_SIZE && from + (hi - at) < BLOCK_SIZE &&
		       found[hi] == expected[from + (hi - at)])
			hi++;
		if (hi - lo > best_hi - best_lo && from != at) {
			best_lo = lo;
			best_hi = hi;
			distance = (int64_t)at - (int64_t)from;
		}
	}
	if (count_open(x, best_lo, best_hi) < SHIFT_WRONG)
		return;
	claim(x,
	      &(struct piece){.class = FINDING_SHIFTED,
			      .origin = {.worker = x->in->worker},
			      .object = x->in->object,
			      .distance = distance},
	      best_lo, best_hi);
}

static bool all_equal(const unsigned char *bytes, size_t len)
{
	return memcmp(bytes, bytes + 1, len - 1) == 0;
}

/* Expected bytes elsewhere in the block, without a whole line among them. */
static void explain_shifted(struct explanation *x)
{
	unsigned int start, end = 0;

	while (next_cluster(x, end, BLOCK_SIZE, EQUAL_LEAST, &start, &end)) {
		for (unsigned int at = start; at + SHIFT_LEAST <= end; at += SHIFT_LEAST / 2) {
			if (count_open(x, at, at + SHIFT_LEAST) && !all_equal(x->in->found + at, SHIFT_LEAST))
				claim_shifted(x, at);
		}
	}
}

static unsigned int differing_bits(const struct verdict_input *in, unsigned int lo, unsigned int hi)
{
	unsigned int bits = 0;

	for (unsigned int i = lo; i < hi; i++)
		bits += (unsigned int)__builtin_popcount(in->expected[i] ^ in->found[i]);
	return bits;
}

/* Few bits: at most two in a byte on average, or no more than three bytes in a row. */
static bool looks_flipped(const struct verdict_input *in, unsigned int lo, unsigned int hi)
{
	return hi - lo <= 3 || differing_bits(in, lo, hi) <= 2 * (hi - lo);
}

/* No open byte of [lo, hi) needs more than flipped bits to explain it. */
static bool only_flips(const struct explanation *x, unsigned int lo, unsigned int hi)
{
	unsigned int start, end = lo;

	while (next_cluster(x, end, hi, FLIP_GAP, &start, &end)) {
		if (!looks_flipped(x->in, start, end))
			return false;
	}
	return true;
}

/* Grow [*lo, *hi) to the edges of the write around it, within [least, most). */
static void grow_to_write(const struct verdict_input *in, unsigned int *lo, unsigned int *hi,
			  unsigned int least, unsigned int most)
{
	while (*lo > least && !explain_is_edge(in, *lo))
		--*lo;
	while (*hi < most && !explain_is_edge(in, *hi))
		++*hi;
}

/* Bytes [lo, hi) are what another operation of the worker would have written to this object at this file
 * offset. */
static bool find_writer(const struct verdict_input *in, unsigned int lo, unsigned int hi, uint32_t object,
			uint64_t offset, struct origin *origin)
{
	uint64_t last = in->operations;
	uint64_t first = last > LOST_SEARCH ? last - LOST_SEARCH : 0;
	unsigned char made[LOST_LONGEST];

	for (uint64_t op = last; op > first; op--) {
		*origin = (struct origin){in->worker, op};
		content_fill(&(struct content_key){in->run, *origin, object}, offset, made, hi - lo);
		if (memcmp(made, in->found + lo, hi - lo) == 0)
			return true;
	}
	return false;
}

static bool find_in_source(const struct verdict_input *in, unsigned int lo, unsigned int hi,
			   const struct fragment *f, struct origin *origin)
{
	return is_cloned(in, f) &&
	       find_writer(in, lo, hi, f->object, file_offset(in, lo) - (uint64_t)f->shift, origin);
}

static bool same_source(const struct fragment *a, const struct fragment *b)
{
	return a && b && a->object == b->object && a->shift == b->shift;
}

/* At this place, or where what should be here was cloned from; or what stands before or behind it, since the
 * clone was here, too, before it was written over. */
static bool find_operation(const struct verdict_input *in, unsigned int lo, unsigned int hi,
			   struct origin *origin)
{
	const struct fragment *here = explain_fragment(in, lo);
	const struct fragment *before = lo ? explain_fragment(in, lo - 1) : NULL;
	const struct fragment *behind = explain_fragment(in, hi);

	if (find_writer(in, lo, hi, in->object, file_offset(in, lo), origin) ||
	    find_in_source(in, lo, hi, here, origin))
		return true;
	if (!same_source(before, here) && find_in_source(in, lo, hi, before, origin))
		return true;
	return !same_source(behind, here) && !same_source(behind, before) &&
	       find_in_source(in, lo, hi, behind, origin);
}

/* Search for the operation that wrote the bytes around the cluster [start, end): all of a short write, or
 * what it has in these lines. */
static bool claim_short_write(struct explanation *x, unsigned int start, unsigned int end)
{
	struct piece p = {.class = FINDING_STALE, .object = x->in->object};
	unsigned int line_start = start / LINE_SIZE * LINE_SIZE;
	unsigned int line_end = (end + LINE_SIZE - 1) / LINE_SIZE * LINE_SIZE;
	unsigned int wide[2] = {start, end}, narrow[2] = {start, end};

	grow_to_write(x->in, &wide[0], &wide[1], start - MIN(start, LOST_LONGEST),
		      MIN(end + LOST_LONGEST, BLOCK_SIZE));
	grow_to_write(x->in, &narrow[0], &narrow[1], line_start, line_end);
	if (wide[1] - wide[0] >= LOST_LEAST && wide[1] - wide[0] <= LOST_LONGEST &&
	    find_operation(x->in, wide[0], wide[1], &p.origin)) {
		claim(x, &p, wide[0], wide[1]);
		return true;
	}
	if (narrow[1] - narrow[0] >= LOST_LEAST && narrow[1] - narrow[0] <= LOST_LONGEST &&
	    find_operation(x->in, narrow[0], narrow[1], &p.origin)) {
		claim(x, &p, narrow[0], narrow[1]);
		return true;
	}
	return false;
}

/* Older content that is too short to hold a whole line. Where few bits differ only the first word of a line
 * is worth a search: it holds the operation's number, and a neighbouring operation differs from it in few
 * bits. There a single bit is left to be called flipped. */
static void explain_short_writes(struct explanation *x)
{
	unsigned int start, end = 0, searches = LOST_PIECES;

	while (searches && next_cluster(x, end, BLOCK_SIZE, EQUAL_LEAST, &start, &end)) {
		if (only_flips(x, start, end) &&
		    (end - start < 2 || start % LINE_SIZE + (end - start) > sizeof(uint64_t)))
			continue;
		if (end - start > LOST_LONGEST)
			continue;
		claim_short_write(x, start, end);
		searches--;
	}
}

static void explain_flipped(struct explanation *x)
{
	static const struct piece flipped = {.class = FINDING_FLIPPED};
	unsigned int start, end = 0;
	uint16_t number = piece_number(x, &flipped);

	while (next_cluster(x, end, BLOCK_SIZE, FLIP_GAP, &start, &end)) {
		if (!looks_flipped(x->in, start, end))
			continue;
		for (unsigned int i = start; i < end; i++) {
			if (is_open(x, i))
				x->by[i] = number;
		}
	}
}

/* The rest is nothing that we can name. Up to two bytes at its ends may be right by chance. */
static void explain_garbage(struct explanation *x)
{
	unsigned int start, end = 0;

	while (next_cluster(x, end, BLOCK_SIZE, EQUAL_LEAST, &start, &end))
		claim(x, &x->piece[1], start - MIN(start, 2U), MIN(end + 2, BLOCK_SIZE));
}

void explain_block(struct explanation *x, const struct verdict_input *in)
{
	x->in = in;
	x->pieces = 2;
	x->piece[0] = (struct piece){.class = FINDING_CLASSES};
	x->piece[1] = (struct piece){.class = FINDING_GARBAGE};
	for (unsigned int i = 0; i < BLOCK_SIZE; i++)
		x->by[i] = in->expected[i] == in->found[i] ? 0 : BY_NOTHING;
	explain_stamps(x);
	explain_zeroes(x);
	explain_shifted(x);
	explain_short_writes(x);
	explain_flipped(x);
	explain_garbage(x);
}
