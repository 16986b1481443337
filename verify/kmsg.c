/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel log, record by record: what the kernel itself says against the target or against its own health.
 * One table of what is a finding, one of what looks like it and is harmless, each with the reason; the first
 * match counts, harmless first. What neither table knows is no finding. Lines about one bad copy of a block
 * are the affair of mirrors.c; where that verifier does not run, they are told here.
 */
#include "verify/log.h"

static const struct log_pattern patterns[] = {
	/* The kernel's own health. A migration bug may show anywhere, so these count whoever they name. */
	{"Kernel panic", NULL, LOG_FATAL, LOG_KERNEL, FINDING_KERNEL, "the kernel gave up"},
	{"kernel BUG at ", NULL, LOG_FATAL, LOG_KERNEL, FINDING_KERNEL, "an assertion of the kernel failed"},
	{"watchdog: BUG: ", "lockup", LOG_FATAL, LOG_KERNEL, FINDING_HANG, "a CPU is stuck in the kernel"},
	{"watchdog: Watchdog detected hard LOCKUP", NULL, LOG_FATAL, LOG_KERNEL, FINDING_HANG,
	 "a CPU is stuck"},
	{"BUG: soft lockup", NULL, LOG_FATAL, LOG_KERNEL, FINDING_HANG, "a CPU is stuck in the kernel"},
	{"BUG: KASAN: ", NULL, LOG_FATAL, LOG_KERNEL, FINDING_KERNEL, "a bad memory access (KASAN)"},
	{"BUG: KCSAN: ", NULL, LOG_WARNING, LOG_KERNEL, FINDING_KERNEL, "a data race (KCSAN)"},
	{"BUG: KFENCE: ", NULL, LOG_FATAL, LOG_KERNEL, FINDING_KERNEL, "a bad memory access (KFENCE)"},
	{"BUG: ", NULL, LOG_FATAL, LOG_KERNEL, FINDING_KERNEL, "a bug of the kernel"},
	{"Oops: ", NULL, LOG_FATAL, LOG_KERNEL, FINDING_KERNEL, "an oops"},
	{"Internal error: ", NULL, LOG_FATAL, LOG_KERNEL, FINDING_KERNEL, "an oops"},
	{"Unable to handle kernel ", NULL, LOG_FATAL, LOG_KERNEL, FINDING_KERNEL, "a bad memory access"},
	{"general protection fault", NULL, LOG_FATAL, LOG_KERNEL, FINDING_KERNEL, "a bad memory access"},
	{"UBSAN: ", NULL, LOG_ERROR, LOG_KERNEL, FINDING_KERNEL, "undefined behaviour (UBSAN)"},
	{"WARNING: ", NULL, LOG_ERROR, LOG_KERNEL, FINDING_KERNEL, "an unexpected state (WARN)"},
	{"refcount_t: ", NULL, LOG_ERROR, LOG_KERNEL, FINDING_KERNEL, "a reference count went wrong"},
	{"list_add corruption", NULL, LOG_FATAL, LOG_KERNEL, FINDING_KERNEL, "a list is broken"},
	{"list_del corruption", NULL, LOG_FATAL, LOG_KERNEL, FINDING_KERNEL, "a list is broken"},
	{"rcu: INFO: ", "stall", LOG_ERROR, LOG_KERNEL, FINDING_HANG, "RCU is stalled"},
	{"INFO: rcu_", "stall", LOG_ERROR, LOG_KERNEL, FINDING_HANG, "RCU is stalled"},
	{"INFO: task ", " blocked for more than ", LOG_ERROR, LOG_KERNEL, FINDING_HANG, "a task hangs"},
	{"INFO: task ", " blocked in I/O wait for more than ", LOG_ERROR, LOG_KERNEL, FINDING_HANG,
	 "a task hangs"},

	/* btrfs: "BTRFS error (device loop0): ...", "BTRFS: error (device loop0) in FUNCTION:LINE: errno=-5
	   ...". */
	{"BTRFS", "forced readonly", LOG_ERROR, LOG_DEVICE, FINDING_EROFS, "it went read-only"},
	{"BTRFS", "Transaction aborted", LOG_ERROR, LOG_DEVICE, FINDING_KERNEL, "a transaction was aborted"},
	{"BTRFS", "write time tree block corruption", LOG_FATAL, LOG_DEVICE, FINDING_KERNEL,
	 "a damaged metadata block was about to be written"},
	{"BTRFS", "read time tree block corruption", LOG_FATAL, LOG_DEVICE, FINDING_KERNEL,
	 "a damaged metadata block was read"},
	{"BTRFS", "parent transid verify failed", LOG_FATAL, LOG_DEVICE, FINDING_KERNEL,
	 "a metadata block of another generation than its parent says"},
	{"BTRFS", "corrupt leaf", LOG_FATAL, LOG_DEVICE, FINDING_KERNEL, "a damaged leaf"},
	{"BTRFS", "corrupt node", LOG_FATAL, LOG_DEVICE, FINDING_KERNEL, "a damaged node"},
	{"BTRFS warning", "i/o error at", LOG_ERROR, LOG_DEVICE, FINDING_EIO, "the device refused"},
	{"BTRFS warning", "lost page write", LOG_ERROR, LOG_DEVICE, FINDING_EIO, "a write was lost"},
	{"BTRFS warning", "lost super block write", LOG_ERROR, LOG_DEVICE, FINDING_EIO, "a write was lost"},
	{"BTRFS warning", "direct IO failed", LOG_ERROR, LOG_DEVICE, FINDING_EIO, "the device refused"},
	{"BTRFS warning", "bad eb", LOG_ERROR, LOG_DEVICE, FINDING_KERNEL,
	 "a metadata buffer is not what it should be"},
	{"BTRFS warning", "page private not zero", LOG_ERROR, LOG_DEVICE, FINDING_KERNEL,
	 "a page is torn from its state"},
	{"BTRFS warning", "Skipping commit of aborted transaction", LOG_ERROR, LOG_DEVICE, FINDING_KERNEL,
	 "a transaction was aborted"},
	{"BTRFS error", " errs: ", LOG_ERROR, LOG_DEVICE, FINDING_EIO, "the device's error counters grew"},
	{"BTRFS error", NULL, LOG_ERROR, LOG_DEVICE, FINDING_KERNEL, "btrfs reports an error"},
	{"BTRFS: error", NULL, LOG_ERROR, LOG_DEVICE, FINDING_KERNEL, "btrfs gave up a transaction"},
	{"BTRFS critical", NULL, LOG_FATAL, LOG_DEVICE, FINDING_KERNEL, "btrfs reports damage"},
	{"BTRFS: critical", NULL, LOG_FATAL, LOG_DEVICE, FINDING_KERNEL, "btrfs reports damage"},
	{"BTRFS alert", NULL, LOG_FATAL, LOG_DEVICE, FINDING_KERNEL, "btrfs reports damage"},
	{"BTRFS emergency", NULL, LOG_FATAL, LOG_DEVICE, FINDING_KERNEL, "btrfs reports damage"},
	{"BTRFS panic", NULL, LOG_FATAL, LOG_DEVICE, FINDING_KERNEL, "btrfs reports damage"},
	{"assertion failed: ", "fs/btrfs/", LOG_FATAL, LOG_KERNEL, FINDING_KERNEL,
	 "an assertion of btrfs failed"},

	/* ext4 and jbd2 */
	{"EXT4-fs (", "Remounting filesystem read-only", LOG_ERROR, LOG_DEVICE, FINDING_EROFS,
	 "it went read-only"},
	{"EXT4-fs error", NULL, LOG_ERROR, LOG_DEVICE, FINDING_KERNEL, "ext4 reports damage"},
	{"EXT4-fs (", "Delayed block allocation failed", LOG_ERROR, LOG_DEVICE, FINDING_KERNEL,
	 "data was lost"},
	{"EXT4-fs (", "potential data loss", LOG_ERROR, LOG_DEVICE, FINDING_KERNEL, "data was lost"},
	{"EXT4-fs warning", "I/O error", LOG_ERROR, LOG_DEVICE, FINDING_EIO, "the device refused"},
	{"EXT4-fs warning", "checksum", LOG_ERROR, LOG_DEVICE, FINDING_KERNEL,
	 "metadata does not match its checksum"},
	{"EXT4-fs warning", "rror ", LOG_ERROR, LOG_DEVICE, FINDING_KERNEL, "ext4 reports an error"},
	{"JBD2: ", "rror", LOG_ERROR, LOG_DEVICE, FINDING_KERNEL, "the journal reports an error"},
	{"JBD2: ", "failed", LOG_ERROR, LOG_DEVICE, FINDING_KERNEL, "the journal reports an error"},
	{"JBD2: ", "corruption", LOG_FATAL, LOG_DEVICE, FINDING_KERNEL, "the journal is damaged"},
	{"Aborting journal on device ", NULL, LOG_ERROR, LOG_DEVICE, FINDING_KERNEL,
	 "the journal was given up"},

	/* xfs */
	{"XFS (", "orruption", LOG_FATAL, LOG_DEVICE, FINDING_KERNEL, "xfs reports damage"},
	{"XFS (", "CRC error", LOG_FATAL, LOG_DEVICE, FINDING_KERNEL, "metadata does not match its checksum"},
	{"XFS (", "I/O error", LOG_ERROR, LOG_DEVICE, FINDING_EIO, "the device refused"},
	{"XFS (", "Internal error", LOG_FATAL, LOG_DEVICE, FINDING_KERNEL, "xfs reports an unexpected state"},
	{"XFS (", "writeback error", LOG_ERROR, LOG_DEVICE, FINDING_EIO, "data was lost"},
	{"XFS (", "hut down", LOG_ERROR, LOG_DEVICE, FINDING_EROFS, "it was shut down"},
	{"XFS (", "hutting down", LOG_ERROR, LOG_DEVICE, FINDING_EROFS, "it was shut down"},
	{"XFS (", "rectify the problem", LOG_ERROR, LOG_DEVICE, FINDING_EROFS, "it was shut down"},
	{"XFS (", "run xfs_repair", LOG_FATAL, LOG_DEVICE, FINDING_KERNEL, "xfs reports damage"},
	{"XFS: Assertion failed", NULL, LOG_FATAL, LOG_KERNEL, FINDING_KERNEL, "an assertion of xfs failed"},

	/* f2fs, bcachefs */
	{"F2FS-fs (", "Stopped filesystem", LOG_ERROR, LOG_DEVICE, FINDING_EROFS, "it was shut down"},
	{"F2FS-fs (", "nconsistent", LOG_FATAL, LOG_DEVICE, FINDING_KERNEL, "f2fs reports damage"},
	{"F2FS-fs (", "orrupted", LOG_FATAL, LOG_DEVICE, FINDING_KERNEL, "f2fs reports damage"},
	{"bcachefs (", " error", LOG_ERROR, LOG_DEVICE, FINDING_KERNEL, "bcachefs reports an error"},
	{"bcachefs (", "emergency read only", LOG_ERROR, LOG_DEVICE, FINDING_EROFS, "it went read-only"},

	/* The block layer: "I/O error, dev loop0, sector 8 op 0x1:(WRITE) ...". */
	{"I/O error, dev ", NULL, LOG_ERROR, LOG_DEVICE, FINDING_EIO, "the device refused"},
	{"blk_update_request: I/O error, dev ", NULL, LOG_ERROR, LOG_DEVICE, FINDING_EIO,
	 "the device refused"},
	{"critical space allocation error, dev ", NULL, LOG_ERROR, LOG_DEVICE, FINDING_EIO,
	 "no room below the target: the filesystem that holds its image is full"},
	{"critical ", " error, dev ", LOG_ERROR, LOG_DEVICE, FINDING_EIO, "the device refused"},
	{"protection error, dev ", NULL, LOG_ERROR, LOG_DEVICE, FINDING_EIO, "the device refused"},
	{"timeout error, dev ", NULL, LOG_ERROR, LOG_DEVICE, FINDING_EIO, "the device did not answer"},
	{"Buffer I/O error on dev", NULL, LOG_ERROR, LOG_DEVICE, FINDING_EIO, "the device refused"},
	{"loop: ", "rror", LOG_ERROR, LOG_KERNEL, FINDING_EIO,
	 "the loop device could not write to its image"},
};

