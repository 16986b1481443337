/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify/held.h"
#include "verify/inode.h"
#include "verify/links.h"
#include "verify/listing.h"
#include "verify/pool.h"

/* The names of one worker by directory: a chain per directory, through arrays of name numbers + 1. */
struct index {
	uint32_t *head; /* by object */
	uint32_t *next; /* by name */
};

/* One directory to compare. */
enum job_kind { JOB_TOP, JOB_SHARED_TOP, JOB_PRIVATE, JOB_SHARED };

struct job {
	enum job_kind kind;
	uint32_t object; /* JOB_PRIVATE, JOB_SHARED: its id */
	size_t view;     /* JOB_PRIVATE: whose it is */
};

struct tree {
	struct check *check;
	struct verification *v;
	struct index *index;
	struct job *job;
	size_t jobs, room;
	_Atomic size_t next_job, next_view;
	struct links links;
};

/* What a thread works with. */
struct hand {
	struct tree *tree;
	struct check *check;
	const struct job *job;
	struct listing listing;
	struct inode_room *room;
	char path[4096]; /* of the directory at hand */
};

/* ---- the index */

static int index_view(struct tree *t, size_t i, struct error *e)
{
	const struct model_view *view = t->v->views[i];
	struct index *x = &t->index[i];

	x->head = calloc(MAX(view->objects.count, 1U), sizeof(*x->head));
	x->next = calloc(MAX(view->names.count, 1U), sizeof(*x->next));
	if (!x->head || !x->next)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "an index of names");
	for (uint32_t n = 0; n < view->names.count; n++) {
		struct name name;

		if (!view_name(view, n, &name)) {
			if (!check_page(view, &view->names, n))
				check_harness(t->check, &(struct subject){view, n, NAME_NONE}, "name");
			continue;
		}
		if (name.parent == OBJECT_NONE || name.parent >= view->objects.count)
			continue;
		x->next[n] = x->head[name.parent];
		x->head[name.parent] = n + 1;
	}
	return 0;
}

static int index_thread(void *self, struct error *e)
{
	struct tree *t = self;
	size_t i;

	while ((i = t->next_view++) < t->v->view_count) {
		if (index_view(t, i, e) != 0)
			return -1;
	}
	return 0;
}

/* ---- the list of directories */

static bool add_job(struct tree *t, struct job job)
{
	if (t->jobs == t->room) {
		size_t room = MAX(2 * t->room, 1024U);
		struct job *grown = realloc(t->job, room * sizeof(*grown));

		if (!grown)
			return false;
		t->job = grown;
		t->room = room;
	}
	t->job[t->jobs++] = job;
	return true;
}

static bool add_view_jobs(struct tree *t, size_t i)
{
	const struct model_view *view = t->v->views[i];
	struct object o;

	for (uint32_t k = 0; k < view->objects.count; k++) {
		if (!view_object(view, k, &o) || o.type != OBJECT_DIR || !scope_has(t->v->scope, &o))
			continue;
		if (!(o.flags & OBJECT_SHARED)) {
			if (!add_job(t, (struct job){JOB_PRIVATE, k, i}))
				return false;
		} else if (i == 0) { /* all workers have the same shared directories */
			if (!add_job(t, (struct job){JOB_SHARED, k, i}))
				return false;
		}
	}
	return true;
}

/* Shared directories come first: they are the largest. */
static int by_kind(const void *a, const void *b)
{
	return (int)((const struct job *)b)->kind - (int)((const struct job *)a)->kind;
}

static int list_jobs(struct tree *t, struct error *e)
{
	enum view_scope scope = t->v->scope;
	bool ok = scope != SCOPE_ALL || add_job(t, (struct job){.kind = JOB_TOP});

	if (ok && scope != SCOPE_PRIVATE)
		ok = add_job(t, (struct job){.kind = JOB_SHARED_TOP});
	for (size_t i = 0; ok && i < t->v->view_count; i++)
		ok = add_view_jobs(t, i);
	if (!ok)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "a list of directories");
	qsort(t->job, t->jobs, sizeof(*t->job), by_kind);
	return 0;
}

