/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard: parent of churn and disturb, single-threaded, the only process that changes the machine. It
 * keeps the deadline, drains the journals, writes what the others tell it (findings, timeline), follows the
 * kernel log, notices deaths and hangs, undoes everything and gives the verdict.
 */
#ifndef RECOW_GUARD_H
#define RECOW_GUARD_H

#include "src/plan/plan.h"
#include "src/run/shared.h"

/* How it ended; also RUN/run.json. */
struct outcome {
	enum exit_code exit;
	char verdict[400]; /* the last line: never says more than the exit code does */
	bool interrupted;  /* ended by a signal or a death before its time */
	unsigned int left; /* changes that could not be put back */
};

/* Called from the guard's loop; what is printed is the command line's affair. */
struct guard_listener {
	void *self;
	void (*started)(void *self, const struct shared *s);
	void (*tick)(void *self, const struct shared *s); /* about four times a second */
	void (*finding)(void *self, const struct shared *s, const struct finding *f);
	void (*note)(void *self, const char *line); /* something the user should know now */
	void (*ended)(void *self, const struct shared *s,
		      const struct outcome *o); /* undone, before the return */
};

/* Entry points of the two children, called after the fork; each returns its process's exit status. `socket`:
 * to the guard. Defined in src/engine/churn.c and src/engine/disturb.c and handed in by the command line, so
 * that the guard does not know the engine. */
struct guard_children {
	int (*churn)(struct shared *s, int socket);
	int (*disturb)(struct shared *s, const int *sockets); /* one per injection of the plan */
};

/* Execute a plan from making the run directory to the verdict. -1 only when it could not begin. */
int guard_run(const struct plan *plan, const struct guard_children *children,
	      const struct guard_listener *listener, struct outcome *out, struct error *e);

/* Put back what a dead run left, from RUN/undo.log. `line` gets one line for each thing, back or not (then
 * with the command to do it by hand). Returns EXIT_CLEAN when all is back, EXIT_HARNESS when something is
 * left, -1 when there is nothing to work from or the run is alive. */
int guard_restore(const char *run, void (*line)(void *self, const char *text), void *self, struct error *e);

/* Did a run on this machine end without putting everything back? Its directory goes into `run`. */
bool guard_leftover(char run[4096]);

#endif
