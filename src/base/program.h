/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs installed programs (mkfs, checkers): found, started, waited for, killed when it must be. They get a
 * minimal environment in the C locale, so that what they print can be read, no standard input, a process
 * group of their own, and they die with the thread that started them.
 */
#ifndef RECOW_PROGRAM_H
#define RECOW_PROGRAM_H

#include <sys/types.h>

#include "src/base/base.h"
#include "src/base/error.h"

struct program {
	const char *const *argv;  /* argv[0] is looked for as program_find() does */
	const char *log;          /* standard output and error are appended to this file; NULL: thrown away */
	const _Atomic bool *stop; /* killed when this becomes true; may be NULL */
	uint64_t limit;           /* ns until it is killed; 0: none */
};

struct program_end {
	bool exited;   /* by itself, with `status` */
	int status;    /* exit status */
	int signal;    /* what killed it, 0 */
	bool stopped;  /* killed here because of `stop` */
	bool overtime; /* killed here because of `limit` */
	off_t log;     /* where its output begins in the log */
};

/* The path of an installed program, in PATH or the sbin directories (an ordinary user's PATH lacks them).
 * Returns buf, or NULL if there is none. */
char *program_find(char *buf, size_t len, const char *name);

/* Run to the end. -1 only if it could not be started. */
int program_run(const struct program *p, struct program_end *end, struct error *e);

/* A log from `from` on as one line: newlines become " | ", what is not printable becomes '?'. A long one is
 * cut in the middle: programs say what is wrong at the beginning (before their usage) or at the end. Returns
 * buf. */
char *program_excerpt(char *buf, size_t len, const char *log, off_t from);

/* Split options as a shell would, with quotes, but without running or expanding anything. Returns a
 * NULL-terminated list in one piece of memory for the caller to free(), or NULL. */
char **words_split(const char *text, struct error *e);

/* One word of a shell command that means `text`, in quotes where that is needed; control characters take the
 * form $'\012'. What doesn't fit is cut off with its closing quote, so that no shell takes the rest for the
 * whole. Returns buf. */
char *shell_quote(char *buf, size_t len, const char *text);

#endif
