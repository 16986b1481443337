/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/target/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "src/base/clock.h"

/* Others may take the device that LOOP_CTL_GET_FREE named before we do. */
#define ATTEMPTS   64
#define PAUSE      (20 * NSEC_PER_MSEC)
#define LET_GO_MAX (2 * NSEC_PER_SEC)

static int free_loop(char *device, size_t len, struct error *e)
{
	int number, control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	if (control < 0)
		return error_errno(e, EXIT_CANNOT, errno, "no loop devices here: /dev/loop-control");
	number = ioctl(control, LOOP_CTL_GET_FREE);
	if (number < 0)
		error_errno(e, EXIT_CANNOT, errno, "no loop device is left (losetup -a lists those in use)");
	close(control);
	if (number < 0)
		return -1;
	snprintf(device, len, "/dev/loop%d", number);
	return 0;
}

/* Returns a configured descriptor, or -1 with errno. The kernel drops LO_FLAGS_DIRECT_IO silently where it
 * can't be had. */
static int configure(const char *device, const char *image, int backing, uint32_t block_size)
{
	struct loop_config config = {
		.fd = (uint32_t)backing,
		.block_size = block_size,
		.info = {.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO},
	};
	int err, fd = open(device, O_RDWR | O_CLOEXEC), readonly = 0;

	if (fd < 0)
		return -1;
	snprintf((char *)config.info.lo_file_name, LO_NAME_SIZE, "%s", image);
	if (ioctl(fd, LOOP_CONFIGURE, &config) == 0) {
		/* A device that somebody set read-only stays so, whatever is attached to it next. A file that
		 * was opened for reading has made it read-only by itself. */
		if ((fcntl(backing, F_GETFL) & O_ACCMODE) == O_RDWR)
			ioctl(fd, BLKROSET, &readonly);
		return fd;
	}
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

static bool is_direct(int fd)
{
	struct loop_info64 info;

	return ioctl(fd, LOOP_GET_STATUS64, &info) == 0 && (info.lo_flags & LO_FLAGS_DIRECT_IO);
}

static int attach_with(const char *image, int backing, uint32_t block_size, struct loop *loop,
		       struct error *e)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		if (free_loop(loop->device, sizeof(loop->device), e) < 0)
			return -1;
		loop->fd = configure(loop->device, image, backing, block_size);
		if (loop->fd >= 0) {
			loop->direct = is_direct(loop->fd);
			return 0;
		}
		if (errno != EBUSY && errno != ENXIO)
			return error_errno(e, EXIT_CANNOT, errno, "cannot attach %s to %s", image,
					   loop->device);
		sleep_ns(PAUSE);
	}
	return error_set(e, EXIT_CANNOT, "others took every loop device that was free (%d attempts)",
			 ATTEMPTS);
}

/* Sectors of 512 bytes suit every filesystem; a disk of 4096-byte sectors does direct I/O only in those. */
static int attach(const char *image, int backing, struct loop *loop, struct error *e)
{
	if (attach_with(image, backing, 512, loop, e) < 0)
		return -1;
	if (loop->direct)
		return 0;
	loop_detach(loop->fd, loop->device);
	if (attach_with(image, backing, 4096, loop, e) < 0)
		return -1;
	if (loop->direct)
		return 0;
	loop_detach(loop->fd, loop->device);
	return attach_with(image, backing, 512, loop, e);
}

static int open_and_attach(const char *image, int flags, struct loop *loop, struct error *e)
{
	int rc, backing = open(image, flags | O_CLOEXEC);

	if (backing < 0)
		return error_errno(e, EXIT_CANNOT, errno, "cannot open %s", image);
	rc = attach(image, backing, loop, e);
	close(backing);
	return rc;
}

int loop_attach(const char *image, struct loop *loop, struct error *e)
{
	return open_and_attach(image, O_RDWR, loop, e);
}

int loop_attach_readonly(const char *image, struct loop *loop, struct error *e)
{
	return open_and_attach(image, O_RDONLY, loop, e);
}

void loop_detach(int fd, const char *device)
{
	uint64_t deadline = clock_mono() + LET_GO_MAX;
	char path[128];

	close(fd);
	snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", device + strlen("/dev/"));
	/* Someone who looks at new block devices (udev) may hold it for a moment; autoclear waits for the
	 * last close. */
	while (access(path, F_OK) == 0 && clock_mono() < deadline)
		sleep_ns(PAUSE);
}
