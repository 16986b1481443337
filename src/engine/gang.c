/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/engine/gang.h"

#include <errno.h>

#include "src/base/clock.h"

void gang_init(struct gang *g)
{
	pthread_condattr_t attr;

	*g = (struct gang){0};
	pthread_mutex_init(&g->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&g->changed, &attr);
	pthread_condattr_destroy(&attr);
}

void gang_destroy(struct gang *g)
{
	pthread_cond_destroy(&g->changed);
	pthread_mutex_destroy(&g->lock);
}

void gang_enlist(struct gang *g)
{
	pthread_mutex_lock(&g->lock);
	g->size++;
	pthread_mutex_unlock(&g->lock);
}

static void wait_parked(struct gang *g)
{
	while (g->parked < g->size)
		pthread_cond_wait(&g->changed, &g->lock);
}

void gang_start(struct gang *g, uint64_t quota)
{
	pthread_mutex_lock(&g->lock);
	wait_parked(g);
	atomic_store(&g->halt, false);
	g->quota = quota;
	g->parked = 0;
	g->go++;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
}

bool gang_wait(struct gang *g, uint64_t deadline)
{
	struct timespec until = {.tv_sec = (time_t)(deadline / NSEC_PER_SEC),
				 .tv_nsec = (long)(deadline % NSEC_PER_SEC)};
	bool all;
	int err = 0;

	pthread_mutex_lock(&g->lock);
	while (g->parked < g->size && err != ETIMEDOUT)
		err = pthread_cond_timedwait(&g->changed, &g->lock, &until);
	all = g->parked == g->size;
	pthread_mutex_unlock(&g->lock);
	return all;
}

void gang_halt(struct gang *g)
{
	atomic_store(&g->halt, true);
	pthread_mutex_lock(&g->lock);
	wait_parked(g);
	pthread_mutex_unlock(&g->lock);
}

void gang_quit(struct gang *g)
{
	pthread_mutex_lock(&g->lock);
	wait_parked(g);
	g->quit = true;
	g->go++;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
}

bool gang_park(struct gang *g, uint64_t *seen, uint64_t *quota)
{
	bool quit;

	pthread_mutex_lock(&g->lock);
	g->parked++;
	pthread_cond_broadcast(&g->changed);
	while (g->go == *seen)
		pthread_cond_wait(&g->changed, &g->lock);
	*seen = g->go;
	*quota = g->quota;
	quit = g->quit;
	pthread_mutex_unlock(&g->lock);
	return !quit;
}
