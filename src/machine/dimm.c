/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/machine/dimm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/clock.h"

#define LINE       4096
#define LIST_LIMIT (10 * NSEC_PER_SEC)

/* A port is for one at a time: who holds it asks and is gone. */
static int open_port(const char *port, uint64_t deadline)
{
	int fd;

	while ((fd = open(port, O_RDWR | O_CLOEXEC | O_NONBLOCK)) < 0 && errno == EBUSY &&
	       clock_mono() < deadline)
		sleep_ns(10 * NSEC_PER_MSEC);
	return fd;
}

static int wait_readable(int fd, uint64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint64_t now = clock_mono();
	int ready;

	if (now >= deadline)
		return ETIMEDOUT;
	ready = poll(&p, 1, (int)((deadline - now) / NSEC_PER_MSEC) + 1);
	if (ready < 0)
		return errno == EINTR ? 0 : errno;
	return 0;
}

/* The next line, without its newline. */
static int read_line(int fd, char *line, size_t room, uint64_t deadline)
{
	size_t used = 0;

	while (used + 1 < room) {
		ssize_t got = read(fd, line + used, 1);

		if (got == 1 && line[used] == '\n') {
			line[used] = '\0';
			return 0;
		}
		if (got == 1) {
			used++;
		} else if (got == 0) {
			return ENOTCONN; /* the host does not serve it */
		} else if (errno == EAGAIN) {
			int err = wait_readable(fd, deadline);

			if (err)
				return err;
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return EMSGSIZE;
}

/* Ask, and wait for the answer to just that: one to somebody who gave up before may come first. */
static int ask(const char *port, const char *request, char *answer, size_t room, uint64_t limit_ns)
{
	uint64_t deadline = clock_mono() + limit_ns;
	char line[LINE], tag[32];
	int fd = open_port(port, deadline), err = 0, len;

	if (fd < 0)
		return errno;
	snprintf(tag, sizeof(tag), "%" PRIu64 " ", clock_mono());
	len = snprintf(line, sizeof(line), "%s%s\n", tag, request);
	if (write(fd, line, (size_t)len) != len)
		err = errno ? errno : EIO;
	while (!err) {
		err = read_line(fd, line, sizeof(line), deadline);
		if (!err && !strncmp(line, tag, strlen(tag))) {
			snprintf(answer, room, "%s", line + strlen(tag));
			break;
		}
	}
	close(fd);
	return err;
}

/* " 1 4294967296 134217728": plugged, start, length. */
static bool parse(char **at, struct dimm *d)
{
	char *end;

	d->plugged = strtoul(*at, &end, 10) == 1;
	if (end == *at)
		return false;
	d->start = strtoull(end, &end, 10);
	d->length = strtoull(end, &end, 10);
	*at = end;
	return true;
}

int dimm_list(const char *port, struct dimm *out, size_t room, size_t *count)
{
	char answer[LINE], *at = answer + strlen("dimms");
	int err = ask(port, "list", answer, sizeof(answer), LIST_LIMIT);

	*count = 0;
	if (err)
		return err;
	if (strncmp(answer, "dimms", strlen("dimms")) != 0)
		return EPROTO;
	while (*count < room && parse(&at, &out[*count]))
		++*count;
	return 0;
}

int dimm_change(const char *port, unsigned int n, bool plugged, uint64_t limit_ns)
{
	static const struct {
		const char *word;
		int err;
	} answers[] = {{"ok", 0}, {"busy", EBUSY}, {"none", ENODEV}};
	char request[32], answer[LINE];
	int err;

	snprintf(request, sizeof(request), "%s %u", plugged ? "plug" : "unplug", n);
	err = ask(port, request, answer, sizeof(answer), limit_ns);
	for (size_t i = 0; !err && i < ARRAY_SIZE(answers); i++) {
		if (!strcmp(answer, answers[i].word))
			return answers[i].err;
	}
	return err ? err : EPROTO;
}
