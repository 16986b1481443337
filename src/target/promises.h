/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a filesystem promises of what was synced (docs/verify.md, "After a power cut"). Pure. */
#ifndef RECOW_PROMISES_H
#define RECOW_PROMISES_H

#include <stdbool.h>

struct promises {
	bool sync_names;  /* a synced file is there under one of its names */
	const char *none; /* nothing is promised: why; NULL: something is */
};

/* Of a filesystem made and mounted with these options. */
struct promises target_promises(const char *fs, const char *mkfs_options, const char *mount_options);

#endif