/* ---- what a directory must hold */

static unsigned int shared_count(const struct verification *v)
{
	unsigned int count = 0;
	struct object o;

	while (v->view_count && view_object(v->views[0], OBJECT_FIRST_SHARED + count, &o) &&
	       (o.flags & OBJECT_SHARED))
		count++;
	return count;
}

static bool expect_anchor(struct hand *h, const char *name, uint8_t type)
{
	return listing_add(&h->listing, &(struct entry){.type = type}, name, strlen(name));
}

static bool expect_top(struct hand *h)
{
	const struct verification *v = h->tree->v;
	bool ok = shared_count(v) == 0 || expect_anchor(h, "shared", OBJECT_DIR);
	char name[64];

	for (size_t i = 0; ok && i < v->view_count; i++) {
		anchor_path(v->views[i]->worker, OBJECT_ROOT, name, sizeof(name));
		ok = expect_anchor(h, name, OBJECT_DIR);
	}
	return ok;
}

static bool expect_shared_top(struct hand *h)
{
	unsigned int count = shared_count(h->tree->v);
	bool ok = true;
	char name[64];

	for (unsigned int k = 0; ok && k < count; k++) {
		anchor_path(0, OBJECT_FIRST_SHARED + k, name, sizeof(name));
		ok = expect_anchor(h, strrchr(name, '/') + 1, OBJECT_DIR);
	}
	for (unsigned int k = 0; ok && count && k < h->tree->v->views[0]->shared_files; k++) {
		anchor_path(0, OBJECT_FIRST_SHARED_FILE + k, name, sizeof(name));
		ok = expect_anchor(h, strrchr(name, '/') + 1, OBJECT_FILE);
	}
	return ok;
}

/* The names that worker i has in its directory `dir`. */
static bool expect_names(struct hand *h, size_t i, uint32_t dir, bool shared)
{
	const struct model_view *view = h->tree->v->views[i];
	const struct index *x = &h->tree->index[i];
	struct object top;
	char bytes[256];

	if (dir >= view->objects.count || !view_object(view, dir, &top))
		return true;
	if (h->tree->v->scope != SCOPE_ALL && top.flags & OBJECT_SUBVOLUME)
		return true; /* a snapshot has an empty directory in its place */
	for (uint32_t at = x->head[dir]; at; at = x->next[at - 1]) {
		struct entry e = {.view = i};
		struct object o;
		struct name name;
		size_t length;

		if (!view_name(view, at - 1, &name))
			continue; /* told when the index was made */
		e.subject = (struct subject){view, name.object, at - 1};
		if (!view_object(view, name.object, &o)) {
			check_harness(h->check, &e.subject, "object");
			continue;
		}
		e.type = o.type;
		length = content_name((struct nameref){at - 1, name.tag}, view->worker, shared, bytes);
		if (!listing_add(&h->listing, &e, bytes, length))
			return false;
	}
	return true;
}

static bool expect_all(struct hand *h)
{
	switch (h->job->kind) {
	case JOB_TOP:
		return expect_top(h);
	case JOB_SHARED_TOP:
		return expect_shared_top(h);
	case JOB_PRIVATE:
		return expect_names(h, h->job->view, h->job->object, false);
	case JOB_SHARED:
		for (size_t i = 0; i < h->tree->v->view_count; i++) {
			if (!expect_names(h, i, h->job->object, true))
				return false;
		}
		return true;
	}
	return false;
}

/* ---- comparing */

static bool tolerated(const struct hand *h, const char *name)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return true;
	return h->job->kind == JOB_TOP && (strcmp(name, "lost+found") == 0 || strcmp(name, WITNESS_DIR) == 0);
}

