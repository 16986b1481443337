/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/ops/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/finding/verdict.h"
#include "src/ops/address.h"
#include "src/ops/judge.h"
#include "src/target/target.h"

/* More findings of one failure say nothing new. */
#define FINDINGS_PER_FAILURE 4

/* How often, and how many milliseconds long, it is tried to drop pages from the cache. */
#define FORGET_TRIES 10

/* ---- looking */

uint64_t resolve_size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? (uint64_t)st.st_size : SIZE_UNKNOWN;
}

void resolve_look_at_size(int fd, struct op_answer *a)
{
	a->began = true;
	if (a->ret < 0)
		a->size = resolve_size_of(fd);
}

/* A block, padded with zeroes. Its bytes that there are, or -1. */
static ssize_t read_block(int fd, uint64_t block, unsigned char *buf)
{
	ssize_t n;

	do
		n = pread(fd, buf, BLOCK_SIZE, (off_t)(block * BLOCK_SIZE));
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		memset(buf + n, 0, BLOCK_SIZE - (size_t)n);
	return n;
}

void resolve_look(struct op_ctx *c, int fd, uint64_t offset, uint64_t len)
{
	const uint64_t first = offset / BLOCK_SIZE, end = div_up_u64(offset + len, BLOCK_SIZE);
	struct op_look *look = &c->look;
	unsigned char buf[BLOCK_SIZE];

	look->first = first;
	look->count = 0;
	look->unit = (uint32_t)target_unit(fd, BLOCK_SIZE);
	while (look->count < LOOK_BLOCKS && first + look->count < end) {
		if (read_block(fd, first + look->count, buf) <= 0)
			break;
		look->hash[look->count++] = content_hash(buf);
	}
}

/* Is no page of [offset, offset + len), whole pages, in the cache? */
static bool is_forgotten(int fd, uint64_t offset, size_t len, size_t page)
{
	unsigned char present[LOOK_BLOCKS + 1];
	void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, (off_t)offset);
	bool found;

	if (map == MAP_FAILED)
		return false;
	found = mincore(map, len, present) != 0;
	munmap(map, len);
	for (size_t i = 0; i < len / page && !found; i++)
		found = present[i] & 1;
	return !found;
}

/* All of the file, since a large folio goes as a whole or not at all. A page may be busy for a moment. */
static bool forget(int fd, uint64_t offset, uint64_t len)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const uint64_t from = offset - offset % page;
	const size_t span = round_up_u64(offset - from + len, page);

	if (sync_file_range(fd, 0, 0,
			    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER))
		return false;
	for (int i = 0; i < FORGET_TRIES; i++) {
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		if (is_forgotten(fd, from, span, page))
			return true;
		sleep_ns(NSEC_PER_MSEC);
	}
	return false;
}

void resolve_look_at_disk(struct op_ctx *c, int fd, uint64_t offset, uint64_t len)
{
	len = MIN(len, LOOK_BLOCKS * (uint64_t)BLOCK_SIZE - offset % BLOCK_SIZE);
	if (forget(fd, offset, len))
		resolve_look(c, fd, offset, len);
	else
		c->look.count = 0;
}

bool resolve_read_again(struct op_ctx *c, const struct op_args *args, uint64_t block, unsigned char *buf)
{
	int fd = address_open(c, args, O_RDONLY);
	ssize_t n = -1;

	if (fd >= 0) {
		n = read_block(fd, block, buf);
		close(fd);
	}
	return n >= 0;
}

/* ---- sizes */

void resolve_odd_size(struct op_ctx *c, const struct op *op, const struct op_args *args,
		      const struct op_answer *a)
{
	struct object o = {0};
	char why[96];

	view_object(&c->model->head, args->object, &o);
	if (a->size == SIZE_UNKNOWN) {
		judge_report(c, op, args, a, FINDING_EIO,
			     "it failed, and nobody can say how long the file is now");
	} else {
		snprintf(why, sizeof(why), "it failed, yet the size went from %llu to %llu",
			 (unsigned long long)o.size, (unsigned long long)a->size);
		judge_report(c, op, args, a, FINDING_ATTRIBUTE, why);
		model_truncate(c->model, c->operation, args->object, a->size);
	}
	model_set_unsure(c->model, c->operation, args->object);
}

