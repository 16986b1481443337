/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/base/units.h"

/* Append to the verdict; what doesn't fit is cut. */
__attribute__((format(printf, 2, 3))) static void say(struct outcome *out, const char *fmt, ...)
{
	size_t used = strlen(out->verdict);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out->verdict + used, sizeof(out->verdict) - used, fmt, ap);
	va_end(ap);
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void say_done(struct outcome *out, const struct outcome_facts *f)
{
	char operations[32], bytes[32];

	say(out, "%llu round%s, %s operations, %s verified", (unsigned long long)f->rounds, plural(f->rounds),
	    units_show_count(operations, sizeof(operations), f->operations),
	    units_show_size(bytes, sizeof(bytes), f->verified_bytes));
}

static void say_findings(struct outcome *out, const struct outcome_facts *f)
{
	const char *comma = "";

	say(out, "%u finding%s (", f->findings, plural(f->findings));
	for (unsigned int i = 0; i < FINDING_CLASSES; i++) {
		if (!f->by_class[i] || i == FINDING_HARNESS)
			continue;
		say(out, "%s%s %u", comma, finding_class_name(i), f->by_class[i]);
		comma = ", ";
	}
	say(out, ")");
}

/* What went wrong with recow itself; each part behind "; ". */
static void say_harness(struct outcome *out, const struct outcome_facts *f)
{
	const char *sep = out->verdict[0] ? "; " : "";

	if (f->left) {
		say(out, "%s%u change%s of the machine not put back", sep, f->left, plural(f->left));
		sep = "; ";
	}
	if (f->harness) {
		say(out, "%srecow's own memory was corrupted (%u page%s)", sep, f->harness,
		    plural(f->harness));
		sep = "; ";
	}
	if (f->failure[0]) {
		say(out, "%s%s", sep, f->failure);
		sep = "; ";
	}
	if (f->interrupted && f->limited)
		say(out, "%scut short by the user", sep);
}

static void say_clean(struct outcome *out, const struct outcome_facts *f)
{
	uint64_t trials = f->exposure[f->least.trial], pages = f->exposure[MEASURE_PAGES];
	char count[32];

	say(out, "clean: ");
	say_done(out, f);
	if (pages)
		say(out, ", %s pages migrated", units_show_count(count, sizeof(count), pages));
	if (trials)
		say(out, "; no finding in %s verified trials (%s): rate below %.2g with 95 %% confidence",
		    units_show_count(count, sizeof(count), trials), measure_words[f->least.trial].what,
		    3.0 / (double)trials);
	else
		say(out, "; no %s that recow knows of", measure_words[f->least.trial].what);
}

/* Behind what else there is to say. */
static void say_failed(struct outcome *out, const struct outcome_facts *f)
{
	if (f->fault.happened)
		say(out, "; the target was made to fail after %.1f s (%s: %s)",
		    (double)f->fault.at / NSEC_PER_SEC, f->fault.who, f->fault.how);
}

static void say_durable(struct outcome *out, const struct outcome_facts *f)
{
	const struct fault_facts *x = &f->fault;
	char objects[32], names[32], blocks[32], operations[32];

	say(out,
	    "clean: the target was made to fail after %.1f s (%s: %s), %llu answers were wrong then; "
	    "%s durable objects with %s blocks, %s durable names, %llu snapshots are as they were when they "
	    "were synced, or as something later left them (%s operations)",
	    (double)x->at / NSEC_PER_SEC, x->who, x->how, (unsigned long long)x->excused,
	    units_show_count(objects, sizeof(objects), x->objects),
	    units_show_count(blocks, sizeof(blocks), x->blocks),
	    units_show_count(names, sizeof(names), x->names), (unsigned long long)x->snapshots,
	    units_show_count(operations, sizeof(operations), f->operations));
}

/* It was to fail: why nothing is proved by what came of it. NULL: something is. */
static const char *failing_proves_nothing(const struct fault_facts *x)
{
	if (!x->happened)
		return x->wanted ? "the target was to be made to fail, and was not" : NULL;
	if (!x->compared)
		return "what was durable when the target was made to fail was not compared";
	if (!x->objects && !x->names && !x->snapshots)
		return "nothing was durable when the target was made to fail, or it can't be told";
	return NULL;
}

static bool too_little(const struct outcome_facts *f, unsigned int measure)
{
	return f->injected && f->exposure[measure] < f->least.of[measure];
}

static bool thin(const struct outcome_facts *f)
{
	for (unsigned int i = 0; i < MEASURES; i++) {
		if (too_little(f, i))
			return true;
	}
	return false;
}

/* "12 dirty pages of the target moved, a clean verdict needs 1.00 k". */
static void say_short(struct outcome *out, const struct outcome_facts *f)
{
	const char *comma = "";
	char seen[32], asked[32];

	for (unsigned int i = 0; i < MEASURES; i++) {
		if (!too_little(f, i))
			continue;
		if (f->unseen >> i & 1)
			snprintf(seen, sizeof(seen), "not measurable here:");
		else
			units_show_count(seen, sizeof(seen), f->exposure[i]);
		say(out, "%s%s %s, a clean verdict needs %s", comma, seen, measure_words[i].what,
		    units_show_count(asked, sizeof(asked), f->least.of[i]));
		comma = "; ";
	}
}

static void say_inconclusive(struct outcome *out, const struct outcome_facts *f)
{
	const char *failing = failing_proves_nothing(&f->fault);

	say(out, "inconclusive: ");
	if (failing) {
		say(out, "%s", failing);
		return;
	}
	if (!f->rounds && !f->fault.happened) {
		say(out, "not one round was verified");
		return;
	}
	say_done(out, f);
	say(out, ", nothing wrong seen; but ");
	say_short(out, f);
}

void outcome_decide(const struct outcome_facts *f, struct outcome *out)
{
	bool failed = f->left || f->harness || f->failure[0] || (f->interrupted && f->limited);

	*out = (struct outcome){.interrupted = f->interrupted || f->failure[0], .left = f->left};
	if (f->findings) {
		out->exit = EXIT_FINDING;
		say_findings(out, f);
		say_failed(out, f);
		say_harness(out, f);
	} else if (failed) {
		out->exit = EXIT_HARNESS;
		say_harness(out, f);
		if (f->rounds) {
			say(out, "; until then ");
			say_done(out, f);
			say(out, ", nothing wrong seen");
		} else {
			say(out, "; nothing was verified");
		}
	} else if (failing_proves_nothing(&f->fault) || thin(f) || (!f->rounds && !f->fault.happened)) {
		out->exit = EXIT_INCONCLUSIVE;
		say_inconclusive(out, f);
	} else if (f->fault.happened) {
		out->exit = EXIT_CLEAN;
		say_durable(out, f);
	} else {
		out->exit = EXIT_CLEAN;
		say_clean(out, f);
	}
}
