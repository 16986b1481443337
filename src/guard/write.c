/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/write.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int write_value(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;
	ssize_t wrote;

	if (fd < 0)
		return errno;
	wrote = write(fd, value, strlen(value));
	if (wrote < 0)
		err = errno;
	else if ((size_t)wrote < strlen(value))
		err = EIO;
	close(fd);
	return err;
}
