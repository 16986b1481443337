/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one door to the machine. A change is asked for here (in disturb or churn) and carried out by the guard,
 * which first notes the old value in RUN/undo.log and syncs it. The guard makes each change in an expendable
 * child with a time limit, since a kernel can retry an offline for ever.
 */
#ifndef RECOW_MACHINE_H
#define RECOW_MACHINE_H

#include "src/base/base.h"
#include "src/base/error.h"

/* One end of a socket to the guard. One thread at a time: each injector has its own. */
struct machine {
	int socket;
};

/* Write `value` to the file at `path` (under /proc/sys, /sys, a cgroup). `limit_ns`: the attempt is given up
 * after that time with ETIMEDOUT (0: 10 s). The first change of a path since the run began notes its old
 * value. Returns 0 or the errno of the kernel's refusal. */
int machine_set(struct machine *m, const char *path, const char *value, uint64_t limit_ns);

/* Memory block `block` to `state` ("offline", "online_movable", "online_kernel"). The note holds state and
 * zone; the undo brings back both. */
int machine_memory_block(struct machine *m, unsigned int block, const char *state, uint64_t limit_ns);

/* Pages of one memory block are taken from use (soft offline: their content moves elsewhere, and the frame is
 * marked as poisoned), or given back. `pfn`: page frame numbers, at most MACHINE_PAGES of them. A frame that
 * refuses stays as it is: look at /proc/kpageflags for what became of each. The undo gives back every frame
 * of the block that was not poisoned before the first call. Returns 0, or an errno when nothing was tried. */
#define MACHINE_PAGES        256U
#define MACHINE_SOFT_OFFLINE "/sys/devices/system/memory/soft_offline_page"
#define MACHINE_UNPOISON     "/sys/kernel/debug/hwpoison/unpoison-pfn"
int machine_soft_offline(struct machine *m, const uint64_t *pfn, unsigned int count, uint64_t limit_ns);
int machine_unpoison(struct machine *m, const uint64_t *pfn, unsigned int count, uint64_t limit_ns);

/* Where a kernel with fault injection lets allocations fail, of slab objects and of pages
 * (Documentation/fault-injection/fault-injection.rst). */
#define MACHINE_FAIL_SLAB  "/sys/kernel/debug/failslab/"
#define MACHINE_FAIL_PAGES "/sys/kernel/debug/fail_page_alloc/"

/* Swap on a compressed RAM disk that is idle (`device`: "zram0") of `bytes`. The undo turns it off and resets
 * the disk. Returns 0 or an errno: EBUSY when the disk is in use, ENOENT when there is none, ENOPKG without
 * mkswap. */
int machine_swap(struct machine *m, const char *device, uint64_t bytes, uint64_t limit_ns);

/* Memory module `number` of a virtual machine is plugged or unplugged by its host (src/machine/dimm.h). The
 * undo brings back what it was. Returns 0; EBUSY when the kernel keeps it, ETIMEDOUT, or another errno. */
int machine_dimm(struct machine *m, unsigned int number, bool plugged, uint64_t limit_ns);

/*
 * What the target's device does from now on, below the mounted filesystem: possible where the plan put a
 * device-mapper device there (an injector that has NEED_MAPPING makes it do so). No request fails, and none
 * is lost, but for the last three ways, of which machine_fault() must have been told before. The undo lets it
 * pass everything on, as at the beginning.
 *
 * Returns 0 when it is so, of a hold when that is over; ENXIO where there is no such device; EPERM of a way
 * to fail that was not told; EBUSY when it fails already, until machine_fault_over(); or the kernel's refusal
 * (EINVAL: it has no dm-delay, or no dm-flakey).
 */
