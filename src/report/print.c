/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run.json as people read it. The end of `recow run` and `recow report` are the same text. */
#include <inttypes.h>
#include <string.h>

#include "src/base/units.h"
#include "src/report/print.h"
#include "src/report/report.h"

static double share(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* "refusals    ENOSPC 12, EEXIST 3" */
static void print_refusals(const json_t *answers, FILE *out)
{
	const char *key;
	json_t *value;
	bool first = true;

	json_object_foreach(json_object_get(answers, "refused"), key, value)
	{
		fprintf(out, "%s%s %" JSON_INTEGER_FORMAT, first ? "  refusals    " : ", ", key,
			json_integer_value(value));
		first = false;
	}
	if (!first)
		fprintf(out, "\n");
}

static void print_operations(const json_t *outcome, FILE *out)
{
	const json_t *answers = json_object_get(outcome, "answers");
	uint64_t total = json_uint(outcome, "operations");
	double churn = json_number(outcome, "churn_seconds");
	const char *key;
	json_t *value;
	char count[32], rate[32];
	bool first = true;

	fprintf(out, "  operations  %s, %s/s while churning", units_show_count(count, sizeof(count), total),
		units_show_count(rate, sizeof(rate), churn > 0 ? (uint64_t)((double)total / churn) : 0));
	json_object_foreach(json_object_get(answers, "by_group"), key, value)
	{
		fprintf(out, "%s%s %.0f %%", first ? ": " : ", ", key,
			share((uint64_t)json_integer_value(value), total));
		first = false;
	}
	fprintf(out, "\n");
	print_refusals(answers, out);
}

static void print_injected(const json_t *outcome, FILE *out)
{
	const char *name;
	char pages[32];
	json_t *j;

	json_object_foreach(json_object_get(outcome, "injectors"), name, j)
	{
		if (!json_uint(j, "steps") && !json_uint(j, "idle") && !json_uint(j, "failed"))
			continue;
		fprintf(out, "  injected    %s: %" PRIu64 " steps, %" PRIu64 " idle, %" PRIu64 " refused",
			name, json_uint(j, "steps"), json_uint(j, "idle"), json_uint(j, "failed"));
		if (json_uint(j, "pages"))
			fprintf(out, "; %s pages moved",
				units_show_count(pages, sizeof(pages), json_uint(j, "pages")));
		if (json_uint(j, "dirty"))
			fprintf(out, ", %s of them dirty",
				units_show_count(pages, sizeof(pages), json_uint(j, "dirty")));
		fprintf(out, "\n");
	}
}

/* A target that was made to fail, and what was compared afterwards. */
static void print_fault(const json_t *f, FILE *out)
{
	char objects[32], names[32], blocks[32];

	if (!json_is_object(f))
		return;
	fprintf(out,
		"  made fail   after %.1f s by %s: %s; then %" PRIu64 " wrong answers and %" PRIu64
		" lines of the kernel log were expected\n",
		json_number(f, "at"), json_text(f, "who"), json_text(f, "how"), json_uint(f, "excused"),
		json_uint(f, "lines"));
	if (!json_is_true(json_object_get(f, "compared"))) {
		fprintf(out, "  durable     not compared\n");
		return;
	}
	fprintf(out, "  durable     compared: %s objects with %s blocks, %s names, %" PRIu64 " snapshots",
		units_show_count(objects, sizeof(objects), json_uint(f, "objects")),
		units_show_count(blocks, sizeof(blocks), json_uint(f, "blocks")),
		units_show_count(names, sizeof(names), json_uint(f, "names")), json_uint(f, "snapshots"));
	if (json_uint(f, "cut_off_blocks")) /* no finding, since btrfs has always done so */
		fprintf(out, "; in %" PRIu64 " blocks bytes are back that had been cut off",
			json_uint(f, "cut_off_blocks"));
	fprintf(out, "\n");
}

static void print_verifier(const char *name, const json_t *j, FILE *out)
{
	char text[32];

	fprintf(out, "  verified    %s: %s", name,
		units_show_size(text, sizeof(text), json_uint(j, "bytes")));
	if (json_uint(j, "objects"))
		fprintf(out, ", %s objects", units_show_count(text, sizeof(text), json_uint(j, "objects")));
	if (json_uint(j, "names"))
		fprintf(out, ", %s names", units_show_count(text, sizeof(text), json_uint(j, "names")));
	fprintf(out, " in %s", units_show_duration(text, sizeof(text), json_uint(j, "time_ns")));
	if (json_uint(j, "resident"))
		fprintf(out, "; %.0f %% of the blocks were resident",
			share(json_uint(j, "resident"), json_uint(j, "blocks")));
	if (json_uint(j, "cached_only_bytes"))
		fprintf(out, "; %.1f %% could be read through the cache only",
			share(json_uint(j, "cached_only_bytes"), json_uint(j, "bytes")));
	if (json_uint(j, "witnesses"))
		fprintf(out, "; snapshots looked through %" PRIu64 " times", json_uint(j, "witnesses"));
	if (json_uint(j, "unsure"))
		fprintf(out, "; %" PRIu64 " blocks not compared: unknown after an error",
			json_uint(j, "unsure"));
	fprintf(out, "\n");
}

static void print_audited(const char *name, const json_t *j, FILE *out)
{
	uint64_t pauses = json_uint(j, "pauses");
	char blocks[32], time[32], mean[32], longest[32];

	fprintf(out, "  verified    %s: %s metadata blocks on disk in %s", name,
		units_show_count(blocks, sizeof(blocks), json_uint(j, "audited_blocks")),
		units_show_duration(time, sizeof(time), json_uint(j, "time_ns")));
	if (pauses)
		fprintf(out, "; the target was frozen %" PRIu64 " times, for %s on average, %s at most",
			pauses, units_show_duration(mean, sizeof(mean), json_uint(j, "pause_ns") / pauses),
			units_show_duration(longest, sizeof(longest), json_uint(j, "pause_max_ns")));
	fprintf(out, "\n");
}

/* Nothing compared: the verifier did its work (the checker, the kernel log) or never came to it. */
static void print_verified(const json_t *outcome, FILE *out)
{
	const char *name;
	char time[32], bytes[32];
	json_t *j;

	json_object_foreach(json_object_get(outcome, "verified"), name, j)
	{
		if (json_uint(j, "blocks") || json_uint(j, "objects") || json_uint(j, "names"))
			print_verifier(name, j, out);
		else if (json_uint(j, "scrubbed_bytes"))
			fprintf(out, "  verified    %s: %s of data and metadata, all copies, in %s\n", name,
				units_show_size(bytes, sizeof(bytes), json_uint(j, "scrubbed_bytes")),
				units_show_duration(time, sizeof(time), json_uint(j, "time_ns")));
		else if (json_uint(j, "audited_blocks"))
			print_audited(name, j, out);
		else if (json_uint(j, "time_ns"))
			fprintf(out, "  verified    %s in %s\n", name,
				units_show_duration(time, sizeof(time), json_uint(j, "time_ns")));
	}
}

static double per(uint64_t bytes, uint64_t things)
{
	return things ? (double)bytes / (double)things : 0;
}

static void print_model(const json_t *outcome, FILE *out)
{
	const json_t *m = json_object_get(outcome, "model");
	char total[32];

	if (!json_is_object(m))
		return;
	fprintf(out,
		"  model       %s: %.1f bytes per block (%.1f counting only blocks that hold data), %.0f per "
		"object, %.0f per further link, %.0f per xattr\n",
		units_show_size(total, sizeof(total), json_uint(m, "total_bytes")),
		per(json_uint(m, "block_bytes"), json_uint(m, "mapped")),
		per(json_uint(m, "block_bytes"), json_uint(m, "blocks")),
		per(json_uint(m, "object_bytes"), json_uint(m, "objects")),
		json_uint(m, "names") > json_uint(m, "objects")
			? per(json_uint(m, "link_bytes"), json_uint(m, "names") - json_uint(m, "objects"))
			: 0.0,
		per(json_uint(m, "xattr_bytes"), json_uint(m, "xattrs")));
}

/* What the plan left out, and the injectors that were to act and found that they can't. */
static void print_not_run(const json_t *plan, const json_t *outcome, FILE *out)
{
	static const char *const kinds[] = {"injectors", "verifiers"};
	const char *name;
	json_t *j;
	size_t i;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		json_array_foreach(json_object_get(plan, kinds[k]), i, j)
		{
			const char *reason = json_string_value(json_object_get(j, "unavailable"));

			if (reason)
				fprintf(out, "  not run     %s: %s\n", json_text(j, "name"), reason);
		}
	}
	if (json_text(plan, "workloads_left_out")[0])
		fprintf(out, "  not run     workloads %s\n", json_text(plan, "workloads_left_out"));
	if (json_text(plan, "operations_left_out")[0])
		fprintf(out, "  not run     operations %s\n", json_text(plan, "operations_left_out"));
	json_object_foreach(json_object_get(outcome, "injectors"), name, j)
	{
		if (json_is_string(json_object_get(j, "why")))
			fprintf(out, "  not run     %s: %s\n", name, json_text(j, "why"));
	}
}

