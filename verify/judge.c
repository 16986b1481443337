/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/judge.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/finding/verdict.h"
#include "verify/data.h"
#include "verify/look.h"
#include "verify/shared.h"

/* Work of judging one file. */
struct judge {
	struct check *check;
	struct file *file;
	bool direct;
	bool open;                 /* `group` is a finding to which neighbours may still be joined */
	struct finding group;      /* its ranges are those of its first block */
	struct finding_range last; /* the first wrong range of its last block */
	struct finding next;
	struct fragment fragment[FRAGMENTS_MAX];
	unsigned char expected[BLOCK_SIZE];
};

static int by_block(const void *a, const void *b)
{
	const struct note *x = a, *y = b;

	return x->block < y->block ? -1 : x->block > y->block;
}

static const struct finding_range *first_wrong(const struct finding *f)
{
	for (unsigned int i = 0; i < f->ranges; i++) {
		if (f->range[i].class != FINDING_CLASSES)
			return &f->range[i];
	}
	return NULL;
}

/* What the block must be, and of which writes it is made. Returns whose it is: of a shared file the owner of
 * the first wrong byte. */
static struct subject expect_block(struct judge *j, const struct note *n, size_t *fragments)
{
	const struct verification *v = j->check->v;
	const struct subject *s = &j->file->subject;
	size_t wrong = 0;

	if (!shared_is(&j->file->object)) {
		view_regenerate(s->view, s->object, n->block, &n->entry, j->expected);
		*fragments = view_fragments(s->view, s->object, &n->entry, j->fragment, FRAGMENTS_MAX);
		return *s;
	}
	shared_regenerate(v, s->object, n->block, j->expected);
	*fragments = shared_fragments(v, s->object, n->block, j->fragment, FRAGMENTS_MAX);
	while (wrong + 1 < BLOCK_SIZE && j->expected[wrong] == n->found[wrong])
		wrong++;
	return shared_owner(v, s->object, n->block * BLOCK_SIZE + wrong);
}

/* A block that was read wrong. False when the fault is in recow's own memory. */
static bool judge_block(struct judge *j, const struct note *n)
{
	const struct file *file = j->file;
	uint64_t bytes = data_bytes(file, n->block, 1);
	size_t fragments;
	const struct subject s = expect_block(j, n, &fragments);

	if (content_hash(j->expected) != n->entry.hash || !memcmp(j->expected, n->found, BLOCK_SIZE)) {
		check_harness(j->check, &file->subject, "the block map of object");
		return false;
	}
	check_finding(&j->next, &s, FINDING_GARBAGE);
	verdict_block(
		&(struct verdict_input){
			.run = s.view->run,
			.worker = s.view->worker,
			.object = s.object,
			.block = n->block,
			.expected = j->expected,
			.found = n->found,
			.valid = (uint32_t)bytes,
			.fragment = j->fragment,
			.fragments = fragments,
			.operations = s.view->operations + j->check->v->later,
		},
		&j->next);
	return true;
}

static void judge_unreadable(struct judge *j, const struct note *n)
{
	struct finding *f = &j->next;

	check_finding(f, &j->file->subject, FINDING_EIO);
	f->offset = n->block * BLOCK_SIZE;
	f->length = BLOCK_SIZE;
}

/* Is it part of one and the same write that was lost? */
static bool lost(const struct finding *f)
{
	return f->operation && (f->class == FINDING_STALE || f->class == FINDING_ZEROES);
}

static bool same_origin(const struct finding_range *a, const struct finding_range *b)
{
	return a->origin.worker == b->origin.worker && a->origin.operation == b->origin.operation &&
	       a->object == b->object;
}

/* Does `next` go on where the group ends, with the same fault? */
static bool joins(const struct judge *j)
{
	const struct finding *group = &j->group, *next = &j->next;
	const struct finding_range *wrong = first_wrong(next);

	if (!j->open || next->offset != round_up_u64(group->offset + group->length, BLOCK_SIZE))
		return false;
	if (lost(group) && lost(next) && group->operation == next->operation)
		return true;
	if (group->class != next->class || group->class == FINDING_FLIPPED || group->class == FINDING_TORN)
		return false;
	return !wrong || same_origin(&j->last, wrong);
}

static void describe_unreadable(struct finding *f, int err)
{
	snprintf(f->detail, sizeof(f->detail), "%llu bytes at %llu can't be read: %s",
		 (unsigned long long)f->length, (unsigned long long)f->offset, strerror(err));
}

static void close_group(struct judge *j, int err)
{
	struct finding *f = &j->group;

	if (!j->open)
		return;
	j->open = false;
	if (f->class == FINDING_EIO)
		describe_unreadable(f, err);
	else
		verdict_describe(f);
	look_again(j->check, j->file, j->direct, f);
	check_emit(j->check, f);
}

static void take(struct judge *j, const struct note *n, int *err)
{
	if (n->err)
		judge_unreadable(j, n);
	else if (!judge_block(j, n))
		return;
	if (joins(j)) {
		j->group.length = j->next.offset + j->next.length - j->group.offset;
	} else {
		close_group(j, *err);
		j->group = j->next;
		j->open = true;
	}
	*err = n->err;
	if (first_wrong(&j->next))
		j->last = *first_wrong(&j->next);
}

static void tell_unnoted(struct check *c, const struct file *file)
{
	if (file->unnoted)
		check_report(c, &file->subject, FINDING_GARBAGE,
			     "%llu more wrong blocks in this file were not judged",
			     (unsigned long long)file->unnoted);
}

void judge_file(struct check *c, struct file *file, int open_flags)
{
	struct judge *j;
	int err = 0;

	if (!file->notes)
		return;
	if (check_full(c)) {
		c->dropped += file->notes + file->unnoted;
		return;
	}
	j = calloc(1, sizeof(*j));
	if (!j) {
		check_report(c, &file->subject, FINDING_HARNESS, "no memory to judge %zu wrong blocks",
			     file->notes);
		return;
	}
	j->check = c;
	j->file = file;
	j->direct = (open_flags & O_DIRECT) && !file->cached;
	qsort(file->note, file->notes, sizeof(file->note[0]), by_block);
	for (size_t i = 0; i < file->notes; i++)
		take(j, &file->note[i], &err);
	close_group(j, err);
	tell_unnoted(c, file);
	free(j);
}
