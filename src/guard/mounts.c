/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/mounts.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>

int mounts_private(void)
{
	/* Slave, not private: what the others unmount goes here, too, and isn't kept busy by the run. */
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL))
		return errno;
	return 0;
}

int mounts_detach(const char *path)
{
	if (!umount2(path, MNT_DETACH) || errno == EINVAL || errno == ENOENT)
		return 0;
	return errno;
}
