/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scenario and flags in, plan out. The file is the first layer, the flags the second. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "src/base/random.h"
#include "src/base/units.h"
#include "src/plan/apply.h"
#include "src/plan/pick.h"

#define DEFAULT_DURATION     (60 * NSEC_PER_SEC)
#define DEFAULT_HANG_LIMIT   (120 * NSEC_PER_SEC) /* as the kernel's own hung_task_timeout_secs */
#define DEFAULT_IMAGE_SIZE   (4 * GiB)
#define DEFAULT_SHARED_DIRS  8
#define DEFAULT_SHARED_FILES 4
/* 64 bytes an operation: the last 16 million operations, some ten minutes at full speed. */
#define DEFAULT_JOURNAL_KEEP (1 * GiB)
#define DEFAULT_MEMORY_FLOOR (512 * MiB)
#define WORKERS_PER_CPU      2

static struct plan_workload *get_workload(const struct layer *l, const char *name)
{
	struct plan *p = l->plan;
	const struct workload *found;
	struct plan_workload *w;

	for (unsigned int i = 0; i < p->workload_count; i++) {
		if (strcmp(p->workload[i].workload->name, name) == 0)
			return &p->workload[i];
	}
	found = pick_workload(name, l->e);
	if (!found)
		return NULL;
	if (p->workload_count == PLAN_WORKLOADS) {
		error_set(l->e, EXIT_USAGE, "more than %d workloads", PLAN_WORKLOADS);
		return NULL;
	}
	w = &p->workload[p->workload_count++];
	w->workload = found;
	w->shape = found->shape;
	w->share = 1;
	return w;
}

/* The shape's field behind a workload parameter: the one place that ties both. One of the pointers is set. */
struct shape_field {
	const char *name;
	uint32_t *narrow;
	uint64_t *wide;
};

static struct shape_field find_field(struct shape *s, const char *name)
{
	const struct shape_field fields[] = {
		{"files", &s->files, NULL},        {"dirs", &s->dirs, NULL},
		{"depth", &s->depth, NULL},        {"size_min", NULL, &s->size[0]},
		{"size_max", NULL, &s->size[1]},   {"write_min", NULL, &s->write[0]},
		{"write_max", NULL, &s->write[1]},
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strcmp(fields[i].name, name) == 0)
			return fields[i];
	}
	return (struct shape_field){NULL, NULL, NULL};
}

static void set_shape(struct shape *s, const char *name, uint64_t value)
{
	struct shape_field field = find_field(s, name);

	if (field.narrow)
		*field.narrow = (uint32_t)value;
	if (field.wide)
		*field.wide = value;
}

uint64_t plan_shape_value(const struct shape *s, const char *name)
{
	struct shape copy = *s;
	struct shape_field field = find_field(&copy, name);

	return field.narrow ? *field.narrow : field.wide ? *field.wide : 0;
}

static int workload_key(const struct layer *l, struct plan_workload *w, const struct scenario_key *k)
{
	static const struct param share = {"share", "", PARAM_COUNT, "1", 1, 1000, NULL};
	const char *names[PARAMS_MAX + 1] = {"share"};
	uint64_t value;

	if (strcmp(k->name, "share") == 0) {
		if (params_parse(&share, k->value, &value, l->e))
			return -1;
		w->share = (unsigned int)value;
		return 0;
	}
	for (size_t i = 0; i < workload_param_count && i < PARAMS_MAX; i++) {
		names[i + 1] = workload_params[i].name;
		if (strcmp(workload_params[i].name, k->name) != 0)
			continue;
		if (params_parse(&workload_params[i], k->value, &value, l->e))
			return -1;
		set_shape(&w->shape, k->name, value);
		return 0;
	}
	return unknown_word(l->e, "parameter", k->name, names, workload_param_count + 1);
}

static int check_shape(const struct layer *l, const struct plan_workload *w)
{
	const struct shape *s = &w->shape;

	if (s->size[0] > s->size[1])
		return error_set(l->e, EXIT_USAGE, "workload %s: size_min is above size_max",
				 w->workload->name);
	if (s->write[0] > s->write[1])
		return error_set(l->e, EXIT_USAGE, "workload %s: write_min is above write_max",
				 w->workload->name);
	if (s->write[0] < 1 || s->write[1] > OP_BUFFER || s->size[0] < 1)
		return error_set(l->e, EXIT_USAGE,
				 "workload %s: sizes begin at 1, and a write has at most %llu bytes",
				 w->workload->name, (unsigned long long)OP_BUFFER);
	return 0;
}

