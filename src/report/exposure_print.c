/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outcome.exposure as people read it. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "src/base/units.h"
#include "src/plan/measures.h"
#include "src/report/print.h"

static const char *count(char *buf, size_t len, const json_t *j, const char *key)
{
	return units_show_count(buf, len, json_uint(j, key));
}

static void print_migrated(const json_t *total, const json_t *verified, FILE *out)
{
	char pages[32], trials[32], failed[32];

	fprintf(out,
		"  migrated    %s pages, %s of them in rounds that were verified afterwards; %s failed\n",
		count(pages, sizeof(pages), total, "pages"), count(trials, sizeof(trials), verified, "pages"),
		count(failed, sizeof(failed), total, "failed_pages"));
}

/* "by cause    memory_hotplug 1.72 M, compaction 3.21 k (12 failed)" */
static void print_causes(const json_t *exposure, FILE *out)
{
	const json_t *total = json_object_get(exposure, "total"),
		     *failed = json_object_get(exposure, "failed_by_cause");
	const char *lead = "  by cause    ";
	char pages[32], bad[32];

	for (unsigned int i = MEASURE_CAUSES; i < MEASURES; i++) {
		const char *name = measure_words[i].name;

		if (!json_uint(total, name) && !json_uint(failed, name))
			continue;
		fprintf(out, "%s%s %s", lead, name, count(pages, sizeof(pages), total, name));
		if (json_uint(failed, name))
			fprintf(out, " (%s failed)", count(bad, sizeof(bad), failed, name));
		lead = ", ";
	}
	if (*lead == ',')
		fprintf(out, "\n");
	if (json_uint(exposure, "lost_events"))
		fprintf(out, "  by cause    %" PRIu64 " events were lost: the figures are too small\n",
			json_uint(exposure, "lost_events"));
}

static void print_hooks(const json_t *exposure, FILE *out)
{
	const char *name;
	json_t *j;

	json_object_foreach(json_object_get(exposure, "hooks"), name, j)
	{
		fprintf(out, "  hook        %s: %" PRIu64 " moved, %" PRIu64 " refused, %" PRIu64 " failed\n",
			name, json_uint(j, "moved"), json_uint(j, "refused"), json_uint(j, "failed"));
	}
}

static void print_dirty(const json_t *exposure, FILE *out)
{
	const json_t *total = json_object_get(exposure, "total");
	const char *name = measure_words[MEASURE_DIRTY].name;
	char dirty[32], verified[32], text[32];

	if (!json_object_get(total, name))
		return;
	fprintf(out, "  target      %s of its dirty pages moved", count(dirty, sizeof(dirty), total, name));
	if (json_uint(exposure, "unsure"))
		fprintf(out, " (and %s that may have been written out before)",
			count(text, sizeof(text), exposure, "unsure"));
	fprintf(out, ", %s verified afterwards",
		count(verified, sizeof(verified), json_object_get(exposure, "verified"), name));
	if (json_uint(total, measure_words[MEASURE_WRITEBACK].name))
		fprintf(out, "; %s moved behind their writeback",
			count(text, sizeof(text), total, measure_words[MEASURE_WRITEBACK].name));
	if (json_object_get(total, measure_words[MEASURE_COMMITS].name))
		fprintf(out, "; %s transactions committed",
			count(text, sizeof(text), total, measure_words[MEASURE_COMMITS].name));
	fprintf(out, "\n");
}

/* What is drawn is files, so their number gives the margin: 1/sqrt(n) is its 95 % at the widest. */
static void print_sampled(const json_t *sampled, FILE *out)
{
	uint64_t files = json_uint(sampled, "files"), pages = json_uint(sampled, "pages");

	if (!pages || !files)
		return;
	fprintf(out,
		"  sampled     %.0f %% (+-%.0f) of its cached pages moved at least once in a phase (%" PRIu64
		" pages of %" PRIu64 " files looked at)\n",
		100.0 * (double)json_uint(sampled, "moved") / (double)pages, 100.0 / sqrt((double)files),
		pages, files);
}

void print_exposure(const json_t *exposure, FILE *out)
{
	if (!exposure)
		return;
	print_migrated(json_object_get(exposure, "total"), json_object_get(exposure, "verified"), out);
	print_causes(exposure, out);
	print_hooks(exposure, out);
	print_dirty(exposure, out);
	print_sampled(json_object_get(exposure, "sampled"), out);
}

void print_not_measurable(const json_t *exposure, FILE *out)
{
	json_t *j;
	size_t i;

	json_array_foreach(json_object_get(exposure, "not_measurable"), i, j)
	{
		fprintf(out, "  not seen    %s: not measurable here: %s\n", json_text(j, "what"),
			json_text(j, "why"));
	}
}
