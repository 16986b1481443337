/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guard tells: to the user, on the timeline, and as findings. */
#include <stdarg.h>
#include <stdio.h>

#include "src/finding/store.h"
#include "src/guard/state.h"

/* Findings beyond this are counted, not kept: a broken target can give one for every block that it has. */
#define FINDINGS_KEPT 1000U

static void note(struct guard *g, const char *event, const char *text)
{
	timeline_event(&g->timeline, event, "{s:s}", "text", text);
	if (g->listener->note)
		g->listener->note(g->listener->self, text);
}

void guard_say(struct guard *g, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	note(g, "guard", text);
}

void guard_fail(struct guard *g, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!g->facts.failure[0])
		snprintf(g->facts.failure, sizeof(g->facts.failure), "%.*s",
			 (int)sizeof(g->facts.failure) - 1, text);
	note(g, "failure", text);
}

static void keep(struct guard *g, unsigned int number, const struct finding *f)
{
	struct error e;

	if (number == FINDINGS_KEPT + 1)
		guard_say(g, "more than %u findings: the others are counted, not kept", FINDINGS_KEPT);
	/* That the target is gone explains all the others. */
	if ((number <= FINDINGS_KEPT || f->class == FINDING_TARGET) && finding_store(g->run, number, f, &e))
		guard_fail(g, "finding %u could not be stored: %s", number, e.text);
}

void guard_find(struct guard *g, struct finding *f)
{
	struct shared *s = g->shared;
	unsigned int number = atomic_load(&s->findings) + 1;

	if (!f->time)
		shared_stamp(s, f);
	if (repeats_count(&g->repeats, f))
		return;
	if (f->class == FINDING_HARNESS)
		g->facts.harness++;
	else if (!guard_below_full(g))
		g->facts.findings++;
	g->facts.by_class[f->class]++;
	keep(g, number, f);
	timeline_event(&g->timeline, "finding", "{s:i, s:s, s:s, s:s, s:s}", "number", (int)number, "class",
		       finding_class_name(f->class), "verifier", f->verifier, "path", f->path, "detail",
		       f->detail);
	atomic_store(&s->findings, number);
	/* There is nothing left to be tested; after the last unmount the run ends anyway. */
	if (f->class == FINDING_TARGET && f->place != SEEN_FRESH)
		family_stop(g);
	if (g->listener->finding)
		g->listener->finding(g->listener->self, s, f);
}
