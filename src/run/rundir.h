/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run directory: everything about one run, documented in docs/formats.md.
 *
 *	run.json	what ran: version, kernel, machine, plan; at the end the summary and the exit code
 *	plan.txt	the plan, for people
 *	undo.log	what was changed on the machine, with the old values (src/guard/undo.h)
 *	journal/	operations by worker
 *	model/		w0000.model ...: the last checkpoint of each worker's model
 *	findings.jsonl	findings; findings/NNNN.expected and .found are the dumps
 *	timeline.jsonl	phases, injections, findings, in order of time
 *	steps.jsonl	when injectors made their steps, in operations; for a replay
 *	status.jsonl	counters, once a second
 *	kmsg.log	kernel log lines since the start
 *	fsck.log ...	output of programs
 *	image		the target's image while it lives; kept after a finding or with --keep
 *	mnt/		its mount point
 */
#ifndef RECOW_RUNDIR_H
#define RECOW_RUNDIR_H

#include <stddef.h>

#include "src/base/error.h"

/* Make the directory (it must not exist; parents are made) and its subdirectories. */
int rundir_make(const char *path, struct error *e);

/* Join: RUN/name into buf. */
char *rundir_path(char *buf, size_t len, const char *run, const char *name);

#endif
