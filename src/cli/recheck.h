/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kept target and the recorded state that it is compared with: `recow verify` without its words. */
#ifndef RECOW_RECHECK_H
#define RECOW_RECHECK_H

#include <pthread.h>

#include "src/cli/stored.h"
#include "src/durable/history.h"
#include "src/report/report.h"
#include "src/target/kept.h"
#include "verify/verifier.h"

#define RECHECK_VERIFIERS 8

struct recheck {
	const char *run;   /* the run directory */
	const char *where; /* a copy; NULL: the target itself */
	const char *logs;  /* directory for the output of programs */
	struct report report;
	struct target_spec spec;
	struct kept kept;
	unsigned int workers;
	struct stored_model *stored;
	struct frozen **frozen;
	const struct model_view **views;
	unsigned int verifiers;
	const struct verifier *verifier[RECHECK_VERIFIERS];
	const char *not_run[RECHECK_VERIFIERS]; /* why; NULL: it ran */
	struct verify_counters counters[RECHECK_VERIFIERS];
	_Atomic bool stop;
	pthread_mutex_t lock; /* of the findings */
	struct finding **finding;
	unsigned int findings, room;
	unsigned int by_class[FINDING_CLASSES];
	/* The run ended amid a round: what must be durable of it is compared, not with what its models say.
	 */
	bool amid_round, durable; /* durable: and that is among what was chosen */
	struct history history;
	bool lost; /* no memory for a finding: it is counted and not kept */
};

/* Read the run and its models. `list`: names of verifiers with commas, NULL for the usual ones. */
int recheck_load(struct recheck *r, const char *list, struct error *e);

/* Can the target be compared? True: nothing was done to it after the barrier that the models are of. Else
 * `why` says what is missing. */
bool recheck_exact(const struct recheck *r, char *why, size_t len);

/* It can't: make the history of the run, and let those that know what is durable take the place of those that
 * compare with the models. Not 0: EXIT_INCONCLUSIVE when the run directory doesn't tell. */
int recheck_amid_round(struct recheck *r, struct error *e);

/* Mount, verify, unmount. The caller has a private mount namespace. */
int recheck_run(struct recheck *r, struct error *e);

void recheck_free(struct recheck *r);

#endif
