/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guard's loop: sockets, signals, journals, kernel log, clocks; until both children are gone. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/guard/state.h"

/* Rings are drained this often: they hold a second's records of the fastest worker. */
#define STEP (25 * NSEC_PER_MSEC)
#define TICK (250 * NSEC_PER_MSEC)

/* After the user's signal: workers finish the operation in hand, verification ends early; then no further
 * system call; then nobody is asked any more. */
#define GRACE   (6 * NSEC_PER_SEC)
#define ABANDON (1 * NSEC_PER_SEC)

/* A hang doesn't go away by waiting for it. */
#define HANG_GRACE (2 * NSEC_PER_SEC)

/* After churn's end injectors have nothing to wait for. */
#define DISTURB_GRACE (3 * NSEC_PER_SEC)

static void end_by(struct guard *g, uint64_t grace)
{
	uint64_t now = clock_mono();

	family_stop(g);
	if (!g->abandon_at || now + grace < g->abandon_at) {
		g->abandon_at = now + grace;
		g->kill_at = g->abandon_at + ABANDON;
	}
}

static void take_signals(struct guard *g)
{
	struct signalfd_siginfo info;

	while (read(g->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		g->facts.interrupted = true;
		if (g->interrupts++) {
			guard_say(g, "ending at once");
			g->kill_at = g->abandon_at = clock_mono();
			continue;
		}
		guard_say(g, "SIG%s: ending; once more to end at once", sigabbrev_np((int)info.ssi_signo));
		end_by(g, GRACE);
	}
}

/* ---- the kernel log ---- */

static void judge_record(struct guard *g, const char *record)
{
	const struct shared *s = g->shared;

	for (unsigned int i = 0; i < s->plan.verification_count; i++) {
		const struct plan_verification *v = &s->plan.verification[i];
		static struct finding f; /* 12 KiB; single-threaded */

		if (v->unavailable || !v->verifier->line)
			continue;
		f = (struct finding){.class = FINDING_KERNEL, .place = SEEN_LOG};
		snprintf(f.verifier, sizeof(f.verifier), "%s", v->verifier->name);
		if (!v->verifier->line(record, s->target.kernel_name, &f))
			continue;
		if (!fault_expects(g, v->verifier, record))
			guard_find(g, &f);
		return; /* told once, by the first that knows it */
	}
}

void guard_follow_kernel(struct guard *g)
{
	static char record[KMSG_RECORD + 1];
	enum kmsg_read got;

	while ((got = kmsg_next(&g->kmsg, record)) != KMSG_NONE) {
		if (got == KMSG_LOST)
			guard_say(g, "the kernel log overran: some lines were not read");
		else
			judge_record(g, record);
	}
}

/* ---- clocks ---- */

static void mark_phase(struct guard *g)
{
	static const char *const stages[] = {
		[STAGE_PREPARE] = "prepare", [STAGE_CHURN] = "churn",     [STAGE_VERIFY] = "verify",
		[STAGE_REMOUNT] = "remount", [STAGE_RELEASE] = "release", [STAGE_DONE] = "done",
	};
	const struct shared *s = g->shared;
	uint32_t stage = atomic_load(&s->stage), round = atomic_load(&s->round),
		 phase = atomic_load(&s->phase);

	if (stage == g->seen_stage && round == g->seen_round && phase == g->seen_phase)
		return;
	g->seen_stage = stage;
	g->seen_round = round;
	g->seen_phase = phase;
	timeline_event(&g->timeline, "phase", "{s:s, s:i, s:s}", "stage",
		       stage < ARRAY_SIZE(stages) ? stages[stage] : "?", "round", (int)round, "phase",
		       stage == STAGE_CHURN && phase < s->plan.phase_count ? s->plan.phase[phase].name : "");
}

static int dump_work(void *arg, int socket)
{
	const struct guard *g = arg;
	const pid_t pids[HANG_PIDS] = {g->churn.pid, g->disturb.pid, g->freeze.hand.pid};

	return hang_dump(g->run, pids);
}

static void report_hang(struct guard *g, const char *line, pid_t tid)
{
	struct finding f = {.class = FINDING_HANG, .place = SEEN_CHURN, .verifier = "guard", .still = true};
	char stack[320] = "";

	if (tid)
		hang_stack(g->churn.pid, tid, stack, sizeof(stack));
	if (tid && !stack[0])
		hang_stack(g->disturb.pid, tid, stack, sizeof(stack));
	if (tid && !stack[0])
		hang_stack(g->freeze.hand.pid, tid, stack, sizeof(stack));
	snprintf(f.detail, sizeof(f.detail), "%.160s%s%.320s", line, stack[0] ? "; stack: " : "", stack);
	hand_do(dump_work, g, 5 * NSEC_PER_SEC, NULL);
	guard_find(g, &f);
	end_by(g, HANG_GRACE);
}

static void each_second(struct guard *g, uint64_t now)
{
	const pid_t pids[HANG_PIDS] = {g->churn.pid, g->disturb.pid, g->freeze.hand.pid};
	uint64_t frozen = freeze_time(g, now) + door_held_time(g, now);
	char line[160];
	pid_t tid;

	if (hang_look(&g->hang, g->shared, pids, now, frozen, line, sizeof(line), &tid))
		report_hang(g, line, tid);
}

static void keep_time(struct guard *g)
{
	uint64_t now = clock_mono();

	if (g->abandon_at && now >= g->abandon_at)
		atomic_store(&g->shared->abandon, true);
	if (g->kill_at && now >= g->kill_at && !g->churn.killed && g->churn.pid) {
		guard_fail(g, "churn did not end in time and was killed");
		family_kill(&g->churn);
	}
	if (now >= g->next_tick) {
		g->next_tick = now + TICK;
		guard_below_full(g);
		if (g->listener->tick)
			g->listener->tick(g->listener->self, g->shared);
	}
	if (now >= g->next_second) {
		g->next_second = now + NSEC_PER_SEC;
		each_second(g, now);
	}
}

/* ---- deaths ---- */

static void explain_death(struct guard *g, const struct child *c)
{
	if (c->stuck || (WIFEXITED(c->status) && !WEXITSTATUS(c->status)))
		return;
	if (c->killed)
		return; /* the guard's own doing, said when it was done */
	if (WIFSIGNALED(c->status))
		guard_fail(g, "%s was killed by SIG%s%s", c->name, sigabbrev_np(WTERMSIG(c->status)),
			   WTERMSIG(c->status) == SIGKILL ? " (out of memory, or somebody)" : "");
	else if (g->churn_failed && c == &g->churn)
		guard_fail(g, "%s", g->error.text);
	else
		guard_fail(g, "%s ended with status %d", c->name, WEXITSTATUS(c->status));
}

/* True once both are gone. */
static bool bury(struct guard *g)
{
	bool had_churn = g->churn.pid && !g->churn.stuck, had_disturb = g->disturb.pid && !g->disturb.stuck;
	bool churn_gone = family_look(g, &g->churn), disturb_gone = family_look(g, &g->disturb);

	if (had_churn && churn_gone) {
		door_serve(g, &g->door[0]); /* its last words */
		explain_death(g, &g->churn);
		family_stop(g);
		g->kill_at = 0;
	}
	if (had_disturb && disturb_gone) {
		bool expected = atomic_load(&g->shared->stop);

		if (!expected || !WIFEXITED(g->disturb.status))
			explain_death(g, &g->disturb);
		/* The conductor must not wait for those who no longer act. */
		atomic_store(&g->shared->acting, 0);
		if (!expected)
			family_stop(g);
		guard_relieve(g);
	}
	if (churn_gone && !disturb_gone && !g->kill_at)
		g->kill_at = clock_mono() + DISTURB_GRACE;
	if (churn_gone && !disturb_gone && clock_mono() >= g->kill_at && !g->disturb.killed)
		family_kill(&g->disturb);
	return churn_gone && disturb_gone;
}

/* ---- waiting ---- */

static void wait_for_news(struct guard *g)
{
	struct pollfd fds[2 * DOORS + 3];
	struct timespec step = {.tv_nsec = (long)STEP};
	nfds_t count = 0;

	fds[count++] = (struct pollfd){.fd = g->signals, .events = POLLIN};
	if (g->kmsg.device >= 0)
		fds[count++] = (struct pollfd){.fd = g->kmsg.device, .events = POLLIN};
	if (g->freeze.hand.pid)
		fds[count++] = (struct pollfd){.fd = g->freeze.hand.socket, .events = POLLIN};
	for (unsigned int i = 0; i < DOORS; i++) {
		if (g->door[i].socket >= 0)
			fds[count++] = (struct pollfd){.fd = g->door[i].socket, .events = POLLIN};
		if (g->door[i].hand.pid)
			fds[count++] = (struct pollfd){.fd = g->door[i].hand.socket, .events = POLLIN};
	}
	ppoll(fds, count, &step, NULL);
}

void guard_loop(struct guard *g)
{
	do {
		wait_for_news(g);
		take_signals(g);
		for (unsigned int i = 0; i < DOORS; i++) {
			door_serve(g, &g->door[i]);
			door_advance(g, &g->door[i]);
		}
		freeze_advance(g);
		clerk_drain(g);
		guard_follow_kernel(g);
		mark_phase(g);
		keep_time(g);
	} while (!bury(g));
	guard_follow_kernel(g);
}