static int apply_workload(const struct layer *l, const struct scenario_section *s)
{
	struct plan_workload *w = get_workload(l, s->name);

	if (!w)
		return scenario_blame(l->scenario, s->line, s->flag, l->e);
	w->asked = l->flags;
	for (size_t i = 0; i < s->key_count; i++) {
		if (workload_key(l, w, &s->keys[i]))
			return scenario_blame(l->scenario, s->keys[i].line, s->keys[i].flag, l->e);
	}
	if (check_shape(l, w))
		return scenario_blame(l->scenario, s->line, s->flag, l->e);
	return 0;
}

/* With -w only the workloads named there remain; what the file says about them stays their base. */
static void keep_named_workloads(const struct layer *l)
{
	struct plan *p = l->plan;
	unsigned int kept = 0;

	for (unsigned int i = 0; i < p->workload_count; i++) {
		bool named = false;

		for (size_t k = 0; k < l->scenario->section_count; k++) {
			const struct scenario_section *s = &l->scenario->sections[k];

			named |= strcmp(s->kind, "workload") == 0 &&
				 strcmp(s->name, p->workload[i].workload->name) == 0;
		}
		if (named)
			p->workload[kept++] = p->workload[i];
	}
	if (kept)
		p->workload_count = kept;
}

/* -i NAME:word: in the phases that have it already; else in every phase that churns. */
static int inject_everywhere(const struct layer *l, unsigned int injection, const char *arg)
{
	struct plan *p = l->plan;
	bool present = false;

	for (unsigned int i = 0; i < p->phase_count; i++)
		present |= p->phase[i].inject & 1U << injection;
	for (unsigned int i = 0; i < p->phase_count; i++) {
		struct plan_phase *phase = &p->phase[i];

		if (!present && phase->churn)
			phase->inject |= 1U << injection;
		if (arg && phase->inject & 1U << injection &&
		    apply_phase_arg(l, injection, arg, phase->arg[injection]))
			return -1;
	}
	return 0;
}

static int apply_inject(const struct layer *l, const struct scenario_section *s)
{
	const struct injector *injector;
	const char *arg = NULL;
	int number = apply_injector(l, s->name);

	if (number < 0)
		return scenario_blame(l->scenario, s->line, s->flag, l->e);
	injector = l->plan->injection[number].injector;
	for (size_t i = 0; i < s->key_count; i++) {
		const struct scenario_key *k = &s->keys[i];

		if (l->flags && !k->value[0])
			arg = k->name;
		else if (params_set(&l->plan->injection[number].params, injector->params,
				    injector->param_count, k->name, k->value, l->e)) {
			error_context(l->e, "injector %s", injector->name);
			return scenario_blame(l->scenario, k->line, k->flag, l->e);
		}
	}
	if (!l->flags)
		return 0;
	l->plan->injection[number].asked = true;
	if (inject_everywhere(l, (unsigned int)number, arg))
		return scenario_blame(l->scenario, s->line, s->flag, l->e);
	return 0;
}

static int add_verifier(const struct layer *l, const char *name)
{
	struct plan *p = l->plan;
	const struct verifier *found;

	for (unsigned int i = 0; i < p->verification_count; i++) {
		if (strcmp(p->verification[i].verifier->name, name) == 0)
			return 0;
	}
	found = pick_verifier(name, l->e);
	if (!found)
		return -1;
	if (p->verification_count == PLAN_VERIFIERS)
		return error_set(l->e, EXIT_USAGE, "more than %d verifiers", PLAN_VERIFIERS);
	p->verification[p->verification_count++] = (struct plan_verification){
		.verifier = found,
		.asked = l->flags,
	};
	return 0;
}

static int apply_verify(const struct layer *l, const struct scenario_section *s)
{
	static const char *const names[] = {"list"};

	l->plan->verification_count = 0;
	for (size_t i = 0; i < s->key_count; i++) {
		const char *list = s->keys[i].value;
		char word[64];
		int ret = 0;

		if (strcmp(s->keys[i].name, "list") != 0)
			ret = unknown_word(l->e, "key", s->keys[i].name, names, ARRAY_SIZE(names));
		while (!ret && next_listed(&list, word, sizeof(word)))
			ret = add_verifier(l, word);
		if (ret)
			return scenario_blame(l->scenario, s->keys[i].line, s->keys[i].flag, l->e);
	}
	return 0;
}

static int apply_keys(const struct layer *l, const struct scenario_section *s)
{
	for (size_t i = 0; i < s->key_count; i++) {
		if (apply_key(l, s->kind, &s->keys[i]))
			return scenario_blame(l->scenario, s->keys[i].line, s->keys[i].flag, l->e);
	}
	return 0;
}

static int apply_section(const struct layer *l, const struct scenario_section *s)
{
	static const struct {
		const char *kind;
		int (*apply)(const struct layer *l, const struct scenario_section *s);
	} kinds[] = {
		{"run", apply_keys},      {"target", apply_keys},   {"workload", apply_workload},
		{"inject", apply_inject}, {"verify", apply_verify}, {"phase", apply_phase},
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].kind, s->kind) == 0)
			return kinds[i].apply(l, s);
	}
	return error_set(l->e, EXIT_HARNESS, "section [%s] has no meaning", s->kind);
}