static const struct log_harmless harmless[] = {
	{"BTRFS info", " errs: ", "counters of the past, shown when a device is mounted"},
	{"BTRFS warning", "space cache", "an old option"},
	{"BTRFS warning", "wrong amount of free space", "the free space cache of v1, rebuilt"},
	{"BTRFS error", "open_ctree failed", "follows the error that says why"},
	{"BTRFS error", "balance: ", "a balance that was refused or cancelled: an answer to its caller"},
	{"EXT4-fs warning", "ndex full", "a directory as large as its format allows: ENOSPC for the caller"},
	{"EXT4-fs warning", "maximal mount count reached", "advice"},
	{"EXT4-fs warning", "checktime reached", "advice"},
	{"XFS: ", "possible memory allocation deadlock", "memory is scarce; xfs waits and tries again"},
	{"XFS (", "Ending clean mount", "the ordinary end of a mount"},
	{"WARNING: can't access registers at ", NULL, "the unwinder's trouble with a stack trace"},
	{"WARNING: stack recursion", NULL, "the unwinder's trouble with a stack trace"},
	{"WARNING: kernel stack ", NULL, "the unwinder's trouble with a stack trace"},
	{NULL, ": page allocation failure: ", "memory is scarce; the caller gets ENOMEM or tries again"},
	{NULL, ": page allocation stalls for ", "memory is scarce"},
	{"warn_alloc: ", NULL, "suppressed repetitions of page allocation failures"},
	{"Out of memory: ", NULL,
	 "memory is scarce: if it hits a process of the run, the guard reports its death"},
	{"Memory cgroup out of memory: ", NULL,
	 "a cgroup's limit: if it hits the churn, the guard reports its death"},
	{NULL, " invoked oom-killer: ", "memory is scarce"},
	{"Offlined Pages ", NULL, "memory hotplug, asked for"},
	{"Built ", " zonelists, mobility grouping", "memory hotplug, asked for"},
	{"Fallback order for Node ", NULL, "memory hotplug, asked for"},
	{"Policy zone: ", NULL, "memory hotplug, asked for"},
	{"memory offlining ", " failed due to ",
	 "an attempt that was refused or given up: nothing was moved"},
	{"migrating pfn ",
	 " failed ret:", "a page that was busy when a block was to go offline: tried again"},
	{"page: refcount:", NULL, "dump_page() of a page that could not be moved"},
	{"page:", " refcount:", "dump_page() of a page that could not be moved"},
	{"head: ", NULL, "dump_page()"},
	{"raw: ", NULL, "dump_page()"},
	{"flags: ", NULL, "dump_page()"},
	{"aops:", NULL, "dump_page()"},
	{"page dumped because: migration failure", NULL, "dump_page() of a page that could not be moved"},
	{"page dumped because: unmovable page", NULL, "dump_page() of a page that could not be moved"},
	{"page_owner", NULL, "dump_page()"},
	{"operation not supported error, dev ", NULL,
	 "a discard or zeroing that the image can't do; the kernel does without"},
};

static const struct log_pattern *find(const char *text)
{
	const struct log_pattern *p;

	if (log_is_harmless(text, harmless, ARRAY_SIZE(harmless)))
		return NULL;
	p = log_about_mirrors(text);
	return p ? p : log_find(text, patterns, ARRAY_SIZE(patterns));
}

static bool judge_line(const char *record, const char *device, struct finding *f)
{
	return log_judge(record, device, "kmsg", find, f);
}

const struct verifier verifier_kmsg = {
	.name = "kmsg",
	.summary = "the kernel log: warnings, oopses, filesystem errors, hangs",
	.needs = NEED_KMSG,
	.when = VERIFY_LIVE,
	.line = judge_line,
};
