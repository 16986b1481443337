/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors travel upwards with context and are printed in one place (src/cli). A function that can fail takes a
 * `struct error *` as its last parameter, returns 0 or -1 (or NULL), and leaves the struct alone on success.
 */
#ifndef RECOW_ERROR_H
#define RECOW_ERROR_H

/* The exit codes of the command line (recow(1), EXIT STATUS). */
enum exit_code {
	EXIT_CLEAN = 0,        /* verified, nothing wrong */
	EXIT_FINDING = 1,      /* corruption or another finding */
	EXIT_USAGE = 2,        /* wrong usage or scenario */
	EXIT_CANNOT = 3,       /* cannot run here; what is missing is said */
	EXIT_HARNESS = 4,      /* the harness failed, was cut short, or could not put the machine back */
	EXIT_INCONCLUSIVE = 5, /* not enough exposure for a verdict */
};

struct error {
	enum exit_code exit; /* what the process should end with if nobody handles this */
	int err;             /* the errno behind it, or 0 */
	char text[1024];     /* one line, no newline at the end; outermost context first */
};

/* Fill *e. Always returns -1, so that `return error_set(...)` reads well. */
int error_set(struct error *e, enum exit_code exit, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As error_set, and append ": strerror(err)". */
int error_errno(struct error *e, enum exit_code exit, int err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Put "context: " before what *e says. Returns -1. */
int error_context(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
