/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "src/base/clock.h"
#include "src/base/units.h"
#include "src/machine/machine.h"
#include "src/report/summary.h"
#include "src/run/exposure.h"

static const char *const stages[] = {
	[STAGE_PREPARE] = "prepare", [STAGE_CHURN] = "churn",     [STAGE_VERIFY] = "verify",
	[STAGE_REMOUNT] = "remount", [STAGE_RELEASE] = "release", [STAGE_DONE] = "done",
};

void status_take(struct status *st, const struct shared *s)
{
	*st = (struct status){
		.time = clock_mono() - s->start_mono,
		.stage = (enum run_stage)atomic_load(&s->stage),
		.round = atomic_load(&s->round),
		.phase = atomic_load(&s->phase),
		.findings = atomic_load(&s->findings),
		.rounds = atomic_load(&s->rounds_done),
		.trials = atomic_load(&s->trials[s->plan.min_exposure.trial]),
	};
	exposure_take(s, st->exposure);
	if (s->plan.duration > st->time)
		st->left = s->plan.duration - st->time;
	for (unsigned int i = 0; i < s->plan.workers; i++) {
		st->operations += atomic_load(&s->worker[i].operations);
		st->bytes_written += atomic_load(&s->worker[i].bytes_written);
		st->bytes_read += atomic_load(&s->worker[i].bytes_read);
		st->errors += atomic_load(&s->worker[i].errors);
	}
	for (unsigned int i = 0; i < s->plan.verification_count; i++)
		st->verified += atomic_load(&s->verified[i].bytes);
}

/* Names of the injectors whose phase it is. */
static json_t *injecting_json(const struct shared *s)
{
	uint32_t bits = atomic_load(&s->inject);
	json_t *list = json_array();

	for (unsigned int i = 0; i < s->plan.injection_count; i++) {
		if (bits >> i & 1 && !s->plan.injection[i].unavailable && s->plan.inject)
			json_array_append_new(list, json_string(s->plan.injection[i].injector->name));
	}
	return list;
}

static const char *stage_name(const struct shared *s, const struct status *st)
{
	if (st->stage == STAGE_CHURN && st->phase < s->plan.phase_count)
		return s->plan.phase[st->phase].name;
	return st->stage <= STAGE_DONE ? stages[st->stage] : "?";
}

/* "12 s left", or for a run without a duration "3m 05s gone". */
static char *show_clock(char *buf, size_t len, const struct shared *s, const struct status *st)
{
	uint64_t seconds = (s->plan.duration ? st->left : st->time) / NSEC_PER_SEC;
	const char *word = s->plan.duration ? "left" : "gone";
	char text[24];

	if (seconds < 60)
		snprintf(buf, len, "%2u s %s", (unsigned int)seconds, word);
	else
		snprintf(buf, len, "%s %s", units_show_duration(text, sizeof(text), seconds * NSEC_PER_SEC),
			 word);
	return buf;
}

char *status_show(char *buf, size_t len, const struct shared *s, const struct status *st,
		  const struct status *before)
{
	uint64_t span = st->time - (before ? before->time : 0);
	uint64_t done = st->operations - (before ? before->operations : 0);
	char clock[32], rate[32], verified[32], migrated[32], dirty[32];

	snprintf(buf, len,
		 "%s | round %u %s | %s ops/s | %s verified | %s pages migrated, %s dirty | %u finding%s",
		 show_clock(clock, sizeof(clock), s, st), st->round, stage_name(s, st),
		 units_show_count(rate, sizeof(rate),
				  span ? (uint64_t)((double)done * NSEC_PER_SEC / (double)span) : 0),
		 units_show_size(verified, sizeof(verified), st->verified),
		 units_show_count(migrated, sizeof(migrated), st->exposure[MEASURE_PAGES]),
		 units_show_count(dirty, sizeof(dirty), st->exposure[MEASURE_DIRTY]), st->findings,
		 st->findings == 1 ? "" : "s");
	return buf;
}

json_t *status_json(const struct shared *s, const struct status *st)
{
	json_t *j = json_pack("{s:f, s:s, s:i, s:s, s:I, s:I, s:I}", "t", (double)st->time / NSEC_PER_SEC,
			      "stage", st->stage <= STAGE_DONE ? stages[st->stage] : "?", "round",
			      (int)st->round, "phase", st->stage == STAGE_CHURN ? stage_name(s, st) : "",
			      "migrated", (json_int_t)st->exposure[MEASURE_PAGES], "dirty_kib",
			      (json_int_t)machine_meminfo_kib("Dirty"), "available_kib",
			      (json_int_t)machine_meminfo_kib("MemAvailable"));
	const struct {
		const char *name;
		uint64_t value;
	} counters[] = {
		{"rounds", st->rounds},         {"operations", st->operations},
		{"errors", st->errors},         {"bytes_written", st->bytes_written},
		{"bytes_read", st->bytes_read}, {"bytes_verified", st->verified},
		{"trials", st->trials},         {"findings", st->findings},
	};

	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		json_object_set_new(j, counters[i].name, json_integer((json_int_t)counters[i].value));
	json_object_set_new(j, "dirty_moved", json_integer((json_int_t)st->exposure[MEASURE_DIRTY]));
	if (!(exposure_unseen(s) >> MEASURE_COMMITS & 1))
		json_object_set_new(j, "commits", json_integer((json_int_t)st->exposure[MEASURE_COMMITS]));
	json_object_set_new(j, "injecting", injecting_json(s));
	json_object_set_new(j, "injectors", exposures_json(s));
	return j;
}
