/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting and stopping all workers together: the conductor lets them go for a phase and waits until each is
 * parked. While they are parked nobody changes a model; the lock makes what they did visible to the
 * conductor.
 *
 * One lock, `lock`, owned by the gang; it is taken with no other lock held, and never around a system call on
 * the target.
 */
#ifndef RECOW_GANG_H
#define RECOW_GANG_H

#include <pthread.h>
#include <stdatomic.h>

#include "src/base/base.h"

struct gang {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* `go` or `parked` changed */
	unsigned int size;      /* workers */
	unsigned int parked;
	uint64_t go;       /* serial of the last start */
	uint64_t quota;    /* operations each may do after this start, 0: until halt */
	bool quit;         /* the last start: leave */
	_Atomic bool halt; /* park after the operation in hand */
};

void gang_init(struct gang *g);
void gang_destroy(struct gang *g);

/* Conductor. */
void gang_enlist(struct gang *g); /* one more worker thread, which will park */
void gang_start(struct gang *g, uint64_t quota);
/* Wait until all are parked, at most until `deadline` (CLOCK_MONOTONIC ns). False: the time is over. */
bool gang_wait(struct gang *g, uint64_t deadline);
void gang_halt(struct gang *g); /* ask all to park, and wait for it */
void gang_quit(struct gang *g); /* all are parked: let them leave */

/* Worker: park, and wait for the next start after serial *seen. False: leave. */
bool gang_park(struct gang *g, uint64_t *seen, uint64_t *quota);

#endif
