/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When an injector makes its steps, counted in operations: told to the guard while a run lasts
 * (RUN/steps.jsonl), and read from there in a replay, whose injectors make as many steps and each when as
 * many operations were taken. So that neither gets ahead of the other, the workers of a replay wait for a
 * step that is due (pace_due()). Phases without churn have no operations: their steps go by time, in both.
 */
#ifndef RECOW_PACE_H
#define RECOW_PACE_H

#include <stdio.h>

#include "src/run/shared.h"

/* Longest that others wait for a step that is due: its injector may have died. */
#define PACE_LIMIT (10 * NSEC_PER_SEC)

/* Steps of one injector that began close together. */
struct pace_steps {
	uint32_t round, phase;
	uint64_t at;    /* operations taken by all workers when the first one began */
	uint64_t count; /* how many */
};

/* One injection's, its thread's own. */
struct pace {
	struct shared *shared;
	unsigned int index;     /* of the injection */
	struct pace_steps told; /* not told yet; count 0: nothing */
	uint64_t told_since;    /* CLOCK_MONOTONIC ns */
	FILE *file;             /* steps.jsonl of the run that is replayed; NULL: steps go by time */
	struct pace_steps next; /* the next ones in it */
	bool more, full;        /* `next` is valid; the file ends before its run did */
	bool guided;            /* in this phase steps follow the file */
};

/* Operations that all workers together have taken, those that a replay left out too. */
uint64_t pace_position(const struct shared *s);

/* Conductor and workers of a replay: the position at which the next step of any injector is due; UINT64_MAX:
 * none is. */
uint64_t pace_due(const struct shared *s);

/* `s`: with the plan; of a replay the file is opened (a run may have none). */
void pace_open(struct pace *p, struct shared *s, unsigned int index);
void pace_close(struct pace *p);

/* Around the steps of a phase. */
void pace_begin(struct pace *p);
void pace_end(struct pace *p, int socket);

/* Wait until the next step may begin, and note that it does. False: the phase is over before (`over`). */
bool pace_step(struct pace *p, int socket, bool (*over)(const void *self), const void *self);

#endif
