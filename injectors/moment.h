/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The moment at which an injector makes the target fail, once in a run: drawn for each phase, as a number of
 * steps, so that a replay has it where the run had it. And what all that do so have in common.
 */
#ifndef RECOW_MOMENT_H
#define RECOW_MOMENT_H

#include "injectors/injector.h"

/* Their parameters, first in the list of each. */
enum { MOMENT_AFTER, MOMENT_WITHIN, MOMENT_LINGER, MOMENT_PARAMS };
#define MOMENT_PARAM_LIST                                                                                    \
	[MOMENT_AFTER] = {.name = "after",                                                                   \
			  .summary = "not earlier in a phase than this",                                     \
			  .unit = PARAM_DURATION,                                                            \
			  .fallback = "500ms",                                                               \
			  .min = 0,                                                                          \
			  .max = 86400 * NSEC_PER_SEC},                                                      \
	[MOMENT_WITHIN] = {.name = "within",                                                                 \
			   .summary = "at a moment of so long a time behind that, drawn from the seed",      \
			   .unit = PARAM_DURATION,                                                           \
			   .fallback = "2s",                                                                 \
			   .min = 0,                                                                         \
			   .max = 86400 * NSEC_PER_SEC},                                                     \
	[MOMENT_LINGER] = {.name = "linger",                                                                 \
			   .summary = "how long the workers go on when it has failed",                       \
			   .unit = PARAM_DURATION,                                                           \
			   .fallback = "200ms",                                                              \
			   .min = 0,                                                                         \
			   .max = 60 * NSEC_PER_SEC}

struct moment {
	uint64_t left; /* steps until then */
	bool told;     /* it was said that the target is made to fail */
	bool made;     /* and it has failed */
	int err;       /* or why not, the last time that it was tried */
};

/* At the begin of a phase. */
void moment_draw(struct injection *in, struct moment *m);

/* A step: make() makes the target fail when its moment has come (0 or an errno; tried again by the next
 * step); `how`: for people. */
enum step moment_step(struct injection *in, struct moment *m, const char *how,
		      int (*make)(struct injection *in));

/* When it rests: if it was said, and could not be done, that is said. */
void moment_rest(struct injection *in, const struct moment *m);

#endif
