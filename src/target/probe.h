/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at devices, files and mounts without changing them. */
#ifndef RECOW_PROBE_H
#define RECOW_PROBE_H

#include <sys/stat.h>

#include "src/base/base.h"
#include "src/base/error.h"

/* Is this block device mounted (in this mount namespace)? Fills in where. */
bool probe_mounted(dev_t device, char *where, size_t len);

/* Is this file the backing file of a loop device? Fills in which ("/dev/loop3"). */
bool probe_looped(const struct stat *file, char *loop, size_t len);

/* Type and source of the filesystem that `path` lies on. Either may be NULL. */
int probe_mount_of(const char *path, char *type, size_t type_len, char *source, size_t source_len,
		   struct error *e);

/* What lies on a device or image: the filesystem's type in `type`, or "" if it is empty. An error if it is
 * something else (a partition table, a RAID member, an encrypted volume), or more than one thing. */
int probe_content(const char *path, char *type, size_t len, struct error *e);

/* How kernel messages call a block device: "loop0", "sda1", "dm-0"; "" if it is none. Returns buf. */
char *probe_kernel_name(char *buf, size_t len, const char *device);

#endif
