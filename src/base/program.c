/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/clock.h"

#define SBIN "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool find_in(const char *list, const char *name, char *buf, size_t len)
{
	while (list && *list) {
		size_t dir = strcspn(list, ":");

		if (dir && snprintf(buf, len, "%.*s/%s", (int)dir, list, name) < (int)len &&
		    access(buf, X_OK) == 0)
			return true;
		list += dir + (list[dir] == ':');
	}
	return false;
}

char *program_find(char *buf, size_t len, const char *name)
{
	if (strchr(name, '/')) {
		snprintf(buf, len, "%s", name);
		return access(buf, X_OK) == 0 ? buf : NULL;
	}
	return find_in(getenv("PATH"), name, buf, len) || find_in(SBIN, name, buf, len) ? buf : NULL;
}

/* After the fork of a process with threads: nothing but async-signal-safe calls. */
__attribute__((noreturn)) static void become(const char *path, const char *const *argv, int in, int out,
					     int report, pid_t parent)
{
	static char *const environment[] = {"LC_ALL=C", "PATH=" SBIN, NULL};
	sigset_t none;
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0)
		execve(path, (char *const *)(uintptr_t)argv, environment);
	err = errno;
	(void)!write(report, &err, sizeof(err));
	_exit(127);
}

/* Returns the process, or -1 with errno: what the fork or the exec said. */
static pid_t start(const char *path, const char *const *argv, int out)
{
	int report[2], err = 0, in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid_t self = getpid(), pid = -1;

	if (in < 0)
		return -1;
	if (pipe2(report, O_CLOEXEC) == 0) {
		pid = fork();
		if (pid == 0)
			become(path, argv, in, out, report[1], self);
		err = pid < 0 ? errno : 0;
		close(report[1]);
		if (pid > 0 && read(report[0], &err, sizeof(err)) == (ssize_t)sizeof(err)) {
			waitpid(pid, NULL, 0);
			pid = -1;
		}
		close(report[0]);
	} else {
		err = errno;
	}
	close(in);
	errno = err;
	return pid;
}

/* Wait for the end, or make one. */
static void attend(const struct program *p, pid_t pid, struct program_end *end)
{
	uint64_t deadline = p->limit ? clock_mono() + p->limit : UINT64_MAX;
	int status = 0, pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd poll_end = {.fd = pidfd, .events = POLLIN};

	for (;;) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid || (got < 0 && errno != EINTR))
			break;
		if (!end->stopped && !end->overtime) {
			end->stopped = p->stop && *p->stop;
			end->overtime = !end->stopped && clock_mono() > deadline;
			if (end->stopped || end->overtime)
				kill(-pid, SIGKILL);
		}
		poll(&poll_end, 1, 50);
	}
	if (pidfd >= 0)
		close(pidfd);
	end->exited = WIFEXITED(status);
	end->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

int program_run(const struct program *p, struct program_end *end, struct error *e)
{
	char path[4096];
	const char *log = p->log ? p->log : "/dev/null";
	pid_t pid;
	int out;

	memset(end, 0, sizeof(*end));
	if (!program_find(path, sizeof(path), p->argv[0]))
		return error_set(e, EXIT_CANNOT, "%s is not installed", p->argv[0]);
	out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (out < 0)
		return error_errno(e, EXIT_HARNESS, errno, "cannot write %s", log);
	end->log = MAX((off_t)0, lseek(out, 0, SEEK_END));
	pid = start(path, p->argv, out);
	close(out);
	if (pid < 0)
		return error_errno(e, EXIT_CANNOT, errno, "cannot start %s", path);
	attend(p, pid, end);
	return 0;
}

#define PART 512

/* Up to PART bytes of a log from `at` on, as one line. Returns its length. */
static size_t read_line(char *buf, size_t len, int fd, off_t at, size_t count)
{
	char raw[PART];
	ssize_t got = pread(fd, raw, count, at);
	size_t used = 0;

	while (got > 0 && raw[got - 1] == '\n')
		got--;
	for (ssize_t i = 0; i < got && used + 4 < len; i++) {
		if (raw[i] == '\n')
			used += (size_t)snprintf(buf + used, len - used, " | ");
		else
			buf[used++] = (char)(raw[i] < 0x20 || raw[i] > 0x7e ? '?' : raw[i]);
	}
	buf[used] = '\0';
	return used;
}

char *program_excerpt(char *buf, size_t len, const char *log, off_t from)
{
	char end[3 * PART + 4];
	int fd = open(log, O_RDONLY | O_CLOEXEC);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END) - from;
	size_t used, part = MIN(len / 2, (size_t)PART);

	buf[0] = '\0';
	if (size > 0 && size <= (off_t)part) {
		read_line(buf, len, fd, from, (size_t)size);
	} else if (size > 0) {
		used = read_line(buf, len / 2, fd, from, part);
		part = read_line(end, sizeof(end), fd, from + size - (off_t)part, part);
		snprintf(buf + used, len - used, " ... %s", end + part - MIN(part, len - used - 6));
	}
	if (fd >= 0)
		close(fd);
	return buf;
}
