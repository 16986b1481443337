/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests that change the real machine: one at a time, however many `make -j` runs. */
#ifndef RECOW_REAL_H
#define RECOW_REAL_H

#include <fcntl.h>
#include <sys/file.h>

/* Held until the program and what it has forked end. */
static inline void take_real_machine(void)
{
	int fd = open("/tmp/recow-tests.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0)
		flock(fd, LOCK_EX);
}

#endif
