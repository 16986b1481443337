/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/durable/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/durable/timeline.h"
#include "src/model/stripes.h"
#include "src/ops/table.h"

/* Address space for all that models ever are: what isn't touched costs nothing. */
#define POOL_BYTES (64 * GiB)

/* ---- tables */

static bool grow(void **table, size_t *room, size_t wanted, size_t size)
{
	size_t more = MAX(wanted, 2 * *room);
	unsigned char *grown;

	if (wanted <= *room)
		return true;
	grown = reallocarray(*table, more, size);
	if (!grown)
		return false;
	memset(grown + *room * size, 0, (more - *room) * size);
	*table = grown;
	*room = more;
	return true;
}

/* ---- where it begins */

static int begin_anew(struct worker_history *w, const struct history_plan *p, struct error *e)
{
	if (model_init(&w->model, w->of->pool, w->worker, p->key, p->shared_dirs, e))
		return -1;
	for (unsigned int k = 0; k < p->shared_files; k++) {
		if (!model_add_shared_file(&w->model, stripes_size(k)))
			return error_set(e, EXIT_HARNESS, "the memory for models is used up");
	}
	return 0;
}

/* All names that there are. */
static void note_all_names(struct worker_history *w)
{
	const struct model_view *v = &w->model.head;
	struct named n;

	for (uint32_t i = 0; i < v->names.count; i++) {
		if (names_look(v, i, &n))
			names_note(&w->names, &n, view_is_shared(v, n.dir.object), n.to, w->begin);
	}
}

static int begin_at_checkpoint(struct worker_history *w, const struct history_plan *p, struct error *e)
{
	char path[4096 + 32];
	int fd, rc;

	snprintf(path, sizeof(path), "%s/model/w%04u.model", p->run, w->worker);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(e, EXIT_USAGE, errno, "%s", path);
	rc = model_load(&w->model, w->of->pool, fd, e);
	close(fd);
	if (rc)
		return error_context(e, "%s", path);
	w->begin = w->model.head.operations;
	if (w->facts.first <= w->begin + 1)
		return 0;
	return error_set(e, EXIT_INCONCLUSIVE,
			 "the journal of worker %u begins at operation %llu, its recorded state ends at %llu",
			 w->worker, (unsigned long long)w->facts.first, (unsigned long long)w->begin);
}

static int begin_worker(struct worker_history *w, const struct history_plan *p, struct error *e)
{
	int rc = w->facts.first <= 1 ? begin_anew(w, p, e) : begin_at_checkpoint(w, p, e);

	if (rc || retell_begin(&w->told, &w->model, p->workers, w->facts.start, e))
		return -1;
	names_begin(&w->names, w->worker);
	w->begun = true;
	note_all_names(w);
	return 0;
}

/* ---- following */

static int keep_epoch(struct worker_history *w, uint64_t operation)
{
	void *table = w->epoch;
	struct frozen *f;

	if (w->epochs && w->epoch[w->epochs - 1].operation == operation)
		return 0;
	if (!grow(&table, &w->epoch_room, w->epochs + 1, sizeof(*w->epoch)))
		return -1;
	w->epoch = table;
	f = model_freeze(&w->model);
	if (!f)
		return -1;
	w->epoch[w->epochs++] = (struct epoch){operation, f};
	return 0;
}

/* Names that an operation can have changed, before and after it. */
#define NAMES_OF 3

struct name_change {
	uint32_t number[NAMES_OF];
	struct named was[NAMES_OF], is[NAMES_OF];
	bool there[NAMES_OF], here[NAMES_OF];
};

static void look_at_names(const struct worker_history *w, const struct name_change *c,
			  struct named named[NAMES_OF], bool there[NAMES_OF])
{
	for (unsigned int i = 0; i < NAMES_OF; i++)
		there[i] = names_look(&w->model.head, c->number[i], &named[i]);
}

static bool same_name(const struct named *a, const struct named *b)
{
	return a->dir.object == b->dir.object && a->dir.born == b->dir.born &&
	       a->ref.number == b->ref.number && a->ref.tag == b->ref.tag;
}

static bool same_thing(struct thing a, struct thing b)
{
	return a.object == b.object && a.born == b.born;
}

