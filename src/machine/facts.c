/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `recow doctor` shows: one fact each, and what to do when it isn't so. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "src/machine/machine.h"
#include "src/machine/programs.h"
#include "src/machine/survey.h"
#include "src/target/mapping.h"

/* Capability numbers of linux/capability.h that a run profits from. */
#define CAP_IPC_LOCK     14
#define CAP_SYS_ADMIN    21
#define CAP_SYS_RESOURCE 24

/* The default run wants an image of 4 GiB at most half full, journals and models. */
#define ROOM_WANTED   (6 * GiB)
#define MEMORY_WANTED (1 * GiB)

static void good(struct fact *f, const char *found)
{
	f->state = FACT_GOOD;
	snprintf(f->found, sizeof(f->found), "%s", found);
}

static void bad(struct fact *f, enum fact_state state, const char *found, const char *remedy)
{
	f->state = state;
	snprintf(f->found, sizeof(f->found), "%s", found);
	snprintf(f->remedy, sizeof(f->remedy), "%s", remedy);
}

static void look_at_root(struct fact *f)
{
	if (!geteuid())
		good(f, "yes");
	else
		bad(f, FACT_MISSING, "no", "run recow with sudo: images, mounts and injectors need it");
}

static void look_at_kernel(struct fact *f)
{
	struct utsname u;

	uname(&u);
	snprintf(f->found, sizeof(f->found), "%.60s %.60s", u.sysname, u.release);
	f->state = FACT_GOOD;
}

static bool has_capability(unsigned int number)
{
	char line[256];
	uint64_t set = 0;
	FILE *file = fopen("/proc/self/status", "re");

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "CapEff: %" SCNx64, &set) == 1)
			break;
	}
	fclose(file);
	return set >> number & 1;
}

static void look_at_capabilities(struct fact *f)
{
	if (!has_capability(CAP_SYS_ADMIN))
		bad(f, FACT_MISSING, "no CAP_SYS_ADMIN: nothing can be mounted",
		    "in a container: start it with --privileged");
	else if (!has_capability(CAP_SYS_RESOURCE))
		bad(f, FACT_LESS,
		    "no CAP_SYS_RESOURCE: limits can't be raised, the guard can be an OOM victim",
		    "in a container: --cap-add SYS_RESOURCE; a run does without");
	else
		good(f, "CAP_SYS_ADMIN, CAP_SYS_RESOURCE");
}

static void look_at_memlock(struct fact *f)
{
	struct rlimit limit = {0};

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (has_capability(CAP_IPC_LOCK) || limit.rlim_cur == RLIM_INFINITY)
		good(f, "the guard can stay in memory");
	else
		bad(f, FACT_LESS, "the guard can be swapped out",
		    "ulimit -l unlimited before the run, or CAP_IPC_LOCK");
}

static bool word_in_file(const char *path, const char *word)
{
	FILE *file = fopen(path, "re");
	char line[256];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		const char *last = strrchr(line, '\t');

		line[strcspn(line, "\n")] = '\0';
		found = !strcmp(last ? last + 1 : line, word);
	}
	fclose(file);
	return found;
}

static void look_at_btrfs(struct fact *f)
{
	struct utsname u;
	char path[256];

	uname(&u);
	snprintf(path, sizeof(path), "/lib/modules/%.65s/kernel/fs/btrfs", u.release);
	if (word_in_file("/proc/filesystems", "btrfs"))
		good(f, "in the kernel");
	else if (!access(path, F_OK))
		good(f, "a module, loaded when it is mounted");
	else
		bad(f, FACT_MISSING, "this kernel has no btrfs",
		    "modprobe btrfs, or a kernel with CONFIG_BTRFS_FS; --fs ext4 tests another filesystem");
}

static void look_at_progs(struct fact *f)
{
	if (program_exists("mkfs.btrfs") && program_exists("btrfs"))
		good(f, "mkfs.btrfs, btrfs");
	else
		bad(f, FACT_MISSING, "mkfs.btrfs or btrfs is missing", "apt-get install btrfs-progs");
}

