/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory that guard, churn and disturb share: made by the guard before it forks, so that a process that
 * dies or hangs leaves everything that a verdict needs. Plain data and atomics; no locks. Who writes what is
 * said at each field. Mapped at the same address in all three, hence pointers into it are good everywhere.
 */
#ifndef RECOW_SHARED_H
#define RECOW_SHARED_H

#include <stdatomic.h>
#include <sys/types.h>

#include "src/journal/ring.h"
#include "src/model/model.h"
#include "src/plan/plan.h"

/* How far a run is; written by churn's conductor. */
enum run_stage {
	STAGE_PREPARE, /* mkfs, mount, first directories */
	STAGE_CHURN,   /* a phase of a round */
	STAGE_VERIFY,  /* at the barrier */
	STAGE_REMOUNT, /* final: unmounting, fsck, mounting, fresh verification */
	STAGE_RELEASE, /* unmounting, removing */
	STAGE_DONE,
};

#define SHARED_ANSWERS 160 /* errnos counted per operation; index 0: success */

/* One worker's live state; written by that worker alone. */
struct shared_worker {
	_Alignas(64) _Atomic uint64_t operations; /* finished */
	_Atomic uint64_t taken;      /* number of the last one: in a replay not all below were done */
	_Atomic uint64_t journalled; /* number of the last one whose records are all in the ring */
	_Atomic uint64_t started;    /* CLOCK_MONOTONIC ns of the operation in flight, 0 between two */
	_Atomic uint32_t kind;       /* id of the operation in flight */
	_Atomic pid_t tid;
	_Atomic uint64_t bytes_written, bytes_read;
	_Atomic uint64_t errors;             /* ordinary refusals: ENOSPC and its like */
	_Atomic uint64_t outside_ns;         /* time between calls while churning: learn, journal, draw */
	_Atomic uint64_t user_ns, system_ns; /* CPU time of the thread, as of its last parking */
	/* Coverage: answers by operation. */
	_Atomic uint64_t answers[128][SHARED_ANSWERS];
	struct model model;
	struct model_view
		barrier; /* the model as frozen (and pinned) at the last barrier; what a checkpoint saves */
	struct journal_ring *ring;
};

/* What the kernel's own account says of migrations (src/engine/tally.h). */
enum { MODE_ASYNC, MODE_SYNC_LIGHT, MODE_SYNC, MODES };       /* enum migrate_mode */
enum { HOOK_BTREE, HOOK_DATA, HOOKS };                        /* btrfs's migrate hooks */
enum { HOOK_MOVED, HOOK_REFUSED, HOOK_FAILED, HOOK_RESULTS }; /* 0, -EAGAIN, any other answer */

struct traced {
	_Atomic uint64_t moved[CAUSES], failed[CAUSES]; /* pages */
	_Atomic uint64_t by_mode[MODES];                /* pages moved */
	_Atomic uint64_t commits;                       /* of the target */
	_Atomic uint64_t lost; /* events that the kernel dropped before they were read */
	_Atomic uint64_t hook[HOOKS][HOOK_RESULTS];
};

/* Pages of the target that were looked at before and after a phase (injectors/sample.h). */
struct sampled {
	_Atomic uint64_t files, pages; /* still cached afterwards */
	_Atomic uint64_t moved;        /* at another place in memory */
};

/* A target that was made to fail (machine_fault()). Moments are CLOCK_MONOTONIC ns, 0: not yet. Written by
 * the guard but for the last three. */
struct fault {
	char who[32], how[64];   /* before `at` */
	_Atomic uint64_t linger; /* ns, before `at` */
	_Atomic uint64_t at;    /* what is synced later is not sure to be on disk, nor is any answer judged */
	_Atomic uint64_t made;  /* it has failed */
	_Atomic uint64_t over;  /* what is below it is whole again */
	_Atomic uint64_t lines; /* of the kernel log that were expected */
	_Atomic uint64_t excused;    /* what else would have been findings; added to by all */
	_Atomic bool compared;       /* what was durable, to its end; by churn's conductor */
	_Atomic uint64_t operations; /* of which the journals tell; by the same */
};

/* Something of the exposure that this machine doesn't show. */
struct unseen {
	uint64_t measures; /* bit i: measure i */
	char what[64], why[160];
};
#define UNSEEN_MAX 16

