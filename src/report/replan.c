/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/replan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/plan/pick.h"
#include "src/report/print.h"

/* What is read, and where complaints go. */
struct source {
	const char *run;
	struct error *e;
};

static int missing(const struct source *s, const char *what)
{
	return error_set(s->e, EXIT_USAGE, "%s/run.json: %s is missing or wrong", s->run, what);
}

static int unknown(const struct source *s, const char *kind, const char *name)
{
	return error_set(
		s->e, EXIT_CANNOT,
		"%s cannot be replayed: this recow has no %s '%s'; use the version that made the run "
		"(see \"version\" in its run.json)",
		s->run, kind, name);
}

static uint64_t hex_of(const json_t *j, const char *key)
{
	return strtoull(json_text(j, key), NULL, 16);
}

static void take_text(char *buf, size_t len, const json_t *j, const char *key)
{
	snprintf(buf, len, "%s", json_text(j, key));
}

static bool is_true(const json_t *j, const char *key)
{
	return json_is_true(json_object_get(j, key));
}

static int take_target(const struct source *s, struct target_spec *t, const json_t *j)
{
	if (!target_kind_of(json_text(j, "kind"), &t->kind))
		return missing(s, "plan.target");
	take_text(t->path, sizeof(t->path), j, "path");
	take_text(t->fs, sizeof(t->fs), j, "fs");
	take_text(t->mkfs_options, sizeof(t->mkfs_options), j, "mkfs_options");
	take_text(t->mount_options, sizeof(t->mount_options), j, "mount_options");
	t->image_size = json_uint(j, "image_size");
	t->fill = json_uint(j, "fill");
	t->mkfs = is_true(j, "mkfs");
	t->tmpfs = is_true(j, "tmpfs");
	return 0;
}

static void take_pair(uint64_t out[2], const json_t *j, const char *key)
{
	for (size_t i = 0; i < 2; i++)
		out[i] = (uint64_t)json_integer_value(json_array_get(json_object_get(j, key), i));
}

static int take_workload(const struct source *s, struct plan_workload *w, const json_t *j)
{
	const char *name = json_text(j, "name");

	w->workload = pick_workload(name, s->e);
	if (!w->workload)
		return unknown(s, "workload", name);
	w->shape = w->workload->shape;
	w->shape.files = (uint32_t)json_uint(j, "files");
	w->shape.dirs = (uint32_t)json_uint(j, "dirs");
	w->shape.depth = (uint32_t)json_uint(j, "depth");
	take_pair(w->shape.size, j, "size");
	take_pair(w->shape.write, j, "write");
	w->share = (unsigned int)json_uint(j, "share");
	return 0;
}

static int take_params(const struct source *s, struct plan_injection *in, const json_t *params)
{
	const struct injector *injector = in->injector;

	if (params_init(&in->params, injector->params, injector->param_count, s->e))
		return -1;
	for (size_t i = 0; i < injector->param_count; i++) {
		const json_t *value = json_object_get(params, injector->params[i].name);

		if (value) /* else it is younger than the run */
			in->params.value[i] = (uint64_t)json_integer_value(value);
	}
	return 0;
}

static int take_injection(const struct source *s, struct plan_injection *in, const json_t *j)
{
	const char *name = json_text(j, "name");

	in->injector = pick_injector(name, s->e);
	return in->injector ? take_params(s, in, json_object_get(j, "params")) : unknown(s, "injector", name);
}

static int take_verification(const struct source *s, struct plan_verification *v, const json_t *j)
{
	const char *name = json_text(j, "name");

	v->verifier = pick_verifier(name, s->e);
	return v->verifier ? 0 : unknown(s, "verifier", name);
}

static int take_phase(const struct source *s, const struct plan *p, struct plan_phase *phase, const json_t *j)
{
	json_t *inject = json_object_get(j, "inject"), *arg;
	const char *name;

	take_text(phase->name, sizeof(phase->name), j, "name");
	phase->duration = json_uint(j, "duration_ns");
	phase->ops = json_uint(j, "ops");
	phase->churn = is_true(j, "churn");
	json_object_foreach(inject, name, arg)
	{
		unsigned int i = 0;

		while (i < p->injection_count && strcmp(p->injection[i].injector->name, name) != 0)
			i++;
		if (i == p->injection_count)
			return missing(s, "an injector of a phase");
		phase->inject |= 1U << i;
		snprintf(phase->arg[i], sizeof(phase->arg[i]), "%s", json_string_value(arg));
	}
	return 0;
}

