// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/common/truth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mutants/common/chance.h"

int truth_open(struct truth *t, const char *path, const char *mutant)
{
	t->mutant = mutant;
	t->fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644) : -1;
	return path && t->fd < 0 ? -errno : 0;
}

void truth_close(struct truth *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

/* In one write, so that lines of a file that is appended to stay whole. */
static void write_line(int fd, const json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT | JSON_PRESERVE_ORDER);
	const size_t len = text ? strlen(text) : 0;

	if (text) {
		text[len] = '\n'; /* in the place of the NUL: never used as a string again */
		if (write(fd, text, len + 1) < 0)
			abort(); /* without its truth a mutant proves nothing */
	}
	free(text);
}

void truth_write(struct truth *t, const char *event, uint64_t number, json_t *more)
{
	json_t *line;

	if (t->fd >= 0) {
		line = json_pack("{s:I, s:s, s:I, s:s}", "time_ns", (json_int_t)mutant_clock(), "event",
				 event, "number", (json_int_t)number, "mutant", t->mutant);
		if (more)
			json_object_update(line, more);
		write_line(t->fd, line);
		json_decref(line);
	}
	json_decref(more);
}
