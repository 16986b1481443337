/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verdict, from plain facts. Pure. */
#ifndef RECOW_OUTCOME_H
#define RECOW_OUTCOME_H

#include "src/guard/guard.h"

/* A target that was made to fail, and what was found there afterwards. */
struct fault_facts {
	bool wanted;   /* an injector that does so could act */
	bool happened; /* it was */
	bool compared; /* what was durable then was compared with what is there */
	const char *who, *how;
	uint64_t at;                                /* ns since the start */
	uint64_t excused, lines;                    /* wrong answers and kernel log lines that it explains */
	uint64_t objects, names, blocks, snapshots; /* that were durable */
};

struct outcome_facts {
	uint32_t findings; /* about the target */
	uint32_t by_class[FINDING_CLASSES];
	uint32_t harness;            /* findings about recow's own memory */
	char failure[160];           /* what of recow failed or died, "" if nothing did */
	unsigned int left;           /* changes that could not be put back */
	bool interrupted;            /* the user ended it */
	bool limited;                /* a duration, rounds or operations were asked for */
	bool injected;               /* injectors were asked for (whether or not they could run) */
	uint64_t rounds;             /* whole rounds with their verification */
	uint64_t exposure[MEASURES]; /* in them, by measure */
	uint64_t unseen;             /* bit i: this machine doesn't show measure i */
	struct least_exposure least; /* asked for a clean verdict */
	uint64_t operations, verified_bytes;
	struct fault_facts fault;
};

/* Findings (1) come before a failure of the harness (4), that before too little exposure (5), or a target
 * that was to fail and did not, that before clean (0). */
void outcome_decide(const struct outcome_facts *f, struct outcome *out);

#endif
