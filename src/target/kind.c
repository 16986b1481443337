/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "src/target/target.h"

static const char *const names[] = {
	[TARGET_AUTO] = "auto",
	[TARGET_DEVICE] = "device",
	[TARGET_IMAGE] = "image",
	[TARGET_DIRECTORY] = "directory",
};

const char *target_kind_name(enum target_kind kind)
{
	return names[kind];
}

bool target_kind_of(const char *name, enum target_kind *kind)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], name) == 0) {
			*kind = (enum target_kind)i;
			return true;
		}
	}
	return false;
}
