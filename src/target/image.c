/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "src/target/image.h"

#define COPY_BUFFER (1 * MiB)

/* On btrfs an image is better off without copies and checksums: it would be slow, and a page that the
 * filesystem under test changes while it is being written would fail the checksum of the filesystem below. */
static void no_copy_on_write(int fd)
{
	struct statfs fs;
	int flags;

	if (fstatfs(fd, &fs) < 0 || fs.f_type != BTRFS_SUPER_MAGIC || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return;
	flags |= FS_NOCOW_FL;
	(void)ioctl(fd, FS_IOC_SETFLAGS, &flags); /* it works without, only worse */
}

int image_make(const char *path, uint64_t size, struct error *e)
{
	int rc = 0, fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_errno(e, EXIT_HARNESS, errno, "cannot make %s", path);
	no_copy_on_write(fd);
	if (ftruncate(fd, (off_t)size) < 0) {
		rc = error_errno(e, EXIT_CANNOT, errno, "cannot make %s %llu bytes long", path,
				 (unsigned long long)size);
		unlink(path);
	}
	close(fd);
	return rc;
}

/* Returns 0 or -1 with errno. */
static int copy_range(int from, int to, off_t at, off_t end, char *buffer)
{
	while (at < end) {
		size_t want = (size_t)MIN((off_t)COPY_BUFFER, end - at);
		ssize_t got = pread(from, buffer, want, at), put;

		if (got <= 0) {
			errno = got < 0 ? errno : EIO;
			return -1;
		}
		put = pwrite(to, buffer, (size_t)got, at);
		if (put <= 0)
			return -1;
		at += put;
	}
	return 0;
}

/* Returns 0 or -1 with errno. */
static int copy_data(int from, int to, off_t size, char *buffer)
{
	off_t data = 0, hole;

	if (ftruncate(to, size) < 0)
		return -1;
	while ((data = lseek(from, data, SEEK_DATA)) >= 0) {
		hole = lseek(from, data, SEEK_HOLE);
		if (hole < 0 || copy_range(from, to, data, hole, buffer) < 0)
			return -1;
		data = hole;
	}
	/* No more data is ENXIO. */
	return errno == ENXIO ? fsync(to) : -1;
}

int image_copy(const char *from, const char *to, struct error *e)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char *buffer = malloc(COPY_BUFFER);
	struct stat st;
	int rc = 0;

	if (in < 0 || out < 0 || !buffer || fstat(in, &st) < 0 ||
	    copy_data(in, out, st.st_size, buffer) < 0) {
		rc = error_errno(e, EXIT_HARNESS, errno, "cannot copy %s to %s", from, to);
		if (out >= 0)
			unlink(to);
	}
	free(buffer);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return rc;
}
