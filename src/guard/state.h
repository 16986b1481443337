/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guard's own state, shared among the files of this room only. */
#ifndef RECOW_GUARD_STATE_H
#define RECOW_GUARD_STATE_H

#include "src/guard/freezer.h"
#include "src/guard/hand.h"
#include "src/guard/hang.h"
#include "src/guard/kmsg.h"
#include "src/guard/lock.h"
#include "src/guard/outcome.h"
#include "src/guard/repeats.h"
#include "src/guard/steps.h"
#include "src/guard/timeline.h"
#include "src/guard/undo.h"
#include "src/journal/file.h"
#include "src/machine/messages.h"
#include "src/target/mapping.h"

struct child {
	const char *name;
	pid_t pid;       /* 0: there is none (any more) */
	bool stuck;      /* killed, and doesn't die */
	uint64_t killed; /* when, 0 if not */
	int status;      /* as waitpid() gave it */
};

/* A change under way, with all that the hand needs. */
struct change {
	const struct undo_kind *kind;
	char what[4096];
	char path[256], value[128]; /* what to write; no path: only the log is to be synced */
	struct message_pages pages; /* or pages to take or to give back; count 0: none */
	struct machine_way way;     /* or what the target's device does, and */
	char plain[MAPPING_TABLE];  /* the table noted before the first change; "": this is the first */
	/* Or this makes the change, in the hand, whose end of the socket it has; NULL: nothing does. */
	int (*make)(const struct change *c, int socket);
	bool note; /* the old state has to be noted first */
	int log;   /* descriptor of the undo log */
};

/* One asker: churn, or an injection. It has at most one request under way. */
struct door {
	int socket; /* -1: closed */
	char name[32];
	struct hand hand;
	enum { DOOR_IDLE, DOOR_CHANGE, DOOR_DURABLE, DOOR_CHECKPOINT } busy;
	bool froze; /* it was told that the target is frozen, and has not asked to thaw it */
	struct change change;
	unsigned int noted; /* entries in the log when the hand began: they are on disk when it is done */
	uint64_t begun;
};

/* The interval during which the target is frozen; one at a time. */
struct freeze {
	struct hand hand;   /* the freezing hand; pid 0: nothing is frozen */
	struct door *owner; /* who asked; NULL once it no longer waits for the end */
	struct freeze_order order;
	bool frozen;          /* the hand says so */
	bool ending;          /* it was told to thaw */
	bool due;             /* the owner waits for an answer */
	uint64_t begun, held; /* when it was asked for, and when it was frozen; CLOCK_MONOTONIC ns */
	uint64_t total;       /* ns of all intervals that are over */
};

#define DOORS    (1 + PLAN_INJECTORS)
#define LOST_MAX 64

struct guard {
	const struct guard_listener *listener;
	struct shared *shared;
	uint64_t pool_bytes;
	char run[4096];
	bool locked; /* this run may change the machine */
	struct machine_lock lock;
	struct undo_log undo;
	struct timeline timeline;
	struct steps steps;
	struct kmsg kmsg;
	struct repeats repeats;
	struct journal_writer **journal; /* plan.workers of them */
	int signals;                     /* signalfd */
	struct child churn, disturb;
	struct door door[DOORS]; /* 0 is churn's, 1 + i injection i's */
	struct freeze freeze;
	uint64_t held;        /* ns of all holds of the target's device that are over */
	uint64_t synced;      /* when the last whole sync on the timeline began, CLOCK_MONOTONIC ns */
	pid_t lost[LOST_MAX]; /* hands that were given up */
	unsigned int lost_count;
	unsigned int interrupts;
	uint64_t abandon_at, kill_at; /* CLOCK_MONOTONIC ns, 0: never */
	uint64_t next_tick, next_second;
	uint32_t seen_stage, seen_round, seen_phase; /* on the timeline so far */
	struct hang_watch hang;
	struct outcome_facts facts;
	struct error error; /* what churn said when it could not go on */
	bool churn_failed;
	bool below_full; /* no room for the image to grow: findings since then prove nothing */
};

