/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flags of `recow run`. Most become keys of a scenario that lies over the file's. */
#ifndef RECOW_FLAGS_H
#define RECOW_FLAGS_H

#include "src/scenario/scenario.h"

struct run_flags {
	const char *scenario; /* name or path */
	struct scenario over; /* flags as a layer; free with scenario_free() */
	bool no_inject, json, dry_run, help;
	int verbosity; /* -1 quiet, 0, 1 verbose */
};

int flags_parse(int argc, char **argv, struct run_flags *out, struct error *e);

#endif
