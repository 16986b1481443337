/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ground truth: what a mutant really did, one JSON object per line in a file that recow never reads.
 *
 *   {"time_ns": 81234567890, "event": "fired", "number": 1, "mutant": "lost-write", "kind": "lost", ...}
 *   {"time_ns": 81239999999, "event": "gone", "number": 1, "why": "written again"}
 *
 * `event` is "start" (mutant, seed, one_in, and all other settings), "fired", "gone" (what firing `number`
 * did can't be seen any more: the place was written again, cut off, the file is no more), "left" (at the end:
 * a range of what it made wrong is still so), "end" (offered, fired). What else "fired" has is the mutant's:
 * see device/ and fs/.
 */
#ifndef MUTANTS_TRUTH_H
#define MUTANTS_TRUTH_H

#include <jansson.h>
#include <stdint.h>

struct truth {
	int fd; /* -1: nobody wants to know */
	const char *mutant;
};

/* Open `path` for appending; NULL: no file. Returns 0 or -errno. */
int truth_open(struct truth *t, const char *path, const char *mutant);
void truth_close(struct truth *t);

/* Write one event. `more` (may be NULL) is an object whose members are added; it is released. */
void truth_write(struct truth *t, const char *event, uint64_t number, json_t *more);

#endif
