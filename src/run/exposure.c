/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/run/exposure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/machine/machine.h"

static uint64_t calls(const struct shared *s, unsigned int hook)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < HOOK_RESULTS; i++)
		sum += atomic_load(&s->traced.hook[hook][i]);
	return sum;
}

void exposure_take(const struct shared *s, uint64_t out[MEASURES])
{
	memset(out, 0, MEASURES * sizeof(*out));
	for (unsigned int i = 0; i < s->plan.injection_count; i++) {
		out[MEASURE_DIRTY] += atomic_load(&s->exposure[i].dirty);
		out[MEASURE_WRITEBACK] += atomic_load(&s->exposure[i].writeback);
	}
	out[MEASURE_PAGES] = machine_vmstat("pgmigrate_success") - s->start_migrated;
	out[MEASURE_FAILED] = machine_vmstat("pgmigrate_fail") - s->start_failed;
	out[MEASURE_COMMITS] = atomic_load(&s->traced.commits);
	out[MEASURE_BTREE] = calls(s, HOOK_BTREE);
	out[MEASURE_DATA] = calls(s, HOOK_DATA);
	for (unsigned int i = 0; i < CAUSES; i++)
		out[MEASURE_CAUSES + i] = atomic_load(&s->traced.moved[i]);
}

void exposure_hidden(struct shared *s, uint64_t measures, const char *what, const char *why, ...)
{
	unsigned int i = atomic_load(&s->unseen_count);
	struct unseen *u = &s->unseen[i];
	va_list ap;

	if (i == UNSEEN_MAX)
		return;
	u->measures = measures;
	snprintf(u->what, sizeof(u->what), "%s", what);
	va_start(ap, why);
	vsnprintf(u->why, sizeof(u->why), why, ap);
	va_end(ap);
	atomic_store(&s->unseen_count, i + 1);
}

uint64_t exposure_causes(void)
{
	return ((1ULL << CAUSES) - 1) << MEASURE_CAUSES;
}

uint64_t exposure_traced(void)
{
	return exposure_causes() | 1ULL << MEASURE_COMMITS | 1ULL << MEASURE_BTREE | 1ULL << MEASURE_DATA;
}

uint64_t exposure_unseen(const struct shared *s)
{
	uint64_t bits = 0;

	for (unsigned int i = 0; i < atomic_load(&s->unseen_count); i++)
		bits |= s->unseen[i].measures;
	return bits;
}
