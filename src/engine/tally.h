/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread of the disturb process that counts what really happened, by the kernel's own account: pages
 * migrated by cause and mode and transactions committed (tracepoints), calls of btrfs's migrate hooks by
 * result (return probes, where the kernel has them), and the share of the target's cached pages that moved in
 * a phase (injectors/sample.h). It changes nothing: the guard made the tracefs instance that it reads and
 * removes it (src/guard/tracing.h), enabled are only events of that instance.
 *
 * It lives in disturb and not in the guard, since reading rings is work that can be late or die, and the
 * guard must do neither. It takes part in phases like an injector (TALLY_BIT in shared->acting), so that the
 * counters are complete when a phase has come to rest.
 */
#ifndef RECOW_TALLY_H
#define RECOW_TALLY_H

#include <pthread.h>

#include "injectors/sample.h"
#include "src/run/shared.h"

#define TALLY_BIT (1U << 31) /* beyond the bits of the injections */

struct tally_trace;

struct tally {
	struct shared *shared;
	pthread_t thread;
	bool running;
	struct tally_trace *trace; /* NULL: no tracing */
	bool sampling;             /* page frames can be seen */
	struct sample sample;
	int target; /* the mount point, -1 outside of phases */
};

/* Start the thread. Without one nothing is counted, and shared->unseen says so. */
void tally_start(struct tally *t, struct shared *s);
void tally_join(struct tally *t);

/* trace.c: reading the run's tracefs instance. Opened when the target is mounted, since btrfs may be a module
 * that brings its events only then. NULL after exposure_hidden(). */
struct tally_trace *tally_trace_open(struct shared *s, int target);
void tally_trace_read(struct tally_trace *t);
void tally_trace_close(struct tally_trace *t);

#endif