/* Duration, rounds and ops are three ways to say when a run ends. A layer that says one drops what the layer
 * below said. */
static void drop_limits(const struct layer *l)
{
	struct plan *p = l->plan;

	if (!scenario_value(l->scenario, "run", "", "duration") &&
	    !scenario_value(l->scenario, "run", "", "rounds") &&
	    !scenario_value(l->scenario, "run", "", "ops"))
		return;
	p->duration = 0;
	p->rounds = 0;
	p->ops = 0;
}

static int apply_layer(const struct layer *l)
{
	drop_limits(l);
	for (size_t i = 0; i < l->scenario->section_count; i++) {
		if (apply_section(l, &l->scenario->sections[i]))
			return -1;
	}
	if (l->flags)
		keep_named_workloads(l);
	return 0;
}

static int set_defaults(struct plan *p, struct error *e)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	memset(p, 0, sizeof(*p));
	if (getrandom(&p->seed, sizeof(p->seed), 0) != (ssize_t)sizeof(p->seed))
		return error_errno(e, EXIT_HARNESS, errno, "getrandom");
	p->duration = DEFAULT_DURATION;
	p->workers = (unsigned int)MIN(MAX(cpus, 1) * WORKERS_PER_CPU, PLAN_WORKERS);
	p->shared_dirs = DEFAULT_SHARED_DIRS;
	p->shared_files = DEFAULT_SHARED_FILES;
	p->target.image_size = DEFAULT_IMAGE_SIZE;
	p->journal_keep = DEFAULT_JOURNAL_KEEP;
	p->hang_limit = DEFAULT_HANG_LIMIT;
	p->memory_floor = DEFAULT_MEMORY_FLOOR;
	p->inject = true;
	return 0;
}

/* An injector that is set up but never acts is a slip of the pen, not a wish. */
static int check_injectors(const struct layer *l)
{
	for (unsigned int i = 0; i < l->plan->injection_count; i++) {
		bool acts = false;

		for (unsigned int k = 0; k < l->plan->phase_count; k++)
			acts |= l->plan->phase[k].inject & 1U << i;
		if (!acts)
			return error_set(l->e, EXIT_USAGE, "%s: injector %s is in no phase",
					 l->scenario->path, l->plan->injection[i].injector->name);
	}
	return 0;
}

static int check_whole(const struct layer *l)
{
	bool churns = false;

	for (unsigned int i = 0; i < l->plan->phase_count; i++)
		churns |= l->plan->phase[i].churn;
	if (!churns)
		return error_set(l->e, EXIT_USAGE, "%s: no [phase NAME] with churn", l->scenario->path);
	if (!l->plan->workload_count)
		return error_set(l->e, EXIT_USAGE, "%s: no [workload NAME]", l->scenario->path);
	if (!l->plan->verification_count)
		return error_set(l->e, EXIT_USAGE, "%s: nothing is verified: no [verify] list",
				 l->scenario->path);
	return check_injectors(l);
}

static void settle_target(struct plan *p)
{
	p->target.kind = TARGET_AUTO;
	if (strcmp(p->target.path, "auto") == 0)
		p->target.path[0] = '\0';
	else if (p->target.path[0])
		p->target.kind = TARGET_DIRECTORY; /* target_examine() looks what it really is */
	if (p->target.kind == TARGET_AUTO && !p->target.fs[0])
		snprintf(p->target.fs, sizeof(p->target.fs), "btrfs");
}

static void finish(struct plan *p)
{
	p->run_key =
		mix64(p->seed ^ 0x7265636f77ULL); /* "recow": any constant apart from the workers' streams */
	settle_target(p);
}

int plan_overlay(struct plan *p, const struct scenario *flags, struct error *e)
{
	struct layer over = {.plan = p, .scenario = flags, .flags = true, .e = e};

	for (size_t i = 0; i < flags->section_count; i++) {
		if (apply_section(&over, &flags->sections[i]))
			return -1;
	}
	settle_target(p);
	return 0;
}

int plan_make(struct plan *p, const struct scenario *scenario, const struct scenario *flags, struct error *e)
{
	struct layer file = {.plan = p, .scenario = scenario, .e = e};
	struct layer over = {.plan = p, .scenario = flags, .flags = true, .e = e};

	if (set_defaults(p, e))
		return -1;
	snprintf(p->scenario, sizeof(p->scenario), "%s", scenario->name);
	snprintf(p->scenario_path, sizeof(p->scenario_path), "%s", scenario->path);
	if (apply_layer(&file) || apply_layer(&over) || check_whole(&file))
		return -1;
	finish(p);
	return 0;
}
