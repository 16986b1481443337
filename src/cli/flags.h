/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flags of `recow run`, and of `recow replay`, which has many of them too. Most become keys of a scenario
 * that lies over what the file or the replayed run says. */
#ifndef RECOW_FLAGS_H
#define RECOW_FLAGS_H

#include "src/scenario/scenario.h"

/* Whose flags. */
enum { FLAGS_RUN = 1, FLAGS_REPLAY = 2 };

struct run_flags {
	const char *argument; /* of run: a scenario's name or path; of replay: the run directory */
	struct scenario over; /* flags as a layer; free with scenario_free() */
	const char *until;    /* of replay: --until-finding, as it was given; NULL: not at all */
	bool no_inject, json, dry_run, yes;
	bool help;     /* nothing else counts */
	int verbosity; /* -1 quiet, 0, 1 verbose */
};

/* argv[0] is the command, `of` which one it is. Returns 0, or -1 with *e and nothing to free. */
int flags_parse(int argc, char **argv, unsigned int of, struct run_flags *out, struct error *e);

#endif
