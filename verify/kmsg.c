/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel log, record by record: what the kernel itself says against the target or against its own health.
 * One table of what is a finding, one of what looks like it and is harmless, each with the reason; the first
 * match counts, harmless first. What neither table knows is no finding.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/units.h"
#include "verify/verifier.h"

/* Who the line speaks of. */
enum scope {
	KERNEL, /* the whole kernel: counts whatever it names */
	DEVICE, /* a device: counts unless it names another one than the target's */
};

enum severity { FATAL, ERROR, WARNING };

struct pattern {
	const char *start; /* the line begins so; NULL: any line */
	const char *part;  /* and holds this behind it; NULL: nothing more is asked */
	enum severity severity;
	enum scope scope;
	enum finding_class class;
	const char *meaning;
};

struct harmless {
	const char *start, *part;
	const char *reason;
};

static const struct pattern patterns[] = {
	/* The kernel's own health. A migration bug may show anywhere, so these count whoever they name. */
	{"Kernel panic", NULL, FATAL, KERNEL, FINDING_KERNEL, "the kernel gave up"},
	{"kernel BUG at ", NULL, FATAL, KERNEL, FINDING_KERNEL, "an assertion of the kernel failed"},
	{"watchdog: BUG: ", "lockup", FATAL, KERNEL, FINDING_HANG, "a CPU is stuck in the kernel"},
	{"watchdog: Watchdog detected hard LOCKUP", NULL, FATAL, KERNEL, FINDING_HANG, "a CPU is stuck"},
	{"BUG: soft lockup", NULL, FATAL, KERNEL, FINDING_HANG, "a CPU is stuck in the kernel"},
	{"BUG: KASAN: ", NULL, FATAL, KERNEL, FINDING_KERNEL, "a bad memory access (KASAN)"},
	{"BUG: KCSAN: ", NULL, WARNING, KERNEL, FINDING_KERNEL, "a data race (KCSAN)"},
	{"BUG: KFENCE: ", NULL, FATAL, KERNEL, FINDING_KERNEL, "a bad memory access (KFENCE)"},
	{"BUG: ", NULL, FATAL, KERNEL, FINDING_KERNEL, "a bug of the kernel"},
	{"Oops: ", NULL, FATAL, KERNEL, FINDING_KERNEL, "an oops"},
	{"Internal error: ", NULL, FATAL, KERNEL, FINDING_KERNEL, "an oops"},
	{"Unable to handle kernel ", NULL, FATAL, KERNEL, FINDING_KERNEL, "a bad memory access"},
	{"general protection fault", NULL, FATAL, KERNEL, FINDING_KERNEL, "a bad memory access"},
	{"UBSAN: ", NULL, ERROR, KERNEL, FINDING_KERNEL, "undefined behaviour (UBSAN)"},
	{"WARNING: ", NULL, ERROR, KERNEL, FINDING_KERNEL, "an unexpected state (WARN)"},
	{"refcount_t: ", NULL, ERROR, KERNEL, FINDING_KERNEL, "a reference count went wrong"},
	{"list_add corruption", NULL, FATAL, KERNEL, FINDING_KERNEL, "a list is broken"},
	{"list_del corruption", NULL, FATAL, KERNEL, FINDING_KERNEL, "a list is broken"},
	{"rcu: INFO: ", "stall", ERROR, KERNEL, FINDING_HANG, "RCU is stalled"},
	{"INFO: rcu_", "stall", ERROR, KERNEL, FINDING_HANG, "RCU is stalled"},
	{"INFO: task ", " blocked for more than ", ERROR, KERNEL, FINDING_HANG, "a task hangs"},
	{"INFO: task ", " blocked in I/O wait for more than ", ERROR, KERNEL, FINDING_HANG, "a task hangs"},

	/* btrfs: "BTRFS error (device loop0): ...", "BTRFS: error (device loop0) in FUNCTION:LINE: errno=-5
	   ...". */
	{"BTRFS", "forced readonly", ERROR, DEVICE, FINDING_EROFS, "it went read-only"},
	{"BTRFS", "Transaction aborted", ERROR, DEVICE, FINDING_KERNEL, "a transaction was aborted"},
	{"BTRFS", "write time tree block corruption", FATAL, DEVICE, FINDING_KERNEL,
	 "a damaged metadata block was about to be written"},
	{"BTRFS", "read time tree block corruption", FATAL, DEVICE, FINDING_KERNEL,
	 "a damaged metadata block was read"},
	{"BTRFS", "parent transid verify failed", FATAL, DEVICE, FINDING_KERNEL,
	 "a metadata block of another generation than its parent says"},
	{"BTRFS", "corrupt leaf", FATAL, DEVICE, FINDING_KERNEL, "a damaged leaf"},
	{"BTRFS", "corrupt node", FATAL, DEVICE, FINDING_KERNEL, "a damaged node"},
	{"BTRFS", "csum failed", ERROR, DEVICE, FINDING_EIO, "data does not match its checksum"},
	{"BTRFS", "csum hole found", ERROR, DEVICE, FINDING_EIO, "data has no checksum where it should"},
	{"BTRFS", "checksum verify failed", ERROR, DEVICE, FINDING_EIO,
	 "metadata does not match its checksum"},
	{"BTRFS", "checksum error at", ERROR, DEVICE, FINDING_EIO, "a scrub found a wrong checksum"},
	{"BTRFS", "read error corrected", ERROR, DEVICE, FINDING_EIO,
	 "one copy was bad and was repaired from another"},
	{"BTRFS", "fixed up error at", ERROR, DEVICE, FINDING_EIO,
	 "one copy was bad and was repaired from another"},
	{"BTRFS", "unable to fixup", ERROR, DEVICE, FINDING_EIO, "a scrub found what no copy can repair"},
	{"BTRFS warning", "has bad ", ERROR, DEVICE, FINDING_KERNEL, "a scrub found a bad tree block"},
	{"BTRFS warning", "i/o error at", ERROR, DEVICE, FINDING_EIO, "the device refused"},
	{"BTRFS warning", "lost page write", ERROR, DEVICE, FINDING_EIO, "a write was lost"},
	{"BTRFS warning", "lost super block write", ERROR, DEVICE, FINDING_EIO, "a write was lost"},
	{"BTRFS warning", "direct IO failed", ERROR, DEVICE, FINDING_EIO, "the device refused"},
	{"BTRFS warning", "bad eb", ERROR, DEVICE, FINDING_KERNEL,
	 "a metadata buffer is not what it should be"},
	{"BTRFS warning", "page private not zero", ERROR, DEVICE, FINDING_KERNEL,
	 "a page is torn from its state"},
	{"BTRFS warning", "Skipping commit of aborted transaction", ERROR, DEVICE, FINDING_KERNEL,
	 "a transaction was aborted"},
	{"BTRFS error", " errs: ", ERROR, DEVICE, FINDING_EIO, "the device's error counters grew"},
	{"BTRFS error", NULL, ERROR, DEVICE, FINDING_KERNEL, "btrfs reports an error"},
	{"BTRFS: error", NULL, ERROR, DEVICE, FINDING_KERNEL, "btrfs gave up a transaction"},
	{"BTRFS critical", NULL, FATAL, DEVICE, FINDING_KERNEL, "btrfs reports damage"},
	{"BTRFS: critical", NULL, FATAL, DEVICE, FINDING_KERNEL, "btrfs reports damage"},
	{"BTRFS alert", NULL, FATAL, DEVICE, FINDING_KERNEL, "btrfs reports damage"},
	{"BTRFS emergency", NULL, FATAL, DEVICE, FINDING_KERNEL, "btrfs reports damage"},
	{"BTRFS panic", NULL, FATAL, DEVICE, FINDING_KERNEL, "btrfs reports damage"},
	{"assertion failed: ", "fs/btrfs/", FATAL, KERNEL, FINDING_KERNEL, "an assertion of btrfs failed"},

	/* ext4 and jbd2 */
	{"EXT4-fs (", "Remounting filesystem read-only", ERROR, DEVICE, FINDING_EROFS, "it went read-only"},
	{"EXT4-fs error", NULL, ERROR, DEVICE, FINDING_KERNEL, "ext4 reports damage"},
	{"EXT4-fs (", "Delayed block allocation failed", ERROR, DEVICE, FINDING_KERNEL, "data was lost"},
	{"EXT4-fs (", "potential data loss", ERROR, DEVICE, FINDING_KERNEL, "data was lost"},
	{"EXT4-fs warning", "I/O error", ERROR, DEVICE, FINDING_EIO, "the device refused"},
	{"EXT4-fs warning", "checksum", ERROR, DEVICE, FINDING_KERNEL,
	 "metadata does not match its checksum"},
	{"EXT4-fs warning", "rror ", ERROR, DEVICE, FINDING_KERNEL, "ext4 reports an error"},
	{"JBD2: ", "rror", ERROR, DEVICE, FINDING_KERNEL, "the journal reports an error"},
	{"JBD2: ", "failed", ERROR, DEVICE, FINDING_KERNEL, "the journal reports an error"},
	{"JBD2: ", "corruption", FATAL, DEVICE, FINDING_KERNEL, "the journal is damaged"},
	{"Aborting journal on device ", NULL, ERROR, DEVICE, FINDING_KERNEL, "the journal was given up"},

	/* xfs */
	{"XFS (", "orruption", FATAL, DEVICE, FINDING_KERNEL, "xfs reports damage"},
	{"XFS (", "CRC error", FATAL, DEVICE, FINDING_KERNEL, "metadata does not match its checksum"},
	{"XFS (", "I/O error", ERROR, DEVICE, FINDING_EIO, "the device refused"},
	{"XFS (", "Internal error", FATAL, DEVICE, FINDING_KERNEL, "xfs reports an unexpected state"},
	{"XFS (", "writeback error", ERROR, DEVICE, FINDING_EIO, "data was lost"},
	{"XFS (", "hut down", ERROR, DEVICE, FINDING_EROFS, "it was shut down"},
	{"XFS (", "hutting down", ERROR, DEVICE, FINDING_EROFS, "it was shut down"},
	{"XFS (", "rectify the problem", ERROR, DEVICE, FINDING_EROFS, "it was shut down"},
	{"XFS (", "run xfs_repair", FATAL, DEVICE, FINDING_KERNEL, "xfs reports damage"},
	{"XFS: Assertion failed", NULL, FATAL, KERNEL, FINDING_KERNEL, "an assertion of xfs failed"},

	/* f2fs, bcachefs */
	{"F2FS-fs (", "Stopped filesystem", ERROR, DEVICE, FINDING_EROFS, "it was shut down"},
	{"F2FS-fs (", "nconsistent", FATAL, DEVICE, FINDING_KERNEL, "f2fs reports damage"},
	{"F2FS-fs (", "orrupted", FATAL, DEVICE, FINDING_KERNEL, "f2fs reports damage"},
	{"bcachefs (", " error", ERROR, DEVICE, FINDING_KERNEL, "bcachefs reports an error"},
	{"bcachefs (", "emergency read only", ERROR, DEVICE, FINDING_EROFS, "it went read-only"},

	/* The block layer: "I/O error, dev loop0, sector 8 op 0x1:(WRITE) ...". */
	{"I/O error, dev ", NULL, ERROR, DEVICE, FINDING_EIO, "the device refused"},
	{"blk_update_request: I/O error, dev ", NULL, ERROR, DEVICE, FINDING_EIO, "the device refused"},
	{"critical space allocation error, dev ", NULL, ERROR, DEVICE, FINDING_EIO,
	 "no room below the target: the filesystem that holds its image is full"},
	{"critical ", " error, dev ", ERROR, DEVICE, FINDING_EIO, "the device refused"},
	{"protection error, dev ", NULL, ERROR, DEVICE, FINDING_EIO, "the device refused"},
	{"timeout error, dev ", NULL, ERROR, DEVICE, FINDING_EIO, "the device did not answer"},
	{"Buffer I/O error on dev", NULL, ERROR, DEVICE, FINDING_EIO, "the device refused"},
	{"loop: ", "rror", ERROR, KERNEL, FINDING_EIO, "the loop device could not write to its image"},
};

