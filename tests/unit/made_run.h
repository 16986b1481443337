/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests that read a run directory made by hand. */
#ifndef RECOW_TEST_MADE_RUN_H
#define RECOW_TEST_MADE_RUN_H

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

static char run[64];

static inline int make_run(void **state)
{
	snprintf(run, sizeof(run), "/tmp/recow-made-XXXXXX");
	return mkdtemp(run) ? 0 : -1;
}

static inline int remove_run(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", run);
	return system(command);
}

static inline void write_run(const char *name, const char *mode, const char *text)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", run, name);
	out = fopen(path, mode);
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

/* The file is what `text` is. */
static inline void put(const char *name, const char *text)
{
	write_run(name, "w", text);
}

/* `text` comes behind what is there. */
static inline void put_behind(const char *name, const char *text)
{
	write_run(name, "a", text);
}

/* The directory's name is another one each time: in texts that are compared it is RUN. */
static inline void name_run(char *command, size_t len)
{
	char expected[128];

	if (!command[0])
		return;
	snprintf(expected, sizeof(expected), "recow replay %s", run);
	assert_string_equal(command, expected);
	snprintf(command, len, "recow replay RUN");
}

#endif
