/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is the device below the target still there? A device of which no place at all can be read is not. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "src/target/target.h"

/* One bad place is no dead device: so many, spread over all of it, must be refused. */
#define PLACES 8U

/* Past all caches. 0, or the errno of the last refusal when every place was refused. */
static int read_places(int fd, uint64_t size)
{
	unsigned char *buf = aligned_alloc(BLOCK_SIZE, BLOCK_SIZE);
	int err = buf ? ENODATA : 0;

	for (uint64_t i = 0; err && i < PLACES; i++) {
		const uint64_t at = size / PLACES * i / BLOCK_SIZE * BLOCK_SIZE;
		ssize_t n;

		do {
			n = pread(fd, buf, BLOCK_SIZE, (off_t)at);
		} while (n < 0 && errno == EINTR);
		err = n > 0 ? 0 : n < 0 ? errno : ENODATA;
	}
	free(buf);
	return err;
}

int target_refusal(const struct target *t)
{
	uint64_t size;
	int fd, err;

	if (!t->device[0])
		return 0;
	fd = open(t->device, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		return errno == ENXIO || errno == ENODEV || errno == ENOENT ? errno : 0;
	err = ioctl(fd, BLKGETSIZE64, &size) == 0 ? read_places(fd, size) : 0;
	close(fd);
	return err;
}
