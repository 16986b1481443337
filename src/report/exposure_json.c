/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What really happened, from shared memory, as JSON (docs/formats.md, "outcome.exposure"). */
#include "src/report/summary.h"
#include "src/run/exposure.h"

static json_t *integer(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *by_measure(const uint64_t value[MEASURES], uint64_t unseen)
{
	json_t *j = json_object();

	for (unsigned int i = 0; i < MEASURES; i++) {
		if (!(unseen >> i & 1))
			json_object_set_new(j, measure_words[i].name, integer(value[i]));
	}
	return j;
}

json_t *exposure_measures_json(const struct shared *s)
{
	uint64_t now[MEASURES];

	exposure_take(s, now);
	return by_measure(now, exposure_unseen(s));
}

static json_t *verified_json(const struct shared *s)
{
	uint64_t trials[MEASURES];

	for (unsigned int i = 0; i < MEASURES; i++)
		trials[i] = atomic_load(&s->trials[i]);
	return by_measure(trials, exposure_unseen(s));
}

static json_t *failed_json(const struct traced *t)
{
	json_t *j = json_object();

	for (unsigned int i = 0; i < CAUSES; i++) {
		uint64_t failed = atomic_load(&t->failed[i]);

		if (failed)
			json_object_set_new(j, measure_words[MEASURE_CAUSES + i].name, integer(failed));
	}
	return j;
}

static json_t *hooks_json(const struct shared *s)
{
	static const enum measure which[HOOKS] = {[HOOK_BTREE] = MEASURE_BTREE, [HOOK_DATA] = MEASURE_DATA};
	uint64_t unseen = exposure_unseen(s);
	json_t *j = json_object();

	for (unsigned int i = 0; i < HOOKS; i++) {
		const _Atomic uint64_t *result = s->traced.hook[i];

		if (unseen >> which[i] & 1)
			continue;
		json_object_set_new(j, measure_words[which[i]].name,
				    json_pack("{s:o, s:o, s:o}", "moved",
					      integer(atomic_load(&result[HOOK_MOVED])), "refused",
					      integer(atomic_load(&result[HOOK_REFUSED])), "failed",
					      integer(atomic_load(&result[HOOK_FAILED]))));
	}
	return j;
}

static json_t *unseen_json(const struct shared *s)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < atomic_load(&s->unseen_count); i++)
		json_array_append_new(
			list, json_pack("{s:s, s:s}", "what", s->unseen[i].what, "why", s->unseen[i].why));
	return list;
}

/* Dirty pages counted as moved that may have been written out instead. */
static uint64_t unsure(const struct shared *s)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < s->plan.injection_count; i++)
		sum += atomic_load(&s->exposure[i].unsure);
	return sum;
}

json_t *exposure_json(const struct shared *s)
{
	const struct traced *t = &s->traced;
	json_t *j = json_pack("{s:s, s:o, s:o, s:o, s:o}", "trial",
			      measure_words[s->plan.min_exposure.trial].name, "total",
			      exposure_measures_json(s), "verified", verified_json(s), "failed_by_cause",
			      failed_json(t), "unsure", integer(unsure(s)));

	json_object_set_new(j, "by_mode",
			    json_pack("{s:o, s:o, s:o}", "async",
				      integer(atomic_load(&t->by_mode[MODE_ASYNC])), "sync_light",
				      integer(atomic_load(&t->by_mode[MODE_SYNC_LIGHT])), "sync",
				      integer(atomic_load(&t->by_mode[MODE_SYNC]))));
	json_object_set_new(j, "hooks", hooks_json(s));
	json_object_set_new(j, "lost_events", integer(atomic_load(&t->lost)));
	json_object_set_new(j, "sampled",
			    json_pack("{s:o, s:o, s:o}", "files", integer(atomic_load(&s->sampled.files)),
				      "pages", integer(atomic_load(&s->sampled.pages)), "moved",
				      integer(atomic_load(&s->sampled.moved))));
	json_object_set_new(j, "not_measurable", unseen_json(s));
	return j;
}
