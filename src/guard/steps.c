/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "src/run/rundir.h"

int steps_open(struct steps *s, const char *run, struct error *e)
{
	char path[4096 + 16];

	*s = (struct steps){.fd = open(rundir_path(path, sizeof(path), run, "steps.jsonl"),
				       O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600)};
	return s->fd >= 0 ? 0 : error_errno(e, EXIT_CANNOT, errno, "cannot make %s", path);
}

void steps_close(struct steps *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* One write, one line. */
static int put(struct steps *s, const char *line, int len)
{
	ssize_t n = write(s->fd, line, (size_t)len);
	int err = n < 0 ? errno : ENOSPC;

	if (n == len) {
		s->bytes += (uint64_t)len;
		return 0;
	}
	steps_close(s);
	return err;
}

int steps_add(struct steps *s, const char *who, const struct message_steps *m)
{
	char line[256];
	int len, err;

	if (s->fd < 0)
		return 0;
	len = snprintf(line, sizeof(line),
		       "{\"who\":\"%.32s\",\"round\":%u,\"phase\":%u,\"at\":%llu,\"steps\":%llu}\n", who,
		       m->round, m->phase, (unsigned long long)m->at, (unsigned long long)m->count);
	err = put(s, line, len);
	if (err || s->bytes < STEPS_BYTES)
		return err;
	len = snprintf(line, sizeof(line), "{\"full\":true}\n");
	err = put(s, line, len);
	steps_close(s);
	return err;
}
