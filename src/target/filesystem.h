/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What recow knows of single filesystems. Any other kind works too, without options of its own. */
#ifndef RECOW_FILESYSTEM_H
#define RECOW_FILESYSTEM_H

#include "src/base/base.h"
#include "src/base/error.h"

struct filesystem {
	const char *name;
	const char *package;       /* Debian package with its mkfs */
	const char *mkfs[4];       /* options that make mkfs format without asking */
	const char *mount_options; /* before the user's own */
	uint64_t minimum;          /* bytes: below, mkfs refuses or no churn fits in */
	bool maps_to_device;       /* FIEMAP's physical address is an offset on its one device */
};

/* Never NULL: an unknown name gives a generic entry, whose name is "". */
const struct filesystem *filesystem_find(const char *name);

bool filesystem_maps_to_device(const char *name);

/* Can this kernel mount it, now or by loading a module, and is its mkfs there (if `mkfs`)? */
int filesystem_available(const char *name, bool mkfs, struct error *e);

/* Format. `log`: file to which its output is appended. */
int filesystem_make(const char *name, const char *options, const char *device, const char *log,
		    struct error *e);

#endif
