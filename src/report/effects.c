/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/effects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/model/model.h"
#include "src/ops/direct.h"
#include "src/ops/table.h"

/* The effects of one record while they are gathered. */
struct gather {
	struct effects *e;
	const struct journal_record *r;
	struct effect *out;
	unsigned int count;
	struct effect nobody; /* what has no place, or no object */
};

void effects_begin(struct effects *e, uint64_t start)
{
	*e = (struct effects){.start = start};
}

void effects_end(struct effects *e)
{
	free(e->object);
	free(e->object_of);
	free(e->clone);
	*e = (struct effects){0};
}

/* ---- what is followed */

/* Room for record `number` of a table, zeroed. False: there is no memory. */
static bool make_room(void **table, uint32_t *room, uint32_t number, size_t size)
{
	uint32_t wanted = (uint32_t)MIN(MAX((uint64_t)number + 1, 2ULL * *room), (uint64_t)UINT32_MAX);
	unsigned char *grown;

	if (number < *room)
		return true;
	grown = realloc(*table, wanted * size);
	if (!grown)
		return false;
	memset(grown + *room * size, 0, (wanted - *room) * size);
	*table = grown;
	*room = wanted;
	return true;
}

/* NULL: nothing is known of it. */
static struct effects_object *object_at(struct effects *e, uint32_t id)
{
	void *table = e->object;

	if (id == OBJECT_HELD || !make_room(&table, &e->objects, id, sizeof(*e->object)))
		return NULL;
	e->object = table;
	return &e->object[id];
}

static void name_object(struct effects *e, uint32_t name, uint32_t object)
{
	void *table = e->object_of;

	if (name == NAME_NONE || !make_room(&table, &e->names, name, sizeof(*e->object_of)))
		return;
	e->object_of = table;
	e->object_of[name] = object;
}

static uint32_t object_named(const struct effects *e, uint32_t name)
{
	return name < e->names ? e->object_of[name] : OBJECT_NONE;
}

/* ---- clones */

/* Of a very long list what comes last is not followed. */
#define CLONES_MAX  (1U << 20)
#define CLONE_STEPS 100000U /* clones looked at for one question, */
#define CLONE_CHAIN 8U      /* and how many lead from one to the next */

static void add_clone(struct effects *e, const struct effects_clone *c)
{
	if (e->clones == e->clones_room && e->clones < CLONES_MAX) {
		size_t room = MAX(2 * e->clones_room, (size_t)1024);
		struct effects_clone *grown = realloc(e->clone, room * sizeof(*grown));

		if (!grown)
			return;
		e->clone = grown;
		e->clones_room = room;
	}
	if (e->clones < e->clones_room)
		e->clone[e->clones++] = *c;
}

/* What is asked for, and how much longer to look for it. */
struct clone_question {
	const struct effects *e;
	uint32_t source;
	uint64_t source_offset, operation;
	unsigned int steps;
};

static bool covers(const struct effects_clone *c, uint32_t object, uint64_t offset)
{
	return c->object == object && offset >= c->here && offset - c->here < c->length;
}

/* Do the clones before number `end` lead from the source to this place? */
static bool leads_to(struct clone_question *q, uint32_t object, uint64_t offset, size_t end,
		     unsigned int chain)
{
	const struct effects *e = q->e;
	const size_t first = object < e->objects ? e->object[object].clones : 0;

	for (size_t i = end; i > first && q->steps; i--, q->steps--) {
		const struct effects_clone *c = &e->clone[i - 1];
		uint64_t there;

		if (!covers(c, object, offset) || c->operation <= q->operation)
			continue;
		there = c->there + (offset - c->here);
		if (c->source == q->source && there == q->source_offset)
			return true;
		if (chain && leads_to(q, c->source, there, i - 1, chain - 1))
			return true;
	}
	return false;
}

/* ---- gathering */

static struct effect *on(struct gather *g, uint32_t object)
{
	if (object == OBJECT_NONE || object == OBJECT_HELD)
		return &g->nobody;
	for (unsigned int i = 0; i < g->count; i++) {
		if (g->out[i].object == object)
			return &g->out[i];
	}
	if (g->count == EFFECTS_MAX)
		return &g->nobody;
	g->out[g->count] = (struct effect){.object = object};
	return &g->out[g->count++];
}

