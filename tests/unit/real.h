/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests that change the real machine: one at a time, however many `make -j` runs. */
#ifndef RECOW_REAL_H
#define RECOW_REAL_H

#include <fcntl.h>
#include <unistd.h>

/* Held until the program ends, and not by children that outlive it. */
static inline void take_real_machine(void)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open("/tmp/recow-tests.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0)
		fcntl(fd, F_SETLKW, &whole);
}

#endif
