/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounts, and the run's own namespace of them. Apart from the rest: sys/mount.h has a BLOCK_SIZE of its own.
 */
#ifndef RECOW_MOUNTS_H
#define RECOW_MOUNTS_H

#include <stdint.h>
#include <sys/types.h>

/* Leave the common mount namespace; what is mounted from now on is seen by this process and its children
 * only, and goes with the last of them. Returns 0 or an errno. */
int mounts_private(void);

/* Take away what is mounted at `path`, at once, even when it is in use; the kernel unmounts it when its last
 * user is gone. Nothing mounted there is no error. Returns 0 or an errno. May block. */
int mounts_detach(const char *path);

/* A mount as /proc/self/mountinfo shows it. */
struct mount_line {
	dev_t device; /* of the superblock: one for all subvolumes of a btrfs, where stat() tells several */
	char type[32], source[256], point[4096];
};

/* The mount that an open descriptor lies on. Returns 0 or an errno. */
int mounts_of(int fd, struct mount_line *m);

#endif