/* The length of a list of the plan, 0 unless it is in [least, most]. */
static unsigned int length_of(const json_t *plan, const char *key, size_t most)
{
	size_t n = json_array_size(json_object_get(plan, key));

	return n <= most ? (unsigned int)n : 0;
}

/* Injectors before the phases that name them. */
static int take_lists(const struct source *s, struct plan *p, const json_t *plan)
{
	const json_t *workloads = json_object_get(plan, "workloads"),
		     *injectors = json_object_get(plan, "injectors"),
		     *verifiers = json_object_get(plan, "verifiers"),
		     *phases = json_object_get(plan, "phases");

	p->workload_count = length_of(plan, "workloads", PLAN_WORKLOADS);
	p->injection_count = length_of(plan, "injectors", PLAN_INJECTORS);
	p->verification_count = length_of(plan, "verifiers", PLAN_VERIFIERS);
	p->phase_count = length_of(plan, "phases", PLAN_PHASES);
	if (!p->workload_count || !p->phase_count)
		return missing(s, p->phase_count ? "plan.workloads" : "plan.phases");
	for (unsigned int i = 0; i < p->workload_count; i++) {
		if (take_workload(s, &p->workload[i], json_array_get(workloads, i)))
			return -1;
	}
	for (unsigned int i = 0; i < p->injection_count; i++) {
		if (take_injection(s, &p->injection[i], json_array_get(injectors, i)))
			return -1;
	}
	for (unsigned int i = 0; i < p->verification_count; i++) {
		if (take_verification(s, &p->verification[i], json_array_get(verifiers, i)))
			return -1;
	}
	for (unsigned int i = 0; i < p->phase_count; i++) {
		if (take_phase(s, p, &p->phase[i], json_array_get(phases, i)))
			return -1;
	}
	return 0;
}

static void take_least(struct least_exposure *least, const json_t *plan)
{
	const json_t *asked = json_object_get(plan, "min_exposure");
	const char *trial = json_text(plan, "trial");

	for (unsigned int i = 0; i < MEASURES; i++) {
		least->of[i] = json_uint(asked, measure_words[i].name);
		if (strcmp(trial, measure_words[i].name) == 0)
			least->trial = (enum measure)i;
	}
}

static void take_numbers(struct plan *p, const json_t *plan)
{
	take_text(p->scenario, sizeof(p->scenario), plan, "scenario");
	take_text(p->scenario_path, sizeof(p->scenario_path), plan, "scenario_path");
	p->seed = hex_of(plan, "seed");
	p->run_key = hex_of(plan, "run_key");
	p->workers = (unsigned int)json_uint(plan, "workers");
	p->shared_dirs = (unsigned int)json_uint(plan, "shared_dirs");
	p->shared_files = (unsigned int)json_uint(plan, "shared_files");
	p->journal_keep = json_uint(plan, "journal_keep");
	p->hang_limit = json_uint(plan, "hang_limit_ns");
	p->memory_floor = json_uint(plan, "memory_floor");
	p->inject = is_true(plan, "inject");
	take_text(p->no_inject_reason, sizeof(p->no_inject_reason), plan, "no_inject_reason");
	p->keep_going = is_true(plan, "keep_going");
	take_least(&p->min_exposure, plan);
}

int replan(struct plan *p, const json_t *run_json, const char *run, struct error *e)
{
	const struct source s = {.run = run, .e = e};
	const json_t *plan = json_object_get(run_json, "plan");
	const uint64_t format = json_uint(run_json, "format");

	memset(p, 0, sizeof(*p));
	if (format > RUN_FORMAT)
		return error_set(
			e, EXIT_CANNOT,
			"%s is of format %llu, this recow knows %d: replay it with recow %s or later", run,
			(unsigned long long)format, RUN_FORMAT, json_text(run_json, "version"));
	if (!json_is_object(plan))
		return missing(&s, "plan");
	take_numbers(p, plan);
	if (!p->workers || p->workers > PLAN_WORKERS || p->shared_dirs > SHARED_DIRS_MAX ||
	    p->shared_files > SHARED_FILES_MAX || !p->hang_limit)
		return missing(&s, "a number of the plan");
	if (take_target(&s, &p->target, json_object_get(plan, "target")))
		return -1;
	return take_lists(&s, p, plan);
}
