/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "src/run/rundir.h"

int kmsg_open(struct kmsg *k, const char *run, struct error *e)
{
	char path[PATH_MAX];

	k->copy = -1;
	k->device = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (k->device < 0)
		return error_errno(e, EXIT_CANNOT, errno, "cannot read /dev/kmsg");
	lseek(k->device, 0, SEEK_END);
	k->copy = open(rundir_path(path, sizeof(path), run, "kmsg.log"),
		       O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (k->copy >= 0)
		return 0;
	error_errno(e, EXIT_CANNOT, errno, "cannot make %s", path);
	kmsg_close(k);
	return -1;
}

enum kmsg_read kmsg_next(struct kmsg *k, char record[KMSG_RECORD + 1])
{
	ssize_t got;

	if (k->device < 0)
		return KMSG_NONE;
	do {
		got = read(k->device, record, KMSG_RECORD);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EPIPE)
		return KMSG_LOST;
	if (got <= 0)
		return KMSG_NONE;
	record[got] = '\0';
	/* A full disk loses the copy, not the judgement; the journals' writer reports it. */
	if (write(k->copy, record, (size_t)got) < 0)
		return KMSG_RECORD_READ;
	return KMSG_RECORD_READ;
}

void kmsg_close(struct kmsg *k)
{
	if (k->device >= 0)
		close(k->device);
	if (k->copy >= 0)
		close(k->copy);
	k->device = k->copy = -1;
}