static bool got_name(const struct name_change *c, struct thing t)
{
	for (unsigned int i = 0; i < NAMES_OF; i++) {
		if (c->here[i] && same_thing(c->is[i].to, t))
			return true;
	}
	return false;
}

static void note_loss(struct worker_history *w, struct thing t, uint64_t operation)
{
	void *table = w->lost;

	if (!grow(&table, &w->losts, (size_t)t.object + 1, sizeof(*w->lost)))
		w->names.failed = true;
	w->lost = table;
	if (t.object < w->losts)
		w->lost[t.object] = operation;
}

static bool is_shared(const struct worker_history *w, struct thing dir)
{
	return view_is_shared(&w->model.head, dir.object);
}

/* Is this name in the other list, and does it lead to the same there? */
static bool stands_in(const struct named *n, const struct named other[NAMES_OF], const bool valid[NAMES_OF],
		      bool same)
{
	for (unsigned int i = 0; i < NAMES_OF; i++) {
		if (valid[i] && same_name(n, &other[i]) && (!same || same_thing(n->to, other[i].to)))
			return true;
	}
	return false;
}

static void note_names(struct worker_history *w, const struct name_change *c, uint64_t operation)
{
	for (unsigned int i = 0; i < NAMES_OF; i++) {
		const struct named *n = &c->was[i];

		if (c->there[i] && !stands_in(n, c->is, c->here, false))
			names_note(&w->names, n, is_shared(w, n->dir), (struct thing){0}, operation);
		if (c->there[i] && !got_name(c, n->to))
			note_loss(w, n->to, operation);
	}
	for (unsigned int i = 0; i < NAMES_OF; i++) {
		const struct named *n = &c->is[i];

		if (c->here[i] && !stands_in(n, c->was, c->there, true))
			names_note(&w->names, n, is_shared(w, n->dir), n->to, operation);
	}
}

/* Unless the object (or the next one with its id) was synced later. */
static void touch(struct worker_history *w, const struct done *d, uint32_t object)
{
	struct object after = {0};

	if (object < w->syncs.objects && d->part[0].operation < w->syncs.object[object].all)
		return;
	view_object(&w->model.head, object, &after);
	touches_add(&w->touches, d, object, &after);
}

/* May the operation be on disk only in part, or not at all? Then what it leaves is kept. */
static void note_touches(struct worker_history *w, const struct done *d, const struct name_change *c)
{
	const struct journal_record *r = &d->part[0];
	const struct op *op = op_by_id(r->kind);

	if (!w->settled || !op || op->reads || op->group == GROUP_DURABILITY ||
	    (!d->pending && retell_refused(r)))
		return;
	touch(w, d, r->args.object);
	for (unsigned int i = 0; i < NAMES_OF; i++) {
		const struct thing t = c->is[i].to;

		if (c->here[i] && t.born == r->operation && t.object != r->args.object)
			touch(w, d, t.object);
	}
}

static bool ends_in_failing(const struct history *h, const struct done *d)
{
	return h->failing && done_end(d) >= h->failing;
}

/* A target that had failed refused it: nothing of it can have reached the disk. But for a store through a
 * mapping that ended in a SIGBUS: what it stored before may have met a page on its way there. */
static bool left_nothing(const struct history *h, const struct done *d)
{
	const struct journal_record *r = &d->part[0];

	if (!h->failed || d->pending || r->start <= h->failed)
		return false;
	for (unsigned int i = 0; i < d->count; i++) {
		if (d->part[i].answer >= 0 || d->part[i].answer == -EFAULT)
			return false;
	}
	return true;
}

static void note_snapshot(struct worker_history *w, const struct done *d)
{
	const struct journal_record *r = &d->part[0];
	void *table = w->deleted;

	if (r->kind == OP_SNAPSHOT || r->kind == OP_SNAPSHOT_SWITCH) {
		w->snapshots = r->args.offset;
		if ((d->pending || ends_in_failing(w->of, d)) && !w->snapshot_unsure)
			w->snapshot_unsure = r->args.offset;
	}
	if (r->kind != OP_SNAPSHOT_DELETE || (r->answer < 0 && !d->pending) ||
	    !grow(&table, &w->deleted_room, w->deletions + 1, sizeof(*w->deleted)))
		return;
	w->deleted = table;
	w->deleted[w->deletions++] = (struct deleted){r->args.offset, r->operation};
}

