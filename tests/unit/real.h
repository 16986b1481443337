/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests that change the real machine: one at a time, however many `make -j` runs. */
#ifndef RECOW_REAL_H
#define RECOW_REAL_H

#include <fcntl.h>
#include <unistd.h>

#include "src/base/clock.h"

/* Held until the program ends, and not by children that outlive it. */
static inline void take_real_machine(void)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open("/tmp/recow-tests.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0)
		fcntl(fd, F_SETLKW, &whole);
}

/* Somebody else's run may hold the machine for a moment. */
static inline void await_machine(void)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open("/run/recow/lock", O_RDWR | O_CLOEXEC);

	for (int i = 0; fd >= 0 && i < 600; i++) {
		if (!fcntl(fd, F_GETLK, &whole) && whole.l_type == F_UNLCK)
			break;
		whole.l_type = F_WRLCK;
		sleep_ns(100 * NSEC_PER_MSEC);
	}
	if (fd >= 0)
		close(fd);
}

#endif
