/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What runs, as JSON: program, machine, plan. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "src/base/json.h"
#include "src/base/units.h"
#include "src/machine/machine.h"
#include "src/report/replan.h"
#include "src/report/summary.h"

static json_t *integer(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *hex(uint64_t n)
{
	return json_sprintf("0x%016" PRIx64, n);
}

char *describe_target(char *buf, size_t len, const struct target_spec *t)
{
	char size[32];

	switch (t->kind) {
	case TARGET_AUTO:
		snprintf(buf, len, "%s on a throw-away image of %s%s", t->fs,
			 units_show_size(size, sizeof(size), t->image_size), t->tmpfs ? " on tmpfs" : "");
		break;
	case TARGET_DEVICE:
		snprintf(buf, len, "%s on %s", t->fs, t->path);
		break;
	case TARGET_IMAGE:
		snprintf(buf, len, "%s in the image %s", t->fs, t->path);
		break;
	case TARGET_DIRECTORY:
		snprintf(buf, len, "%s at %s", t->fs, t->path);
		break;
	}
	return text_plain(buf);
}

static json_t *target_json(const struct target_spec *t)
{
	char words[4096 + 128];

	return json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:b, s:b, s:o}", "kind",
			 target_kind_name(t->kind), "path", json_text(t->path), "fs", t->fs, "image_size",
			 integer(t->image_size), "fill", integer(t->fill), "mkfs_options",
			 json_text(t->mkfs_options), "mount_options", json_text(t->mount_options), "mkfs",
			 t->mkfs, "tmpfs", t->tmpfs, "words",
			 json_text(describe_target(words, sizeof(words), t)));
}

static json_t *workloads_json(const struct plan *p)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < p->workload_count; i++) {
		const struct plan_workload *w = &p->workload[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:i, s:o, s:o, s:o, s:[oo], s:[oo]}", "name",
						w->workload->name, "share", (int)w->share, "files",
						integer(w->shape.files), "dirs", integer(w->shape.dirs),
						"depth", integer(w->shape.depth), "size",
						integer(w->shape.size[0]), integer(w->shape.size[1]), "write",
						integer(w->shape.write[0]), integer(w->shape.write[1])));
	}
	return list;
}

/* {"name": name}, with the reason when it can't run. */
static json_t *named(const char *name, const char *reason)
{
	json_t *j = json_pack("{s:s}", "name", name);

	if (reason)
		json_object_set_new(j, "unavailable", json_text(reason));
	return j;
}

static json_t *injectors_json(const struct plan *p)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < p->injection_count; i++) {
		const struct plan_injection *in = &p->injection[i];
		json_t *params = json_object(), *j = named(in->injector->name, in->unavailable);

		for (size_t k = 0; k < in->injector->param_count; k++)
			json_object_set_new(params, in->injector->params[k].name,
					    integer(in->params.value[k]));
		json_object_set_new(j, "params", params);
		json_array_append_new(list, j);
	}
	return list;
}

static json_t *verifiers_json(const struct plan *p)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < p->verification_count; i++)
		json_array_append_new(
			list, named(p->verification[i].verifier->name, p->verification[i].unavailable));
	return list;
}

static json_t *phases_json(const struct plan *p)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < p->phase_count; i++) {
		const struct plan_phase *phase = &p->phase[i];
		json_t *inject = json_object();

		for (unsigned int k = 0; k < p->injection_count; k++) {
			if (phase->inject & 1U << k)
				json_object_set_new(inject, p->injection[k].injector->name,
						    json_string(phase->arg[k]));
		}
		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:b, s:o}", "name",
						      json_text(phase->name), "duration_ns",
						      integer(phase->duration), "ops", integer(phase->ops),
						      "churn", phase->churn, "inject", inject));
	}
	return list;
}

/* {"dirty_pages": 100000}: what is asked for a clean verdict. */
static json_t *least_json(const struct least_exposure *least)
{
	json_t *j = json_object();

	for (unsigned int i = 0; i < MEASURES; i++) {
		if (least->of[i])
			json_object_set_new(j, measure_words[i].name, integer(least->of[i]));
	}
	return j;
}

static json_t *plan_json(const struct plan *p)
{
	json_t *j = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "scenario", json_text(p->scenario),
			      "scenario_path", json_text(p->scenario_path), "seed", hex(p->seed), "run_key",
			      hex(p->run_key), "duration_ns", integer(p->duration), "rounds",
			      integer(p->rounds), "ops", integer(p->ops));

	if (p->replay[0])
		json_object_set_new(j, "replay_of", json_text(p->replay));
	json_object_set_new(j, "workers", integer(p->workers));
	json_object_set_new(j, "shared_dirs", integer(p->shared_dirs));
	json_object_set_new(j, "shared_files", integer(p->shared_files));
	json_object_set_new(j, "target", target_json(&p->target));
	json_object_set_new(j, "journal_keep", integer(p->journal_keep));
	json_object_set_new(j, "journal_tail", json_text(p->journal_tail));
	json_object_set_new(j, "hang_limit_ns", integer(p->hang_limit));
	json_object_set_new(j, "memory_floor", integer(p->memory_floor));
	json_object_set_new(j, "min_exposure", least_json(&p->min_exposure));
	json_object_set_new(j, "trial", json_string(measure_words[p->min_exposure.trial].name));
	json_object_set_new(j, "inject", json_boolean(p->inject));
	json_object_set_new(j, "no_inject_reason", json_text(p->no_inject_reason));
	json_object_set_new(j, "keep", json_boolean(p->keep));
	json_object_set_new(j, "keep_going", json_boolean(p->keep_going));
	json_object_set_new(j, "workloads", workloads_json(p));
	json_object_set_new(j, "phases", phases_json(p));
	json_object_set_new(j, "injectors", injectors_json(p));
	json_object_set_new(j, "verifiers", verifiers_json(p));
	json_object_set_new(j, "operations_left_out", json_text(p->left_out));
	json_object_set_new(j, "workloads_left_out", json_text(p->workloads_left_out));
	return j;
}

static json_t *machine_json(void)
{
	struct utsname u;

	uname(&u);
	return json_pack("{s:s, s:s, s:s, s:I, s:o}", "kernel", u.release, "kernel_version", u.version,
			 "architecture", u.machine, "cpus", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN),
			 "memory_kib", integer(machine_meminfo_kib("MemTotal")));
}

json_t *describe_run(const struct plan *p, uint64_t start_real)
{
	time_t seconds = (time_t)(start_real / NSEC_PER_SEC);
	struct tm tm;
	char when[32];

	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
	return json_pack("{s:i, s:s, s:f, s:s, s:o, s:o}", "format", RUN_FORMAT, "version", PACKAGE_VERSION,
			 "started", (double)start_real / NSEC_PER_SEC, "started_utc", when, "machine",
			 machine_json(), "plan", plan_json(p));
}
