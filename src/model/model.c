/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a model: made, frozen, reclaimed. */
#include "src/model/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/content/hash.h"
#include "src/model/private.h"

_Static_assert(sizeof(struct array) % 8 == 0 && offsetof(struct model_view, objects) == 64,
	       "the sum of a view covers no padding");

static void arrays_init(struct model_view *v)
{
	array_init(&v->objects, sizeof(struct object));
	array_init(&v->names, sizeof(struct stored_name));
	array_init(&v->xattrs, sizeof(struct stored_xattr));
	array_init(&v->fragments, sizeof(struct stored_fragment));
	for (unsigned int i = 0; i < PICKS; i++)
		array_init(&v->picks[i], sizeof(uint32_t));
	for (unsigned int i = 0; i < BLOCK_CLASSES; i++)
		array_init(&v->blocks[i], block_class_size[i] * sizeof(struct block_entry));
}

int model_init_empty(struct model *m, struct page_pool *pool, uint32_t worker, uint64_t run, struct error *e)
{
	memset(m, 0, sizeof(*m));
	m->head = (struct model_view){.pool = pool, .worker = worker, .epoch = 1, .run = run};
	arrays_init(&m->head);
	page_owner_init(&m->owner, pool);
	m->scratch = aligned_alloc(_Alignof(struct scratch), sizeof(struct scratch));
	if (!m->scratch)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "cannot make the model of worker %u", worker);
	return 0;
}

int model_init(struct model *m, struct page_pool *pool, uint32_t worker, uint64_t run,
	       unsigned int shared_dirs, struct error *e)
{
	if (model_init_empty(m, pool, worker, run, e) < 0)
		return -1;
	array_new(&m->owner, &m->head.objects); /* OBJECT_NONE */
	for (unsigned int i = 0; i <= shared_dirs; i++)
		names_add_anchor(m, OBJECT_ROOT + i);
	if (m->owner.exhausted) {
		model_destroy(m);
		return error_set(e, EXIT_HARNESS, "the pool of model pages is too small");
	}
	return 0;
}

void model_destroy(struct model *m)
{
	while (m->newest) {
		struct frozen *f = m->newest;

		m->newest = f->older;
		free(f);
	}
	free(m->scratch);
	m->scratch = NULL;
}

/* ---- freezing ---------------------------------------------------------------------------- */

static uint64_t view_sum(const struct model_view *v)
{
	uint64_t sum = hash_bytes(v, offsetof(struct model_view, sum));

	return sum ? sum : 1;
}

bool view_intact(const struct model_view *v)
{
	return !v->sum || v->sum == view_sum(v);
}

struct frozen *model_freeze(struct model *m)
{
	struct frozen *f;

	model_reap(m);
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	memcpy(&f->view, &m->head, sizeof(f->view));
	f->view.sum = view_sum(&f->view);
	atomic_init(&f->pins, 1);
	f->older = m->newest;
	f->dead = m->owner.dead;
	m->newest = f;
	m->owner.dead = 0;
	m->owner.kept = m->owner.epoch;
	m->head.epoch = ++m->owner.epoch;
	return f;
}

void model_pin(struct frozen *f)
{
	atomic_fetch_add_explicit(&f->pins, 1, memory_order_relaxed);
}

void model_release(struct frozen *f)
{
	/* What was read through f comes before the owner's look at the count. */
	atomic_fetch_sub_explicit(&f->pins, 1, memory_order_release);
}

void model_reap(struct model *m)
{
	struct frozen **link = &m->newest;
	uint32_t *younger = &m->owner.dead;

	while (*link) {
		struct frozen *f = *link;

		if (atomic_load_explicit(&f->pins, memory_order_acquire)) {
			younger = &f->dead;
			link = &f->older;
			continue;
		}
		page_reclaim(&m->owner, younger, f->dead, f->older ? f->older->view.epoch : 0);
		*link = f->older;
		free(f);
	}
	m->owner.kept = m->newest ? m->newest->view.epoch : 0;
}