void report_print_outcome(const json_t *run, FILE *out)
{
	const json_t *outcome = json_object_get(run, "outcome");
	char written[32], read[32];
	uint64_t left = json_uint(outcome, "left");

	fprintf(out, "  time        %.1f s, %" PRIu64 " whole rounds\n", json_number(outcome, "seconds"),
		json_uint(outcome, "rounds"));
	print_operations(outcome, out);
	fprintf(out, "  data        %s written, %s read back by workers\n",
		units_show_size(written, sizeof(written), json_uint(outcome, "bytes_written")),
		units_show_size(read, sizeof(read), json_uint(outcome, "bytes_read")));
	print_exposure(json_object_get(outcome, "exposure"), out);
	print_injected(outcome, out);
	print_fault(json_object_get(outcome, "fault"), out);
	print_verified(outcome, out);
	print_model(outcome, out);
	print_not_run(json_object_get(run, "plan"), outcome, out);
	print_not_measurable(json_object_get(outcome, "exposure"), out);
	print_replay(json_object_get(run, "replay"), out);
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

	fprintf(out, "recow %s: scenario %s, seed %s, %" PRIu64 " workers, %s\n",
		json_text(r->run, "version"), json_text(plan, "scenario"), json_text(plan, "seed"),
		json_uint(plan, "workers"), json_text(json_object_get(plan, "target"), "words"));
	fprintf(out, "  run         %s\n  started     %s, kernel %s\n", r->path,
		json_text(r->run, "started_utc"), json_text(json_object_get(r->run, "machine"), "kernel"));
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
	char ops[32], verified[32];

	if (r->status)
		fprintf(out, "  last seen   after %.0f s in round %" PRIu64 ": %s operations, %s verified\n",
			json_number(r->status, "t"), json_uint(r->status, "round"),
			units_show_count(ops, sizeof(ops), json_uint(r->status, "operations")),
			units_show_size(verified, sizeof(verified), json_uint(r->status, "bytes_verified")));
	print_not_run(json_object_get(r->run, "plan"), NULL, out);
	chart_print(&r->chart, out);
	print_findings(r, out);
	fprintf(out, "no verdict: this run has no end (it is still going on, or its guard was killed)\n");
}

