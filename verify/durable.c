/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After a power cut: names. The tree is walked as it is; each name in it must be one that was durable, or was
 * made later, and each that was durable must be there unless something was begun later that takes it away.
 */
#include "verify/durable.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/units.h"
#include "src/content/hash.h"
#include "verify/durable_tree.h"

/* ---- what must be there, and is not */

static void mark(struct durable_pass *p, const struct worker_history *w, uint32_t object,
		 enum durable_state state)
{
	struct durable_worker *own = &p->worker[w->worker];

	if (object < own->objects && own->state[object] != DURABLE_SEEN)
		own->state[object] = (unsigned char)state;
}

void durable_mark_seen(struct durable_pass *p, const struct worker_history *w, struct thing t)
{
	struct object o;

	if (history_lives(w, t, &o))
		mark(p, w, t.object, DURABLE_SEEN);
}

static const char *type_name(uint8_t type)
{
	return inode_type_name(inode_type(type));
}

static const char *what_synced(const struct worker_history *w, uint64_t floor)
{
	return floor == w->whole            ? "all was synced"
	       : floor == w->syncs.snapshot ? "a snapshot was taken"
					    : "it was synced";
}

void durable_missing_name(struct durable_pass *p, const struct durable_dir *d, const struct worker_history *w,
			  const struct past_name *n, const struct name_event *e, uint64_t floor)
{
	struct durable_found f = {.w = w, .thing = e->to};
	char name[256], path[4096];

	content_name(n->ref, w->worker, d->owner == NULL, name);
	snprintf(path, sizeof(path), "%.3800s/%s", d->path, name);
	f.path = path;
	durable_report(p, &f, FINDING_MISSING, NULL,
		       "%s is gone: it had this name from operation %llu on, it was durable after operation "
		       "%llu, when %s, and "
		       "nothing took it away",
		       type_name(e->to.type), (unsigned long long)e->operation, (unsigned long long)floor,
		       what_synced(w, floor));
	mark(p, w, e->to.object, DURABLE_MISSING);
}

/* Does it lie in a directory that is missing, as far as is known? That was told. */
static bool lies_in_missing(const struct durable_pass *p, const struct worker_history *w, uint32_t object)
{
	const struct model_view *v = history_end(w);
	const struct durable_worker *own = &p->worker[w->worker];
	struct object o;
	struct name n;

	while (!view_is_anchor(v, object) && view_object(v, object, &o) && view_name(v, o.first_name, &n)) {
		object = n.parent;
		if (object < own->objects && own->state[object] == DURABLE_MISSING)
			return true;
	}
	return false;
}

/* It was synced, and no name that it had then or got later leads to it. */
static void find_lost(struct durable_pass *p, const struct worker_history *w, uint32_t id)
{
	const struct model_view *v = history_end(w);
	struct durable_found f = {.w = w};
	struct object o, then;
	char path[4096];
	uint64_t floor;

	if (!view_object(v, id, &o) || !o.links || o.flags & OBJECT_ANCHOR ||
	    p->worker[w->worker].state[id] != DURABLE_UNSEEN)
		return;
	f.thing = (struct thing){id, o.born, o.type};
	floor = history_floor(w, f.thing, HISTORY_DATA);
	if (!history_at(w, f.thing, floor, &then) || !then.links || history_lost_name(w, f.thing, floor) ||
	    lies_in_missing(p, w, id) || view_path(v, o.first_name, path, sizeof(path)) < 0)
		return;
	f.path = path;
	durable_report(p, &f, FINDING_MISSING, NULL,
		       "%s is gone, under this and any other name: it was durable after operation %llu, when "
		       "%s, and nothing took "
		       "it away",
		       type_name(o.type), (unsigned long long)floor, what_synced(w, floor));
}

/* ---- snapshots */

#define SHARED_PLACE "shared" /* as src/engine/witness.c has it */

static bool may_be_there(const struct history *h, const char *name)
{
	unsigned int worker;
	unsigned long long number;
	char again[40];

	if (strncmp(name, SHARED_PLACE ".", strlen(SHARED_PLACE ".")) == 0)
		return true; /* the conductor's: no journal has them */
	if (sscanf(name, "w%u.%llu", &worker, &number) != 2 || worker >= h->workers)
		return false;
	snprintf(again, sizeof(again), "w%04u.%llu", worker, number);
	if (strcmp(again, name) != 0)
		return false;
	for (size_t i = 0; i < h->worker[worker].deletions; i++) {
		const struct deleted *d = &h->worker[worker].deleted[i];

		if (d->number == number)
			return d->operation > MAX(h->worker[worker].whole, h->worker[worker].syncs.snapshot);
	}
	if (!h->complete && number > h->worker[worker].snapshots)
		return true;
	return h->worker[worker].snapshot_unsure && number >= h->worker[worker].snapshot_unsure;
}

struct sieve {
	struct durable_pass *pass;
	const struct finding_sink *to;
};

/* What the journals say that may be there is no finding. */
static void pass_on(void *self, const struct finding *f)
{
	const struct sieve *s = self;
	const size_t place = strlen(WITNESS_DIR "/");

	if (f->class == FINDING_EXTRA && strncmp(f->path, WITNESS_DIR "/", place) == 0 &&
	    may_be_there(s->pass->history, f->path + place))
		return;
	s->pass->wrong++;
	finding_emit(s->to, f);
}

/* Those of which it is not sure that they were taken may be there or not. */
static void leave_out_unsure(struct worker_history *w)
{
	struct witness_list *l = &w->told.witnesses;

	while (l->live && w->snapshot_unsure && l->witness[l->live - 1]->number >= w->snapshot_unsure)
		witness_put(l->witness[--l->live]);
}