/* The time lies within the call. */
static void set_time(const struct gather *g, struct effect *x)
{
	x->mtime_min = (int64_t)(g->e->start + g->r->start);
	x->mtime_max = x->mtime_min + ((int64_t)g->r->took + 1) * (int64_t)NSEC_PER_USEC;
}

static void touch(struct gather *g, uint32_t object)
{
	struct effect *x = on(g, object);

	set_time(g, x);
	x->sets |= EFFECT(ATTRIBUTE_MTIME);
}

static void maybe_touch(struct gather *g, uint32_t object)
{
	struct effect *x = on(g, object);

	set_time(g, x);
	x->maybe |= EFFECT(ATTRIBUTE_MTIME);
}

static void set_size(struct gather *g, uint32_t object, uint64_t size)
{
	struct effects_object *o = object_at(g->e, object);
	struct effect *x = on(g, object);

	x->size = size;
	x->sets |= EFFECT(ATTRIBUTE_SIZE);
	if (o)
		*o = (struct effects_object){size, o->links, true, o->links_known, o->clones};
}

static void lose_size(struct gather *g, uint32_t object)
{
	struct effects_object *o = object_at(g->e, object);

	on(g, object)->lost |= EFFECT(ATTRIBUTE_SIZE);
	if (o)
		o->size_known = false;
}

/* It has bytes up to `end` now, if not more. True when it grew, as far as is known. */
static bool grow(struct gather *g, uint32_t object, uint64_t end)
{
	const struct effects_object *o = object_at(g->e, object);

	if (!o || !o->size_known) {
		lose_size(g, object);
		return true;
	}
	if (end <= o->size)
		return false;
	set_size(g, object, end);
	return true;
}

static void set_links(struct gather *g, uint32_t object, uint32_t links)
{
	struct effects_object *o = object_at(g->e, object);
	struct effect *x = on(g, object);

	x->links = links;
	x->sets |= EFFECT(ATTRIBUTE_LINKS);
	if (o)
		*o = (struct effects_object){o->size, links, o->size_known, true, o->clones};
}

/* One name more (by = 1) or less (by = -1). */
static void add_links(struct gather *g, uint32_t object, int by)
{
	const struct effects_object *o = object_at(g->e, object);

	if (o && o->links_known)
		set_links(g, object, o->links + (uint32_t)by);
	else
		on(g, object)->lost |= EFFECT(ATTRIBUTE_LINKS);
}

static struct effect *make(struct gather *g, uint32_t object, uint32_t name)
{
	struct effects_object *o = object_at(g->e, object);
	struct effect *x = on(g, object);

	if (o)
		o->clones = g->e->clones;
	x->made = true;
	x->sets |= EFFECT(ATTRIBUTE_MODE) | EFFECT(ATTRIBUTE_OWNER) | EFFECT(ATTRIBUTE_GROUP);
	touch(g, object);
	set_size(g, object, 0);
	set_links(g, object, 1);
	name_object(g->e, name, object);
	return x;
}

/* Was nothing done, as far as this errno says? */
static bool was_refused(int32_t answer)
{
	switch (-answer) {
	case ENOSPC:
	case EDQUOT:
	case ENOMEM:
	case EINTR:
	case EIO:
	case EROFS:
	case EFAULT:
	case EAGAIN:
		return false;
	default:
		return answer < 0;
	}
}

/* ---- what each operation does, when it was not refused; g->r->answer tells if it failed */

typedef void act(struct gather *g, const struct op_args *args, bool failed);

static void nothing(struct gather *g, const struct op_args *args, bool failed)
{
}

/* A directory in which a name was made or removed, or may have been. */
static void change_dir(struct gather *g, uint32_t dir, bool failed)
{
	if (failed)
		maybe_touch(g, dir);
	else
		touch(g, dir);
}

static void change_dirs(struct gather *g, const struct op_args *args, bool failed)
{
	change_dir(g, args->dir, failed);
	change_dir(g, args->dir2, failed);
}

static void does_create(struct gather *g, const struct op_args *args, bool failed)
{
	if (!failed)
		make(g, args->object, args->name.number)->mode = args->aux & 07777;
	change_dir(g, args->dir, failed);
}

