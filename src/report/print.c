/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run.json as people read it. The end of `recow run` and `recow report` are the same text. */
#include <inttypes.h>
#include <string.h>

#include "src/base/units.h"
#include "src/report/report.h"

static uint64_t number(const json_t *j, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(j, key));
}

static const char *words(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "";
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void print_operations(const json_t *summary, FILE *out)
{
	const json_t *ops = json_object_get(summary, "operations");
	uint64_t total = number(ops, "total");
	const char *key;
	json_t *value;
	char count[32], rate[32];
	bool first = true;

	fprintf(out, "  operations  %s (%s/s while churning)", units_show_count(count, sizeof(count), total),
		units_show_count(rate, sizeof(rate),
				 (uint64_t)json_real_value(json_object_get(ops, "per_second"))));
	json_object_foreach(json_object_get(ops, "by_group"), key, value)
	{
		fprintf(out, "%s%s %.0f %%", first ? ": " : ", ", key,
			share((uint64_t)json_integer_value(value), total));
		first = false;
	}
	fprintf(out, "\n");
	first = true;
	json_object_foreach(json_object_get(ops, "refused"), key, value)
	{
		fprintf(out, "%s%s %" JSON_INTEGER_FORMAT, first ? "  refusals    " : ", ", key,
			json_integer_value(value));
		first = false;
	}
	if (!first)
		fprintf(out, "\n");
}

static void print_injected(const json_t *summary, FILE *out)
{
	char pages[32], verified[32];
	json_t *j;
	size_t i;

	fprintf(out, "  migrated    %s pages, %s of them in rounds that were verified afterwards\n",
		units_show_count(pages, sizeof(pages), number(summary, "pages_migrated")),
		units_show_count(verified, sizeof(verified), number(summary, "pages_migrated_verified")));
	json_array_foreach(json_object_get(summary, "injected"), i, j)
	{
		if (!number(j, "steps") && !number(j, "idle") && !number(j, "refused"))
			continue;
		fprintf(out, "  injected    %s: %" PRIu64 " steps, %" PRIu64 " idle, %" PRIu64 " refused",
			words(j, "name"), number(j, "steps"), number(j, "idle"), number(j, "refused"));
		if (number(j, "pages"))
			fprintf(out, "; %s pages moved",
				units_show_count(pages, sizeof(pages), number(j, "pages")));
		if (number(j, "dirty_pages"))
			fprintf(out, ", %s of them dirty",
				units_show_count(pages, sizeof(pages), number(j, "dirty_pages")));
		fprintf(out, "\n");
	}
}

static void print_verified(const json_t *summary, FILE *out)
{
	char bytes[32], objects[32], names[32], time[32];
	json_t *j;
	size_t i;

	json_array_foreach(json_object_get(summary, "verified"), i, j)
	{
		if (!number(j, "time_ns") && !number(j, "blocks") && !number(j, "objects"))
			continue;
		fprintf(out, "  verified    %s: %s, %s objects, %s names in %s", words(j, "name"),
			units_show_size(bytes, sizeof(bytes), number(j, "bytes")),
			units_show_count(objects, sizeof(objects), number(j, "objects")),
			units_show_count(names, sizeof(names), number(j, "names")),
			units_show_duration(time, sizeof(time), number(j, "time_ns")));
		if (number(j, "resident"))
			fprintf(out, "; %.0f %% of the blocks were resident",
				share(number(j, "resident"), number(j, "blocks")));
		if (number(j, "cached_only"))
			fprintf(out, "; %.1f %% could be read through the cache only",
				share(number(j, "cached_only"), number(j, "bytes")));
		if (number(j, "unsure"))
			fprintf(out, "; %" PRIu64 " blocks not compared: unknown after an error",
				number(j, "unsure"));
		fprintf(out, "\n");
	}
}

static double per(uint64_t bytes, uint64_t things)
{
	return things ? (double)bytes / (double)things : 0;
}

static void print_model(const json_t *summary, FILE *out)
{
	const json_t *m = json_object_get(summary, "model");
	char total[32];

	if (!json_is_object(m))
		return;
	fprintf(out,
		"  model       %s: %.1f bytes per block, %.0f per object, %.0f per further link, %.0f per "
		"xattr\n",
		units_show_size(total, sizeof(total), number(m, "total_bytes")),
		per(number(m, "block_bytes"), number(m, "blocks")),
		per(number(m, "object_bytes"), number(m, "objects")),
		number(m, "names") > number(m, "objects")
			? per(number(m, "link_bytes"), number(m, "names") - number(m, "objects"))
			: 0.0,
		per(number(m, "xattr_bytes"), number(m, "xattrs")));
}

static void print_not_run(const json_t *plan, FILE *out)
{
	static const char *const kinds[] = {"injectors", "verifiers"};
	json_t *j;
	size_t i;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		json_array_foreach(json_object_get(plan, kinds[k]), i, j)
		{
			const char *reason = json_string_value(json_object_get(j, "unavailable"));

			if (reason)
				fprintf(out, "  not run     %s: %s\n", words(j, "name"), reason);
		}
	}
}

