/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the words of a scenario become a plan; private to this room. */
#ifndef RECOW_APPLY_H
#define RECOW_APPLY_H

#include "src/plan/plan.h"
#include "src/scenario/scenario.h"

/* One layer: a file, or the flags. */
struct layer {
	struct plan *plan;
	const struct scenario *scenario;
	bool flags;
	struct error *e;
};

/* Set one key of [run] or [target]. */
int apply_key(const struct layer *l, const char *section, const struct scenario_key *k);

/* Number of the injector or verifier of that name in the plan, added if it isn't there; -1 and an error. */
int apply_injector(const struct layer *l, const char *name);

/* The argument that a phase gives an injector: checked against those that it knows. */
int apply_phase_arg(const struct layer *l, unsigned int injection, const char *arg, char out[16]);

/* One [phase NAME] section. */
int apply_phase(const struct layer *l, const struct scenario_section *s);

/* Step through "a, b:c, d": the next word into buf. False at the end. */
bool next_listed(const char **list, char *buf, size_t len);

#endif
