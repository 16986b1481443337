/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/durable_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/units.h"
#include "src/content/hash.h"

#define CANDIDATES_MAX 16U

/* What a name may lead to. */
struct candidates {
	struct durable_found found[CANDIDATES_MAX];
	unsigned int count;
	bool known; /* the name was in this directory at some time */
};

/* Names that were listed, by their hashes. */
struct listed {
	uint64_t *hash;
	size_t count, room;
};

/* ---- what a name may be */

static void add_candidate(struct candidates *c, const struct worker_history *w, struct thing t)
{
	for (unsigned int i = 0; i < c->count; i++) {
		if (c->found[i].w == w && c->found[i].thing.object == t.object &&
		    c->found[i].thing.born == t.born)
			return;
	}
	if (t.object != OBJECT_NONE && c->count < CANDIDATES_MAX)
		c->found[c->count++] = (struct durable_found){.w = w, .thing = t};
}

/* What it led to when the directory was durable last, and all since. */
static void take_events(struct candidates *c, const struct worker_history *w, const struct past_name *n,
			uint64_t floor)
{
	const struct name_event *e = names_at(&w->names, n, UINT64_MAX);

	for (; e && e->operation > floor; e = names_before(&w->names, e))
		add_candidate(c, w, e->to);
	if (e)
		add_candidate(c, w, e->to);
}

static void take_worker(struct candidates *c, const struct durable_dir *d, const struct worker_history *w,
			const char *name)
{
	const struct past_name *n = names_find(&w->names, d->thing, name, strlen(name));

	if (!n)
		return;
	c->known = true;
	take_events(c, w, n, history_floor(w, d->thing, HISTORY_ALL));
}

static void find_candidates(struct candidates *c, const struct durable_pass *p, const struct durable_dir *d,
			    const char *name)
{
	*c = (struct candidates){.count = 0};
	if (d->owner) {
		take_worker(c, d, d->owner, name);
		return;
	}
	for (unsigned int i = 0; i < p->history->workers; i++)
		take_worker(c, d, &p->history->worker[i], name);
}

/* ---- one that leads to several things in turn */