/* Those of what is shared that are there: no journal says whether they must be. */
static void add_shared(struct durable_pass *p, uint64_t round, struct witness_list *l)
{
	const struct history *h = p->history;
	struct frozen **frozen = calloc(MAX(h->workers, 1U), sizeof(struct frozen *));
	struct witness *w = NULL;
	bool known = frozen != NULL;

	for (unsigned int i = 0; known && i < h->workers; i++) {
		frozen[i] = history_barrier(&h->worker[i], round);
		known = frozen[i] != NULL;
	}
	for (unsigned int i = 0; known && i < h->workers; i++)
		model_pin(frozen[i]);
	if (known)
		w = witness_make(SHARED_PLACE, round, SCOPE_SHARED, frozen, h->workers);
	if (w)
		witness_add(l, w);
	free(frozen);
}

static void find_shared(struct durable_pass *p, struct witness_list *l)
{
	int fd = openat(p->check.v->mount, WITNESS_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	witness_list_init(l);
	while (dir && (entry = readdir(dir))) {
		unsigned long long round;

		if (l->live < WITNESSES_MAX && sscanf(entry->d_name, SHARED_PLACE ".%llu", &round) == 1)
			add_shared(p, round, l);
	}
	if (dir)
		closedir(dir);
}

static int verify_snapshots(struct durable_pass *p, struct error *e)
{
	const struct history *h = p->history;
	struct verification own = *p->check.v;
	struct sieve sieve = {p, own.findings};
	const struct finding_sink sink = {pass_on, &sieve};
	struct witness_list shared, **lists = calloc(h->workers + 1, sizeof(struct witness_list *));
	int rc;

	if (!lists)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "snapshots");
	for (unsigned int i = 0; i < h->workers; i++) {
		leave_out_unsure(&h->worker[i]);
		lists[i] = &h->worker[i].told.witnesses;
	}
	find_shared(p, &shared);
	lists[h->workers] = &shared;
	own.findings = &sink;
	own.witnesses = lists;
	own.witness_lists = h->workers + 1;
	own.when = VERIFY_REMOUNTED;
	rc = verifier_snapshots.run(&own, e);
	witness_list_destroy(&shared);
	free(lists);
	return rc;
}

/* ---- all of it */

static void walk_anchors(struct durable_pass *p)
{
	const struct model_view *v = history_end(&p->history->worker[0]);
	char path[64];

	for (unsigned int i = 0; i < p->history->workers; i++) {
		anchor_path(i, OBJECT_ROOT, path, sizeof(path));
		durable_walk(p, &(struct durable_dir){.path = path,
						      .owner = &p->history->worker[i],
						      .thing = {OBJECT_ROOT, 0, OBJECT_DIR}});
	}
	for (uint32_t k = OBJECT_FIRST_SHARED; k < OBJECT_ROOT + v->anchors; k++) {
		anchor_path(0, k, path, sizeof(path));
		durable_walk(p, &(struct durable_dir){.path = path, .thing = {k, 0, OBJECT_DIR}});
	}
	for (uint32_t k = 0; k < v->shared_files; k++) {
		anchor_path(0, OBJECT_FIRST_SHARED_FILE + k, path, sizeof(path));
		durable_shared_file(p, k, path);
	}
}

static int look_through(struct durable_pass *p, struct error *e)
{
	const struct history *h = p->history;

	walk_anchors(p);
	for (unsigned int i = 0; i < h->workers && p->promises.sync_names; i++) {
		for (uint32_t id = 0; id < p->worker[i].objects && !check_stopped(&p->check); id++)
			find_lost(p, &h->worker[i], id);
	}
	return p->check.v->target->btrfs ? verify_snapshots(p, e) : 0;
}

static int make_room(struct durable_pass *p)
{
	const struct history *h = p->history;

	p->room = malloc(sizeof(*p->room));
	p->buffer = aligned_alloc(BLOCK_SIZE, DURABLE_BUFFER);
	p->worker = calloc(h->workers, sizeof(*p->worker));
	if (!p->room || !p->buffer || !p->worker)
		return -1;
	for (unsigned int i = 0; i < h->workers; i++) {
		p->worker[i].objects = history_end(&h->worker[i])->objects.count;
		p->worker[i].state = calloc(p->worker[i].objects + 1, 1);
		if (!p->worker[i].state)
			return -1;
	}
	return 0;
}

static void free_room(struct durable_pass *p)
{
	for (unsigned int i = 0; p->worker && i < p->history->workers; i++)
		free(p->worker[i].state);
	free(p->worker);
	free(p->buffer);
	free(p->room);
}

int durable_verify(struct verification *v, struct error *e)
{
	const struct target_spec *spec = &v->target->spec;
	struct durable_pass p = {.history = v->durable};
	int rc;

	p.promises = target_promises(spec->fs, v->mkfs_options, spec->mount_options);
	check_start(&p.check, v, "durable", SEEN_FRESH);
	rc = make_room(&p) ? error_errno(e, EXIT_HARNESS, ENOMEM, "durable") : look_through(&p, e);
	free_room(&p);
	check_end(&p.check);
	v->counters->kept[DURABLE_OBJECTS] += p.objects;
	v->counters->kept[DURABLE_NAMES] += p.names;
	v->counters->kept[DURABLE_BLOCKS] += p.blocks;
	v->counters->kept[DURABLE_CUT_OFF] += p.cut_off;
	return rc;
}

const struct verifier verifier_durable = {
	.name = "durable",
	.summary = "what was durable when the target was made to fail, or the run was cut off",
	.when = VERIFY_FAILED,
	.run = durable_verify,
};
