/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that a new injector must read. An injector disturbs the machine (or syncs the target) again and again
 * while a phase lasts that names it. It runs in the disturb process, one thread for each, and changes the
 * machine through one door only, `machine_set()` and its like: the guard notes the old value durably, makes
 * the change, and undoes it whatever happens. So an injector needs no undo of its own.
 *
 * Write one file that ends in one `const struct injector`, name it in src/plugins.c and in local.mk.
 */
#ifndef RECOW_INJECTOR_H
#define RECOW_INJECTOR_H

#include <stdatomic.h>
#include <sys/types.h>

#include "src/base/error.h"
#include "src/base/random.h"
#include "src/finding/finding.h"
#include "src/machine/machine.h"
#include "src/plan/needs.h"
#include "src/plan/params.h"

/* How often the dangerous thing happened; counters only grow and are read by others while they do. */
struct exposure {
	_Atomic uint64_t steps;     /* steps that did something */
	_Atomic uint64_t idle;      /* steps that found nothing to do */
	_Atomic uint64_t failed;    /* steps that the kernel refused */
	_Atomic uint64_t pages;     /* pages that the injector saw moved, where it can tell */
	_Atomic uint64_t dirty;     /* dirty pages of the target among them, where the kernel shows them */
	_Atomic uint64_t writeback; /* pages of the target among them that were being written, likewise */
	_Atomic uint64_t unsure;    /* further ones, which may have been written out before they moved */
	_Atomic bool unable;        /* it could not start: it never acts */
	char why[160]; /* that, or why it had nothing to do; for who reads it when disturb is gone */
};

/* One injector in one run. */
struct injection {
	const char *name;
	struct machine *machine; /* the door */
	const struct params *params;
	struct stream random; /* this injector's own, anew for each phase: from the seed, the injector's
				 index in the plan and the serial number of the phase */
	int target;           /* descriptor (O_PATH) of the target's mount point, -1 while it isn't mounted */
	bool btrfs;           /* the target is btrfs; known during phases */
	uint64_t cgroup;      /* inode of the memory cgroup that the target's page cache is charged to, as
				 /proc/kpagecgroup gives it; 0: not known */
	pid_t churn;          /* a thread of churn, as of the begin of the phase; 0: none is known */
	const char *cgroup_dir;    /* where that cgroup's files are, "" if churn has none */
	uint64_t memory_floor;     /* bytes of MemAvailable that no injector may take */
	const char *phase_arg;     /* what the phase says behind the injector's name ("sync:hold"), or "" */
	struct exposure *exposure; /* in shared memory */
	const struct finding_sink *findings; /* what is wrong with the target goes here */
	char idle_reason[160];               /* why the last step was idle */
	void *state;                         /* the injector's own, made by start() */

	/* For inject_over() and inject_pause(). */
	const _Atomic uint32_t *serial_now;
	uint32_t serial;
	const _Atomic bool *stop;
};

enum step { STEP_DONE, STEP_IDLE, STEP_REFUSED };

struct injector {
	const char *name;
	const char *summary;
	uint32_t needs;
	const struct param *params;
	size_t param_count;
	const char *const
		*phase_args; /* words allowed behind the name in a phase, NULL-terminated; NULL: none */
	int (*start)(struct injection *in, struct error *e); /* once, before the first phase; may be NULL */
	int (*phase)(struct injection *in,
		     struct error *e); /* at the begin of each of its phases; -1: it sits this phase out,
					  the timeline says why; may be NULL */
	enum step (*step)(
		struct injection *in); /* again and again during a phase; a step lasts well under a second */
	void (*rest)(struct injection *in); /* at the end of each phase that began; may be NULL. No descriptor
					       on the target may stay open */
	void (*finish)(struct injection *in); /* frees state; also after a failed start(); may be NULL */
};

/* For start(): in->state becomes zeroed memory, which finish() frees. NULL and *e for lack of memory. */
void *inject_state(struct injection *in, size_t bytes, struct error *e);

/* finish() for a state that is that memory and nothing else. */
void inject_finish(struct injection *in);

/* Note why there was nothing to do, and return STEP_IDLE. An idle step is followed by a short pause. */
enum step inject_idle(struct injection *in, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Which of `words`, an injector's phase_args, the phase says: its index; 0, the default, if the phase says
 * none. */
unsigned int inject_word(const struct injection *in, const char *const *words);

/* An index, drawn with the odds that `weight` gives; `count` when all of them are 0. */
size_t inject_draw(struct injection *in, const unsigned int *weight, size_t count);

/* A line on the run's timeline (RUN/timeline.jsonl): what was done, with what effect. */
void inject_note(struct injection *in, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* True when the phase has ended or the run is to stop: a long step looks at it. */
bool inject_over(const struct injection *in);

/* Wait `ns`, or until the phase is over. Returns inject_over(). */
bool inject_pause(const struct injection *in, uint64_t ns);

#endif