static void look_at_loop(struct fact *f)
{
	if (!access("/dev/loop-control", R_OK | W_OK))
		good(f, "/dev/loop-control");
	else
		bad(f, FACT_MISSING, "no loop devices",
		    "modprobe loop; in a container --device /dev/loop-control; or --target DEVICE");
}

static void look_at_hotplug(struct fact *f)
{
	static struct memory_block block[4096]; /* 512 GiB in blocks of 128 MiB; more need not be counted */
	uint64_t size = machine_memory_block_size();
	size_t count = size ? machine_memory_blocks(block, ARRAY_SIZE(block)) : 0, able = 0, movable = 0;

	for (size_t i = 0; i < count; i++) {
		able += block[i].online && block[i].zone[0] && strcmp(block[i].zone, "none") != 0;
		movable += !strcmp(block[i].zone, "Movable");
	}
	snprintf(f->found, sizeof(f->found), "%zu blocks of %" PRIu64 " MiB, %zu can be tried, %zu movable",
		 count, (uint64_t)(size / MiB), able, movable);
	f->state = FACT_GOOD;
	if (!able)
		bad(f, FACT_LESS, "no memory block can go offline: the injector hotplug can't run",
		    "a kernel with CONFIG_MEMORY_HOTREMOVE; in a container: a writable /sys");
}

static bool v1_memory(void)
{
	return !access("/sys/fs/cgroup/memory/cgroup.procs", F_OK);
}

static void look_at_cgroup(struct fact *f)
{
	char controllers[256] = "";

	machine_read("/sys/fs/cgroup/cgroup.controllers", controllers, sizeof(controllers));
	if (v1_memory())
		good(f, "v1");
	else if (strstr(controllers, "memory"))
		good(f, "v2");
	else
		bad(f, FACT_LESS, "no memory controller: the target's pages can't be told from others",
		    "mount -t cgroup2 none /sys/fs/cgroup; a kernel with CONFIG_MEMCG, without "
		    "cgroup_disable=memory");
}

static void look_at_kmsg(struct fact *f)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		good(f, "readable");
		return;
	}
	bad(f, FACT_LESS, "/dev/kmsg can't be read: kernel warnings are not noticed",
	    "run as root; sysctl kernel.dmesg_restrict=0; in a container --device /dev/kmsg");
}

static void look_at_sysctls(struct fact *f)
{
	if (!access("/proc/sys/vm/dirty_ratio", W_OK))
		good(f, "writable");
	else
		bad(f, FACT_LESS, "/proc/sys/vm can't be written: pages can't be held dirty",
		    "run as root; in a container with a writable /proc/sys");
}

static void look_at_pageflags(struct fact *f)
{
	if (!access("/proc/kpageflags", R_OK) && !access("/proc/kpagecgroup", R_OK))
		good(f, "/proc/kpageflags, /proc/kpagecgroup");
	else
		bad(f, FACT_LESS, "page flags can't be read: injectors can't aim",
		    "run as root on a kernel with CONFIG_PROC_PAGE_MONITOR and CONFIG_MEMCG");
}

static void look_at_soft_offline(struct fact *f)
{
	if (access(MACHINE_SOFT_OFFLINE, W_OK))
		bad(f, FACT_LESS, "pages can't be soft-offlined: the injector softoffline can't run",
		    "a kernel with CONFIG_MEMORY_FAILURE; run as root");
	else if (access(MACHINE_UNPOISON, W_OK))
		bad(f, FACT_LESS, "soft-offlined pages could not be given back",
		    "modprobe hwpoison-inject; mount -t debugfs none /sys/kernel/debug");
	else
		good(f, "pages can be taken and given back");
}