static void does_symlink(struct gather *g, const struct op_args *args, bool failed)
{
	if (!failed) {
		make(g, args->object, args->name.number)->sets |= EFFECT(ATTRIBUTE_TARGET);
		set_size(g, args->object, args->aux);
		on(g, args->object)->length = args->aux;
	}
	change_dir(g, args->dir, failed);
}

static void does_subvol_create(struct gather *g, const struct op_args *args, bool failed)
{
	if (!failed)
		make(g, args->object, args->name.number)->mode = 0777;
	change_dir(g, args->dir, failed);
}

static void does_tmpfile(struct gather *g, const struct op_args *args, bool failed)
{
	if (failed)
		return;
	make(g, args->object, args->name.number)->mode = args->aux & 0777;
	set_links(g, args->object, 0);
}

static void does_unlink(struct gather *g, const struct op_args *args, bool failed)
{
	if (!failed) {
		add_links(g, args->object, -1);
		name_object(g->e, args->name.number, OBJECT_NONE);
	}
	change_dir(g, args->dir, failed);
}

static void does_orphan(struct gather *g, const struct op_args *args, bool failed)
{
	if (!failed)
		set_links(g, args->object, 0);
	change_dir(g, args->dir, failed);
}

static void does_subvol_delete(struct gather *g, const struct op_args *args, bool failed)
{
	change_dir(g, args->dir, failed);
}

static void does_link(struct gather *g, const struct op_args *args, bool failed)
{
	if (!failed) {
		add_links(g, args->object, 1);
		name_object(g->e, args->name2.number, args->object);
	}
	change_dir(g, args->dir2, failed);
}

static void does_linkat(struct gather *g, const struct op_args *args, bool failed)
{
	if (!failed)
		set_links(g, args->object, 1);
	change_dir(g, args->dir2, failed);
}

static void does_rename(struct gather *g, const struct op_args *args, bool failed)
{
	change_dirs(g, args, failed);
}

/* The record of the name that was there carries on under the object that moved; both names of one object are
 * left as they are. */
static void does_rename_over(struct gather *g, const struct op_args *args, bool failed)
{
	const uint32_t victim = object_named(g->e, args->aux);

	if (!failed && victim == args->object)
		return;
	if (!failed) {
		add_links(g, victim, -1);
		on(g, args->object)->instead_of = victim;
		name_object(g->e, args->aux, args->object);
		name_object(g->e, args->name.number, OBJECT_NONE);
	}
	change_dirs(g, args, failed);
}

static void does_exchange(struct gather *g, const struct op_args *args, bool failed)
{
	if (!failed && args->aux == args->object)
		return;
	if (!failed) {
		on(g, args->object)->instead_of = args->aux;
		on(g, args->aux)->instead_of = args->object;
		name_object(g->e, args->name.number, args->aux);
		name_object(g->e, args->name2.number, args->object);
		/* of directories, where the filesystem counts a new ".." as a change */
		maybe_touch(g, args->object);
		maybe_touch(g, args->aux);
	}
	change_dirs(g, args, failed);
}

static void does_whiteout(struct gather *g, const struct op_args *args, bool failed)
{
	if (!failed) {
		make(g, args->aux, args->name.number);
		name_object(g->e, args->name2.number, args->object);
	}
	change_dirs(g, args, failed);
}

static void does_truncate(struct gather *g, const struct op_args *args, bool failed)
{
	const struct effects_object *o = object_at(g->e, args->object);
	const bool same = o && o->size_known && o->size == args->offset;

	if (failed) {
		lose_size(g, args->object); /* it may have stopped on its way */
		on(g, args->object)->maybe |= EFFECT(ATTRIBUTE_SIZE);
		on(g, args->object)->size = args->offset;
	} else {
		set_size(g, args->object, args->offset);
	}
	if (failed || same)
		maybe_touch(g, args->object);
	else
		touch(g, args->object);
}

static void does_write(struct gather *g, const struct op_args *args, bool failed)
{
	if (failed)
		maybe_touch(g, args->object);
	if (g->r->answer <= 0)
		return;
	grow(g, args->object, args->offset + (uint64_t)g->r->answer);
	touch(g, args->object);
}

static void does_mmap_write(struct gather *g, const struct op_args *args, bool failed)
{
	maybe_touch(g, args->object);
}