static const struct harmless harmless[] = {
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

static bool matches(const char *line, const char *start, const char *part)
{
	size_t length = start ? strlen(start) : 0;

	if (start && strncmp(line, start, length) != 0)
		return false;
	return !part || strstr(line + length, part) != NULL;
}

static bool is_harmless(const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (matches(line, harmless[i].start, harmless[i].part))
			return true;
	return false;
}

static const struct pattern *find_pattern(const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		if (matches(line, patterns[i].start, patterns[i].part))
			return &patterns[i];
	return NULL;
}

/* The device that a line names, by the ways in which filesystems and the block layer do it: "(device loop0
 * state EA)", "on device loop0-8.", ", dev loop0,", "XFS (loop0)". False: it names none. */
static bool named_device(const char *line, char *name, size_t len)
{
	static const char *const before[] = {"(device ",
					     "on device ",
					     ", dev ",
					     "on dev ",
					     "FS (",
					     "-fs (",
					     "bcachefs (",
					     "flushing file data on ",
					     "updating journal superblock for ",
					     "/dev/"};
	size_t length = 0;

	for (size_t i = 0; i < ARRAY_SIZE(before) && !length; i++) {
		const char *at = strstr(line, before[i]);

		if (!at)
			continue;
		at += strlen(before[i]);
		if (strncmp(at, "/dev/", 5) == 0)
			at += 5;
		length = strcspn(at, " ,:).");
		snprintf(name, len, "%.*s", (int)length, at);
	}
	return length > 0;
}

/* A partition of the disk, or jbd2's "loop0-8" (device and inode of the journal)? */
static bool continues(const char *whole, const char *rest)
{
	size_t digits;

	if (!isdigit((unsigned char)whole[strlen(whole) - 1]))
		rest += *rest == 'p';
	else if (*rest != 'p')
		return false;
	else
		rest++;
	digits = strspn(rest, "0123456789");
	return digits && rest[digits] == '\0';
}

/* The block layer names the disk where the filesystem names the partition. */
static bool same_device(char *named, const char *device)
{
	char *dash = strrchr(named, '-');
	size_t length;

	if (strcmp(named, device) == 0)
		return true;
	if (dash && strncmp(named, "dm-", 3) != 0)
		*dash = '\0';
	else if (dash && dash != named + 2)
		*dash = '\0'; /* "dm-0-8" */
	length = strlen(named);
	if (!length || strncmp(named, device, length) != 0)
		return false;
	return device[length] == '\0' || continues(named, device + length);
}

/* The text of a record: "prio,seq,usec,flags[,...];text\n KEY=value...". NULL: not a record, or one that a
 * process wrote to /dev/kmsg (its facility is not the kernel's). */
static const char *record_text(const char *record, char *buf, size_t len)
{
	const char *text = strchr(record, ';');
	char *end;
	unsigned long priority = strtoul(record, &end, 10);

	if (!text || end == record || *end != ',' || end > text || priority >> 3 != 0)
		return NULL;
	text++;
	snprintf(buf, len, "%.*s", (int)strcspn(text, "\n"), text);
	return buf;
}

static void fill(struct finding *f, const struct pattern *p, const char *text)
{
	static const char *const severity[] = {[FATAL] = "fatal", [ERROR] = "error", [WARNING] = "warning"};
	memset(f, 0, sizeof(*f));
	f->class = p->class;
	f->place = SEEN_LOG;
	snprintf(f->verifier, sizeof(f->verifier), "kmsg");
	snprintf(f->detail, sizeof(f->detail), "%s: %s: %.400s", severity[p->severity], p->meaning, text);
}

static bool judge_line(const char *record, const char *device, struct finding *f)
{
	char text[2048], named[64];
	const struct pattern *p;

	if (!record_text(record, text, sizeof(text)) || is_harmless(text))
		return false;
	p = find_pattern(text);
	if (!p)
		return false;
	/* A target that has no device, or none yet, is nowhere named. */
	if (p->scope == DEVICE && device && named_device(text, named, sizeof(named)) &&
	    (!*device || !same_device(named, device)))
		return false;
	fill(f, p, text);
	return true;
}

const struct verifier verifier_kmsg = {
	.name = "kmsg",
	.summary = "the kernel log: warnings, oopses, filesystem errors, hangs",
	.needs = NEED_KMSG,
	.when = VERIFY_LIVE,
	.line = judge_line,
};
