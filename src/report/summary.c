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

/* Answers of one operation: successes, refusals by errno (also added to the sum over all). */
static json_t *answers_of(const struct shared *s, const struct op *op, json_t *all, uint64_t *total)
{
	json_t *refusals = json_object();
	uint64_t good = atomic_load(&s->answers[op->id][0]);
	char number[32];

	*total = good;
	for (int err = 1; err < SHARED_ANSWERS; err++) {
		uint64_t n = atomic_load(&s->answers[op->id][err]);

		if (!n)
			continue;
		*total += n;
		add_to(refusals, errno_name(err, number, sizeof(number)), n);
		add_to(all, errno_name(err, number, sizeof(number)), n);
	}
	return json_pack("{s:o, s:o}", "good", integer(good), "refused", refusals);
}

static json_t *operations_json(const struct shared *s, const struct status *st)
{
	static const char *const groups[] = {
		[GROUP_NAMES] = "names",
		[GROUP_ATTRIBUTES] = "attributes",
		[GROUP_DATA] = "data",
		[GROUP_DURABILITY] = "durability",
	};
	json_t *kinds = json_object(), *refused = json_object(), *by_group = json_object();
	uint64_t churn = atomic_load(&s->churn_ns), cpu = 0, calls = 0;

	for (size_t i = 0; i < op_count; i++) {
		uint64_t total;
		json_t *answers = answers_of(s, op_table[i], refused, &total);

		json_object_set_new(kinds, op_table[i]->name, answers);
		add_to(by_group, groups[op_table[i]->group], total);
	}
	for (unsigned int i = 0; i < s->plan.workers; i++) {
		cpu += atomic_load(&s->worker[i].time_total);
		calls += atomic_load(&s->worker[i].time_calls);
	}
	return json_pack("{s:o, s:o, s:f, s:o, s:o, s:o, s:o, s:o}", "total", integer(st->operations),
			 "churn_ns", integer(churn), "per_second",
			 churn ? (double)st->operations * NSEC_PER_SEC / (double)churn : 0.0, "by_group",
			 by_group, "refused", refused, "by_kind", kinds, "cpu_ns", integer(cpu),
			 "cpu_calls_ns", integer(calls));
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
		sum.fragments += one.fragments;
		sum.block_bytes += one.block_bytes;
		sum.object_bytes += one.object_bytes;
		sum.link_bytes += one.link_bytes;
		sum.xattr_bytes += one.xattr_bytes;
		sum.fragment_bytes += one.fragment_bytes;
		sum.total_bytes += one.total_bytes;
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "objects",
			 integer(sum.objects), "names", integer(sum.names), "xattrs", integer(sum.xattrs),
			 "blocks", integer(sum.blocks), "fragments", integer(sum.fragments), "block_bytes",
			 integer(sum.block_bytes), "object_bytes", integer(sum.object_bytes), "link_bytes",
			 integer(sum.link_bytes), "xattr_bytes", integer(sum.xattr_bytes), "fragment_bytes",
			 integer(sum.fragment_bytes), "total_bytes", integer(sum.total_bytes));
}

static json_t *verified_json(const struct shared *s)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < s->plan.verification_count; i++) {
		const struct verify_counters *c = &s->verified[i];

		json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
						      s->plan.verification[i].verifier->name, "bytes",
						      integer(atomic_load(&c->bytes)), "objects",
						      integer(atomic_load(&c->objects)), "names",
						      integer(atomic_load(&c->names)), "blocks",
						      integer(atomic_load(&c->blocks)), "resident",
						      integer(atomic_load(&c->resident)), "cached_only",
						      integer(atomic_load(&c->cached_only)), "unsure",
						      integer(atomic_load(&c->unsure)), "time_ns",
						      integer(atomic_load(&c->time_ns))));
	}
	return list;
}

static json_t *injected_json(const struct shared *s)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < s->plan.injection_count; i++) {
		const struct exposure *x = &s->exposure[i];

		json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "name",
						      s->plan.injection[i].injector->name, "steps",
						      integer(atomic_load(&x->steps)), "idle",
						      integer(atomic_load(&x->idle)), "refused",
						      integer(atomic_load(&x->failed)), "pages",
						      integer(atomic_load(&x->pages)), "dirty_pages",
						      integer(atomic_load(&x->dirty))));
	}
	return list;
}

json_t *summary_json(const struct shared *s, const struct status *st, const struct outcome *o)
{
	json_t *j =
		json_pack("{s:o, s:o, s:o, s:o, s:o}", "time_ns", integer(st->time), "rounds",
			  integer(atomic_load(&s->rounds_done)), "operations", operations_json(s, st),
			  "bytes_written", integer(st->bytes_written), "bytes_read", integer(st->bytes_read));

	json_object_set_new(j, "pages_migrated", integer(st->migrated));
	json_object_set_new(j, "pages_migrated_verified", integer(atomic_load(&s->trials_pages)));
	json_object_set_new(j, "injected", injected_json(s));
	json_object_set_new(j, "verified", verified_json(s));
	json_object_set_new(j, "model", model_json(s));
	json_object_set_new(j, "findings", integer(st->findings));
	json_object_set_new(j, "interrupted", json_boolean(o->interrupted));
	json_object_set_new(j, "not_put_back", integer(o->left));
	json_object_set_new(j, "exit", json_integer(o->exit));
	json_object_set_new(j, "verdict", json_string(o->verdict));
	return j;
}
