/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/hand.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/clock.h"

/* What takes memory offline shares the CPUs with the workers: it must not have to wait until they have had
 * their turns, or the pages are written out before they are moved. Without CAP_SYS_NICE it stays as it is. */
#define HAND_NICE (-10)

/* How long a killed hand may take to die before it is given up. */
#define DYING (500 * NSEC_PER_MSEC)

/* A process group of its own: Ctrl-C at the terminal reaches the guard alone. It dies with its parent, unless
 * it looks after that itself: nobody else would ever stop it. */
_Noreturn static void be_hand(const struct hand *h, hand_work *work, void *arg, int socket, pid_t parent)
{
	sigset_t none;

	setpgid(0, 0);
	if (!h->outlives) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(ECANCELED);
	}
	setpriority(PRIO_PROCESS, 0, HAND_NICE);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	_exit(work(arg, socket) & 0xff);
}

int hand_start(struct hand *h, hand_work *work, void *arg, uint64_t limit_ns)
{
	pid_t parent = getpid();
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return errno;
	h->pid = fork();
	if (h->pid < 0) {
		int err = errno;

		h->pid = 0;
		close(ends[0]);
		close(ends[1]);
		return err;
	}
	if (!h->pid) {
		close(ends[0]);
		be_hand(h, work, arg, ends[1], parent);
	}
	close(ends[1]);
	h->socket = ends[0];
	h->deadline = clock_mono() + limit_ns;
	h->killed = false;
	return 0;
}

void hand_hurry(struct hand *h)
{
	if (!h->pid || h->killed)
		return;
	kill(h->pid, SIGKILL);
	h->killed = true;
	h->deadline = clock_mono();
}

static void put_down(struct hand *h)
{
	close(h->socket);
	h->socket = -1;
	h->pid = 0;
}

enum hand_state hand_look(struct hand *h, int *answer, pid_t *lost)
{
	int status;
	pid_t got = waitpid(h->pid, &status, WNOHANG);

	if (got) {
		if (got > 0 && WIFEXITED(status))
			*answer = WEXITSTATUS(status);
		else
			*answer = h->killed ? ETIMEDOUT : EINTR;
		put_down(h);
		return HAND_DONE;
	}
	if (clock_mono() < h->deadline)
		return HAND_BUSY;
	hand_hurry(h);
	if (clock_mono() < h->deadline + DYING)
		return HAND_BUSY;
	*answer = ETIMEDOUT;
	*lost = h->pid;
	put_down(h);
	return HAND_LOST;
}

/* ECHILD: it was waited for before. */
bool hand_gone(pid_t lost)
{
	return waitpid(lost, NULL, WNOHANG) != 0;
}

int hand_do(hand_work *work, void *arg, uint64_t limit_ns, pid_t *lost)
{
	struct hand h = {.socket = -1};
	int answer = hand_start(&h, work, arg, limit_ns);
	pid_t given_up = 0;

	if (answer)
		return answer;
	while (hand_look(&h, &answer, &given_up) == HAND_BUSY) {
		struct pollfd end = {.fd = h.socket};

		/* Its end of the socket closes when it exits; until it can be reaped that takes a moment. */
		if (poll(&end, 1, 20) > 0)
			sleep_ns(200 * NSEC_PER_USEC);
	}
	if (lost && given_up)
		*lost = given_up;
	return answer;
}
