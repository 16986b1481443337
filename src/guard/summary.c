/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RUN/run.json: what ran, where, and how it ended. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "config.h"
#include "src/base/clock.h"
#include "src/guard/count.h"
#include "src/guard/timeline.h"
#include "src/machine/machine.h"
#include "src/run/rundir.h"

static json_t *machine(void)
{
	struct utsname u;

	uname(&u);
	return json_pack("{s:s, s:s, s:s, s:i, s:I}", "kernel", u.release, "kernel_version", u.version,
			 "architecture", u.machine, "cpus", (int)sysconf(_SC_NPROCESSORS_ONLN), "memory_kib",
			 (json_int_t)machine_meminfo_kib("MemTotal"));
}

static json_t *named(const char *name, const char *unavailable)
{
	json_t *one = json_pack("{s:s}", "name", name);

	if (unavailable)
		json_object_set_new(one, "unavailable", json_string(unavailable));
	return one;
}

static void add_plugins(json_t *to, const struct plan *p)
{
	json_t *workloads = json_array(), *injectors = json_array(), *verifiers = json_array();

	for (unsigned int i = 0; i < p->workload_count; i++)
		json_array_append_new(workloads, named(p->workload[i].workload->name, NULL));
	for (unsigned int i = 0; i < p->injection_count; i++)
		json_array_append_new(injectors,
				      named(p->injection[i].injector->name, p->injection[i].unavailable));
	for (unsigned int i = 0; i < p->verification_count; i++)
		json_array_append_new(
			verifiers, named(p->verification[i].verifier->name, p->verification[i].unavailable));
	json_object_set_new(to, "workloads", workloads);
	json_object_set_new(to, "injectors", injectors);
	json_object_set_new(to, "verifiers", verifiers);
}

static json_t *phases(const struct plan *p)
{
	json_t *all = json_array();

	for (unsigned int i = 0; i < p->phase_count; i++)
		json_array_append_new(all, json_pack("{s:s, s:I, s:I, s:b}", "name", p->phase[i].name,
						     "duration_ns", (json_int_t)p->phase[i].duration, "ops",
						     (json_int_t)p->phase[i].ops, "churn",
						     (int)p->phase[i].churn));
	return all;
}

static json_t *planned(const struct plan *p)
{
	static const char *const kinds[] = {
		[TARGET_AUTO] = "auto",
		[TARGET_DEVICE] = "device",
		[TARGET_IMAGE] = "image",
		[TARGET_DIRECTORY] = "directory",
	};
	char seed[24], key[24];
	json_t *out;

	/* JSON numbers are no place for 64 bits. */
	snprintf(seed, sizeof(seed), "0x%" PRIx64, p->seed);
	snprintf(key, sizeof(key), "0x%" PRIx64, p->run_key);
	out = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:i, s:i, s:I, s:b, s:s, s:o}", "scenario",
			p->scenario, "seed", seed, "run_key", key, "duration_ns", (json_int_t)p->duration,
			"rounds", (json_int_t)p->rounds, "ops", (json_int_t)p->ops, "workers",
			(int)p->workers, "shared_dirs", (int)p->shared_dirs, "min_exposure",
			(json_int_t)p->min_exposure, "inject", (int)p->inject, "no_inject_reason",
			p->no_inject_reason, "phases", phases(p));
	json_object_set_new(out, "target",
			    json_pack("{s:s, s:s, s:s, s:I, s:s, s:s}", "kind", kinds[p->target.kind], "path",
				      p->target.path, "fs", p->target.fs, "image_size",
				      (json_int_t)p->target.image_size, "mkfs_options",
				      p->target.mkfs_options, "mount_options", p->target.mount_options));
	add_plugins(out, p);
	return out;
}

static json_t *verified(const struct shared *s)
{
	json_t *all = json_object();

	for (unsigned int i = 0; i < s->plan.verification_count; i++) {
		const struct verify_counters *v = &s->verified[i];

		json_object_set_new(all, s->plan.verification[i].verifier->name,
				    json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "bytes",
					      (json_int_t)atomic_load(&v->bytes), "objects",
					      (json_int_t)atomic_load(&v->objects), "names",
					      (json_int_t)atomic_load(&v->names), "blocks",
					      (json_int_t)atomic_load(&v->blocks), "resident",
					      (json_int_t)atomic_load(&v->resident), "cached_only_bytes",
					      (json_int_t)atomic_load(&v->cached_only), "unsure",
					      (json_int_t)atomic_load(&v->unsure), "time_ns",
					      (json_int_t)atomic_load(&v->time_ns)));
	}
	return all;
}

static json_t *ended(const struct shared *s, const struct outcome *o)
{
	struct counts c;

	count_all(s, &c);
	return json_pack(
		"{s:i, s:s, s:b, s:i, s:i, s:f, s:f, s:I, s:I, s:I, s:I, s:o}", "exit", (int)o->exit,
		"verdict", o->verdict, "interrupted", (int)o->interrupted, "left", (int)o->left, "findings",
		(int)atomic_load(&s->findings), "seconds", (double)(clock_mono() - s->start_mono) / 1e9,
		"churn_seconds", (double)atomic_load(&s->churn_ns) / 1e9, "rounds", (json_int_t)c.rounds,
		"operations", (json_int_t)c.operations, "bytes_verified", (json_int_t)c.verified_bytes,
		"trials", (json_int_t)c.trials, "verified", verified(s));
}

int summary_write(const char *run, const struct shared *s, const struct outcome *o)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	json_t *all =
		json_pack("{s:i, s:s, s:f, s:o, s:o}", "format", 1, "version", PACKAGE_VERSION, "started",
			  (double)s->start_real / 1e9, "machine", machine(), "plan", planned(&s->plan));
	int err = 0;

	if (o)
		json_object_set_new(all, "outcome", ended(s, o));
	rundir_path(fresh, sizeof(fresh), run, "run.json.new");
	if (json_dump_file(all, fresh, JSON_INDENT(2) | JSON_REAL_PRECISION(15)))
		err = errno ? errno : EIO;
	else if (rename(fresh, rundir_path(path, sizeof(path), run, "run.json")))
		err = errno;
	json_decref(all);
	return err;
}