bool resolve_size(struct op_ctx *c, const struct op *op, const struct op_args *args,
		  const struct op_answer *a, uint64_t least, uint64_t most)
{
	struct object o;

	if (!view_object(&c->model->head, args->object, &o))
		return false;
	if (a->size < least || a->size > most) {
		resolve_odd_size(c, op, args, a);
		return false;
	}
	if (a->size != o.size)
		model_truncate(c->model, c->operation, args->object, a->size);
	return true;
}

/* ---- blocks */

/* One version of a block: how it was, or how the operation would have made it. */
struct version {
	struct block_entry entry;
	size_t fragments;
	struct fragment fragment[FRAGMENTS_MAX];
	unsigned char bytes[BLOCK_SIZE];
};

/* A failure that is being settled. */
struct settling {
	struct op_ctx *c;
	const struct resolve *r;
	struct object file;
	uint64_t end;                   /* of the range, or of the file if that ends before */
	unsigned int findings, unknown; /* blocks that are neither, blocks that nothing is known of */
};

static uint64_t entry_hash(const struct block_entry *entry)
{
	return entry->writer ? entry->hash : content_hash_of_zeroes();
}

static bool block_now(const struct settling *s, uint64_t block, struct block_entry *entry)
{
	struct object o;

	return view_object(&s->c->model->head, s->r->args->object, &o) &&
	       view_blocks(&s->c->model->head, &o, block, 1, entry) == 1;
}

static void version_take(const struct settling *s, uint64_t block, struct version *v)
{
	const struct model_view *view = &s->c->model->head;
	const uint32_t object = s->r->args->object;

	v->fragments = 0;
	memset(v->bytes, 0, BLOCK_SIZE);
	if (!block_now(s, block, &v->entry))
		return;
	v->fragments = view_fragments(view, object, &v->entry, v->fragment, FRAGMENTS_MAX);
	view_regenerate(view, object, block, &v->entry, v->bytes);
}

static unsigned int differing(const unsigned char *a, const unsigned char *b)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < BLOCK_SIZE; i++)
		count += a[i] != b[i];
	return count;
}

/* It reads differently now from what it was when the operation failed, and that is gone. */
static void report_changed(struct settling *s, uint64_t block, uint64_t seen)
{
	struct finding f = {.class = FINDING_GARBAGE};

	judge_fill(s->c, s->r->op, s->r->args, &f);
	f.offset = block * BLOCK_SIZE;
	f.length = BLOCK_SIZE;
	f.found_hash = seen;
	snprintf(f.detail, sizeof(f.detail),
		 "when the operation failed, 4 KiB at %llu were neither as before nor as it makes them; a "
		 "moment "
		 "later they were",
		 (unsigned long long)f.offset);
	finding_emit(s->c->findings, &f);
}

/* The verdict against the nearer of the two. */
static void report_neither(struct settling *s, uint64_t block, const struct version *before,
			   const struct version *after, uint64_t seen)
{
	const uint64_t left = s->file.size - block * BLOCK_SIZE;
	const struct version *near;
	unsigned char found[BLOCK_SIZE];
	struct verdict_input in = {
		.run = s->c->model->head.run,
		.worker = s->c->model->head.worker,
		.object = s->r->args->object,
		.block = block,
		.found = found,
		.valid = left < BLOCK_SIZE ? (uint32_t)left : BLOCK_SIZE,
		.operations = s->c->operation,
	};
	struct finding f = {.still = true};

	if (s->findings++ >= FINDINGS_PER_FAILURE || !resolve_read_again(s->c, s->r->args, block, found))
		return;
	near = differing(before->bytes, found) <= differing(after->bytes, found) ? before : after;
	if (memcmp(near->bytes, found, BLOCK_SIZE) == 0) {
		report_changed(s, block, seen);
		return;
	}
	in.expected = near->bytes;
	in.fragment = near->fragment;
	in.fragments = near->fragments;
	judge_fill(s->c, s->r->op, s->r->args, &f);
	verdict_block(&in, &f);
	finding_emit(s->c->findings, &f);
}

