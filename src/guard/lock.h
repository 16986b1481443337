/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine lock: one run at a time injects. It is a record lock (fcntl), which belongs to a process and
 * not to a descriptor: a child that hangs in the kernel can't keep it.
 *
 * The holder's run directory stands in DIR/current from before its first change until everything is back. So
 * a current without a holder means that a run left something.
 */
#ifndef RECOW_LOCK_H
#define RECOW_LOCK_H

#include "src/base/base.h"

#define LOCK_DIR "/run/recow"

struct machine_lock {
	int fd; /* -1: not held */
	const char *dir;
};

/* Take the lock for the run at `run`. False: not taken, and why, for people. */
bool lock_take(struct machine_lock *lock, const char *dir, const char *run, char *reason, size_t len);

/* Give it back. `clean`: everything is back, so current goes; else it stays for the next run to see. */
void lock_release(struct machine_lock *lock, bool clean);

/* The run that current names, when it left something and is not alive. */
bool lock_leftover(const char *dir, char *run, size_t len);

/* Forget current when it names this run: recow restore has put everything back. */
void lock_forget(const char *dir, const char *run);

#endif
