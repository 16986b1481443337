/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Executing a plan, and what people see of it: what `recow run` and `recow replay` share. */
#ifndef RECOW_LAUNCH_H
#define RECOW_LAUNCH_H

#include "src/cli/progress.h"

/* One execution. The caller sets what stands before `progress`. */
struct launch {
	const struct plan *plan; /* settled */
	json_t *command;         /* for run.json: the words behind "recow run", a list; borrowed */
	bool json;               /* only the result goes to stdout, as JSON */
	int verbosity;           /* -1 quiet, 0, 1 verbose */
	struct progress progress;
	struct outcome outcome;
};

/* Where the run directory is (`suffix` is added to the name that it has by default), what the target is, what
 * can run here. `dry_run`: no root is needed. */
int launch_settle(struct plan *p, const char *suffix, bool dry_run, struct error *e);

/* As --no-inject does: nobody expects exposure of a run that asks for none. */
void launch_without_injectors(struct plan *p);

/* Run it. After success the outcome is there, and launch_end() is due. */
int launch_execute(struct launch *l, struct error *e);

/* After it ended: findings with their stories, figures, verdict. */
void launch_print(const struct launch *l);

/* All of it as `recow report --json` gives it. New reference. */
json_t *launch_json(const struct launch *l);

void launch_end(struct launch *l);

#endif
