/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The undo log: what a run changes on the machine, with the way back, noted durably before each change
 * (docs/guard.md, "The undo log"). The guard undoes from it at the end of a run, `recow restore` when the
 * guard itself is gone.
 *
 * Each thing that can be undone is of a kind, a row of undo_kinds[]: how its old state is looked up, how it
 * is brought back, how it is shown. The first two are called in a hand (src/guard/hand.h), since both may
 * block.
 */
#ifndef RECOW_UNDO_H
#define RECOW_UNDO_H

#include <sys/types.h>

#include "src/base/base.h"
#include "src/base/error.h"

#define UNDO_OLD  1024 /* room for an old state */
#define UNDO_TEXT 8192 /* room for what undo_show() says, with long paths in it */

struct undo_kind {
	const char *name;      /* its word in the log */
	bool first;            /* put back before all others: they may wait for it */
	bool gone_with_reboot; /* the kernel forgets it: after a reboot there is nothing to put back */
	unsigned int attempts; /* how often putting it back is tried before it counts as left */
	uint64_t limit;        /* ns for one attempt */
	/* The present state of `what` into old. Returns 0 or an errno; ENODATA: it has none, and no undo (a
	 * file that can only be written, like compact_memory). NULL: it doesn't exist before the change. */
	int (*note)(const char *what, char *old, size_t len);
	/* Bring it back, and look whether it is. Returns 0 or an errno. Nothing to do any more is 0. */
	int (*undo)(const char *what, const char *old);
	/* "memory block 12: online, zone Movable". */
	void (*show)(const char *what, const char *old, char *buf, size_t len);
	/* The shell command that does the same. */
	void (*by_hand)(const char *what, const char *old, char *buf, size_t len);
};

const struct undo_kind *undo_kind_by_name(const char *name); /* NULL if unknown */

/* The kind under which a write to `path` is undone, and what it is called there: the path itself, but for
 * settings that are two files for one value. */
const struct undo_kind *undo_kind_of_path(const char *path, const char **what);

struct undo_entry {
	unsigned int number; /* from 1, in order of the changes */
	const struct undo_kind *kind;
	char *what, *old;
	bool done; /* put back, or no longer to be put back */
	int err;   /* why the last attempt to put it back failed */
};

struct undo_log {
	int fd;
	char path[4096];
	char boot[40];        /* boot id of the kernel that was changed */
	pid_t guard;          /* who changed it */
	uint64_t guard_start; /* in clock ticks since boot: a process id alone comes back */
	unsigned int count, room;
	struct undo_entry *entry;
	unsigned int synced;  /* entries known to be on disk */
	unsigned int damaged; /* lines before the last that don't hold: what they said is not known */
	bool closed;          /* all was put back */
};

/* ---- the log ---- */

/* Begin RUN/undo.log; it is on disk when this returns. */
int undo_create(struct undo_log *log, const char *run, struct error *e);
/* Read RUN/undo.log of a run, to carry on with it. A cut last line is dropped: its change was not made. */
int undo_open(struct undo_log *log, const char *run, struct error *e);
void undo_free(struct undo_log *log);

/* Is the guard that wrote it alive? */
bool undo_alive(const struct undo_log *log);

/* The entry of that name that is not done yet, or NULL. */
struct undo_entry *undo_find(const struct undo_log *log, const struct undo_kind *kind, const char *what);
/* Append an entry. It is not on disk before undo_sync(). Returns 0 or an errno. */
int undo_note(struct undo_log *log, const struct undo_kind *kind, const char *what, const char *old);
int undo_sync(struct undo_log *log);
/* Both at once, for what the guard itself makes: the kind by its name. Returns 0 or an errno. */
int undo_note_now(struct undo_log *log, const char *kind, const char *what, const char *old);
/* Mark an entry as done. */
int undo_mark(struct undo_log *log, struct undo_entry *entry);
/* All is back: say so in the log. */
int undo_close(struct undo_log *log);

/* ---- putting back ---- */

/* Hears of each thing: err 0, back; else why it is left. */
struct undo_listener {
	void *self;
	void (*said)(void *self, const struct undo_entry *entry, int err);
};

/* Undo what isn't done, last change first, each in a hand. Returns how many things are left. */
unsigned int undo_run(struct undo_log *log, const struct undo_listener *listener);

/* Undo only what was set in files below the directory `dir`, once, while the run goes on: who asked for it is
 * dead, and who lives in that cgroup must not stay squeezed. What fails is left to undo_run(). */
void undo_below(struct undo_log *log, const char *dir, const struct undo_listener *listener);

/* Likewise all of one kind. */
void undo_kind_now(struct undo_log *log, const char *kind, const struct undo_listener *listener);

/* One line about an entry, as undo_listener hears of it. */
void undo_show(const struct undo_entry *entry, int err, char *buf, size_t len);

#endif