/* The rule of three: no event in N trials means a rate below 3/N with 95 % confidence. */
static void print_bound(uint64_t trials, FILE *out)
{
	char count[32], part[32];

	if (trials)
		fprintf(out,
			"  bound       no finding in %s verified migrations: fewer than one in %s, with 95 "
			"%% confidence\n",
			units_show_count(count, sizeof(count), trials),
			units_show_count(part, sizeof(part), MAX(trials / 3, 1ULL)));
}

void report_print(const struct report *r, FILE *out)
{
	const json_t *outcome = json_object_get(r->run, "outcome");

	print_head(r, out);
	if (!outcome) {
		print_cut(r, out);
		return;
	}
	report_print_outcome(r->run, out);
	chart_print(&r->chart, out);
	print_findings(r, out);
	fprintf(out, "%s\n", json_text(outcome, "verdict"));
}

void report_print_merged(const struct report *runs, size_t count, FILE *out)
{
	uint64_t operations = 0, trials = 0;
	double seconds = 0;
	size_t cut = 0, clean = 0, found = 0;
	struct report all = {0};
	char text[32], ops[32];

	for (size_t i = 0; i < count; i++) {
		const json_t *s = json_object_get(runs[i].run, "outcome");

		cut += !s;
		clean += s && json_uint(s, "exit") == EXIT_CLEAN;
		found += runs[i].findings != 0;
		seconds += json_number(s, "seconds");
		operations += json_uint(s, "operations");
		trials += json_uint(s, "trials");
		for (int k = 0; k < FINDING_CLASSES; k++)
			all.classes[k] += runs[i].classes[k];
	}
	fprintf(out, "%zu runs: %zu clean, %zu with findings, %zu without an end\n", count, clean, found,
		cut);
	fprintf(out, "  time        %s\n  operations  %s\n",
		units_show_duration(text, sizeof(text), (uint64_t)(seconds * NSEC_PER_SEC)),
		units_show_count(ops, sizeof(ops), operations));
	print_findings(&all, out);
	if (!found)
		print_bound(trials, out);
}