static void does_aio_write(struct gather *g, const struct op_args *args, bool failed)
{
	const struct direct_range range = direct_range(args, args->dir2);

	if (failed || g->r->answer < (int32_t)range.length)
		lose_size(g, args->object);
	if (failed)
		maybe_touch(g, args->object);
	if (g->r->answer <= 0)
		return;
	grow(g, args->object, range.offset + (uint64_t)g->r->answer);
	touch(g, args->object);
}

/* Up to `end`, 0 if the size stays. */
static void allocate(struct gather *g, uint32_t object, uint64_t end, bool failed)
{
	if (failed && end)
		lose_size(g, object);
	if (!failed && end && grow(g, object, end))
		touch(g, object);
	else
		maybe_touch(g, object);
}

static void does_fallocate(struct gather *g, const struct op_args *args, bool failed)
{
	allocate(g, args->object, args->offset + args->aux, failed);
}

static void does_punch(struct gather *g, const struct op_args *args, bool failed)
{
	allocate(g, args->object, 0, failed);
}

/* Bit 31 of aux: the size is kept (docs/formats.md). A failure may have cut the file off all the same. */
static void does_zero_range(struct gather *g, const struct op_args *args, bool failed)
{
	if (failed)
		lose_size(g, args->object);
	if (args->aux >> 31)
		allocate(g, args->object, 0, failed);
	else
		allocate(g, args->object, args->offset + args->aux, failed);
}

/* Bytes up to `length` were taken over; all of them, if it is `whole`. */
static void clone_bytes(struct gather *g, const struct op_args *args, uint64_t here, uint64_t there,
			uint64_t length, bool whole)
{
	if (length) {
		grow(g, args->object, here + length);
		add_clone(g->e, &(struct effects_clone){args->object, args->dir2, g->r->operation, here,
							there, length});
	}
	if (!whole)
		lose_size(g, args->object);
	touch(g, args->object);
}

static void does_clone(struct gather *g, const struct op_args *args, bool failed)
{
	const struct effects_object *source = object_at(g->e, args->dir2);
	const bool known = source && source->size_known;

	clone_bytes(g, args, 0, 0, known && !failed ? source->size : 0, known && !failed);
	if (!known && !failed) /* all of it, however long that is */
		add_clone(g->e, &(struct effects_clone){args->object, args->dir2, g->r->operation, 0, 0,
							UINT64_MAX});
}

/* Offsets share a word (docs/formats.md). */
static void does_clone_range(struct gather *g, const struct op_args *args, bool failed)
{
	clone_bytes(g, args, (uint32_t)args->offset, args->offset >> 32, failed ? 0 : args->aux, !failed);
}

static void does_copy_range(struct gather *g, const struct op_args *args, bool failed)
{
	const uint64_t done = failed ? 0 : (uint64_t)g->r->answer;

	clone_bytes(g, args, (uint32_t)args->offset, args->offset >> 32, done, done == args->aux);
}

/* What was refused for lack of space may be found all the same. */
static void give(struct effect *x, uint32_t attributes, bool failed)
{
	if (failed)
		x->maybe |= attributes;
	else
		x->sets |= attributes;
}

static void does_chmod(struct gather *g, const struct op_args *args, bool failed)
{
	struct effect *x = on(g, args->object);

	x->mode = args->aux;
	give(x, EFFECT(ATTRIBUTE_MODE), failed);
}

static void does_chown(struct gather *g, const struct op_args *args, bool failed)
{
	struct effect *x = on(g, args->object);

	x->uid = args->aux;
	x->gid = (uint32_t)args->offset;
	give(x, EFFECT(ATTRIBUTE_OWNER) | EFFECT(ATTRIBUTE_GROUP), failed);
}

static void does_utimensat(struct gather *g, const struct op_args *args, bool failed)
{
	struct effect *x = on(g, args->object);

	set_time(g, x);
	if (args->offset != UINT64_MAX) /* else: now */
		x->mtime_min = x->mtime_max = (int64_t)args->offset;
	give(x, EFFECT(ATTRIBUTE_MTIME), failed);
}

