/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expendable children. Whatever may block for as long as the kernel likes (a write to a memory block's state,
 * an unmount, a sync) is done by a hand: a forked child with a time limit. A hand that is late is killed,
 * which also interrupts an offline attempt; one that can't even be killed is given up, and its process id is
 * kept.
 */
#ifndef RECOW_HAND_H
#define RECOW_HAND_H

#include <sys/types.h>

#include "src/base/base.h"

struct hand {
	pid_t pid;         /* 0: idle */
	int socket;        /* the guard's end of a socket to it, -1 while idle */
	uint64_t deadline; /* CLOCK_MONOTONIC ns */
	bool killed;       /* it was late */
	bool outlives;     /* set before hand_start(): it doesn't die with its parent, but notices that the
			      other end of its socket is gone, and ends by itself */
};

/* What a hand does; returns 0 or an errno (which becomes its answer). `socket` leads to whoever started it.
 */
typedef int hand_work(void *arg, int socket);

/* Start one. Returns 0 or an errno. */
int hand_start(struct hand *h, hand_work *work, void *arg, uint64_t limit_ns);

enum hand_state {
	HAND_BUSY,
	HAND_DONE, /* *answer is what the work returned, ETIMEDOUT when it had to be killed */
	HAND_LOST, /* it was killed and doesn't die: given up; *answer is ETIMEDOUT, *lost its process id */
};

/* See how far it is, and kill it when it is late. Never waits. After DONE and LOST the hand is idle again. */
enum hand_state hand_look(struct hand *h, int *answer, pid_t *lost);

/* Kill it now, whatever its limit. */
void hand_hurry(struct hand *h);

/* A hand that was given up: is it gone by now? It waits for it, so that it doesn't stay as a zombie. */
bool hand_gone(pid_t lost);

/* Start, wait, answer: 0 or an errno. *lost (may be NULL) is set when the hand had to be given up. */
int hand_do(hand_work *work, void *arg, uint64_t limit_ns, pid_t *lost);

#endif
