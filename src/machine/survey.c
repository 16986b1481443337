/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The needs of plug-ins, met or not. The list for people is in facts.c. */
#include "src/machine/survey.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/machine/dimm.h"
#include "src/machine/machine.h"
#include "src/machine/programs.h"
#include "src/target/mapping.h"
#include "src/target/promises.h"

/* The bit is met when `reason` is empty. */
__attribute__((format(printf, 4, 5))) static void settle(struct surroundings *s, enum need need, bool met,
							 const char *fmt, ...)
{
	char *reason = s->reason[__builtin_ctz((unsigned int)need)];
	va_list ap;

	if (met) {
		s->met |= need;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(reason, sizeof(s->reason[0]), fmt, ap);
	va_end(ap);
}

/* A block that says which zone it is in has not been found to be unremovable. */
static bool hotplug_possible(void)
{
	struct memory_block block[64];
	size_t count = machine_memory_block_size() ? machine_memory_blocks(block, ARRAY_SIZE(block)) : 0;

	for (size_t i = 0; i < count; i++) {
		if (!block[i].online || (block[i].zone[0] && strcmp(block[i].zone, "none") != 0))
			return true;
	}
	return false;
}

static bool dirty_writable(void)
{
	static const char *const files[] = {"dirty_ratio", "dirty_background_ratio", "dirty_expire_centisecs",
					    "dirty_writeback_centisecs"};
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "/proc/sys/vm/%s", files[i]);
		if (access(path, W_OK))
			return false;
	}
	return true;
}

/* The first CPU that has the file can go; whether it may is known when it is tried. */
static bool cpu_hotplug_possible(void)
{
	unsigned int online[1024];
	size_t count = machine_list("/sys/devices/system/cpu/online", online, ARRAY_SIZE(online));

	for (size_t i = 0; count > 1 && i < count; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", online[i]);
		if (!access(path, W_OK))
			return true;
	}
	return false;
}

static bool more_than_one_node(void)
{
	unsigned int nodes[2];

	return machine_list("/sys/devices/system/node/has_memory", nodes, 2) > 1;
}

/* Pages that can't be given back are not taken. */
static void survey_soft_offline(struct surroundings *s)
{
	bool offline = !access(MACHINE_SOFT_OFFLINE, W_OK), back = !access(MACHINE_UNPOISON, W_OK);

	settle(s, NEED_SOFT_OFFLINE, offline && back, "%s",
	       geteuid() ? "pages can only be taken away by root"
	       : offline ? "pages could not be given back: modprobe hwpoison-inject, with debugfs mounted "
			   "(" MACHINE_UNPOISON ")"
			 : "this kernel has no " MACHINE_SOFT_OFFLINE " (CONFIG_MEMORY_FAILURE)");
}

/* What is on a filesystem that was there before is somebody's. */
static const char *why_not_fail(const struct target_spec *t)
{
	if (!t || t->kind == TARGET_DIRECTORY)
		return "the target is a directory of a mounted filesystem, which is not made to fail";
	if (t->kind != TARGET_AUTO && !t->mkfs)
		return "the filesystem was there before the run, and is not made to fail (--mkfs --yes makes "
		       "one)";
	return target_promises(t->fs, t->mkfs_options, t->mount_options).none;
}

/* Those that know FS_IOC_SHUTDOWN, or do in some versions: the injector asks the mounted one. */
static bool knows_shutdown(const char *fs)
{
	static const char *const known[] = {"btrfs", "ext4", "f2fs", "xfs"};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(known[i], fs) == 0)
			return true;
	}
	return false;
}

static void survey_target(struct surroundings *s, const struct target_spec *t)
{
	const char *fs = t && t->fs[0] ? t->fs : "btrfs", *checker = checker_of(fs),
		   *why_not = why_not_fail(t);

	settle(s, NEED_BTRFS, t && !strcmp(fs, "btrfs"), "the target is %s, not btrfs", fs);
	settle(s, NEED_OWN_TARGET, t && t->kind != TARGET_DIRECTORY,
	       "the target is a directory of a mounted filesystem, which recow doesn't unmount");
	settle(s, NEED_FSCK, checker && program_exists(checker), "%s is not installed, the checker of %s",
	       checker ? checker : "no program", fs);
	settle(s, NEED_MAY_FAIL, !why_not, "%s", why_not);
	settle(s, NEED_SHUTDOWN, knows_shutdown(fs), "%s knows no shutdown (FS_IOC_SHUTDOWN)", fs);
}

void machine_survey(struct surroundings *s, const struct target_spec *target)
{
	bool root = !geteuid();

	*s = (struct surroundings){
		.target_known = target != NULL,
		.met = NEED_EXCHANGE | NEED_NOREPLACE | NEED_WHITEOUT, /* the mounted target tells */
	};
	settle(s, NEED_ROOT, root, "not running as root");
	survey_target(s, target);
	settle(s, NEED_MEMORY_HOTPLUG, root && hotplug_possible(),
	       root ? "no memory block here can go offline (/sys/devices/system/memory)"
		    : "memory blocks can only be changed by root");
	settle(s, NEED_KMSG, !access("/dev/kmsg", R_OK), "/dev/kmsg is not readable");
	settle(s, NEED_CPU_HOTPLUG, root && cpu_hotplug_possible(),
	       root ? "no CPU here can go offline (/sys/devices/system/cpu)"
		    : "CPUs can only be changed by root");
	settle(s, NEED_NUMA, more_than_one_node(), "all memory is on one node (/sys/devices/system/node)");
	survey_soft_offline(s);
	settle(s, NEED_DIMMS, root && !access(DIMM_PORT, R_OK | W_OK),
	       "no host plugs and unplugs DIMMs (" DIMM_PORT "): run it by scripts/vm --dimm 256m");
	settle(s, NEED_MAPPING, root && mapping_possible(),
	       root ? "this kernel has no device mapper, or not yet: modprobe dm-mod (/proc/misc)"
		    : "devices can only be mapped by root");
	settle(s, NEED_FAILING_MEMORY,
	       root && (!access(MACHINE_FAIL_SLAB "probability", W_OK) ||
			!access(MACHINE_FAIL_PAGES "probability", W_OK)),
	       root ? "this kernel lets no allocation fail (CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC), or "
		      "debugfs is not mounted"
		    : "allocations can only be made to fail by root");
	settle(s, NEED_DIRTY_SYSCTLS, dirty_writable(), "/proc/sys/vm/dirty_* are not writable");
}
