/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a user sees while a run lasts, and what the run directory keeps of it: the guard's listener. */
#ifndef RECOW_PROGRESS_H
#define RECOW_PROGRESS_H

#include <stdio.h>

#include "src/report/history.h"
#include "src/report/summary.h"

struct progress {
	FILE *out;              /* plain lines and findings: stdout, or stderr with --json */
	bool terminal;          /* a live line on stderr */
	int verbosity;          /* -1, 0, 1 */
	const char *run;        /* the run directory */
	json_t *command;        /* the words after "recow run", a list */
	json_t *description;    /* run.json as it stands */
	struct status before;   /* at the last live line */
	struct status plain;    /* at the last plain line */
	struct history history; /* status.jsonl */
	uint64_t logged;        /* time of its last line */
	unsigned int findings;  /* printed so far */
	uint64_t first_finding; /* operations of all workers when the first one was seen */
	bool write_failed;      /* said once */
	bool live;              /* a live line stands on the terminal */
};

struct guard_listener progress_listener(struct progress *p);

#endif
