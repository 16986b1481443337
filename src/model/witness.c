/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/model/witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void witness_list_init(struct witness_list *l)
{
	memset(l, 0, sizeof(*l));
	pthread_mutex_init(&l->lock, NULL);
}

void witness_list_destroy(struct witness_list *l)
{
	while (l->live)
		witness_put(witness_take_oldest(l));
	pthread_mutex_destroy(&l->lock);
}

void witness_path(char *buf, size_t len, const char *place, uint64_t number)
{
	snprintf(buf, len, WITNESS_DIR "/%.15s.%llu", place, (unsigned long long)number);
}

struct witness *witness_make(const char *place, uint64_t number, enum view_scope scope,
			     struct frozen *const *frozen, size_t count)
{
	struct witness *w = calloc(1, sizeof(*w) + count * sizeof(struct frozen *));

	if (!w) {
		for (size_t i = 0; i < count; i++)
			model_release(frozen[i]);
		return NULL;
	}
	witness_path(w->path, sizeof(w->path), place, number);
	snprintf(w->place, sizeof(w->place), "%s", place);
	w->number = number;
	w->scope = scope;
	atomic_init(&w->references, 1);
	w->count = count;
	for (size_t i = 0; i < count; i++) {
		w->frozen[i] = frozen[i];
		w->bytes += frozen[i]->view.bytes;
	}
	return w;
}

void witness_add(struct witness_list *l, struct witness *w)
{
	pthread_mutex_lock(&l->lock);
	l->witness[l->live++] = w;
	l->taken = w->number;
	l->operation = w->operation;
	pthread_mutex_unlock(&l->lock);
}

struct witness *witness_take_oldest(struct witness_list *l)
{
	struct witness *w;

	pthread_mutex_lock(&l->lock);
	w = l->witness[0];
	l->live--;
	memmove(&l->witness[0], &l->witness[1], l->live * sizeof(struct witness *));
	pthread_mutex_unlock(&l->lock);
	return w;
}

struct witness *witness_next(struct witness_list *l, uint64_t after)
{
	struct witness *found = NULL;

	pthread_mutex_lock(&l->lock);
	for (unsigned int i = 0; i < l->live && !found; i++) {
		if (l->witness[i]->number > after)
			found = l->witness[i];
	}
	if (found)
		atomic_fetch_add(&found->references, 1);
	pthread_mutex_unlock(&l->lock);
	return found;
}

void witness_put(struct witness *w)
{
	if (atomic_fetch_sub(&w->references, 1) != 1)
		return;
	for (size_t i = 0; i < w->count; i++)
		model_release(w->frozen[i]);
	free(w);
}