static void look_at_mapping(struct fact *f)
{
	if (mapping_possible())
		good(f, "the target's device can be slow, and stand still");
	else
		bad(f, FACT_LESS, "no device mapper: the injector device can't run",
		    "modprobe dm-mod, on a kernel with CONFIG_BLK_DEV_DM and CONFIG_DM_DELAY");
}

static void look_at_tracing(struct fact *f)
{
	if (!access("/sys/kernel/tracing/events/migrate", R_OK) ||
	    !access("/sys/kernel/debug/tracing/events/migrate", R_OK))
		good(f, "migrations can be counted by cause");
	else if (!access("/sys/kernel/tracing", F_OK) && has_capability(CAP_SYS_ADMIN))
		good(f, "a run mounts tracefs for itself alone");
	else
		bad(f, FACT_LESS, "no tracefs: migrations are counted for the whole machine only",
		    "a kernel with CONFIG_FTRACE; in a container: start it with --privileged");
}

static void look_at_memory(struct fact *f)
{
	uint64_t free = machine_meminfo_kib("MemAvailable") * KiB;

	snprintf(f->found, sizeof(f->found), "%" PRIu64 " MiB available", (uint64_t)(free / MiB));
	f->state = FACT_GOOD;
	if (free < MEMORY_WANTED) {
		f->state = FACT_LESS;
		snprintf(f->remedy, sizeof(f->remedy),
			 "fewer workers (-j 2), a smaller image (--image-size 1g)");
	}
}

static void look_at_disk(struct fact *f)
{
	struct statvfs fs;
	uint64_t room = statvfs("/var/tmp", &fs) ? 0 : (uint64_t)fs.f_bavail * fs.f_frsize;

	snprintf(f->found, sizeof(f->found), "%" PRIu64 " MiB free in /var/tmp", (uint64_t)(room / MiB));
	f->state = FACT_GOOD;
	if (room < ROOM_WANTED) {
		f->state = FACT_LESS;
		snprintf(f->remedy, sizeof(f->remedy),
			 "--output on a roomier filesystem, or --image-size 1g, or --journal-keep 1g");
	}
}

static void look_at_aio(struct fact *f)
{
	char now[32] = "0", most[32] = "0";
	uint64_t room;

	machine_read("/proc/sys/fs/aio-nr", now, sizeof(now));
	machine_read("/proc/sys/fs/aio-max-nr", most, sizeof(most));
	room = strtoull(most, NULL, 10) - strtoull(now, NULL, 10);
	snprintf(f->found, sizeof(f->found), "%" PRIu64 " requests left", room);
	f->state = FACT_GOOD;
	if (room < 1024) {
		f->state = FACT_LESS;
		snprintf(f->remedy, sizeof(f->remedy), "sysctl fs.aio-max-nr=1048576");
	}
}

size_t machine_facts(struct fact *out, size_t room)
{
	static const struct {
		const char *name;
		void (*look)(struct fact *f);
	} looks[] = {
		{"root", look_at_root},
		{"kernel", look_at_kernel},
		{"capabilities", look_at_capabilities},
		{"btrfs", look_at_btrfs},
		{"btrfs-progs", look_at_progs},
		{"loop devices", look_at_loop},
		{"device mapper", look_at_mapping},
		{"memory hotplug", look_at_hotplug},
		{"vm.dirty_* sysctls", look_at_sysctls},
		{"memory cgroup", look_at_cgroup},
		{"page flags", look_at_pageflags},
		{"kernel log", look_at_kmsg},
		{"tracing", look_at_tracing},
		{"soft offline", look_at_soft_offline},
		{"asynchronous I/O", look_at_aio},
		{"memory", look_at_memory},
		{"disk", look_at_disk},
		{"locked memory", look_at_memlock},
	};
	size_t count = MIN(room, ARRAY_SIZE(looks));

	for (size_t i = 0; i < count; i++) {
		out[i] = (struct fact){.name = looks[i].name};
		looks[i].look(&out[i]);
	}
	return count;
}
