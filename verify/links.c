/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/links.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One inode, to be sorted so that equal ones meet. */
struct owner {
	struct inode_id id;
	uint32_t view, object;
};

int links_start(struct links *l, const struct verification *v, struct error *e)
{
	memset(l, 0, sizeof(*l));
	l->v = v;
	pthread_mutex_init(&l->lock, NULL);
	l->id = calloc(v->view_count + 1, sizeof(*l->id));
	for (size_t i = 0; l->id && i < v->view_count; i++) {
		l->id[i].object = calloc(MAX(v->views[i]->objects.count, 1U), sizeof(struct inode_id));
		if (!l->id[i].object)
			l->short_of_memory = true;
	}
	if (l->id && !l->short_of_memory)
		return 0;
	links_free(l);
	return error_errno(e, EXIT_HARNESS, ENOMEM, "comparing inode numbers");
}

void links_free(struct links *l)
{
	for (size_t i = 0; l->id && i < l->v->view_count; i++)
		free(l->id[i].object);
	free(l->id);
	free(l->further);
	pthread_mutex_destroy(&l->lock);
}

void links_first(struct links *l, size_t view, uint32_t object, const struct stat *st)
{
	l->id[view].object[object] = (struct inode_id){st->st_dev, st->st_ino};
}

void links_further(struct links *l, size_t view, const struct subject *s, const struct stat *st)
{
	pthread_mutex_lock(&l->lock);
	if (l->count == l->room) {
		size_t room = MAX(2 * l->room, 256U);
		struct further_link *grown = realloc(l->further, room * sizeof(*grown));

		if (grown) {
			l->further = grown;
			l->room = room;
		}
	}
	if (l->count < l->room)
		l->further[l->count++] = (struct further_link){view, *s, {st->st_dev, st->st_ino}};
	else
		l->short_of_memory = true;
	pthread_mutex_unlock(&l->lock);
}

static void compare_further(struct links *l, struct check *c)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct further_link *link = &l->further[i];
		struct inode_id first = l->id[link->view].object[link->subject.object];

		if (first.ino && (first.ino != link->id.ino || first.dev != link->id.dev))
			check_report(c, &link->subject, FINDING_ATTRIBUTE,
				     "link: expected inode %llu like the object's other names, found %llu",
				     (unsigned long long)first.ino, (unsigned long long)link->id.ino);
	}
}

static int by_inode(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;

	if (x->id.dev != y->id.dev)
		return x->id.dev < y->id.dev ? -1 : 1;
	if (x->id.ino != y->id.ino)
		return x->id.ino < y->id.ino ? -1 : 1;
	return 0;
}

static size_t collect(const struct links *l, struct owner *out)
{
	size_t n = 0;

	for (size_t i = 0; i < l->v->view_count; i++) {
		for (uint32_t k = 0; k < l->v->views[i]->objects.count; k++) {
			if (!l->id[i].object[k].ino)
				continue;
			if (out)
				out[n] = (struct owner){l->id[i].object[k], (uint32_t)i, k};
			n++;
		}
	}
	return n;
}

static void report_shared(const struct links *l, struct check *c, const struct owner *a,
			  const struct owner *b)
{
	const struct model_view *view = l->v->views[b->view];
	struct subject s = {view, b->object, NAME_NONE};
	struct object o;

	if (view_object(view, b->object, &o))
		s.name = o.first_name;
	check_report(c, &s, FINDING_ATTRIBUTE, "inode %llu is that of worker %u object %u, too",
		     (unsigned long long)a->id.ino, l->v->views[a->view]->worker, a->object);
}

int links_verify(struct links *l, struct check *c, struct error *e)
{
	size_t count = collect(l, NULL);
	struct owner *owner = malloc(MAX(count, 1U) * sizeof(*owner));

	if (!owner || l->short_of_memory) {
		free(owner);
		return error_errno(e, EXIT_HARNESS, ENOMEM, "comparing inode numbers");
	}
	compare_further(l, c);
	collect(l, owner);
	qsort(owner, count, sizeof(*owner), by_inode);
	for (size_t i = 1; i < count; i++) {
		if (by_inode(&owner[i - 1], &owner[i]) == 0)
			report_shared(l, c, &owner[i - 1], &owner[i]);
	}
	free(owner);
	return 0;
}
