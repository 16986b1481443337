/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a plug-in needs from the machine and the target, as data. "Can't run here" is not "failed": a need
 * that is not met leaves the plug-in listed, with the reason.
 */
#ifndef RECOW_NEEDS_H
#define RECOW_NEEDS_H

#include "src/base/base.h"

enum need {
	NEED_NOTHING = 0,
	NEED_ROOT = 1 << 0,
	NEED_BTRFS = 1 << 1,      /* the target is btrfs */
	NEED_OWN_TARGET = 1 << 2, /* the target can be unmounted: not a directory of a mounted filesystem */
	NEED_MEMORY_HOTPLUG = 1 << 3, /* /sys/devices/system/memory with a block that can go offline */
	NEED_KMSG = 1 << 4,           /* /dev/kmsg is readable */
	NEED_FSCK = 1 << 5,           /* the checker of the target's filesystem is installed */
	NEED_DIRTY_SYSCTLS = 1 << 6,  /* /proc/sys/vm/dirty_* are writable */
	NEED_CPU_HOTPLUG = 1 << 7,    /* a CPU that can go offline, and another */
	NEED_NUMA = 1 << 8,           /* memory on more than one node */
	NEED_SOFT_OFFLINE = 1 << 9,   /* pages can be soft-offlined and given back */
	/* The target's filesystem knows these flags of renameat2(2). Taken for met until it is mounted and
	 * was asked (target_try_renames()). */
	NEED_EXCHANGE = 1 << 10,
	NEED_NOREPLACE = 1 << 11,
	NEED_WHITEOUT = 1 << 12,
	NEED_DIMMS = 1 << 13, /* memory modules that the host of this virtual machine plugs and unplugs */
	/* A device-mapper device can lie below the target, and does where something has this need. */
	NEED_MAPPING = 1 << 14,
	NEED_FAILING_MEMORY = 1 << 15, /* the kernel's fault injection, of slab objects or of pages */
	/* The target may be made to fail: made for the run, unmounted by it, and it promises something of
	 * what was synced. An injector that has this need does make it fail, for good (machine_fault()). */
	NEED_MAY_FAIL = 1 << 16,
	NEED_SHUTDOWN = 1 << 17, /* its filesystem can be shut down; of some only the mounted one tells */
};

/* What is known about the place to run; filled once by machine_survey() (src/machine/survey.h). */
struct surroundings {
	uint32_t met;         /* set of enum need */
	char reason[32][160]; /* why bit i is not met */
	bool target_known;    /* false for `list` and `doctor`: needs about the target are left open */
};

/* NULL when all needs are met, otherwise the reason of the first that isn't. */
const char *needs_unmet(const struct surroundings *s, uint32_t needs);

/* "btrfs, memory hotplug"; "nothing". Returns buf. */
char *needs_show(char *buf, size_t len, uint32_t needs);

#endif