struct shared {
	struct plan plan;                      /* fixed before the fork */
	uint64_t start_mono, start_real;       /* fixed before the fork; ns */
	uint64_t start_migrated, start_failed; /* pgmigrate_success, pgmigrate_fail; fixed before the fork */
	char instance[32]; /* name of the run's tracefs instance, "" if it has none; fixed before the fork */
	char probes[32];   /* group of its kprobe events, likewise */
	char cgroup[512];  /* churn's memory cgroup (a directory), "" if it has none */
	bool rings_kept;   /* in a file; fixed before the fork */
	uint64_t cgroup_inode; /* its inode, as /proc/kpagecgroup gives it */
	struct target target; /* churn's conductor while STAGE_PREPARE (subdir_made: STAGE_RELEASE, too); read
			       * afterwards */

	/* Written by the guard. */
	_Atomic bool stop;    /* end soon: workers finish the operation in hand, verification what it can */
	_Atomic bool abandon; /* end now: no further system call on the target */
	_Atomic uint32_t findings; /* recorded so far */

	/* Written by churn's conductor. */
	_Atomic uint32_t stage;        /* enum run_stage */
	_Atomic uint32_t round;        /* from 1 */
	_Atomic uint32_t phase;        /* index into plan.phase */
	_Atomic uint32_t inject;       /* bits of the injections that may act now; 0: all rest */
	_Atomic uint32_t phase_serial; /* grows with each change of `inject`: disturb waits on it (futex) */
	_Atomic uint64_t phase_end;    /* CLOCK_MONOTONIC ns, for the status line */
	_Atomic uint64_t rounds_done;  /* whole rounds with their verification */
	_Atomic bool barrier_valid;    /* shared_worker.barrier of every worker is good */
	_Atomic uint64_t churn_ns;     /* time in churning phases */
	_Atomic int target_mounted;    /* 1 while the target may be opened by others */
	_Atomic uint64_t trials[MEASURES]; /* exposure in rounds that were verified afterwards */
	_Atomic uint64_t
		beat; /* grows when the conductor or a verifier gets on, where no counter here does */

	/* Written by disturb: bit i set while injection i acts, TALLY_BIT while its tally counts. The
	 * conductor waits until all are clear. */
	_Atomic uint32_t acting;
	/* Of a replay: 1 + the position (src/engine/pace.h) at which the next step of injection i is due, 0:
	 * none is. */
	_Atomic uint64_t due[PLAN_INJECTORS];
	struct exposure exposure[PLAN_INJECTORS];
	struct traced traced;
	struct sampled sampled;

	/* By the guard before the fork, then by disturb's tally. */
	struct unseen unseen[UNSEEN_MAX];
	_Atomic uint32_t unseen_count;

	struct fault fault;

	/* Added to by verifier threads. */
	struct verify_counters verified[PLAN_VERIFIERS];

	struct page_pool *pool;       /* model pages */
	struct shared_worker *worker; /* plan.workers of them */
};

/* Map it for this plan (called by the guard, once). The models' pool is a sparse mapping of `pool_bytes`. */
struct shared *shared_make(const struct plan *plan, uint64_t pool_bytes, struct error *e);
void shared_free(struct shared *s, uint64_t pool_bytes);

/* Before the fork: the rings go into RUN/journal/tail, or where the plan wants them. Without it (that
 * filesystem maps no files) the run goes on, and what it did last is not known should the guard die: -1 with
 * errno. */
int shared_keep_rings(struct shared *s, const char *run);
/* The run is over: the journals have it all, unless an operation never came back. */
void shared_drop_rings(struct shared *s, const char *run);

/* Is the target failing, as it was made to? */
bool shared_failing(const struct shared *s);

/* Is it no finding, since the target is failing? Then it is counted there. recow's own memory is never
 * excused. */
bool shared_excuses(struct shared *s, const struct finding *f);

/* What was compared of a target that was made to fail; NULL: no verifier of the plan does that. */
const struct verify_counters *shared_durable(const struct shared *s);

/* Note in a finding when it was made: time since the start, round, phase. */
void shared_stamp(const struct shared *s, struct finding *f);

#endif
