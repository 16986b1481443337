/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/plan/needs.h"

#include <stdio.h>

static const char *const names[] = {
	"root",
	"btrfs",
	"a target that can be unmounted",
	"memory hotplug",
	"/dev/kmsg",
	"the target's checker",
	"writable vm.dirty_* sysctls",
	"CPU hotplug",
	"more than one NUMA node",
	"soft offlining of pages",
	"RENAME_EXCHANGE",
	"RENAME_NOREPLACE",
	"RENAME_WHITEOUT",
	"DIMMs that come and go",
	"device mapper",
	"fault injection into memory allocation",
	"a target that may fail",
	"a filesystem that can be shut down",
};

/* These are about the target: open as long as there is none. */
#define TARGET_NEEDS                                                                                         \
	(NEED_BTRFS | NEED_OWN_TARGET | NEED_FSCK | NEED_EXCHANGE | NEED_NOREPLACE | NEED_WHITEOUT |         \
	 NEED_MAY_FAIL | NEED_SHUTDOWN)

const char *needs_unmet(const struct surroundings *s, uint32_t needs)
{
	uint32_t unmet = needs & ~s->met;

	if (!s->target_known)
		unmet &= ~(uint32_t)TARGET_NEEDS;
	if (!unmet)
		return NULL;
	return s->reason[__builtin_ctz(unmet)];
}

char *needs_show(char *buf, size_t len, uint32_t needs)
{
	size_t used = 0;

	snprintf(buf, len, "nothing");
	for (size_t i = 0; i < ARRAY_SIZE(names) && used < len; i++) {
		if (needs & 1U << i)
			used += (size_t)snprintf(buf + used, len - used, "%s%s", used ? ", " : "", names[i]);
	}
	return buf;
}