static unsigned int known_names(const struct durable_found *f)
{
	int fd = openat(f->dir, f->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	unsigned int known = 0;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		known += names_find(&f->w->names, f->thing, entry->d_name, strlen(entry->d_name)) != NULL;
	if (dir)
		closedir(dir);
	return known;
}

/* Does it pass as this one? Nothing is reported. */
static bool would_pass(struct durable_pass *p, const struct durable_found *f)
{
	const struct durable_pass before = *p;
	bool passed;

	p->quiet = true;
	durable_object(p, f);
	passed = p->wrong == before.wrong;
	p->quiet = before.quiet;
	p->wrong = before.wrong;
	p->objects = before.objects;
	p->blocks = before.blocks;
	p->cut_off = before.cut_off;
	return passed;
}

/* Names in a directory tell which it is, and where there are none its attributes do; so do those of all else.
 * Of two that fit as well the one that was durable comes last, and counts. */
static const struct durable_found *choose(struct durable_pass *p, const struct candidates *c)
{
	const struct durable_found *best = NULL;
	unsigned int most = 0;

	for (unsigned int i = 0; i < c->count; i++) {
		const struct durable_found *f = &c->found[i];
		unsigned int fits = 0;

		if (inode_type(f->thing.type) != (f->st.st_mode & S_IFMT))
			continue;
		if (c->count > 1)
			fits = would_pass(p, f) + (f->thing.type == OBJECT_DIR ? 2 * known_names(f) : 0);
		if (best && fits < most)
			continue;
		most = fits;
		best = f;
	}
	return best;
}

/* ---- one directory */

static bool note_listed(struct listed *l, const char *name)
{
	if (l->count == l->room) {
		size_t room = MAX(2 * l->room, (size_t)256);
		uint64_t *grown = reallocarray(l->hash, room, sizeof(*grown));

		if (!grown)
			return false;
		l->hash = grown;
		l->room = room;
	}
	l->hash[l->count++] = hash_bytes(name, strlen(name));
	return true;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Nothing of what is older than the journal is known: there it may have been. */
static bool knows_all(const struct durable_pass *p, const struct durable_dir *d)
{
	bool all = true;

	for (unsigned int i = 0; i < p->history->workers; i++) {
		const struct worker_history *w = &p->history->worker[i];

		all &= (d->owner && d->owner != w) || history_knows(w, d->thing, HISTORY_ALL);
	}
	return all;
}

static void report_extra(struct durable_pass *p, const struct durable_dir *d, const struct candidates *c,
			 const struct durable_found *at)
{
	struct durable_found f = *at;

	if (!knows_all(p, d))
		return;
	f.w = d->owner ? d->owner : &p->history->worker[0];
	durable_report(p, &f, FINDING_EXTRA, NULL,
		       c->known ? "this name is back: it had been removed when its directory was durable "
				  "last, and was not made again"
				: "a name that nobody ever made");
}

static void descend(struct durable_pass *p, const struct durable_found *f)
{
	durable_walk(p, &(struct durable_dir){.path = f->path, .owner = f->w, .thing = f->thing});
}

static void look_at(struct durable_pass *p, const struct durable_dir *d, int fd, const char *name)
{
	const struct durable_found *best;
	struct durable_found at = {.dir = fd, .name = name};
	struct candidates c;
	char path[4096];

	snprintf(path, sizeof(path), "%.3800s/%s", d->path, name);
	at.path = path;
	find_candidates(&c, p, d, name);
	p->check.v->counters->names++;
	if (!c.count) {
		report_extra(p, d, &c, &at);
		return;
	}
	at.w = c.found[0].w;
	at.thing = c.found[0].thing;
	if (fstatat(fd, name, &at.st, AT_SYMLINK_NOFOLLOW)) {
		durable_report(p, &at, check_errno_class(errno), NULL, "stat: %s", strerror(errno));
		return;
	}
	for (unsigned int i = 0; i < c.count; i++) {
		c.found[i].dir = fd;
		c.found[i].name = name;
		c.found[i].path = path;
		c.found[i].st = at.st;
		durable_mark_seen(p, c.found[i].w, c.found[i].thing);
	}
	best = choose(p, &c);
	if (!best) {
		durable_report(p, &at, FINDING_ATTRIBUTE, NULL, "type: expected %s, found %s",
			       inode_type_name(inode_type(at.thing.type)), inode_type_name(at.st.st_mode));
		return;
	}
	durable_object(p, best);
	if (best->thing.type == OBJECT_DIR)
		descend(p, best);
}

/* What must be in it. */
static void find_missing(struct durable_pass *p, const struct durable_dir *d, const struct worker_history *w,
			 const struct listed *l)
{
	const uint64_t floor = history_floor(w, d->thing, HISTORY_ALL);

	for (const struct past_name *n = names_next(&w->names, d->thing, NULL); floor && n;
	     n = names_next(&w->names, d->thing, n)) {
		const struct name_event *e = names_at(&w->names, n, UINT64_MAX);

		if (!e || e->operation > floor || e->to.object == OBJECT_NONE)
			continue;
		p->names++;
		if (!l->count || !bsearch(&n->hash, l->hash, l->count, sizeof(*l->hash), by_value))
			durable_missing_name(p, d, w, n, e, floor);
	}
}

static void list(struct durable_pass *p, const struct durable_dir *d, DIR *dir)
{
	struct listed l = {0};
	struct dirent *entry;
	bool whole = true;

	while (!check_stopped(&p->check) && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		whole &= note_listed(&l, entry->d_name);
		look_at(p, d, dirfd(dir), entry->d_name);
	}
	if (l.count)
		qsort(l.hash, l.count, sizeof(*l.hash), by_value);
	for (unsigned int i = 0; whole && i < p->history->workers && !check_stopped(&p->check); i++) {
		if (!d->owner || d->owner == &p->history->worker[i])
			find_missing(p, d, &p->history->worker[i], &l);
	}
	free(l.hash);
}

void durable_walk(struct durable_pass *p, const struct durable_dir *d)
{
	const struct worker_history *w = d->owner ? d->owner : &p->history->worker[0];
	const struct durable_found f = {.w = w, .thing = d->thing, .path = d->path};
	int fd = openat(p->check.v->mount, d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir) {
		list(p, d, dir);
		closedir(dir);
		return;
	}
	/* Where directories are no subvolumes, what nobody synced may be gone with all that is in it. */
	if (errno != ENOENT || p->check.v->target->btrfs)
		durable_report(p, &f, check_errno_class(errno), NULL, "open: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}