/* Is this the last time that its object was synced, or all? */
static bool is_floor(const struct worker_history *w, const struct journal_record *r)
{
	const uint32_t id = r->args.object;

	if (r->operation == w->syncs.snapshot)
		return true;
	return id < w->syncs.objects &&
	       (w->syncs.object[id].data == r->operation || w->syncs.object[id].all == r->operation);
}

/* All before this operation was over when all was synced. */
static int settle_whole(struct worker_history *w)
{
	if (w->settled)
		return 0;
	w->settled = true;
	w->whole = w->of->whole ? w->last : 0;
	return keep_epoch(w, w->last);
}

static int note_barrier(struct worker_history *w, uint64_t round)
{
	void *table = w->barrier;

	if (!grow(&table, &w->barrier_room, w->barriers + 1, sizeof(*w->barrier)))
		return 1;
	w->barrier = table;
	w->barrier[w->barriers++] = (struct barrier){round, w->last};
	return keep_epoch(w, w->last) ? 1 : 0;
}

static int follow(void *self, const struct done *d)
{
	struct worker_history *w = self;
	const struct journal_record *r = &d->part[0];
	struct name_change c = {
		.number = {r->args.name.number, r->args.name2.number, r->args.aux},
	};

	if (d->mark && r->operation >= w->begin)
		return note_barrier(w, r->args.offset);
	if (d->mark || r->operation <= w->begin || left_nothing(w->of, d))
		return 0;
	if (done_end(d) > w->of->whole && settle_whole(w))
		return 1;
	/* Nothing that is in flight belongs to what is known. */
	if (d->pending && keep_epoch(w, w->last))
		return 1;
	if (c.number[1] == c.number[0])
		c.number[1] = NAME_NONE;
	if (c.number[2] == c.number[0] || c.number[2] == c.number[1])
		c.number[2] = NAME_NONE;
	look_at_names(w, &c, c.was, c.there);
	retell(&w->told, d);
	look_at_names(w, &c, c.is, c.here);
	note_names(w, &c, r->operation);
	note_touches(w, d, &c);
	note_snapshot(w, d);
	w->last = r->operation;
	w->of->operations++;
	w->of->over = MAX(w->of->over, w->facts.start + r->start);
	w->of->in_flight += d->pending;
	return is_floor(w, r) && keep_epoch(w, r->operation) ? 1 : 0;
}

static int no_memory(const struct worker_history *w, struct error *e)
{
	return error_errno(e, EXIT_HARNESS, ENOMEM, "the past of worker %u", w->worker);
}

static int follow_worker(struct worker_history *w, const struct history_plan *p, struct error *e)
{
	int rc;

	if (begin_worker(w, p, e))
		return -1;
	w->last = w->begin;
	rc = source_each(p->run, p->key, w->worker, p->ended, &w->facts, follow, w, e);
	if (rc < 0)
		return -1;
	if (rc || settle_whole(w) || keep_epoch(w, UINT64_MAX) || w->names.failed || w->touches.failed ||
	    w->model.owner.exhausted)
		return no_memory(w, e);
	w->of->complete &= w->facts.whole;
	return 0;
}

/* ---- first: what was synced */

static int take_sync(void *self, const struct done *d)
{
	struct worker_history *w = self;

	syncs_take(&w->syncs, d);
	return 0;
}

static int find_syncs(struct worker_history *w, const struct history_plan *p, struct error *e)
{
	if (source_each(p->run, p->key, w->worker, p->ended, &w->facts, take_sync, w, e))
		return -1;
	if (w->syncs.failed)
		return no_memory(w, e);
	w->of->whole = MAX(w->of->whole, w->syncs.whole);
	return 0;
}

