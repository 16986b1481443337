/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is bound to one CPU, and what of it a CPU that was offline gets back. */
#ifndef RECOW_BOUND_H
#define RECOW_BOUND_H

#include "injectors/injector.h"

/*
 * Would something lose its binding for good if this CPU went offline: a task that may run nowhere else, or a
 * cpuset of cgroup v1 below the root (it loses the CPU and doesn't get it back; cgroup v2 keeps what was
 * asked for)? Then `why` says what.
 */
bool bound_for_good(unsigned int cpu, char *why, size_t len);

#define BOUND_INTERRUPTS 128

/* Interrupts that may go to one CPU alone. */
struct bound {
	unsigned int count;
	unsigned int interrupt[BOUND_INTERRUPTS];
};

/* Find them, and have the guard note how they are bound, before the CPU goes offline and the kernel lets them
 * go anywhere; */
void bound_note(struct injection *in, unsigned int cpu, struct bound *b);
/* and bind them again when it is back. Those that the kernel manages by itself refuse: they come back by
 * themselves. */
void bound_again(struct injection *in, unsigned int cpu, const struct bound *b);

#endif
