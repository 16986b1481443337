/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What came of a run, from the shared memory that outlives its workers. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/ops/op.h"
#include "src/report/summary.h"

static json_t *integer(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static void add_to(json_t *object, const char *key, uint64_t n)
{
	json_int_t before = json_integer_value(json_object_get(object, key));

	json_object_set_new(object, key, json_integer(before + (json_int_t)n));
}

static const char *errno_name(int err, char *buf, size_t len)
{
	const char *name = strerrorname_np(err);

	if (name)
		return name;
	snprintf(buf, len, "errno %d", err);
	return buf;
}

static uint64_t count_answers(const struct shared *s, const struct op *op, int err)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < s->plan.workers; i++)
		sum += atomic_load_explicit(&s->worker[i].answers[op->id][err], memory_order_relaxed);
	return sum;
}

/* Answers of one operation: successes, refusals by errno (also added to the sum over all). */
static json_t *answers_of(const struct shared *s, const struct op *op, json_t *all, uint64_t *total)
{
	json_t *refusals = json_object();
	uint64_t good = count_answers(s, op, 0);
	char number[32];

	*total = good;
	for (int err = 1; err < SHARED_ANSWERS; err++) {
		uint64_t n = count_answers(s, op, err);

		if (!n)
			continue;
		*total += n;
		add_to(refusals, errno_name(err, number, sizeof(number)), n);
		add_to(all, errno_name(err, number, sizeof(number)), n);
	}
	return json_pack("{s:o, s:o}", "good", integer(good), "refused", refusals);
}

/* Refusals, and what workers did, by group and by operation. */
static json_t *answers_json(const struct shared *s)
{
	static const char *const groups[] = {
		[GROUP_NAMES] = "names",           [GROUP_ATTRIBUTES] = "attributes", [GROUP_DATA] = "data",
		[GROUP_DURABILITY] = "durability", [GROUP_SNAPSHOTS] = "snapshots",
	};
	json_t *kinds = json_object(), *refused = json_object(), *by_group = json_object();

	for (size_t i = 0; i < op_count; i++) {
		uint64_t total;
		json_t *answers = answers_of(s, op_table[i], refused, &total);

		json_object_set_new(kinds, op_table[i]->name, answers);
		add_to(by_group, groups[op_table[i]->group], total);
	}
	return json_pack("{s:o, s:o, s:o}", "by_group", by_group, "refused", refused, "by_kind", kinds);
}

/* CPU time of the workers, and how long they were outside of calls: what recow itself costs. */
static json_t *cpu_json(const struct shared *s)
{
	uint64_t outside = 0, user = 0, system = 0;

	for (unsigned int i = 0; i < s->plan.workers; i++) {
		outside += atomic_load(&s->worker[i].outside_ns);
		user += atomic_load(&s->worker[i].user_ns);
		system += atomic_load(&s->worker[i].system_ns);
	}
	return json_pack("{s:o, s:o, s:o}", "user_ns", integer(user), "system_ns", integer(system),
			 "outside_ns", integer(outside));
}

/* Sums over the models of all workers as they were at the last barrier. */
static json_t *model_json(const struct shared *s)
{
	struct model_stats sum = {0}, one;

	if (!atomic_load(&s->barrier_valid))
		return json_null();
	for (unsigned int i = 0; i < s->plan.workers; i++) {
		view_stats(&s->worker[i].barrier, &one);
		sum.objects += one.objects;
		sum.names += one.names;
		sum.xattrs += one.xattrs;
		sum.blocks += one.blocks;
		sum.mapped += one.mapped;
		sum.fragments += one.fragments;
		sum.block_bytes += one.block_bytes;
		sum.object_bytes += one.object_bytes;
		sum.link_bytes += one.link_bytes;
		sum.xattr_bytes += one.xattr_bytes;
		sum.fragment_bytes += one.fragment_bytes;
		sum.total_bytes += one.total_bytes;
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "objects",
			 integer(sum.objects), "names", integer(sum.names), "xattrs", integer(sum.xattrs),
			 "blocks", integer(sum.blocks), "mapped", integer(sum.mapped), "fragments",
			 integer(sum.fragments), "block_bytes", integer(sum.block_bytes), "object_bytes",
			 integer(sum.object_bytes), "link_bytes", integer(sum.link_bytes), "xattr_bytes",
			 integer(sum.xattr_bytes), "fragment_bytes", integer(sum.fragment_bytes),
			 "total_bytes", integer(sum.total_bytes));
}