/* tell.c: to the user and the timeline. */
void guard_say(struct guard *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Note what of recow failed; the first one stands in the verdict. */
void guard_fail(struct guard *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Record a finding: store, timeline, listener. */
void guard_find(struct guard *g, struct finding *f);

/* below.c: is the disk below the image full? Says so and ends the run the first time. */
bool guard_below_full(struct guard *g);

/* door.c: requests. */
void door_open(struct door *d, const char *name, int socket);
void door_serve(struct guard *g, struct door *d);   /* read what the asker sent */
void door_advance(struct guard *g, struct door *d); /* see how far the hand is */
void door_close(struct guard *g, struct door *d);   /* give up what is under way */
/* How long, in all, the target's device has stood still on purpose, in ns. Bounded as freeze_time() is. */
uint64_t door_held_time(const struct guard *g, uint64_t now);

/* freeze.c: the one owner of the target's freeze state. */
void freeze_ask(struct guard *g, struct door *d, const struct message_freeze *m, int root);
void freeze_thaw(struct guard *g, struct door *d);
void freeze_leave(struct guard *g, const struct door *d); /* the asker is gone */
void freeze_release(struct guard *g);                     /* thaw now, whoever asked; does not wait */
void freeze_advance(struct guard *g);                     /* see how far the hand is */
void freeze_close(struct guard *g);                       /* thaw and wait for it */
/* How long, in all, the target has been frozen so far, in ns: time in which nobody hangs. Bounded for each
 * freeze, so that one that hangs itself is noticed. */
uint64_t freeze_time(const struct guard *g, uint64_t now);

/* fault.c: a target that is made to fail. May its device do that now, as the asker wants? 0 or an errno. */
int fault_permits(const struct guard *g, const struct door *d, const struct machine_way *way);
/* Answers MESSAGE_FAULT and its like. */
void fault_take(struct guard *g, const struct door *d, uint32_t kind, const void *body);
/* Is this line of the kernel log, of which the verifier would make a finding, what a target that fails has it
 * say? */
bool fault_expects(struct guard *g, const struct verifier *v, const char *record);

/* lost.c: hands that were given up. */
void lost_add(struct guard *g, pid_t pid);
/* Forget those that died. Returns how many are left: as long as they hang, fewer changes can be begun. */
unsigned int lost_bury(struct guard *g);
/* At the end: wait for them a moment, and name those that still hang. Returns how many. */
unsigned int lost_last(struct guard *g);

/* clerk.c: journals and models on disk. */
int clerk_open(struct guard *g, struct error *e);
void clerk_drain(struct guard *g); /* what the rings hold goes to the files */
hand_work clerk_sync;              /* arg: struct guard */
hand_work clerk_checkpoint;
void clerk_drop(struct guard *g);   /* journals behind the checkpoint */
void clerk_finish(struct guard *g); /* the last models; closes the journals */

/* family.c: the children. */
int family_start(struct guard *g, const struct guard_children *children, struct error *e);
void family_stop(struct guard *g); /* ask all to end soon */
void family_kill(struct child *c);
/* Look whether a child has ended. True once it is gone or given up. */
bool family_look(struct guard *g, struct child *c);

/* guard.c: a device below the target that is held, or slow, is neither any more. */
void guard_go_on(struct guard *g);
/* All that was changed below the target is put back, while the run goes on. Returns 0 or an errno. */
int guard_make_whole(struct guard *g);

/* guard.c: disturb died. Give up what it asked for, and take its squeeze off churn, which is to end in peace.
 */
void guard_relieve(struct guard *g);

/* loop.c: from the fork until the children are gone. */
void guard_loop(struct guard *g);
/* Judge what the kernel has said until now. */
void guard_follow_kernel(struct guard *g);

#endif
