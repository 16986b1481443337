/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For test programs that change the real machine: a process beside the program that outlives it. When the
 * program is killed, by whatever signal, the keeper waits for the processes it left (a guard undoes its run),
 * restores the run that is left without a guard, and puts back what the program had changed by itself. A
 * program that ends by itself must have put everything back; there the keeper does nothing, so that
 * scripts/test sees what is left.
 */
#ifndef RECOW_KEEPER_H
#define RECOW_KEEPER_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/guard/guard.h"
#include "src/guard/undo.h"
#include "src/machine/machine.h"

/* What tests change without a guard. */
#define KEPT_SETTINGS 3
#define KEPT_BLOCKS   64

struct kept {
	const struct undo_kind *kind;
	char what[64], old[128];
};

struct keeper {
	struct kept kept[KEPT_SETTINGS + KEPT_BLOCKS];
	size_t count;
};

static pid_t keeper_owner;
static int keeper_pipe = -1;

static inline void keeper_note(struct keeper *k, const char *kind, const char *what)
{
	struct kept *kept = &k->kept[k->count];

	kept->kind = undo_kind_by_name(kind);
	snprintf(kept->what, sizeof(kept->what), "%s", what);
	if (!kept->kind->note(what, kept->old, sizeof(kept->old)))
		k->count++;
}

static inline void keeper_note_all(struct keeper *k)
{
	struct memory_block block[KEPT_BLOCKS];
	size_t blocks = machine_memory_blocks(block, KEPT_BLOCKS);
	char number[16];

	keeper_note(k, "set", "/proc/sys/vm/swappiness");
	keeper_note(k, "dirty", "dirty");
	keeper_note(k, "dirty", "dirty_background");
	for (size_t i = 0; i < blocks; i++) {
		snprintf(number, sizeof(number), "%u", block[i].number);
		keeper_note(k, "memory", number);
	}
}

static inline void keeper_interrupts(int signal)
{
}

/* The kernel tries to take a block offline until a signal comes. */
static inline void keeper_put_back(const struct kept *kept)
{
	struct sigaction action = {.sa_handler = keeper_interrupts}; /* without SA_RESTART */

	sigaction(SIGALRM, &action, NULL);
	for (int i = 0; i < 10; i++) {
		alarm(3);
		if (!kept->kind->undo(kept->what, kept->old))
			break;
		sleep_ns(100 * NSEC_PER_MSEC);
	}
	alarm(0);
}

static inline void keeper_says_nothing(void *self, const char *text)
{
}

/* A process that is being killed lets go of our pipe before it lets go of the machine and is reaped: the run
 * counts as alive until then. */
static inline void keeper_restore(void)
{
	char run[4096];
	struct error e;

	for (int i = 0; i < 50; i++) {
		sleep_ns(100 * NSEC_PER_MSEC);
		if (guard_leftover(run) && !guard_restore(run, keeper_says_nothing, NULL, &e))
			return;
	}
}

/* Until the program and all that it began are gone; the first byte says that it ended by itself. */
static inline void keeper_watch(const struct keeper *k, int end)
{
	char by_itself;

	if (read(end, &by_itself, 1) > 0)
		return;
	keeper_restore();
	for (size_t i = 0; i < k->count; i++)
		keeper_put_back(&k->kept[i]);
}

static inline void keeper_not_needed(void)
{
	if (getpid() == keeper_owner && write(keeper_pipe, "", 1) != 1)
		fprintf(stderr, "the keeper of the machine is gone\n");
}

/* One keeper at a time: that of the program before may still be at work, for a minute at most (a process
 * that hangs in the kernel would hold it for ever). Held until it ends. */
static inline void keeper_lock(void)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open("/tmp/recow-tests-keeper.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	for (int i = 0; fd >= 0 && i < 600 && fcntl(fd, F_SETLK, &whole); i++)
		sleep_ns(100 * NSEC_PER_MSEC);
}

/* It must outlive what ends the program's process group, and nobody may wait for its output. */
static inline void keeper_stands_apart(void)
{
	setsid();
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
}

/* Call it when the machine is ours (take_real_machine()) and before the first change. */
static inline void keep_machine(void)
{
	struct keeper k = {0};
	int ends[2], ready[2];
	char byte;

	if (geteuid() || pipe2(ends, O_CLOEXEC) || pipe2(ready, O_CLOEXEC))
		return;
	keeper_owner = getpid();
	keeper_pipe = ends[1];
	if (!fork()) {
		close(ends[1]);
		keeper_stands_apart();
		keeper_lock();
		keeper_note_all(&k);
		close(ready[1]);
		keeper_watch(&k, ends[0]);
		_exit(0);
	}
	close(ends[0]);
	close(ready[1]);
	if (read(ready[0], &byte, 1) < 0)
		perror("keeper");
	close(ready[0]);
	atexit(keeper_not_needed);
}

#endif