static const char *dtype_name(unsigned char dtype)
{
	return inode_type_name(DTTOIF(dtype));
}

static void see_name(struct hand *h, const struct dirent *d)
{
	struct entry *e;

	if (tolerated(h, d->d_name))
		return;
	e = listing_find(&h->listing, d->d_name);
	if (!e) {
		check_report_path(h->check, h->path, d->d_name, FINDING_EXTRA, "%s that must not be there",
				  dtype_name(d->d_type));
		return;
	}
	if (e->seen++)
		check_report_path(h->check, h->path, d->d_name, FINDING_EXTRA, "listed %u times", e->seen);
	e->dtype = d->d_type;
}

/* List the directory. False when the listing ended early. Takes the descriptor. */
static bool list_names(struct hand *h, int fd)
{
	DIR *dir = fdopendir(fd);
	struct dirent *d;
	int err;

	if (!dir) {
		close(fd);
		return false;
	}
	for (;;) {
		errno = 0;
		d = readdir(dir);
		if (!d)
			break;
		see_name(h, d);
	}
	err = errno;
	if (err)
		check_report_path(h->check, h->path, "", check_errno_class(err), "readdir: %s",
				  strerror(err));
	closedir(dir);
	return err == 0;
}

static void report_entry(struct hand *h, const struct entry *e, enum finding_class class, const char *text)
{
	if (e->subject.view)
		check_report(h->check, &e->subject, class, "%s", text);
	else
		check_report_path(h->check, h->path, listing_name(&h->listing, e), class, "%s", text);
}

/* The name doesn't lead to an inode. */
static void report_lookup(struct hand *h, const struct entry *e, int err)
{
	char text[128];

	if (err == ENOENT)
		snprintf(text, sizeof(text), "%s is gone: %s and not found by lookup",
			 inode_type_name(inode_type(e->type)), e->seen ? "listed" : "not listed");
	else
		snprintf(text, sizeof(text), "lookup: %s", strerror(err));
	report_entry(h, e, check_errno_class(err), text);
}

/* Type by lookup and by listing. */
static bool right_type(struct hand *h, const struct entry *e, const struct stat *st)
{
	mode_t expected = inode_type(e->type);
	char text[128];

	if ((st->st_mode & S_IFMT) != expected) {
		snprintf(text, sizeof(text), "type: expected %s, found %s", inode_type_name(expected),
			 inode_type_name(st->st_mode));
		report_entry(h, e, FINDING_ATTRIBUTE, text);
		return false;
	}
	if (e->seen && e->dtype != DT_UNKNOWN && e->dtype != inode_dtype(e->type)) {
		snprintf(text, sizeof(text), "type: %s, but listed as %s", inode_type_name(expected),
			 dtype_name(e->dtype));
		report_entry(h, e, FINDING_ATTRIBUTE, text);
	}
	return true;
}

static void compare_object(struct hand *h, int dir, const struct entry *e, const struct stat *st)
{
	struct object o;

	if (!view_object(e->subject.view, e->subject.object, &o))
		return; /* told when the listing was made */
	if (h->tree->v->scope != SCOPE_ALL && o.flags & OBJECT_SUBVOLUME)
		return; /* the empty directory in its place is the kernel's own */
	if (o.first_name != e->subject.name) {
		links_further(&h->tree->links, e->view, &e->subject, st);
		return;
	}
	links_first(&h->tree->links, e->view, e->subject.object, st);
	inode_verify(h->check, h->room, dir, listing_name(&h->listing, e), &e->subject, &o, st);
}

static void compare_entry(struct hand *h, int dir, const struct entry *e, bool complete)
{
	struct stat st;

	h->check->v->counters->names++;
	if (fstatat(dir, listing_name(&h->listing, e), &st, AT_SYMLINK_NOFOLLOW) != 0) {
		report_lookup(h, e, errno);
		return;
	}
	if (!e->seen && complete)
		report_entry(h, e, FINDING_MISSING, "found by lookup, but not listed");
	if (right_type(h, e, &st) && e->subject.view)
		compare_object(h, dir, e, &st);
}