static void does_setxattr(struct gather *g, const struct op_args *args, bool failed)
{
	struct effect *x = on(g, args->object);

	x->number = args->name2.number;
	x->length = args->aux;
	give(x, EFFECT(ATTRIBUTE_XATTR), failed);
}

static void does_removexattr(struct gather *g, const struct op_args *args, bool failed)
{
	struct effect *x = on(g, args->object);

	x->number = args->name2.number;
	x->removed = true;
	give(x, EFFECT(ATTRIBUTE_XATTR), failed);
}

/* Shared files keep their size, and their times are not modelled. */
static const struct {
	uint16_t kind;
	act *does;
} table[] = {
	{OP_CREATE, does_create},
	{OP_MKDIR, does_create},
	{OP_UNLINK, does_unlink},
	{OP_RMDIR, does_unlink},
	{OP_RENAME, does_rename},
	{OP_RENAME_OVER, does_rename_over},
	{OP_LINK, does_link},
	{OP_SYMLINK, does_symlink},
	{OP_TRUNCATE, does_truncate},
	{OP_WRITE, does_write},
	{OP_APPEND, does_write},
	{OP_READ, nothing},
	{OP_CHMOD, does_chmod},
	{OP_CHOWN, does_chown},
	{OP_UTIMENSAT, does_utimensat},
	{OP_SETXATTR, does_setxattr},
	{OP_REMOVEXATTR, does_removexattr},
	{OP_FSYNC, nothing},
	{OP_FDATASYNC, nothing},
	{OP_FALLOCATE, does_fallocate},
	{OP_FALLOCATE_KEEP, does_punch},
	{OP_PUNCH, does_punch},
	{OP_ZERO_RANGE, does_zero_range},
	{OP_CLONE, does_clone},
	{OP_CLONE_RANGE, does_clone_range},
	{OP_COPY_RANGE, does_copy_range},
	{OP_EXCHANGE, does_exchange},
	{OP_NOREPLACE, does_rename},
	{OP_WHITEOUT, does_whiteout},
	{OP_TMPFILE, does_tmpfile},
	{OP_LINKAT, does_linkat},
	{OP_ORPHAN, does_orphan},
	{OP_RELEASE, nothing},
	{OP_MMAP_WRITE, does_mmap_write},
	{OP_MMAP_READ, nothing},
	{OP_MSYNC, nothing},
	{OP_AIO_WRITE, does_aio_write},
	{OP_AIO_READ, nothing},
	{OP_SHARED_WRITE, nothing},
	{OP_SHARED_STORE, nothing},
	{OP_SHARED_READ, nothing},
	{OP_SHARED_SYNC, nothing},
	{OP_SNAPSHOT, nothing},
	{OP_SNAPSHOT_SWITCH, nothing},
	{OP_SNAPSHOT_DELETE, nothing},
	{OP_SUBVOL_CREATE, does_subvol_create},
	{OP_SUBVOL_DELETE, does_subvol_delete},
};

static act *find(uint16_t kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (table[i].kind == kind)
			return table[i].does;
	}
	return NULL;
}

bool effects_know(uint16_t kind)
{
	return find(kind);
}

unsigned int effects_of(struct effects *e, const struct journal_record *r, struct effect out[EFFECTS_MAX])
{
	struct gather g = {.e = e, .r = r, .out = out};
	act *does = find(r->kind);

	e->operation = r->operation;
	if (r->flags & JOURNAL_MARK || was_refused(r->answer))
		return 0;
	if (does)
		does(&g, &r->args, r->answer < 0);
	else /* of another version */
		on(&g, r->args.object)->lost = EFFECT(ATTRIBUTES) - 1;
	return g.count;
}

bool effects_cloned(const struct effects *e, uint32_t object, uint64_t offset, uint32_t source,
		    uint64_t source_offset, uint64_t operation)
{
	struct clone_question q = {e, source, source_offset, operation, CLONE_STEPS};
	const struct effects_clone *last = e->clones ? &e->clone[e->clones - 1] : NULL;

	if (!last || last->operation != e->operation || !covers(last, object, offset) ||
	    last->operation <= operation)
		return false;
	if (last->source == source && last->there + (offset - last->here) == source_offset)
		return true;
	return leads_to(&q, last->source, last->there + (offset - last->here), e->clones - 1, CLONE_CHAIN);
}
