/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A target as a run left it, or a copy of it: looked at, not changed. */
#ifndef RECOW_KEPT_H
#define RECOW_KEPT_H

#include "src/target/target.h"

struct kept {
	struct target target; /* mountpoint: where its tree is (below `mount`, or the directory itself) */
	char mount[4096];     /* what is mounted there and must be unmounted; "" for a directory */
	bool writable;        /* mounting it had to write: a log was replayed */
};

/* Find and mount, read-only. `spec` is what the run was given (kind, path, fs, mount_options); `where` names
 * a copy, a device, an image or a directory instead, or is NULL. `run` is the run directory as it is called
 * now: its own image lies in it, and its name is that of the run's directory on a target that was there
 * before. Images are attached to a read-only loop device; only where the filesystem must replay a log is
 * that done on a writable one. `mountpoint` must exist; the caller has a private mount namespace.
 * After a failure nothing is left behind. EXIT_FINDING: the filesystem is there and can't be mounted. */
int kept_open(struct kept *k, const struct target_spec *spec, const char *where, const char *run,
	      const char *mountpoint, struct error *e);

/* Unmount; the device stays, for a checker. */
int kept_unmount(struct kept *k, struct error *e);

/* Give the device back, too. */
void kept_close(struct kept *k);

#endif