static bool directory_path(struct hand *h)
{
	const struct job *job = h->job;
	const struct model_view *view;
	struct object o;

	switch (job->kind) {
	case JOB_TOP:
		h->path[0] = '\0';
		return true;
	case JOB_SHARED_TOP:
		snprintf(h->path, sizeof(h->path), "shared");
		return shared_count(h->tree->v) > 0;
	case JOB_SHARED:
		anchor_path(0, job->object, h->path, sizeof(h->path));
		return true;
	case JOB_PRIVATE:
		break;
	}
	view = h->tree->v->views[job->view];
	if (view_object(view, job->object, &o) &&
	    view_path(view, o.first_name, h->path, sizeof(h->path)) >= 0)
		return true;
	check_harness(h->check, &(struct subject){view, job->object, NAME_NONE}, "the path of directory");
	return false;
}

/* A directory that is gone is reported where its name is compared. */
static int open_directory(struct hand *h)
{
	int fd = openat(h->tree->v->mount, check_place(h->tree->v, h->path),
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && check_errno_class(errno) != FINDING_MISSING && errno != ELOOP)
		check_report_path(h->check, h->path, "", check_errno_class(errno), "open: %s",
				  strerror(errno));
	return fd;
}

static int compare_directory(struct hand *h, struct error *e)
{
	int fd, again;
	bool complete;

	listing_clear(&h->listing);
	if (!directory_path(h))
		return 0;
	if (!expect_all(h) || !listing_index(&h->listing))
		return error_errno(e, EXIT_HARNESS, ENOMEM, "a listing of %s", h->path);
	fd = open_directory(h);
	if (fd < 0)
		return 0;
	again = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (again < 0) {
		close(fd);
		return error_errno(e, EXIT_HARNESS, errno, "a second descriptor of %s", h->path);
	}
	complete = list_names(h, again);
	for (size_t i = 0; i < h->listing.count && !check_stopped(h->check); i++)
		compare_entry(h, fd, &h->listing.entry[i], complete);
	close(fd);
	return 0;
}

/* ---- threads */

static int tree_thread(void *self, struct error *e)
{
	struct tree *t = self;
	struct hand h = {.tree = t, .check = t->check, .room = malloc(sizeof(*h.room))};
	int ret = h.room ? 0 : error_errno(e, EXIT_HARNESS, ENOMEM, "comparing attributes");

	while (ret == 0 && !check_stopped(t->check)) {
		size_t i = t->next_job++;

		if (i >= t->jobs)
			break;
		h.job = &t->job[i];
		ret = compare_directory(&h, e);
	}
	listing_free(&h.listing);
	free(h.room);
	return ret;
}

static void tree_free(struct tree *t)
{
	for (size_t i = 0; t->index && i < t->v->view_count; i++) {
		free(t->index[i].head);
		free(t->index[i].next);
	}
	free(t->index);
	free(t->job);
}

int tree_verify(struct check *c, struct error *e)
{
	struct tree t = {.check = c, .v = c->v};
	int ret;

	if (links_start(&t.links, c->v, e) != 0)
		return -1;
	t.index = calloc(MAX(c->v->view_count, 1U), sizeof(*t.index));
	ret = t.index ? pool_run(c->v->threads, index_thread, &t, e)
		      : error_errno(e, EXIT_HARNESS, ENOMEM, "an index of names");
	if (ret == 0)
		ret = list_jobs(&t, e);
	if (ret == 0)
		ret = pool_run(c->v->threads, tree_thread, &t, e);
	if (ret == 0)
		ret = held_verify(c, &t.links, e);
	if (ret == 0)
		ret = links_verify(&t.links, c, e);
	tree_free(&t);
	links_free(&t.links);
	return ret;
}
