/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two children: begun, asked to end, killed, buried. */
#include <errno.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/guard/cgroup.h"
#include "src/guard/state.h"
#include "src/guard/write.h"

/* Who goes first when memory ends: disturb, then churn, never the guard. */
#define DISTURB_OOM "1000"
#define CHURN_OOM   "300"

/* How long a killed child may take to die: it may be in the kernel, under writeback. */
#define DYING (4 * NSEC_PER_SEC)

/* Close everything from descriptor 3 on but these (ascending). */
static void close_all_but(const int *keep, unsigned int count)
{
	unsigned int from = 3;

	for (unsigned int i = 0; i < count; i++) {
		if ((unsigned int)keep[i] > from)
			close_range(from, (unsigned int)keep[i] - 1, 0);
		from = (unsigned int)keep[i] + 1;
	}
	close_range(from, ~0U, 0);
}

/* What both children do first. Only the guard ends a run, so they ignore what a terminal or init sends; and
 * they die with it. */
static void become_child(pid_t parent, const char *oom)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGXFSZ};
	sigset_t none;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_HARNESS);
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	write_value("/proc/self/oom_score_adj", oom);
}

_Noreturn static void be_churn(const struct guard *g, const struct guard_children *children, int socket,
			       pid_t parent)
{
	become_child(parent, CHURN_OOM);
	prctl(PR_SET_NAME, "recow-churn");
	if (g->shared->cgroup[0])
		cgroup_enter(g->shared->cgroup);
	close_all_but(&socket, 1);
	_exit(children->churn(g->shared, socket));
}

_Noreturn static void be_disturb(const struct guard *g, const struct guard_children *children,
				 const int *sockets, pid_t parent)
{
	become_child(parent, DISTURB_OOM);
	prctl(PR_SET_NAME, "recow-disturb");
	close_all_but(sockets, g->shared->plan.injection_count);
	_exit(children->disturb(g->shared, sockets));
}

static void close_ends(const int *ends, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		close(ends[i]);
}

/* A socket for each asker: door.socket is the guard's end, ends[] are the children's, ascending. */
static int make_sockets(struct guard *g, int ends[DOORS], unsigned int count, struct error *e)
{
	for (unsigned int i = 0; i < count; i++) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
			close_ends(ends, i);
			return error_errno(e, EXIT_CANNOT, errno, "cannot make a socket");
		}
		door_open(&g->door[i], i ? g->shared->plan.injection[i - 1].injector->name : "churn",
			  pair[0]);
		ends[i] = pair[1];
	}
	return 0;
}

int family_start(struct guard *g, const struct guard_children *children, struct error *e)
{
	const struct plan *p = &g->shared->plan;
	unsigned int count = 1 + (p->inject ? p->injection_count : 0);
	pid_t parent = getpid();
	int ends[DOORS] = {0};

	if (make_sockets(g, ends, count, e))
		return -1;
	g->churn.pid = fork();
	if (!g->churn.pid)
		be_churn(g, children, ends[0], parent);
	if (g->churn.pid > 0 && count > 1) {
		g->disturb.pid = fork();
		if (!g->disturb.pid)
			be_disturb(g, children, ends + 1, parent);
	}
	close_ends(ends, count);
	if (g->churn.pid < 0 || g->disturb.pid < 0) {
		error_errno(e, EXIT_CANNOT, errno, "cannot start the run's processes");
		g->churn.pid = MAX(g->churn.pid, 0);
		g->disturb.pid = 0;
		return -1;
	}
	return 0;
}

void family_stop(struct guard *g)
{
	struct shared *s = g->shared;

	atomic_store(&s->stop, true);
	freeze_release(g); /* who waits for the thaw can neither end nor be killed */
	/* The serial grows, so that an injector that is just about to wait doesn't. */
	atomic_fetch_add(&s->phase_serial, 1);
	syscall(SYS_futex, &s->phase_serial, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void family_kill(struct child *c)
{
	if (!c->pid)
		return;
	if (!c->killed)
		c->killed = clock_mono();
	kill(c->pid, SIGKILL);
	kill(-c->pid, SIGKILL); /* with the programs that it runs */
}

bool family_look(struct guard *g, struct child *c)
{
	siginfo_t info = {0};

	if (!c->pid || c->stuck)
		return true;
	if (!waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid) {
		/* Before it is buried its number can't be another's group. */
		kill(-c->pid, SIGKILL);
		waitpid(c->pid, &c->status, 0);
		c->pid = 0;
		return true;
	}
	if (c->killed && clock_mono() > c->killed + DYING) {
		c->stuck = true;
		guard_fail(g, "%s (process %d) can't be killed: it hangs in the kernel", c->name,
			   (int)c->pid);
	}
	return c->stuck;
}
