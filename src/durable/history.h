/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run that was cut off must have left: of each object and name the state in which it was durable last,
 * and all that was begun afterwards, of which any part may be there. Made from the run directory alone,
 * before the target is looked at.
 */
#ifndef RECOW_DURABLE_HISTORY_H
#define RECOW_DURABLE_HISTORY_H

#include "src/durable/names.h"
#include "src/durable/retell.h"
#include "src/durable/syncs.h"
#include "src/durable/touches.h"

/* A frozen model, as operation `operation` left it. */
struct epoch {
	uint64_t operation;
	struct frozen *frozen;
};

/* The end of a round, at which the conductor may have taken a snapshot of what is shared. */
struct barrier {
	uint64_t round, operation; /* the last one before it */
};

/* A snapshot that the worker deleted: it may be there still unless `operation` is durable. */
struct deleted {
	uint64_t number, operation;
};

struct worker_history {
	struct history *of;
	uint32_t worker;
	struct model model;
	struct retelling told;
	struct syncs syncs;
	struct past_names names;
	struct touches touches;
	struct epoch *epoch; /* by operation; the last one is the end */
	size_t epochs, epoch_room;
	uint64_t *lost; /* by object: the operation that last took a name from it and gave it none */
	size_t losts;
	struct deleted *deleted;
	size_t deletions, deleted_room;
	struct barrier *barrier;
	size_t barriers, barrier_room;
	uint64_t begin; /* operation up to which nothing is known of what came before; 0: all is known */
	uint64_t whole; /* the last operation that is durable since all was synced; 0: none */
	uint64_t last;  /* the last operation, that in flight included */
	uint64_t snapshot_unsure; /* number of the first one that was being taken when power went, or was
				     taken when the target was failing: it and later ones may be there or not;
				     0: none is unsure */
	uint64_t snapshots;       /* number of the last one that it is known to have taken */
	bool settled;             /* `whole` is known */
	bool begun;               /* names and told are in use */
	struct source_facts facts;
};

struct history {
	const char *run;
	uint64_t key;
	unsigned int workers;
	struct worker_history *worker;
	struct page_pool *pool;
	size_t pool_bytes;
	uint64_t whole;           /* moment of the last sync of all, ns since the run's start; 0: none was */
	uint64_t failing, failed; /* of a target that was made to fail (src/durable/timeline.h) */
	bool ended;               /* the run had an end: its journals are whole */
	bool complete;            /* it is known to the end what every worker did */
	uint64_t operations;      /* of all workers */
	uint64_t in_flight;       /* how many were at the end */
	uint64_t over;            /* when the last one began that was known, ns since the epoch */
};

/* How the models of the run began; the model files hold later states, from which a journal without its first
 * operations is followed. */
struct history_plan {
	const char *run;
	uint64_t key;
	unsigned int workers, shared_dirs, shared_files;
	bool ended;
};

/* Free with history_free(), also after a failure. */
int history_make(struct history *h, const struct history_plan *plan, struct error *e);
void history_free(struct history *h);

/* ---- of one worker */

/* As all that is known was over. */
const struct model_view *history_end(const struct worker_history *w);

/* Does the thing exist at the end, and as what? */
bool history_lives(const struct worker_history *w, struct thing t, struct object *out);

/* The last operation up to which its data and size (`all`: and its other attributes and, of a directory, its
 * names) are durable; 0: nothing of it is. */
enum history_part { HISTORY_DATA, HISTORY_ALL };
uint64_t history_floor(const struct worker_history *w, struct thing t, enum history_part part);

/* Is everything known that it may be: what it was at its floor, or how it was made? Not of what is older than
 * a journal whose first operations were dropped. */
bool history_knows(const struct worker_history *w, struct thing t, enum history_part part);

/* The view at a floor, and the object in it. NULL when it is not known, or not there. */
const struct model_view *history_at(const struct worker_history *w, struct thing t, uint64_t floor,
				    struct object *out);

/* The model as it was at the end of a round; NULL: there was none, or it is not known. */
struct frozen *history_barrier(const struct worker_history *w, uint64_t round);

/* Was a name taken from it behind `operation`, without another one being given? */
bool history_lost_name(const struct worker_history *w, struct thing t, uint64_t operation);

#endif
