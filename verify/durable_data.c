/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After a power cut: contents. A block is as it was when its file was durable last, or as some operation left
 * it that came later. Of what was being written when power went a part may have arrived, down to a sector of
 * the disk, so each byte is looked at by itself: it must be one that this place of the file had since then.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/units.h"
#include "src/finding/verdict.h"
#include "src/model/stripes.h"
#include "src/ops/direct.h"
#include "src/ops/table.h"
#include "verify/durable.h"

#define KEEP_SIZE (1U << 31) /* zero_range: of its length */

/* One block of one worker's bytes. */
struct block {
	const struct worker_history *w;
	struct thing thing;
	const struct model_view *view; /* at the floor, NULL: nothing of it was durable */
	struct object object;          /* there */
	uint64_t floor;
	uint64_t number;
	const unsigned char *found;     /* BLOCK_SIZE, zeroes behind the end of the file */
	unsigned char base[BLOCK_SIZE]; /* as it was at the floor */
	bool right[BLOCK_SIZE];
};

/* ---- which bytes may be there */

/* Cut file offsets [from, to) to the block; false when nothing is left. */
static bool cut(const struct block *b, uint64_t *from, uint64_t *to)
{
	const uint64_t begin = b->number * BLOCK_SIZE;

	*from = MAX(*from, begin);
	*to = MIN(*to, begin + BLOCK_SIZE);
	return *from < *to;
}

/* Bytes [from, to) of the file may be these; NULL: any. */
static void allow(struct block *b, uint64_t from, uint64_t to, const unsigned char *bytes)
{
	const uint64_t begin = b->number * BLOCK_SIZE;

	for (uint64_t at = from; at < to; at++)
		b->right[at - begin] |= !bytes || b->found[at - begin] == bytes[at - from];
}

static void allow_zeroes(struct block *b, uint64_t from, uint64_t to)
{
	static const unsigned char zeroes[BLOCK_SIZE];

	if (cut(b, &from, &to))
		allow(b, from, to, zeroes);
}

static void allow_written(struct block *b, const struct touch *t, uint64_t offset, uint64_t length)
{
	const struct content_key key = {
		b->w->model.head.run, {b->w->worker, t->record.operation}, b->thing.object};
	unsigned char bytes[BLOCK_SIZE];
	uint64_t from = offset, to = offset + length;

	if (!cut(b, &from, &to))
		return;
	content_fill(&key, from, bytes, to - from);
	allow(b, from, to, bytes);
}

static void allow_batch(struct block *b, const struct touch *t)
{
	const struct op_args *args = &t->record.args;

	for (unsigned int i = 0; i < direct_count(args); i++) {
		const struct direct_range r = direct_range(args, i);

		allow_written(b, t, r.offset, r.length);
	}
}

/* Whatever the source had: it may itself be one of several versions. */
static void allow_cloned(struct block *b, const struct op_args *args, uint64_t length)
{
	uint64_t from = args->offset & UINT32_MAX, to = from + length;

	if (cut(b, &from, &to))
		allow(b, from, to, NULL);
}

static void allow_touch(struct block *b, const struct touch *t)
{
	const struct op_args *args = &t->record.args;

	switch (t->record.kind) {
	case OP_WRITE:
	case OP_APPEND:
	case OP_MMAP_WRITE:
	case OP_SHARED_WRITE:
	case OP_SHARED_STORE:
		allow_written(b, t, args->offset, args->aux);
		break;
	case OP_AIO_WRITE:
		allow_batch(b, t);
		break;
	case OP_TRUNCATE:
		allow_zeroes(b, args->offset, UINT64_MAX);
		break;
	case OP_PUNCH:
	case OP_ZERO_RANGE:
		allow_zeroes(b, args->offset, args->offset + (args->aux & ~KEEP_SIZE));
		break;
	case OP_CLONE:
		allow_cloned(b, &(struct op_args){.offset = 0}, UINT32_MAX);
		break;
	case OP_CLONE_RANGE:
	case OP_COPY_RANGE:
		allow_cloned(b, args, args->aux);
		break;
	default:
		break;
	}
}

/* The block as it was at the floor. */
static void load_base(struct block *b)
{
	struct block_entry entry;

	if (b->view && view_blocks(b->view, &b->object, b->number, 1, &entry) == 1)
		view_regenerate(b->view, b->thing.object, b->number, &entry, b->base);
	else
		memset(b->base, 0, BLOCK_SIZE);
}

/* Behind the end that was durable there may be zeroes: a file can grow before what was written there is on
 * disk. */