void report_print_summary(const json_t *run, FILE *out)
{
	const json_t *summary = json_object_get(run, "summary");
	char time[32], written[32], read[32];
	uint64_t left = number(summary, "not_put_back");

	fprintf(out, "  time        %s, %" PRIu64 " whole rounds\n",
		units_show_duration(time, sizeof(time), number(summary, "time_ns")),
		number(summary, "rounds"));
	print_operations(summary, out);
	fprintf(out, "  data        %s written, %s read back by workers\n",
		units_show_size(written, sizeof(written), number(summary, "bytes_written")),
		units_show_size(read, sizeof(read), number(summary, "bytes_read")));
	print_injected(summary, out);
	print_verified(summary, out);
	print_model(summary, out);
	print_not_run(json_object_get(run, "plan"), out);
	if (left)
		fprintf(out,
			"  machine     %" PRIu64
			" changes could NOT be put back; see undo.log and recow restore\n",
			left);
	else
		fprintf(out, "  machine     everything is put back\n");
}

static void print_head(const struct report *r, FILE *out)
{
	const json_t *plan = json_object_get(r->run, "plan");

	fprintf(out, "recow %s: scenario %s, seed %s, %" PRIu64 " workers, %s\n", words(r->run, "recow"),
		words(plan, "scenario"), words(plan, "seed"), number(plan, "workers"),
		words(json_object_get(plan, "target"), "words"));
	fprintf(out, "  run         %s\n  started     %s, kernel %s\n", r->path, words(r->run, "started"),
		words(json_object_get(r->run, "machine"), "kernel"));
}

static void print_findings(const struct report *r, FILE *out)
{
	bool first = true;

	fprintf(out, "  findings    ");
	for (int i = 0; i < FINDING_CLASSES; i++) {
		if (!r->classes[i])
			continue;
		fprintf(out, "%s%s %u", first ? "" : ", ", finding_class_name((enum finding_class)i),
			r->classes[i]);
		first = false;
	}
	fprintf(out, first ? "none\n" : "\n");
}

/* A run whose guard died before the end: what its last status line says. */
static void print_cut(const struct report *r, FILE *out)
{
	char time[32], ops[32], verified[32];

	if (r->status)
		fprintf(out, "  last seen   after %s in round %" PRIu64 " (%s): %s operations, %s verified\n",
			units_show_duration(time, sizeof(time), number(r->status, "time_ns")),
			number(r->status, "round"), words(r->status, "phase"),
			units_show_count(ops, sizeof(ops), number(r->status, "operations")),
			units_show_size(verified, sizeof(verified), number(r->status, "verified_bytes")));
	print_not_run(json_object_get(r->run, "plan"), out);
	print_findings(r, out);
	fprintf(out, "no verdict: this run has no end (it is still going on, or its guard was killed)\n");
}

/* The rule of three: no event in N trials means a rate below 3/N with 95 % confidence. */
static void print_bound(uint64_t trials, FILE *out)
{
	char count[32];

	if (trials)
		fprintf(out,
			"  bound       no finding in %s verified migrations: fewer than one in %s, with 95 "
			"%% confidence\n",
			units_show_count(count, sizeof(count), trials),
			units_show_count(count, sizeof(count), MAX(trials / 3, 1ULL)));
}

void report_print(const struct report *r, FILE *out)
{
	const json_t *summary = json_object_get(r->run, "summary");

	print_head(r, out);
	if (!summary) {
		print_cut(r, out);
		return;
	}
	report_print_summary(r->run, out);
	print_findings(r, out);
	if (number(summary, "exit") == EXIT_CLEAN)
		print_bound(number(summary, "pages_migrated_verified"), out);
	fprintf(out, "%s\n", words(summary, "verdict"));
}

void report_print_merged(const struct report *runs, size_t count, FILE *out)
{
	uint64_t operations = 0, trials = 0, time = 0;
	size_t cut = 0, clean = 0, found = 0;
	struct report all = {0};
	char text[32], ops[32];

	for (size_t i = 0; i < count; i++) {
		const json_t *s = json_object_get(runs[i].run, "summary");

		cut += !s;
		clean += s && number(s, "exit") == EXIT_CLEAN;
		found += runs[i].findings != 0;
		time += number(s, "time_ns");
		operations += number(json_object_get(s, "operations"), "total");
		trials += number(s, "pages_migrated_verified");
		for (int k = 0; k < FINDING_CLASSES; k++)
			all.classes[k] += runs[i].classes[k];
	}
	fprintf(out, "%zu runs: %zu clean, %zu with findings, %zu without an end\n", count, clean, found,
		cut);
	fprintf(out, "  time        %s\n  operations  %s\n", units_show_duration(text, sizeof(text), time),
		units_show_count(ops, sizeof(ops), operations));
	print_findings(&all, out);
	if (!found)
		print_bound(trials, out);
}
