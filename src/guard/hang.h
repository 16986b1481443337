/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hangs, noticed three ways: an operation of a worker that has been under way for too long; a task of churn
 * or disturb that has slept uninterruptibly without a single context switch for that long (as the kernel's
 * khungtaskd judges); churn as a whole without any progress in any counter for twice as long, while it should
 * be churning or verifying.
 */
#ifndef RECOW_HANG_H
#define RECOW_HANG_H

#include <sys/types.h>

#include "src/run/shared.h"

#define HANG_TASKS 256
#define HANG_PIDS  3 /* churn, disturb, the freezing hand */

struct hang_task {
	pid_t tid;
	uint64_t switches; /* voluntary and not */
	uint64_t since;    /* CLOCK_MONOTONIC ns: in D state with this count since then */
	bool seen;         /* in this look */
};

/* The operation that a worker is in. */
struct hang_operation {
	uint64_t started;
	uint64_t excused; /* ns of it during which the target was frozen */
};

struct hang_watch {
	struct hang_task task[HANG_TASKS]; /* those that were in D state at the last look */
	unsigned int count;
	struct hang_operation operation[PLAN_WORKERS];
	uint64_t looked, frozen;        /* as of the last look */
	uint64_t progress, progress_at; /* fingerprint of all counters, and when it last changed */
	uint64_t excused; /* churn was last seen stopped by somebody (SIGSTOP, a debugger), 0: never */
	bool found;       /* one hang is enough */
};

/* Look, about once a second. `pids`: the processes to look at (0 is skipped). `frozen`: ns, in all, during
 * which the target, or its device, stood still on purpose; that time doesn't count. True when something
 * hangs: one line for people is in `line`, and the first stuck task in *tid (0: churn as a whole). */
bool hang_look(struct hang_watch *h, const struct shared *s, const pid_t pids[HANG_PIDS], uint64_t now,
	       uint64_t frozen, char *line, size_t len, pid_t *tid);

/* Write stack, wchan, syscall, status of every task of these processes to RUN/hang.txt. Returns 0 or an
 * errno. */
int hang_dump(const char *run, const pid_t pids[HANG_PIDS]);

/* The kernel's stack of one task as one line, "a < b < c"; "" if it can't be read. */
void hang_stack(pid_t pid, pid_t tid, char *buf, size_t len);

#endif
