/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests that change the real machine: one at a time, however many `make -j` runs. */
#ifndef RECOW_REAL_H
#define RECOW_REAL_H

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "tests/unit/keeper.h"

/* Held until the program ends, and not by children that outlive it. */
static inline void take_real_machine(void)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open("/tmp/recow-tests.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0)
		fcntl(fd, F_SETLKW, &whole);
}

/* The same for a program that changes it; and zeroed memory that is shared with children, until the program
 * ends; NULL: there is none. */
static inline void *take_real_machine_with(size_t bytes)
{
	void *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	take_real_machine();
	keep_machine();
	return shared == MAP_FAILED ? NULL : shared;
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
