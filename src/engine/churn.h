/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The churn process. Its main thread is the conductor: it makes and mounts the target, starts the workers,
 * leads them through rounds of phases, freezes their models at each barrier, runs the verifiers, and takes
 * everything down.
 */
#ifndef RECOW_CHURN_H
#define RECOW_CHURN_H

#include "src/engine/worker.h"

/* A VERIFY_DURING verifier while the workers churn. */
struct during {
	struct conductor *conductor;
	unsigned int index; /* of the plan's verifications */
	pthread_t thread;
	int result;
	struct error error;
};

struct conductor {
	struct shared *shared;
	int socket; /* to the guard; findings from any thread, requests from the conductor alone */
	struct finding_sink findings;
	_Atomic uint32_t told; /* findings sent to the guard, which may not have counted them yet */
	struct gang gang;
	struct worker *workers;               /* plan.workers of them */
	unsigned int started;                 /* how many of them have a thread */
	struct frozen **barrier;              /* the models as frozen at the last barrier, one per worker */
	struct witness_list shared_witnesses; /* snapshots of the shared subvolume */
	struct witness_list **witnesses;      /* the workers', then that */
	struct during during[PLAN_VERIFIERS];
	unsigned int during_count; /* how many of them have a thread */
	_Atomic bool during_halt;
	int mount;       /* descriptor of the mount point (O_PATH), -1 while it isn't mounted */
	uint32_t looked; /* findings that were known when the device was last asked whether it is there */
	const struct history *durable; /* of a target that was made to fail, else NULL */
	uint64_t journalled;           /* operations at the last checkpoint, all workers */
	uint64_t verify_ns;            /* how long the last verification took */
	uint64_t round_ns;             /* how long the last whole round took, verification included */
};

/* Entry point of the process; returns its exit status. `socket`: to the guard. */
int churn_main(struct shared *s, int socket);

/* Has somebody asked the run to end: a signal, the guard, a finding without --keep-going? */
bool conductor_ending(const struct conductor *c);

/* Is anything known to be wrong, by this process or by the guard? */
bool conductor_found(const struct conductor *c);

/* Something new is wrong: is it that the device is gone? Then that is a finding, at which the guard ends the
 * run. */
void conductor_look(struct conductor *c);

/* churn.c: around the target. Unmounting one that somebody has unmounted is a finding, no error. */
int conductor_mount(struct conductor *c, struct error *e);
int conductor_unmount(struct conductor *c, struct error *e);
/* It could not be mounted again: a finding. */
void conductor_lost(struct conductor *c, const char *what, const struct error *e);

/* fault.c: the target was made to fail, and the workers have met that for long enough. */
bool fault_is_over(const struct shared *s);
/* When all are parked and at rest: unmount it, have what is below made whole, mount it again and compare what
 * was durable. */
int fault_recover(struct conductor *c, struct error *e);

/* layout.c: make the workers' subvolumes, the shared directories and files. */
int layout_make(struct conductor *c, struct error *e);

/* rounds.c: from the first round to the last. */
int rounds_run(struct conductor *c, struct error *e);

/* verification.c: freeze all models (the workers are parked), and run the verifiers of one kind on what was
 * frozen. */
int barrier_freeze(struct conductor *c, struct error *e);
/* Let those verifiers that want to look at the target before anything is done to it. */
int verify_begin(struct conductor *c, struct error *e);
int verify_run(struct conductor *c, enum verify_when when, struct error *e);

/* witness.c: the lists, which live as long as the conductor. */
int witnesses_init(struct conductor *c, struct error *e);
void witnesses_destroy(struct conductor *c);
/* At a barrier, when it has been verified: a snapshot of the shared subvolume, with the models as frozen. */
void witnesses_take_shared(struct conductor *c);
/* Before the workers go, and when they are parked: start and end the verifiers that run meanwhile. */
int during_start(struct conductor *c, struct error *e);
int during_end(struct conductor *c, struct error *e);
/* verification.c: one verification of the plan, with its time counted; `stop`: see there. */
int verify_one(struct conductor *c, unsigned int index, enum verify_when when, const _Atomic bool *stop,
	       struct error *e);

/* tell.c: to the guard. */
struct finding_sink tell_sink(struct conductor *c);
void tell_error(struct conductor *c, const struct error *error);
int tell_request(struct conductor *c, uint32_t message, struct error *e); /* waits for the answer */

#endif
