/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of the plan can run here. "Can't run" is said by name; it never counts as passed. */
#include <stdio.h>

#include "src/plan/pick.h"
#include "src/plan/plan.h"

/* Names of what is left out, and one reason for all behind them. */
struct left_out {
	char *text;
	size_t len, used;
	const char *reason;
};

static void leave_out(struct left_out *l, const char *name, const char *reason)
{
	if (l->used < l->len)
		l->used += (size_t)snprintf(l->text + l->used, l->len - l->used, "%s%s", l->used ? ", " : "",
					    name);
	l->reason = reason;
}

static void leave_out_end(const struct left_out *l)
{
	if (l->reason && l->used < l->len)
		snprintf(l->text + l->used, l->len - l->used, ": %s", l->reason);
}

/* A scenario goes without a workload that can't run, as long as another is left. */
static int settle_workloads(struct plan *p, const struct surroundings *around, struct error *e)
{
	struct left_out l = {p->workloads_left_out, sizeof(p->workloads_left_out), 0, NULL};
	unsigned int kept = 0;

	p->workloads_left_out[0] = '\0';
	for (unsigned int i = 0; i < p->workload_count; i++) {
		const struct plan_workload *w = &p->workload[i];
		const char *reason = needs_unmet(around, w->workload->needs);

		if (!reason) {
			p->workload[kept++] = *w;
			continue;
		}
		if (w->asked || (!kept && i + 1 == p->workload_count))
			return error_set(e, EXIT_CANNOT, "workload %s cannot run here: %s", w->workload->name,
					 reason);
		leave_out(&l, w->workload->name, reason);
	}
	p->workload_count = kept;
	leave_out_end(&l);
	return 0;
}

/* Does a workload of the plan have it in its mix? */
static bool is_mixed(const struct plan *p, const struct op *op)
{
	for (unsigned int i = 0; i < p->workload_count; i++) {
		for (const struct weight *w = p->workload[i].workload->mix; w && w->op; w++) {
			if (w->weight && op_by_name(w->op) == op)
				return true;
		}
	}
	return false;
}

/* A mix goes without what can't run; a workload of which that is the point declares the need itself. */
static void settle_operations(struct plan *p, const struct surroundings *around)
{
	struct left_out l = {p->left_out, sizeof(p->left_out), 0, NULL};

	p->met = around->met;
	p->left_out[0] = '\0';
	for (size_t i = 0; i < op_count; i++) {
		const char *reason = needs_unmet(around, op_table[i]->needs);

		if (reason && is_mixed(p, op_table[i]))
			leave_out(&l, op_table[i]->name, reason);
	}
	leave_out_end(&l);
}

char *plan_left_out(char *buf, size_t len, const struct plan *p, uint32_t unmet, const char *reason)
{
	char more[sizeof(p->left_out)] = "";
	struct left_out l = {more, sizeof(more), 0, NULL};

	for (size_t i = 0; i < op_count; i++) {
		if ((op_table[i]->needs & unmet) && is_mixed(p, op_table[i]))
			leave_out(&l, op_table[i]->name, reason);
	}
	leave_out_end(&l);
	snprintf(buf, len, "%s%s%s", p->left_out, p->left_out[0] && more[0] ? "; " : "", more);
	return buf;
}

static int settle_injection(struct plan *p, struct plan_injection *in, const struct surroundings *around,
			    struct error *e)
{
	const char *reason = needs_unmet(around, in->injector->needs);

	in->unavailable = NULL;
	if (!reason && p->inject)
		return 0;
	if (reason && in->asked)
		return error_set(e, EXIT_CANNOT, "injector %s cannot run here: %s", in->injector->name,
				 reason);
	snprintf(in->unavailable_text, sizeof(in->unavailable_text), "%s",
		 p->inject ? reason : p->no_inject_reason);
	in->unavailable = in->unavailable_text;
	return 0;
}

static int settle_verification(struct plan_verification *v, const struct surroundings *around,
			       struct error *e)
{
	uint32_t needs = v->verifier->needs;
	const char *reason;

	if (v->verifier->when == VERIFY_OFFLINE || v->verifier->when == VERIFY_REMOUNTED ||
	    v->verifier->when == VERIFY_FAILED)
		needs |= NEED_OWN_TARGET;
	reason = needs_unmet(around, needs);
	v->unavailable = NULL;
	if (!reason)
		return 0;
	if (v->asked)
		return error_set(e, EXIT_CANNOT, "verifier %s cannot run here: %s", v->verifier->name,
				 reason);
	snprintf(v->unavailable_text, sizeof(v->unavailable_text), "%s", reason);
	v->unavailable = v->unavailable_text;
	return 0;
}

static bool wants_mapping(const struct plan *p)
{
	for (unsigned int i = 0; i < p->injection_count; i++) {
		if (!p->injection[i].unavailable && (p->injection[i].injector->needs & NEED_MAPPING))
			return true;
	}
	return false;
}

bool plan_makes_fail(const struct plan *p)
{
	for (unsigned int i = 0; p->inject && i < p->injection_count; i++) {
		if (!p->injection[i].unavailable && (p->injection[i].injector->needs & NEED_MAY_FAIL))
			return true;
	}
	return false;
}

/* What is to be there when a target has failed is compared where one is made to fail, named or not; and
 * nowhere else. */
static int settle_failing(struct plan *p, struct error *e)
{
	static const char nothing_fails[] = "nothing makes the target fail in this run";
	const bool fails = plan_makes_fail(p);
	struct plan_verification *last = &p->verification[p->verification_count];

	for (unsigned int i = 0; i < p->verification_count; i++) {
		struct plan_verification *v = &p->verification[i];

		if (v->verifier->when != VERIFY_FAILED)
			continue;
		if (!fails)
			v->unavailable = nothing_fails;
		return 0;
	}
	if (!fails)
		return 0;
	if (p->verification_count == PLAN_VERIFIERS)
		return error_set(e, EXIT_USAGE, "more than %d verifiers", PLAN_VERIFIERS);
	*last = (struct plan_verification){.verifier = pick_verifier("durable", e)};
	p->verification_count += last->verifier != NULL;
	return last->verifier ? 0 : -1;
}

int plan_settle(struct plan *p, const struct surroundings *around, struct error *e)
{
	if (!p->shared_dirs) /* nothing is shared: there is no subvolume for it */
		p->shared_files = 0;
	if (settle_workloads(p, around, e))
		return -1;
	settle_operations(p, around);
	for (unsigned int i = 0; i < p->injection_count; i++) {
		if (settle_injection(p, &p->injection[i], around, e))
			return -1;
	}
	p->target.mapped = wants_mapping(p);
	for (unsigned int i = 0; i < p->verification_count; i++) {
		if (settle_verification(&p->verification[i], around, e))
			return -1;
	}
	return settle_failing(p, e);
}

bool plan_wants_witnesses(const struct plan *p)
{
	for (unsigned int i = 0; i < p->verification_count; i++) {
		if (p->verification[i].verifier->when == VERIFY_DURING && !p->verification[i].unavailable)
			return true;
	}
	return false;
}
