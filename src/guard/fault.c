/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A target that is made to fail: said before it is done, put right when churn has unmounted it
 * (docs/guard.md). */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/guard/state.h"

/* Ns since the start of the run, exact: what was synced is compared with it. */
static void tell(struct guard *g, const char *event, uint64_t moment, int err)
{
	const struct fault *f = &g->shared->fault;

	timeline_event(&g->timeline, event, "{s:s, s:s, s:I, s:i}", "who", f->who, "how", f->how, "ns",
		       (json_int_t)(moment - g->shared->start_mono), "errno", err);
}

/* What the kernel said before is judged as ever. */
static int announce(struct guard *g, const struct door *d, const struct message_fault *m)
{
	struct fault *f = &g->shared->fault;
	uint64_t now;

	if (atomic_load(&f->at))
		return EALREADY;
	if (atomic_load(&g->shared->stop) || !g->locked)
		return ECANCELED;
	guard_follow_kernel(g);
	snprintf(f->who, sizeof(f->who), "%s", d->name);
	snprintf(f->how, sizeof(f->how), "%.*s", (int)sizeof(m->how) - 1, m->how);
	atomic_store(&f->linger, m->linger);
	now = clock_mono();
	tell(g, "fault", now, 0);
	atomic_store(&f->at, now);
	guard_say(g, "%s: the target is made to fail: %s", f->who, f->how);
	return 0;
}

static int note_made(struct guard *g, const struct door *d, int err)
{
	struct fault *f = &g->shared->fault;
	const uint64_t now = clock_mono();

	if (!atomic_load(&f->at) || strcmp(f->who, d->name) != 0)
		return ENOENT;
	tell(g, "failed", now, err);
	if (err)
		guard_fail(g, "the target could not be made to fail (%s, %s): %s", f->who, f->how,
			   strerror(err));
	else
		atomic_store(&f->made, now);
	return 0;
}

int fault_permits(const struct guard *g, const struct door *d, const struct machine_way *way)
{
	const struct fault *f = &g->shared->fault;
	const bool failing = shared_failing(g->shared);

	if (way->kind != WAY_ERRORS && way->kind != WAY_WRITE_ERRORS && way->kind != WAY_DROP)
		return failing ? EBUSY : 0;
	return failing && strcmp(f->who, d->name) == 0 ? 0 : EPERM;
}

/* What the kernel said until now is about a target that fails. */
static int end(struct guard *g)
{
	struct fault *f = &g->shared->fault;
	uint64_t now;
	int err;

	if (!shared_failing(g->shared))
		return ENOENT;
	guard_follow_kernel(g);
	err = guard_make_whole(g);
	now = clock_mono();
	tell(g, "whole", now, err);
	if (!err)
		atomic_store(&f->over, now);
	return err;
}

void fault_take(struct guard *g, const struct door *d, uint32_t kind, const void *body)
{
	const struct message_fault_made *made = body;

	message_answer(d->socket, kind == MESSAGE_FAULT        ? announce(g, d, body)
				  : kind == MESSAGE_FAULT_MADE ? note_made(g, d, made->err)
							       : end(g));
}

/* A line about a device other than the target's is no affair of the verifier's: what it knows nevertheless
 * names none, and is about the kernel itself. */
bool fault_expects(struct guard *g, const struct verifier *v, const char *record)
{
	static struct finding ignored; /* 12 KiB; single-threaded */

	if (!shared_failing(g->shared) || v->line(record, "", &ignored))
		return false;
	atomic_fetch_add(&g->shared->fault.lines, 1);
	return true;
}
