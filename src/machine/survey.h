/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this machine allows: as a set of needs for the plan, and as a list of facts for people, each with what
 * to do when it is missing. Looking changes nothing.
 */
#ifndef RECOW_SURVEY_H
#define RECOW_SURVEY_H

#include "src/plan/needs.h"
#include "src/target/target.h"

/* Fill *s. `target`: examined by target_examine(), or NULL when none is known (`list`, `doctor`). */
void machine_survey(struct surroundings *s, const struct target_spec *target);

enum fact_state {
	FACT_GOOD,
	FACT_LESS,    /* a run does without, and says so */
	FACT_MISSING, /* the default run cannot begin */
};

struct fact {
	const char *name;
	enum fact_state state;
	char found[160];  /* what is there */
	char remedy[240]; /* what to do about it, "" when good or when nothing can be done */
};

#define FACTS_MAX 32

/* Returns how many were filled in. */
size_t machine_facts(struct fact *out, size_t room);

#endif
