/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One churning thread: draws operations (or takes them from the journal of an earlier run), calls the kernel,
 * learns the answers into its model, journals them. */
#ifndef RECOW_WORKER_H
#define RECOW_WORKER_H

#include "src/engine/feed.h"
#include "src/engine/gang.h"
#include "src/engine/mix.h"
#include "src/run/shared.h"

struct worker {
	struct shared *shared;
	struct shared_worker *slot; /* its part of the shared memory; written by this thread alone */
	struct gang *gang;
	unsigned int number;
	const struct plan_workload *workload;
	struct mix mix;
	struct feed feed; /* of a replay, which has no mix */
	uint32_t met;     /* set of enum need: operations that want more are not done */
	struct op_ctx ctx;
	struct witness_list witnesses; /* until the run is over: longer than the thread */
	uint64_t done;                 /* number of the last operation; in a replay not all below were done */
	uint64_t answered; /* when the last call of this phase ended (CLOCK_MONOTONIC), 0 before the first */
	uint64_t given_up; /* of a replay: the position of a step that did not come in time */
	_Atomic bool idle; /* it found nothing to do */
	pthread_t thread;
};

/* Prepare a worker (memory, mix, model) and start its thread, which parks at once. `target`: descriptor of
 * the mount point; `bytes_limit`: its share of the target. */
int worker_start(struct worker *w, struct shared *s, struct gang *gang, unsigned int number,
		 uint64_t bytes_limit, int target, const struct finding_sink *findings, struct error *e);

/* After gang_quit(): join and free. The model stays in shared memory. */
void worker_join(struct worker *w);

#endif