static json_t *counters_json(const struct verify_counters *c)
{
	const struct {
		const char *name;
		const _Atomic uint64_t *value;
	} row[] = {
		{"bytes", &c->bytes},
		{"scrubbed_bytes", &c->scrubbed},
		{"audited_blocks", &c->audited},
		{"pauses", &c->pauses},
		{"pause_ns", &c->pause_ns},
		{"pause_max_ns", &c->pause_max_ns},
		{"objects", &c->objects},
		{"names", &c->names},
		{"blocks", &c->blocks},
		{"resident", &c->resident},
		{"cached_only_bytes", &c->cached_only},
		{"unsure", &c->unsure},
		{"witnesses", &c->witnesses},
		{"time_ns", &c->time_ns},
	};
	json_t *j = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(row); i++)
		json_object_set_new(j, row[i].name, integer(atomic_load(row[i].value)));
	return j;
}

static json_t *verified_json(const struct shared *s)
{
	json_t *all = json_object();

	for (unsigned int i = 0; i < s->plan.verification_count; i++)
		json_object_set_new(all, s->plan.verification[i].verifier->name,
				    counters_json(&s->verified[i]));
	return all;
}

/* The reason of one that did nothing, else null: with the others it is told phase by phase on the timeline.
 */
static json_t *why_json(const struct exposure *x)
{
	if (atomic_load(&x->steps) || atomic_load(&x->failed) || !x->why[0])
		return json_null();
	return json_string(x->why);
}

json_t *exposures_json(const struct shared *s)
{
	json_t *all = json_object();

	for (unsigned int i = 0; i < s->plan.injection_count; i++) {
		const struct exposure *x = &s->exposure[i];

		json_object_set_new(
			all, s->plan.injection[i].injector->name,
			json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "steps",
				  integer(atomic_load(&x->steps)), "idle", integer(atomic_load(&x->idle)),
				  "failed", integer(atomic_load(&x->failed)), "pages",
				  integer(atomic_load(&x->pages)), "dirty", integer(atomic_load(&x->dirty)),
				  "writeback", integer(atomic_load(&x->writeback)), "why", why_json(x)));
	}
	return all;
}

/* Null where nothing was made to fail. Moments are seconds since the start. */
static json_t *fault_json(const struct shared *s)
{
	const struct fault *f = &s->fault;
	const uint64_t at = atomic_load(&f->at), made = atomic_load(&f->made);
	const struct verify_counters *c = shared_durable(s);
	json_t *j;

	if (!at)
		return json_null();
	j = json_pack("{s:s, s:s, s:f, s:o, s:o, s:o, s:b, s:o}", "who", f->who, "how", f->how, "at",
		      (double)(at - s->start_mono) / NSEC_PER_SEC, "made",
		      made ? json_real((double)(made - s->start_mono) / NSEC_PER_SEC) : json_null(),
		      "excused", integer(atomic_load(&f->excused)), "lines", integer(atomic_load(&f->lines)),
		      "compared", (int)atomic_load(&f->compared), "operations",
		      integer(atomic_load(&f->operations)));
	if (!c)
		return j;
	json_object_set_new(j, "objects", integer(atomic_load(&c->kept[DURABLE_OBJECTS])));
	json_object_set_new(j, "names", integer(atomic_load(&c->kept[DURABLE_NAMES])));
	json_object_set_new(j, "blocks", integer(atomic_load(&c->kept[DURABLE_BLOCKS])));
	json_object_set_new(j, "cut_off_blocks", integer(atomic_load(&c->kept[DURABLE_CUT_OFF])));
	json_object_set_new(j, "snapshots", integer(atomic_load(&c->witnesses)));
	return j;
}

json_t *outcome_json(const struct shared *s, const struct status *st, const struct outcome *o)
{
	json_t *j = json_pack("{s:i, s:s, s:b, s:i, s:i, s:f, s:f}", "exit", (int)o->exit, "verdict",
			      o->verdict, "interrupted", o->interrupted, "left", (int)o->left, "findings",
			      (int)st->findings, "seconds", (double)st->time / NSEC_PER_SEC, "churn_seconds",
			      (double)atomic_load(&s->churn_ns) / NSEC_PER_SEC);

	json_object_set_new(j, "rounds", integer(atomic_load(&s->rounds_done)));
	json_object_set_new(j, "operations", integer(st->operations));
	json_object_set_new(j, "answers", answers_json(s));
	json_object_set_new(j, "cpu", cpu_json(s));
	json_object_set_new(j, "bytes_written", integer(st->bytes_written));
	json_object_set_new(j, "bytes_read", integer(st->bytes_read));
	json_object_set_new(j, "bytes_verified", integer(st->verified));
	json_object_set_new(j, "migrated", integer(st->exposure[MEASURE_PAGES]));
	json_object_set_new(j, "trials", integer(st->trials));
	json_object_set_new(j, "exposure", exposure_json(s));
	json_object_set_new(j, "injectors", exposures_json(s));
	json_object_set_new(j, "fault", fault_json(s));
	json_object_set_new(j, "verified", verified_json(s));
	json_object_set_new(j, "model", model_json(s));
	return j;
}
