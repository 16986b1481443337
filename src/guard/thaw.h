/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Thawing, also where nobody holds the frozen filesystem any more. A freeze outlives whoever made it, and
 * even the last mount: the kernel then keeps the superblock, frozen and out of sight, until the device is
 * mounted once more and thawed.
 */
#ifndef RECOW_THAW_H
#define RECOW_THAW_H

#include "src/guard/mounts.h"

/* Thaw what the descriptor lies on. Returns 0, also when it was not frozen, or an errno. */
int thaw_descriptor(int fd);

/* How to find this filesystem again, as text for the undo log: type, source, file behind a loop device.
 * Returns 0 or ENAMETOOLONG. */
int thaw_describe(const struct mount_line *m, char *buf, size_t len);

/* Thaw the filesystem that was mounted at `point` and described so: there, or in whatever mount namespace it
 * still is, or mounted nowhere. Returns 0, also when it is not frozen or not there any more, or an errno. */
int thaw_again(const char *point, const char *described);

#endif
