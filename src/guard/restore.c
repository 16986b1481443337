/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recow restore: the undo of a run whose guard is gone. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "src/guard/guard.h"
#include "src/guard/lock.h"
#include "src/guard/undo.h"

struct teller {
	void (*line)(void *self, const char *text);
	void *self;
};

static void said(void *self, const struct undo_entry *entry, int err)
{
	const struct teller *t = self;
	char text[UNDO_TEXT];

	undo_show(entry, err, text, sizeof(text));
	t->line(t->self, text);
}

static void tell_damage(const struct undo_log *log, const struct teller *t)
{
	char text[4200];

	if (!log->damaged)
		return;
	snprintf(text, sizeof(text), "%s: %u damaged line%s -- what stood there is NOT put back", log->path,
		 log->damaged, log->damaged == 1 ? "" : "s");
	t->line(t->self, text);
}

int guard_restore(const char *run, void (*line)(void *self, const char *text), void *self, struct error *e)
{
	struct teller t = {.line = line, .self = self};
	struct undo_listener listener = {.self = &t, .said = said};
	unsigned int left = 0;
	char whole[PATH_MAX];
	struct undo_log log;

	if (undo_open(&log, run, e))
		return -1;
	if (undo_alive(&log)) {
		undo_free(&log);
		return error_set(e, EXIT_CANNOT, "the run at %s is alive (process %d)", run, (int)log.guard);
	}
	/* Two at a time would undo each other's work halfway. */
	if (flock(log.fd, LOCK_EX | LOCK_NB)) {
		undo_free(&log);
		return error_set(e, EXIT_CANNOT, "another restore of %s is under way", run);
	}
	signal(SIGCHLD, SIG_DFL);
	if (log.closed)
		line(self, "nothing to put back: the run ended in order");
	else
		left = undo_run(&log, &listener);
	tell_damage(&log, &t);
	/* The lock's file holds the whole path. */
	if (!left && realpath(run, whole))
		lock_forget(LOCK_DIR, whole);
	undo_free(&log);
	return left ? EXIT_HARNESS : EXIT_CLEAN;
}

bool guard_leftover(char run[4096])
{
	return lock_leftover(LOCK_DIR, run, 4096);
}