static void judge_bytes(struct block *b)
{
	const uint64_t begin = b->number * BLOCK_SIZE;
	const struct touches *touches = &b->w->touches;

	load_base(b);
	memset(b->right, 0, sizeof(b->right));
	allow(b, begin, begin + BLOCK_SIZE, b->base);
	allow_zeroes(b, b->view ? b->object.size : 0, UINT64_MAX);
	for (const struct touch *t = touches_newest(touches, b->thing.object, b->floor); t;
	     t = touches_before(touches, t, b->floor))
		allow_touch(b, t);
}

/* Is all right but bytes [from, to) of the file? */
static bool right_but(const struct block *b, uint64_t from, uint64_t to)
{
	const uint64_t begin = b->number * BLOCK_SIZE;

	for (unsigned int i = 0; i < BLOCK_SIZE; i++) {
		if (!b->right[i] && (begin + i < from || begin + i >= to))
			return false;
	}
	return true;
}

static bool all_right(const struct block *b)
{
	return right_but(b, 0, 0);
}

/*
 * Is all that is wrong what lay behind the end of the file that was durable, up to the end of that block of
 * the filesystem? btrfs cuts a file off without writing zeroes there, and commits a greater size before the
 * zeroes that it writes then: so what had been cut off is back (docs/found/btrfs-cut-off-bytes.md).
 */
static bool is_cut_off(const struct durable_pass *p, const struct block *b, uint64_t unit)
{
	const uint64_t size = b->object.size;

	return p->check.v->target->btrfs && b->view && right_but(b, size, round_up_u64(size, unit));
}

/* ---- a finding */

/* The verdict is against the version that is durable. */
static void report_block(struct durable_pass *p, const struct block *b, const struct durable_found *f)
{
	const uint64_t size = (uint64_t)f->st.st_size;
	static struct fragment fragment[FRAGMENTS_MAX];
	const struct subject s = {b->view ? b->view : history_end(b->w), b->thing.object, NAME_NONE};
	struct block_entry entry = {0};
	struct finding finding;
	char text[96];
	struct verdict_input in = {
		.run = s.view->run,
		.worker = b->w->worker,
		.object = b->thing.object,
		.block = b->number,
		.expected = b->base,
		.found = b->found,
		.valid = (uint32_t)MIN(size - b->number * BLOCK_SIZE, (uint64_t)BLOCK_SIZE),
		.fragment = fragment,
		.operations = b->w->last,
	};

	p->wrong++;
	if (p->quiet)
		return;
	if (b->view && view_blocks(b->view, &b->object, b->number, 1, &entry) == 1)
		in.fragments = view_fragments(b->view, b->thing.object, &entry, fragment, FRAGMENTS_MAX);
	check_finding(&finding, &s, FINDING_GARBAGE);
	verdict_block(&in, &finding);
	bytes_escape(finding.path, sizeof(finding.path), f->path, strlen(f->path));
	if (b->view)
		snprintf(
			text, sizeof(text),
			"; operation %llu made an other version durable, and none that came later wrote this",
			(unsigned long long)b->floor);
	else
		snprintf(text, sizeof(text), "; nothing of it was durable, and no operation wrote this");
	check_append(&finding, text);
	check_emit(&p->check, &finding);
}

/* ---- reading */

/* Whole blocks, zeroes behind the end. Returns how many bytes there were, or -1 with errno. */
static ssize_t read_blocks(int fd, uint64_t first, unsigned char *buf, size_t room)
{
	size_t have = 0;

	while (have < room) {
		ssize_t n = pread(fd, buf + have, room - have, (off_t)(first * BLOCK_SIZE + have));

		if (n < 0 && errno != EINTR)
			return -1;
		if (n == 0)
			break;
		have += n > 0 ? (size_t)n : 0;
	}
	memset(buf + have, 0, room - have);
	return (ssize_t)have;
}

static void report_unreadable(struct durable_pass *p, const struct durable_found *f, uint64_t first)
{
	const int err = errno;

	durable_report(p, f, check_errno_class(err), NULL, "%u bytes at %llu can't be read: %s",
		       DURABLE_BUFFER, (unsigned long long)first * BLOCK_SIZE, strerror(err));
}

/* As it is at the end: then nothing was lost. */
static bool is_newest(const struct block *b)
{
	const struct model_view *v = history_end(b->w);
	struct block_entry entry = {.hash = content_hash_of_zeroes()};
	struct object o;

	if (!view_object(v, b->thing.object, &o) || o.born != b->thing.born)
		return false;
	if (view_blocks(v, &o, b->number, 1, &entry) != 1)
		entry.hash = content_hash_of_zeroes();
	return content_hash(b->found) == entry.hash;
}

/* One block of a file, zeroes behind its end. */
typedef void look_at_block(struct durable_pass *p, const struct durable_found *f, void *self, uint64_t number,
			   const unsigned char *found);

