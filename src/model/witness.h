/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A witness: a read-only snapshot on the target and the frozen models that say what it must hold, for as long
 * as it lives. What a frozen model costs is the pages that change afterwards.
 *
 * Each list has one owner, who alone adds and takes away: a worker for the snapshots of its own subvolume,
 * the conductor for those of the shared one. Any thread of the process takes a reference and reads. One lock,
 * of the list; it is taken with no other lock held and never around a system call on the target.
 */
#ifndef RECOW_WITNESS_H
#define RECOW_WITNESS_H

#include <pthread.h>

#include "src/model/model.h"

#define WITNESSES_MAX 4U /* of one list */
#define WITNESS_DIR   "snap"

struct witness {
	char path[40];         /* of the snapshot, relative to the target: "snap/w0003.17" */
	char place[40];        /* of what it is a snapshot of: "w0003", "shared" */
	enum view_scope scope; /* which names of the models are in it */
	uint64_t number;       /* of its list, from 1 */
	uint64_t operation;    /* that took it; 0: the conductor's, at the end of round `number` */
	uint64_t time;         /* when it was complete (CLOCK_MONOTONIC, ns) */
	uint64_t bytes;        /* of all files in its models: at most so much is kept on disk for it */
	/* Set before the snapshot is deleted: what is seen wrong in it while this is still clear is wrong. */
	_Atomic bool dying;
	_Atomic uint32_t references;
	size_t count;
	struct frozen *frozen[]; /* `count` of them, each with a pin that goes with the last reference */
};

struct witness_list {
	pthread_mutex_t lock; /* of the rest, but for its owner's reading */
	unsigned int live;
	struct witness *witness[WITNESSES_MAX]; /* oldest first */
	uint64_t taken;                         /* how many were ever added */
	uint64_t operation;                     /* that took the newest */
};

void witness_list_init(struct witness_list *l);

/* The owner, when no other thread looks any more: drop all. */
void witness_list_destroy(struct witness_list *l);

/* "snap/w0003.17" for number 17 of `place` ("w0003"). */
void witness_path(char *buf, size_t len, const char *place, uint64_t number);

/* Make one with one reference for what was taken of `place`; it takes over the pins of the `count` frozen
 * models. NULL for lack of memory: then the pins are released. */
struct witness *witness_make(const char *place, uint64_t number, enum view_scope scope,
			     struct frozen *const *frozen, size_t count);

/* The owner: put a new one (with its reference) behind the others; there must be room. Take the oldest away,
 * with its reference. */
void witness_add(struct witness_list *l, struct witness *w);
struct witness *witness_take_oldest(struct witness_list *l);

/* Any thread: a reference to the first witness with a number above `after`; NULL if there is none. */
struct witness *witness_next(struct witness_list *l, uint64_t after);
void witness_put(struct witness *w);

#endif