void resolve_with_zeroes(const struct op_ctx *c, const struct op_args *args, uint64_t from, uint64_t to,
			 unsigned char *bytes)
{
	memset(bytes, 0, to - from);
}

/* Bytes [from, to) of the file that the operation was to change, within a block. */
struct part {
	uint64_t from, to;
};

static struct part part_of(const struct settling *s, uint64_t block)
{
	const uint64_t start = block * BLOCK_SIZE;

	return (struct part){MAX(start, s->r->offset), MIN(start + BLOCK_SIZE, s->end)};
}

/* Where the piece that begins at `at` ends: what is changed whole or not at all. */
static uint64_t piece_end(const struct settling *s, uint64_t at, uint64_t end)
{
	const uint64_t unit = s->c->look.unit, next = MIN(end, at - at % unit + unit);

	return at < s->r->old_end && s->r->old_end < next ? s->r->old_end : next;
}

/* Let the model have those pieces of the part that the operation changed, as the block shows. Neighbours go
 * together: they make one fragment. */
static void apply_pieces(const struct settling *s, uint64_t block, uint64_t seen)
{
	const struct part part = part_of(s, block);
	unsigned char found[BLOCK_SIZE], piece[BLOCK_SIZE];
	uint64_t begin = part.from;

	if (!resolve_read_again(s->c, s->r->args, block, found) || content_hash(found) != seen)
		return;
	for (uint64_t at = part.from, next; at < part.to; at = next) {
		next = piece_end(s, at, part.to);
		s->r->fill(s->c, s->r->args, at, next, piece);
		if (memcmp(piece, found + at % BLOCK_SIZE, next - at) == 0)
			continue;
		if (begin < at)
			s->r->apply(s->c, s->r->args, begin, at);
		begin = next;
	}
	if (begin < part.to)
		s->r->apply(s->c, s->r->args, begin, part.to);
}

/* The operation's part of this block, in pieces or whole, until the block is as it was seen. */
static bool apply_until(const struct settling *s, uint64_t block, uint64_t seen)
{
	const struct part part = part_of(s, block);
	struct block_entry now;

	apply_pieces(s, block, seen);
	if (block_now(s, block, &now) && entry_hash(&now) == seen)
		return true;
	s->r->apply(s->c, s->r->args, part.from, part.to);
	return block_now(s, block, &now) && entry_hash(&now) == seen;
}

static void settle_block(struct settling *s, uint64_t block, uint64_t seen)
{
	struct version before, after;
	struct block_entry now;

	if (!block_now(s, block, &now)) {
		s->unknown++;
		return;
	}
	if (entry_hash(&now) == seen)
		return;
	version_take(s, block, &before);
	if (apply_until(s, block, seen))
		return;
	s->unknown++;
	if (s->r->dropped)
		return;
	version_take(s, block, &after);
	report_neither(s, block, &before, &after, seen);
}

void resolve_blocks(struct op_ctx *c, const struct resolve *r)
{
	struct settling s = {.c = c, .r = r};

	if (!view_object(&c->model->head, r->args->object, &s.file) || s.file.flags & OBJECT_UNSURE)
		return;
	s.end = MIN(r->offset + r->length, s.file.size);
	for (uint64_t block = r->offset / BLOCK_SIZE; block * BLOCK_SIZE < s.end; block++) {
		if (block - c->look.first < c->look.count)
			settle_block(&s, block, c->look.hash[block - c->look.first]);
		else
			s.unknown++;
	}
	if (s.unknown)
		model_set_unsure(c->model, c->operation, r->args->object);
}

void resolve_failure(struct op_ctx *c, const struct resolve *r, const struct op_answer *a, uint64_t most,
		     bool wrong)
{
	struct object o;

	if (!view_object(&c->model->head, r->args->object, &o))
		return;
	judge_maybe_touch(c, r->args->object, a);
	if (!resolve_size(c, r->op, r->args, a, o.size, most))
		return;
	if (wrong)
		model_set_unsure(c->model, c->operation, r->args->object);
	else
		resolve_blocks(c, r);
}
