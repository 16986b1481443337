/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/report/report.h"

struct history history_begin(void)
{
	return (struct history){.every = NSEC_PER_SEC};
}

/* Copy every second line, the last one among them. Returns how many, or -1. */
static int copy_half(FILE *in, FILE *out)
{
	char *line = NULL;
	size_t room = 0;
	int number = 0, kept = 0;

	while (getline(&line, &room, in) > 0) {
		if (number++ % 2 && fputs(line, out) != EOF)
			kept++;
	}
	free(line);
	return ferror(in) || ferror(out) ? -1 : kept;
}

static int thin_out(struct history *h, const char *run, struct error *e)
{
	char path[4096 + 64], fresh[4096 + 72];
	FILE *in, *out;
	int kept = -1;

	snprintf(path, sizeof(path), "%s/status.jsonl", run);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	in = fopen(path, "re");
	out = fopen(fresh, "we");
	if (in && out)
		kept = copy_half(in, out);
	if (in)
		fclose(in);
	if (out && fclose(out))
		kept = -1;
	if (kept < 0 || rename(fresh, path))
		return error_errno(e, EXIT_HARNESS, errno, "cannot shorten %s", path);
	h->lines = (unsigned int)kept;
	h->every *= 2;
	return 0;
}

int history_add(struct history *h, const char *run, const json_t *line, struct error *e)
{
	if (report_append(run, "status.jsonl", line, e))
		return -1;
	return ++h->lines < HISTORY_LINES ? 0 : thin_out(h, run, e);
}
