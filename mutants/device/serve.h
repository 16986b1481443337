/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device as a file, through FUSE.
 */
#ifndef MUTANTS_SERVE_H
#define MUTANTS_SERVE_H

#include "mutants/device/device.h"

/* Serve `d` as the regular file `mount`, which exists, until SIGTERM or SIGINT or until it is unmounted;
 * print "ready" when it is served. The mount is gone afterwards. 0, or -errno (libfuse has told what was
 * wrong). */
int serve(struct device *d, const char *mount);

#endif
