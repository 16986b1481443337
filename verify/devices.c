/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int devices_open(int mount, struct error *e)
{
	int fd = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 ? fd : error_errno(e, EXIT_HARNESS, errno, "cannot open the mounted target");
}

/* Numbers have gaps where a device was removed. False: there is none of this number. */
static bool get_device(int fd, uint64_t devid, struct device *d)
{
	struct btrfs_ioctl_dev_info_args info = {.devid = devid};

	if (ioctl(fd, BTRFS_IOC_DEV_INFO, &info) < 0)
		return false;
	d->devid = devid;
	snprintf(d->path, sizeof(d->path), "%.*s", (int)strnlen((const char *)info.path, sizeof(info.path)),
		 (const char *)info.path);
	return true;
}

int devices_each(int fd, int (*each)(void *self, const struct device *d, struct error *e), void *self,
		 struct error *e)
{
	struct btrfs_ioctl_fs_info_args info = {0};
	struct device d;
	int rc = 0;

	if (ioctl(fd, BTRFS_IOC_FS_INFO, &info) < 0)
		return error_errno(e, EXIT_CANNOT, errno, "BTRFS_IOC_FS_INFO");
	for (uint64_t devid = 1; devid <= info.max_id && !rc; devid++) {
		if (get_device(fd, devid, &d))
			rc = each(self, &d, e);
	}
	return rc;
}
