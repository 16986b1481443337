/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/audit/disks.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#undef BLOCK_SIZE

static int open_one(struct disk *disk, const char *path, struct error *e)
{
	struct stat st;

	disk->path = path;
	disk->devid = 0;
	disk->fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
	if (disk->fd < 0 && errno == EINVAL)
		disk->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (disk->fd < 0)
		return error_errno(e, errno == EACCES || errno == EPERM ? EXIT_CANNOT : EXIT_USAGE, errno,
				   "%s", path);
	if (fstat(disk->fd, &st) < 0)
		return error_errno(e, EXIT_CANNOT, errno, "%s", path);
	disk->bytes = (uint64_t)st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(disk->fd, BLKGETSIZE64, &disk->bytes) < 0)
		return error_errno(e, EXIT_CANNOT, errno, "%s: its size", path);
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return error_set(e, EXIT_USAGE, "%s is neither a block device nor an image", path);
	return 0;
}

int disks_open(struct disks *d, const char *const *paths, size_t count, struct error *e)
{
	d->count = 0;
	d->bytes = 0;
	if (count > AUDIT_DISKS)
		return error_set(e, EXIT_USAGE, "%zu devices; at most %d are read at once", count,
				 AUDIT_DISKS);
	for (size_t i = 0; i < count; i++) {
		int ret = open_one(&d->disk[i], paths[i], e);

		if (d->disk[i].fd >= 0)
			d->count++;
		if (ret)
			return -1;
		d->bytes += d->disk[i].bytes;
	}
	return 0;
}

void disks_close(struct disks *d)
{
	for (size_t i = 0; i < d->count; i++)
		close(d->disk[i].fd);
	d->count = 0;
}

const struct disk *disks_find(const struct disks *d, uint64_t devid)
{
	for (size_t i = 0; i < d->count; i++) {
		if (d->disk[i].devid == devid)
			return &d->disk[i];
	}
	return NULL;
}

int disk_read(const struct disk *disk, void *buf, size_t len, uint64_t place)
{
	size_t have = 0;

	if (place > disk->bytes || len > disk->bytes - place)
		return ENXIO;
	while (have < len) {
		ssize_t n = pread(disk->fd, (char *)buf + have, len - have, (off_t)(place + have));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			return EIO;
		have += (size_t)n;
	}
	return 0;
}
