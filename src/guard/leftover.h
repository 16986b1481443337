/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The undo kind "subdir": the directory recow-RUN that churn makes on a device or image that was there
 * before. WHAT is the device or image, OLD says when the run began and how to mount it again.
 */
#ifndef RECOW_LEFTOVER_H
#define RECOW_LEFTOVER_H

#include <stddef.h>

#include "src/target/target.h"

/* OLD for a run in directory `run` on an examined target. Returns 0 or an errno. */
int leftover_describe(const struct target_spec *t, const char *run, char *old, size_t len);

/* As struct undo_kind asks for. Undoing mounts it in a mount namespace of the caller's own. */
int leftover_undo(const char *what, const char *old);
void leftover_show(const char *what, const char *old, char *buf, size_t len);
void leftover_by_hand(const char *what, const char *old, char *buf, size_t len);

#endif
