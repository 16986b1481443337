/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [phase NAME] sections: in the order of the file they are the phases of a round. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "src/base/units.h"
#include "src/plan/apply.h"
#include "src/plan/pick.h"

bool next_listed(const char **list, char *buf, size_t len)
{
	const char *at = *list;
	size_t n;

	while (*at == ',' || isspace((unsigned char)*at))
		at++;
	n = strcspn(at, ", \t\n");
	snprintf(buf, len, "%.*s", (int)n, at);
	*list = at + n;
	return n != 0;
}

int apply_injector(const struct layer *l, const char *name)
{
	struct plan *p = l->plan;
	const struct injector *found;
	struct plan_injection *injection;

	for (unsigned int i = 0; i < p->injection_count; i++) {
		if (strcmp(p->injection[i].injector->name, name) == 0)
			return (int)i;
	}
	found = pick_injector(name, l->e);
	if (!found)
		return -1;
	if (p->injection_count == PLAN_INJECTORS)
		return error_set(l->e, EXIT_USAGE, "more than %d injectors", PLAN_INJECTORS);
	injection = &p->injection[p->injection_count];
	injection->injector = found;
	if (params_init(&injection->params, found->params, found->param_count, l->e))
		return error_context(l->e, "injector %s", name);
	return (int)p->injection_count++;
}

int apply_phase_arg(const struct layer *l, unsigned int injection, const char *arg, char out[16])
{
	const struct injector *injector = l->plan->injection[injection].injector;
	size_t n = 0;

	for (; injector->phase_args && injector->phase_args[n]; n++) {
		if (strcmp(injector->phase_args[n], arg) == 0) {
			snprintf(out, 16, "%s", arg);
			return 0;
		}
	}
	if (!n)
		return error_set(l->e, EXIT_USAGE, "injector %s takes no word behind its name: '%s'",
				 injector->name, arg);
	unknown_word(l->e, "word", arg, injector->phase_args, n);
	return error_context(l->e, "injector %s", injector->name);
}

static int phase_inject(const struct layer *l, struct plan_phase *phase, const char *list)
{
	char word[64];

	while (next_listed(&list, word, sizeof(word))) {
		char *arg = strchr(word, ':');
		int i;

		if (arg)
			*arg++ = '\0';
		i = apply_injector(l, word);
		if (i < 0)
			return -1;
		if (phase->inject & 1U << i)
			return error_set(l->e, EXIT_USAGE, "injector %s is named twice", word);
		phase->inject |= 1U << i;
		if (arg && apply_phase_arg(l, (unsigned int)i, arg, phase->arg[i]))
			return -1;
	}
	return 0;
}

static int phase_key(const struct layer *l, struct plan_phase *phase, const struct scenario_key *k)
{
	static const struct param duration = {"duration", "", PARAM_DURATION, "", NSEC_PER_MSEC, 0, NULL};
	static const struct param ops = {"ops", "", PARAM_COUNT, "", 1, 1ULL << 40, NULL};
	static const struct param churn = {"churn", "", PARAM_BOOL, "", 0, 0, NULL};
	static const char *const names[] = {"duration", "ops", "churn", "inject"};
	uint64_t value;

	if (strcmp(k->name, "duration") == 0)
		return params_parse(&duration, k->value, &phase->duration, l->e);
	if (strcmp(k->name, "ops") == 0)
		return params_parse(&ops, k->value, &phase->ops, l->e);
	if (strcmp(k->name, "inject") == 0)
		return phase_inject(l, phase, k->value);
	if (strcmp(k->name, "churn") != 0)
		return unknown_word(l->e, "key", k->name, names, ARRAY_SIZE(names));
	if (params_parse(&churn, k->value, &value, l->e))
		return -1;
	phase->churn = value != 0;
	return 0;
}

int apply_phase(const struct layer *l, const struct scenario_section *s)
{
	struct plan *p = l->plan;
	struct plan_phase *phase = &p->phase[p->phase_count];

	if (p->phase_count == PLAN_PHASES) {
		error_set(l->e, EXIT_USAGE, "more than %d phases", PLAN_PHASES);
		return scenario_blame(l->scenario, s->line, s->flag, l->e);
	}
	phase->churn = true;
	snprintf(phase->name, sizeof(phase->name), "%s", s->name);
	for (size_t i = 0; i < s->key_count; i++) {
		if (phase_key(l, phase, &s->keys[i]))
			return scenario_blame(l->scenario, s->keys[i].line, s->keys[i].flag, l->e);
	}
	if (!phase->duration == !phase->ops) {
		error_set(l->e, EXIT_USAGE, "phase %s needs a duration or a number of ops, and not both",
			  s->name);
		return scenario_blame(l->scenario, s->line, s->flag, l->e);
	}
	if (phase->ops && !phase->churn) {
		error_set(l->e, EXIT_USAGE, "phase %s has no churn, so it needs a duration", s->name);
		return scenario_blame(l->scenario, s->line, s->flag, l->e);
	}
	p->phase_count++;
	return 0;
}