struct machine_way {
	enum {
		WAY_PLAIN,
		WAY_DELAY,
		WAY_HOLD,
		WAY_ERRORS,       /* every request is refused */
		WAY_WRITE_ERRORS, /* those that write */
		WAY_DROP,         /* those are answered as if they were done */
	} kind;
	unsigned int read_ms,
		write_ms; /* WAY_DELAY: how long each request takes at least, up to MACHINE_DELAY */
	uint64_t hold_ns; /* WAY_HOLD: requests wait so long, at most MACHINE_HOLD, then go on; the way
			     before stays */
};
#define MACHINE_DELAY 1000U
#define MACHINE_HOLD  (10 * NSEC_PER_SEC)
int machine_mapping(struct machine *m, const struct machine_way *way);

/*
 * Freeze the target (FIFREEZE): its dirty pages are written, then whoever changes it waits, unkillably, until
 * it is thawed. `root`: its root directory opened for reading; not a file, since closing one that was
 * unlinked waits for the thaw. The guard thaws it when `limit_ns` is over, counted from the moment when it
 * was frozen (0: 1 s, at most 60 s), when the asker's end of the socket is closed, and when the run ends.
 * While it is frozen the asker must not touch the target. One freeze at a time in a run.
 *
 * Returns 0, or EBUSY (it is frozen already, or just being thawed), EPERM (the machine itself or this run
 * needs that filesystem: the timeline says which), ECANCELED (the run is ending), or the kernel's refusal.
 */
int machine_freeze(struct machine *m, int root, uint64_t limit_ns);

/* End one's own freeze. Returns 0 when the target was frozen until now; ETIME when the limit or the run's end
 * was earlier; ENOENT when the asker froze nothing. Thawed it is in any of these cases. */
int machine_thaw(struct machine *m);

/*
 * The target is made to fail, for good: said before the change is made, by machine_mapping(), machine_set()
 * or a system call of the asker's own. From the answer on the guard expects what a target that fails answers
 * and what the kernel says of it: only what was synced before must be there afterwards. The workers go on for
 * `linger_ns` once it has failed. `how`: for people.
 *
 * Returns 0, or EALREADY (it has been said; in a run once), ECANCELED (the run is ending).
 */
int machine_fault(struct machine *m, const char *how, uint64_t linger_ns);

/* And the change was made, or (an errno) in vain tried. */
int machine_fault_made(struct machine *m, int err);

/* By churn, which has unmounted it: what lies below the target is whole again. Returns 0 or an errno. */
int machine_fault_over(struct machine *m);

/* A line for the timeline; no answer. */
void machine_note(struct machine *m, const char *who, const char *text);

/* All that had been done to the target at `begin` (CLOCK_MONOTONIC, ns) is on disk now, by a system call of
 * this name that succeeded. For the timeline; no answer. */
void machine_synced(struct machine *m, const char *how, uint64_t begin);

/* ---- looking: no door needed
 * ------------------------------------------------------------------------------------ */

/* First line of a small file, without the newline; -1 and errno on failure. */
int machine_read(const char *path, char *buf, size_t len);

/* The same of a setting, as it has to be written to be had again: the kernel shows some choices as
 * "always [madvise] never", and memory.oom_control of a cgroup as "oom_kill_disable 0". */
int machine_read_setting(const char *path, char *buf, size_t len);

/* The number behind a name in a file of "name number" lines (memory.stat of a cgroup), 0 if absent. */
uint64_t machine_counter(const char *path, const char *name);
uint64_t machine_vmstat(const char *name);      /* of /proc/vmstat */
uint64_t machine_meminfo_kib(const char *name); /* of /proc/meminfo */

/* The numbers in a kernel's list ("0-3,8"), as /sys/devices/system/cpu/online and its like hold it. Returns
 * how many were filled in; 0 when the file can't be read. */
size_t machine_list(const char *path, unsigned int *out, size_t room);

/* Blocks under /sys/devices/system/memory. */
struct memory_block {
	unsigned int number;
	bool online;
	char zone[16];  /* zone of its pages: "DMA32", "Normal", "Movable"; "" when offline */
	char zones[64]; /* valid_zones as the kernel gives it */
};
size_t machine_memory_blocks(struct memory_block *out, size_t room);
uint64_t machine_memory_block_size(void); /* bytes; 0: no memory hotplug here */

#endif
