/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this room share beyond target.h. */
#ifndef RECOW_TARGET_INTERNAL_H
#define RECOW_TARGET_INTERNAL_H

#include "src/target/target.h"

/* Mount the whole filesystem, even if the run has only a directory of it. */
int target_mount_whole(struct target *t, struct error *e);

/* Make the run's directory at `path` on `place`. One that is there already is another run's. */
int target_make_subdir(struct target *t, const char *path, const char *place, struct error *e);

bool target_is_mounted(const struct target *t);

#endif
