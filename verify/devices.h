/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices of a mounted btrfs. */
#ifndef RECOW_VERIFY_DEVICES_H
#define RECOW_VERIFY_DEVICES_H

#include "src/base/base.h"
#include "src/base/error.h"

struct device {
	uint64_t devid;
	char path[256]; /* as the kernel names it; "" if it is missing */
};

/* Call each() for every device of the filesystem that the open directory or file `fd` lies on, in order of
 * their numbers. Stops when it returns non-zero, and returns that. -1 with *e filled in when the kernel does
 * not tell. */
int devices_each(int fd, int (*each)(void *self, const struct device *d, struct error *e), void *self,
		 struct error *e);

/* Open the mount point for btrfs's ioctls: v->mount is an O_PATH descriptor, which takes none. */
int devices_open(int mount, struct error *e);

#endif