int history_make(struct history *h, const struct history_plan *p, struct error *e)
{
	void *pool = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	const struct told_times times = timeline_times(p->run);

	*h = (struct history){.run = p->run, .key = p->key, .complete = true, .ended = p->ended};
	if (pool == MAP_FAILED)
		return error_errno(e, EXIT_HARNESS, errno, "memory for the models");
	h->pool_bytes = POOL_BYTES;
	h->pool = page_pool_init(pool, POOL_BYTES);
	h->worker = calloc(p->workers, sizeof(*h->worker));
	if (!h->worker)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "%u workers", p->workers);
	h->workers = p->workers;
	h->whole = times.whole;
	h->failing = times.failing;
	h->failed = times.failed;
	for (unsigned int i = 0; i < p->workers; i++) {
		h->worker[i].of = h;
		h->worker[i].worker = i;
		h->worker[i].syncs.until = h->failing;
		if (find_syncs(&h->worker[i], p, e))
			return -1;
	}
	for (unsigned int i = 0; i < p->workers; i++) {
		if (follow_worker(&h->worker[i], p, e))
			return -1;
	}
	return 0;
}

static void free_worker(struct worker_history *w)
{
	if (w->begun)
		retell_end(&w->told);
	for (size_t i = 0; i < w->epochs; i++)
		model_release(w->epoch[i].frozen);
	model_destroy(&w->model);
	names_end(&w->names);
	touches_end(&w->touches);
	syncs_end(&w->syncs);
	free(w->epoch);
	free(w->lost);
	free(w->deleted);
	free(w->barrier);
}

void history_free(struct history *h)
{
	for (unsigned int i = 0; h->worker && i < h->workers; i++)
		free_worker(&h->worker[i]);
	free(h->worker);
	if (h->pool)
		munmap(h->pool, h->pool_bytes);
	*h = (struct history){0};
}

/* ---- asking */

const struct model_view *history_end(const struct worker_history *w)
{
	return &w->epoch[w->epochs - 1].frozen->view;
}

bool history_lives(const struct worker_history *w, struct thing t, struct object *out)
{
	return view_object(history_end(w), t.object, out) && out->born == t.born;
}

/* Its own subvolume, and no further one in it: what a snapshot of it holds. */
static bool is_own(const struct worker_history *w, struct thing t)
{
	struct object o;

	return view_object(history_end(w), t.object, &o) && o.born == t.born && scope_has(SCOPE_PRIVATE, &o);
}

uint64_t history_floor(const struct worker_history *w, struct thing t, enum history_part part)
{
	const uint64_t whole = MAX(w->whole, is_own(w, t) ? w->syncs.snapshot : 0);
	struct object now;
	uint64_t floor = whole >= t.born ? whole : 0;

	/* Another one has its id now: what was synced may have been that. */
	if (!view_object(history_end(w), t.object, &now) || now.born == t.born) {
		const struct synced s = syncs_of(&w->syncs, t.object, t.born);

		floor = MAX(floor, part == HISTORY_ALL ? s.all : s.data);
	}
	return floor > w->begin ? floor : 0;
}

bool history_knows(const struct worker_history *w, struct thing t, enum history_part part)
{
	return !w->begin || t.born > w->begin || history_floor(w, t, part);
}

static struct frozen *frozen_at(const struct worker_history *w, uint64_t operation)
{
	size_t low = 0, high = w->epochs;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (w->epoch[middle].operation < operation)
			low = middle + 1;
		else
			high = middle;
	}
	return low < w->epochs && w->epoch[low].operation == operation ? w->epoch[low].frozen : NULL;
}

struct frozen *history_barrier(const struct worker_history *w, uint64_t round)
{
	for (size_t i = w->barriers; i > 0; i--) {
		if (w->barrier[i - 1].round == round)
			return frozen_at(w, w->barrier[i - 1].operation);
	}
	return NULL;
}

const struct model_view *history_at(const struct worker_history *w, struct thing t, uint64_t floor,
				    struct object *out)
{
	const struct frozen *f = floor ? frozen_at(w, floor) : NULL;

	return f && view_object(&f->view, t.object, out) && out->born == t.born ? &f->view : NULL;
}

bool history_lost_name(const struct worker_history *w, struct thing t, uint64_t operation)
{
	return t.object < w->losts && w->lost[t.object] > operation;
}