static void each_block(struct durable_pass *p, const struct durable_found *f, int fd, look_at_block *look,
		       void *self)
{
	const uint64_t step = DURABLE_BUFFER / BLOCK_SIZE;

	for (uint64_t first = 0; first * BLOCK_SIZE < (uint64_t)f->st.st_size && !check_stopped(&p->check);
	     first += step) {
		ssize_t have = read_blocks(fd, first, p->buffer, DURABLE_BUFFER);
		const uint64_t blocks = have > 0 ? div_up_u64((uint64_t)have, BLOCK_SIZE) : 0;

		if (have < 0)
			report_unreadable(p, f, first);
		p->check.v->counters->bytes += have > 0 ? (uint64_t)have : 0;
		p->check.v->counters->blocks += blocks;
		for (uint64_t i = 0; i < blocks; i++)
			look(p, f, self, first + i, p->buffer + i * BLOCK_SIZE);
	}
}

static void look_at_own(struct durable_pass *p, const struct durable_found *f, void *self, uint64_t number,
			const unsigned char *found)
{
	struct block *b = self;

	b->number = number;
	b->found = found;
	p->blocks += b->view != NULL;
	if (is_newest(b))
		return;
	judge_bytes(b);
	if (all_right(b))
		return;
	if (is_cut_off(p, b, (uint64_t)f->st.st_blksize))
		p->cut_off++;
	else
		report_block(p, b, f);
}

void durable_data(struct durable_pass *p, const struct durable_found *f, int fd)
{
	struct block b = {.w = f->w, .thing = f->thing};

	b.floor = history_floor(f->w, f->thing, HISTORY_DATA);
	b.view = history_at(f->w, f->thing, b.floor, &b.object);
	b.floor = MAX(b.floor, f->thing.born ? f->thing.born - 1 : 0);
	each_block(p, f, fd, look_at_own, &b);
}

/* ---- shared files: each byte has its owner, and its owner's floor */

struct shared_block {
	struct block *of; /* by worker */
	unsigned int workers;
	uint32_t k;
	uint64_t size;
};

static void look_at_shared(struct durable_pass *p, const struct durable_found *f, void *self, uint64_t number,
			   const unsigned char *found)
{
	struct shared_block *s = self;
	const uint64_t begin = number * BLOCK_SIZE;
	struct durable_found of_owner = *f;

	for (unsigned int i = 0; i < s->workers; i++) {
		s->of[i].number = number;
		s->of[i].found = found;
		judge_bytes(&s->of[i]);
	}
	for (unsigned int at = 0; at < BLOCK_SIZE && begin + at < s->size; at++) {
		const struct block *b = &s->of[stripes_owner(s->k, begin + at, s->workers)];

		if (b->right[at])
			continue;
		of_owner.w = b->w;
		durable_report(p, &of_owner, FINDING_GARBAGE, NULL,
			       "byte %llu is none that worker %u has written there since operation %llu, "
			       "when it was durable",
			       (unsigned long long)begin + at, b->w->worker, (unsigned long long)b->floor);
		return;
	}
}

/* True when what any worker has in it is known. */
static bool prepare(struct durable_pass *p, struct shared_block *s, struct durable_found *f)
{
	bool any = false;

	for (unsigned int i = 0; i < s->workers; i++) {
		const struct worker_history *w = &p->history->worker[i];
		struct block *b = &s->of[i];
		struct object now;

		*b = (struct block){.w = w, .thing = {OBJECT_FIRST_SHARED_FILE + s->k, 0, OBJECT_FILE}};
		if (!history_lives(w, b->thing, &now) || now.flags & OBJECT_UNSURE ||
		    !history_knows(w, b->thing, HISTORY_DATA))
			return false;
		b->floor = history_floor(w, b->thing, HISTORY_DATA);
		b->view = history_at(w, b->thing, b->floor, &b->object);
		any |= b->view != NULL;
	}
	f->w = s->of[0].w;
	f->thing = s->of[0].thing;
	if (any && (uint64_t)f->st.st_size != s->size)
		durable_report(p, f, FINDING_ATTRIBUTE, NULL, "size: expected %llu, found %llu",
			       (unsigned long long)s->size, (unsigned long long)f->st.st_size);
	p->objects += any;
	p->blocks += any ? div_up_u64(s->size, BLOCK_SIZE) : 0;
	return true;
}

void durable_shared_file(struct durable_pass *p, uint32_t k, const char *path)
{
	struct durable_found f = {
		.dir = p->check.v->mount, .name = path, .path = path, .w = &p->history->worker[0]};
	struct shared_block s = {.workers = p->history->workers, .k = k, .size = stripes_size(k)};
	int fd = openat(f.dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	s.of = calloc(s.workers, sizeof(*s.of));
	if (fd >= 0 && s.of && fstat(fd, &f.st) == 0 && prepare(p, &s, &f))
		each_block(p, &f, fd, look_at_shared, &s);
	if (fd >= 0)
		close(fd);
	free(s.of);
}
