/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line that both mutant programs have: which mutant, how often, where the truth goes.
 */
#ifndef MUTANTS_SETTINGS_H
#define MUTANTS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "mutants/common/chance.h"

/* What every mutant says of itself. */
struct about {
	const char *name;
	const char *summary; /* one line */
	const char *source;  /* report or commit of the real bug that it is modelled on; NULL: none */
	/* Who can notice it: NULL: what recow reads. Else why not, or not now ("only a power cut shows it").
	 */
	const char *unseen;
};

struct settings {
	const char *backing; /* image or directory that is served */
	const char *mount;   /* where: an empty file (device) or directory (fs) */
	const char *mutant;  /* "control": faithful */
	const char *truth;   /* file for the ground truth; NULL: none */
	const char *log;     /* device: write log; NULL: none */
	const char *scope;   /* device: "any", "data", "metadata" */
	struct chance chance;
	bool list, json;
};

/* Read the command line. `name` is the program's, `mutants` its list of `count`. `has_device` allows --log
 * and
 * --scope. Returns 0, or the exit code that the program must end with (what was wrong has been printed;
 * --help and --list, which print to stdout, give 0 with s->list set). */
int settings_read(struct settings *s, int argc, char **argv, bool has_device,
		  const struct about *const *mutants, size_t count);

/* The one named `name`, or NULL. */
const struct about *about_find(const char *name, const struct about *const *mutants, size_t count);

/* Lock all memory, so that the machine can't wait for the mutant's own pages while it writes through it.
 * Returns 0 or -errno; not being allowed to is no error. */
int mutant_lock_memory(void);

#endif
