/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines as kernels print them: from 6.18 with images damaged on purpose, from the kernel's source where that
 * can't be done safely, and from public reports. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "verify/verifier.h"

extern const struct verifier verifier_kmsg, verifier_mirrors;

static bool judge_as(const char *header, const char *text, const char *device, struct finding *f)
{
	char record[4096];

	snprintf(record, sizeof(record), "%s;%s\n SUBSYSTEM=block\n DEVICE=b7:0\n", header, text);
	return verifier_kmsg.line(record, device, f);
}

static bool judge(const char *text, struct finding *f)
{
	return judge_as("3,1234,5678901,-", text, "loop0", f);
}

struct sample {
	enum finding_class class;
	const char *severity, *text;
};

static const struct sample findings[] = {
	{FINDING_KERNEL, "fatal", "Kernel panic - not syncing: Fatal exception"},
	{FINDING_KERNEL, "fatal", "kernel BUG at fs/btrfs/ctree.c:3165!"},
	{FINDING_KERNEL, "fatal", "BUG: kernel NULL pointer dereference, address: 0000000000000008"},
	{FINDING_KERNEL, "fatal", "BUG: unable to handle page fault for address: ffffea0004c3a034"},
	{FINDING_KERNEL, "fatal", "BUG: Bad page state in process kswapd0  pfn:1c2f3b"},
	{FINDING_KERNEL, "fatal", "BUG: Bad rss-counter state mm:00000000d2c3e1a5 type:MM_FILEPAGES val:1"},
	{FINDING_KERNEL, "fatal",
	 "BUG: KASAN: slab-use-after-free in btrfs_release_extent_buffer_pages+0x1a/0x40"},
	{FINDING_KERNEL, "fatal", "BUG: KFENCE: use-after-free read in btrfs_search_slot+0x1f/0x900"},
	{FINDING_KERNEL, "warning", "BUG: KCSAN: data-race in migrate_folio_extra / set_page_dirty"},
	{FINDING_KERNEL, "fatal", "Oops: 0002 [#1] PREEMPT SMP NOPTI"},
	{FINDING_KERNEL, "fatal",
	 "Oops: general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP"},
	{FINDING_KERNEL, "fatal",
	 "general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP"},
	{FINDING_KERNEL, "fatal", "Internal error: Oops: 0000000096000004 [#1] SMP"},
	{FINDING_KERNEL, "fatal", "Unable to handle kernel paging request at virtual address ffff00000804"},
	{FINDING_KERNEL, "error", "UBSAN: array-index-out-of-bounds in fs/btrfs/volumes.c:1234:5"},
	{FINDING_KERNEL, "error",
	 "WARNING: CPU: 1 PID: 4711 at fs/btrfs/disk-io.c:301 btree_csum_one_bio+0x1a3/0x2c0"},
	{FINDING_KERNEL, "error",
	 "WARNING: fs/btrfs/extent_io.c:1723 at write_one_eb+0x1f/0x2, CPU#0: recow/4711"},
	{FINDING_KERNEL, "error", "WARNING: possible circular locking dependency detected"},
	{FINDING_KERNEL, "error", "refcount_t: underflow; use-after-free."},
	{FINDING_KERNEL, "fatal",
	 "list_del corruption. prev->next should be ffff888104, but was dead000000000100."},
	{FINDING_KERNEL, "fatal", "list_add corruption. next->prev should be prev (ffff8881), but was 0000."},
	{FINDING_HANG, "fatal", "watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [kworker/u4:3:1234]"},
	{FINDING_HANG, "fatal", "BUG: soft lockup - CPU#1 stuck for 22s! [btrfs-transacti:812]"},
	{FINDING_HANG, "fatal", "watchdog: Watchdog detected hard LOCKUP on cpu 1"},
	{FINDING_HANG, "error", "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:"},
	{FINDING_HANG, "error", "rcu: INFO: rcu_preempt self-detected stall on CPU"},
	{FINDING_HANG, "error",
	 "INFO: rcu_sched detected expedited stalls on CPUs/tasks: { 1-... } 6 jiffies"},
	{FINDING_HANG, "error", "INFO: task recow:1234 blocked for more than 120 seconds."},
	{FINDING_HANG, "error", "INFO: task recow:1234 blocked in I/O wait for more than 120 seconds."},

	{FINDING_EROFS, "error", "BTRFS info (device loop0 state EA): forced readonly"},
	{FINDING_KERNEL, "error", "BTRFS error (device loop0 state A): Transaction aborted (error -5)"},
	{FINDING_KERNEL, "error", "BTRFS: Transaction aborted (error -2)"},
	{FINDING_KERNEL, "fatal",
	 "BTRFS error (device loop0): block=313769984 write time tree block corruption detected"},
	{FINDING_KERNEL, "fatal",
	 "BTRFS error (device loop0): read time tree block corruption detected on logical 300619284480 "
	 "mirror 1"},
	{FINDING_KERNEL, "fatal",
	 "BTRFS error (device loop0): parent transid verify failed on 30736384 wanted 10 found 8"},
	{FINDING_KERNEL, "fatal",
	 "BTRFS critical (device loop0): corrupt leaf: root=2 block=1029783552 slot=1, unexpected item end, "
	 "have 16161 "
	 "expect 16250"},
	{FINDING_KERNEL, "fatal",
	 "BTRFS critical (device loop0): corrupt node: root=5 block=30638080 slot=0, bad key order"},
	{FINDING_EIO, "error",
	 "BTRFS warning (device loop0): csum failed root 5 ino 257 off 12288 csum 0x54afdf87 expected csum "
	 "0x3167cb19 "
	 "mirror 1"},
	{FINDING_EIO, "error",
	 "BTRFS warning (device loop0): csum hole found for disk bytenr range [13631488, 13635584)"},
	{FINDING_EIO, "error",
	 "BTRFS warning (device loop0): checksum verify failed on logical 30720000 mirror 1 wanted "
	 "0x48e82eeb found "
	 "0xbc8e2e24 level 0"},
	{FINDING_EIO, "error",
	 "BTRFS warning (device loop0): scrub: checksum error at logical 13631488 on dev /dev/loop0, "
	 "physical 13631488 "
	 "root 5 inode 257 offset 0 length 4096 links 1 (path: f)"},
	{FINDING_EIO, "error",
	 "BTRFS info (device loop0): read error corrected: ino 257 off 12288 (dev /dev/loop0 sector 206872)"},
	{FINDING_EIO, "error",
	 "BTRFS error (device loop0): fixed up error at logical 13631488 on dev /dev/loop0 physical "
	 "13631488"},
	{FINDING_EIO, "error",
	 "BTRFS error (device loop0): scrub: unable to fixup (regular) error at logical 13631488 on dev "
	 "/dev/loop0 physical "
	 "13631488"},
	{FINDING_KERNEL, "error",
	 "BTRFS warning (device loop0): tree block 30490624 mirror 1 has bad bytenr, has 0 want 30490624"},
	{FINDING_EIO, "error",
	 "BTRFS warning (device loop0): i/o error at logical 1104 on dev /dev/loop0, physical 1104 root 5 "
	 "inode 257"},
	{FINDING_EIO, "error",
	 "BTRFS warning (device loop0): lost page write due to IO error on /dev/loop0 (-5)"},
	{FINDING_EIO, "error",
	 "BTRFS warning (device loop0): lost super block write due to IO error on /dev/loop0 (-5)"},
	{FINDING_EIO, "error",
	 "BTRFS warning (device loop0): direct IO failed ino 257 op 0x0 offset 0x0 len 4096 err no 10"},
	{FINDING_KERNEL, "error", "BTRFS warning (device loop0): bad eb owner, have 0 expect 5"},
	{FINDING_KERNEL, "error", "BTRFS warning (device loop0): page private not zero on page 30490624"},
	{FINDING_KERNEL, "error",
	 "BTRFS warning (device loop0 state EA): Skipping commit of aborted transaction."},
	{FINDING_EIO, "error",
	 "BTRFS error (device loop0): bdev /dev/loop0 errs: wr 0, rd 0, flush 0, corrupt 1, gen 0"},
	{FINDING_KERNEL, "error",
	 "BTRFS error (device loop0 state EA): failed to run delayed ref for logical 1064960 num_bytes 16384 "
	 "type 176 "
	 "action 2 ref_mod 1: -5"},
	{FINDING_KERNEL, "error",
	 "BTRFS: error (device loop0 state A) in btrfs_add_to_free_space_tree:1050: errno=-5 IO failure"},
	{FINDING_KERNEL, "fatal",
	 "BTRFS: critical (device loop0) in btrfs_commit_transaction:2564: errno=-117"},
	{FINDING_KERNEL, "fatal", "BTRFS critical (device loop0): unable to find logical 4096 length 4096"},
	{FINDING_KERNEL, "fatal", "BTRFS alert (device loop0): unexpected"},
	{FINDING_KERNEL, "fatal", "BTRFS emergency (device loop0): unexpected"},
	{FINDING_KERNEL, "fatal",
	 "BTRFS panic (device loop0) in __set_extent_bit:1142: errno=-17 Object already exists"},
	{FINDING_KERNEL, "fatal", "assertion failed: folio_test_locked(folio), in fs/btrfs/extent_io.c:1723"},

	{FINDING_EROFS, "error", "EXT4-fs (loop0): Remounting filesystem read-only"},
	{FINDING_KERNEL, "error",
	 "EXT4-fs error (device loop0): htree_dirblock_to_tree:1051: inode #12: comm ls: Directory block "
	 "failed checksum"},
	{FINDING_KERNEL, "error",
	 "EXT4-fs (loop0): Delayed block allocation failed for inode 12 at logical offset 0 with max blocks "
	 "1 with error 117"},
	{FINDING_KERNEL, "error",
	 "EXT4-fs (loop0): failed to convert unwritten extents to written extents -- potential data loss!  "
	 "(inode 12, error "
	 "-5)"},
	{FINDING_EIO, "error",
	 "EXT4-fs warning (device loop0): ext4_end_bio:343: I/O error 10 writing to inode 12 starting block "
	 "8738)"},
	{FINDING_KERNEL, "error",
	 "EXT4-fs warning (device loop0): ext4_dirblock_csum_verify:375: inode #12: comm ls: No space for "
	 "directory leaf "
	 "checksum. Please run e2fsck -D."},
	{FINDING_KERNEL, "error",
	 "EXT4-fs warning (device loop0): dx_probe:824: inode #2: lblock 1: comm ls: error -5 reading"},
	{FINDING_KERNEL, "error", "JBD2: Detected IO errors while flushing file data on loop0-8"},
	{FINDING_KERNEL, "error", "JBD2: I/O error when updating journal superblock for loop0-8."},
	{FINDING_KERNEL, "error", "JBD2: recovery failed"},
	{FINDING_KERNEL, "fatal", "JBD2: Invalid checksum recovering data block 12 in log: corruption"},
	{FINDING_KERNEL, "error", "Aborting journal on device loop0-8."},

	{FINDING_KERNEL, "fatal",
	 "XFS (loop0): Metadata CRC error detected at xfs_dir3_data_read_verify+0x71/0x100, xfs_dir3_data "
	 "block 0x78 "},
	{FINDING_KERNEL, "fatal",
	 "XFS (loop0): Metadata corruption detected at xfs_dinode_verify.part.0+0x172/0x640, inode "
	 "0x14506b6d dinode"},
	{FINDING_KERNEL, "fatal",
	 "XFS (loop0): Corruption of in-memory data (0x8) detected at xfs_defer_finish_noroll"},
	{FINDING_KERNEL, "fatal", "XFS (loop0): Unmount and run xfs_repair"},
	{FINDING_EIO, "error",
	 "XFS (loop0): metadata I/O error in \"xfs_da_read_buf+0xea/0x180\" at daddr 0x78 len 8 error 74"},
	{FINDING_KERNEL, "fatal",
	 "XFS (loop0): Internal error xfs_trans_cancel at line 1051 of file fs/xfs/xfs_trans.c."},
	{FINDING_EIO, "error", "XFS (loop0): writeback error on inode 131, offset 0, sector 120"},
	{FINDING_EROFS, "error",
	 "XFS (loop0): Metadata I/O Error (0x1) detected at xfs_trans_read_buf_map+0x1c1/0x330 "
	 "(fs/xfs/xfs_trans_buf.c:311).  Shutting down filesystem."},
	{FINDING_EROFS, "error", "XFS (loop0): Filesystem has been shut down due to log error (0x2)."},
	{FINDING_EROFS, "error", "XFS (loop0): Please unmount the filesystem and rectify the problem(s)"},
	{FINDING_KERNEL, "fatal",
	 "XFS: Assertion failed: ip->i_nblocks == 0, file: fs/xfs/xfs_inode.c, line: 1739"},

	{FINDING_EROFS, "error", "F2FS-fs (loop0): Stopped filesystem due to reason: 3"},
	{FINDING_KERNEL, "fatal",
	 "F2FS-fs (loop0): inconsistent node block, nid:5, node_footer[nid:0,ino:0]"},
	{FINDING_KERNEL, "fatal", "F2FS-fs (loop0): corrupted directory depth: 7"},
	{FINDING_KERNEL, "error", "bcachefs (loop0): btree node read error for inodes"},
	{FINDING_EROFS, "error", "bcachefs (loop0): emergency read only at journal seq 12"},

	{FINDING_EIO, "error",
	 "I/O error, dev loop0, sector 474056 op 0x1:(WRITE) flags 0x4000 phys_seg 20 prio class 2"},
	{FINDING_EIO, "error",
	 "blk_update_request: I/O error, dev loop0, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1"},
	{FINDING_EIO, "error",
	 "critical space allocation error, dev loop0, sector 474056 op 0x1:(WRITE) flags 0x4000 phys_seg 20 "
	 "prio class 2"},
	{FINDING_EIO, "error",
	 "critical medium error, dev loop0, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2"},
	{FINDING_EIO, "error",
	 "protection error, dev loop0, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2"},
	{FINDING_EIO, "error",
	 "timeout error, dev loop0, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2"},
	{FINDING_EIO, "error", "Buffer I/O error on dev loop0, logical block 8, lost async page write"},
	{FINDING_EIO, "error", "loop: Write error at byte offset 4096, length 4096."},
};

static void findings_are_found(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(findings); i++) {
		const struct sample *s = &findings[i];
		struct finding f;

		if (!judge(s->text, &f))
			fail_msg("missed: %s", s->text);
		if (f.class != s->class)
			fail_msg("class %d instead of %d: %s", f.class, s->class, s->text);
		if (strncmp(f.detail, s->severity, strlen(s->severity)) != 0)
			fail_msg("not %s: %s", s->severity, f.detail);
		assert_non_null(strstr(f.detail, s->text));
		assert_string_equal(f.verifier, "kmsg");
		assert_int_equal(f.place, SEEN_LOG);
	}
}

static const char *const ordinary[] = {
	"loop0: detected capacity change from 0 to 1048576",
	"BTRFS: device fsid fd92fc5e-2fac-4edc-ab8e-1c35e907fdae devid 1 transid 6 /dev/loop0 (7:0) scanned "
	"by mount (6723)",
	"BTRFS info (device loop0): first mount of filesystem fd92fc5e-2fac-4edc-ab8e-1c35e907fdae",
	"BTRFS info (device loop0): using crc32c (crc32c-lib) checksum algorithm",
	"BTRFS info (device loop0): checking UUID tree",
	"BTRFS info (device loop0): enabling free space tree",
	"BTRFS info (device loop0): scrub: finished on devid 1 with status: 0",
	"BTRFS info (device loop0): balance: start -d -m -s",
	"BTRFS info (device loop0): 2 enospc errors during balance",
	"BTRFS info (device loop0): last unmount of filesystem fd92fc5e-2fac-4edc-ab8e-1c35e907fdae",
	"BTRFS info (device loop0): bdev /dev/loop0 errs: wr 0, rd 0, flush 0, corrupt 1, gen 0",
	"BTRFS warning (device loop0): space cache v1 is being deprecated and will be removed in a future "
	"release",
	"BTRFS warning (device loop0): failed to load free space cache for block group 1104150528, "
	"rebuilding it now",
	"BTRFS warning (device loop0): block group 1104150528 has wrong amount of free space",
	"BTRFS error (device loop0): open_ctree failed: -22",
	"BTRFS error (device loop0): balance: invalid convert data profile raid1",
	"EXT4-fs (loop0): mounted filesystem 06468737-6bb3-48ff-800f-4fb81fc49836 r/w with ordered data "
	"mode. Quota mode: "
	"none.",
	"EXT4-fs (loop0): unmounting filesystem 06468737-6bb3-48ff-800f-4fb81fc49836.",
	"EXT4-fs (loop0): errors=remount-ro",
	"EXT4-fs warning (device loop0): ext4_dx_add_entry:2542: inode #2: comm recow: Directory (ino: 2) "
	"index full, reach "
	"max htree level :2",
	"EXT4-fs warning (device loop0): ext4_setup_super:2300: maximal mount count reached, running e2fsck "
	"is recommended",
	"EXT4-fs warning (device loop0): ext4_setup_super: checktime reached, running e2fsck is recommended",
	"XFS (loop0): Mounting V5 Filesystem 387c29e2-f53c-4523-bbf8-d00117d87edd",
	"XFS (loop0): Ending clean mount",
	"XFS (loop0): Unmounting Filesystem 387c29e2-f53c-4523-bbf8-d00117d87edd",
	"XFS: recow(123) possible memory allocation deadlock size 4096 in kmem_alloc (mode:0x2408240)",
	"WARNING: can't access registers at entry_SYSCALL_64_after_hwframe+0x76/0x7e",
	"WARNING: stack recursion on stack type 4",
	"WARNING: kernel stack regs at 0000000012345678 in recow:123 has bad 'bp' value",
	"kworker/0:1: page allocation failure: order:0, mode:0x40820(GFP_ATOMIC|__GFP_COMP), "
	"nodemask=(null),cpuset=/",
	"recow: page allocation stalls for 10012ms, order:0",
	"warn_alloc: 3 callbacks suppressed",
	"recow invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
	"Out of memory: Killed process 123 (recow) total-vm:1234kB, anon-rss:123kB, file-rss:0kB, "
	"shmem-rss:0kB",
	"Memory cgroup out of memory: Killed process 123 (recow) total-vm:1234kB, anon-rss:123kB",
	"Offlined Pages 32768",
	"Built 1 zonelists, mobility grouping on.  Total pages: 6127616",
	"Fallback order for Node 0: 0 ",
	"Policy zone: Normal",
	"memory offlining [mem 0x18000000-0x1fffffff] failed due to signal backoff",
	"migrating pfn 1b2c3 failed ret:1",
	"page: refcount:3 mapcount:0 mapping:00000000c1d2e3f4 index:0x5 pfn:0x1b2c3",
	"page:0000000012345678 refcount:3 mapcount:0 mapping:00000000c1d2e3f4 index:0x5 pfn:0x1b2c3",
	"head: order:2 mapcount:0 entire_mapcount:0 nr_pages_mapped:0 pincount:0",
	"raw: 000fffffc0000000 dead000000000100 dead000000000122 0000000000000000",
	"flags: 0x200000000000214(referenced|dirty|workingset|zone=1)",
	"aops:btree_aops ino:1",
	"page dumped because: migration failure",
	"page dumped because: unmovable page",
	"page_owner tracks the page as allocated",
	"operation not supported error, dev loop0, sector 0 op 0x9:(WRITE_ZEROES) flags 0x800 phys_seg 0 "
	"prio class 2",
	"idle-reclaim (89): drop_caches: 1",
	"Calibrating delay loop... 5000.00 BogoMIPS (loops_per_jiffy=10000000)",
	"------------[ cut here ]------------",
	"Call Trace:",
	"Modules linked in: btrfs xor raid6_pq",
	"clocksource: timekeeping watchdog on CPU0: Marking clocksource 'tsc' as unstable because the skew "
	"is too large:",
	"",
};

static void ordinary_lines_are_not(void **state)
{
	struct finding f;

	for (size_t i = 0; i < ARRAY_SIZE(ordinary); i++)
		if (judge(ordinary[i], &f))
			fail_msg("false alarm: %s", f.detail);
}

static void assert_blamed(const char *text, const char *device, bool expected)
{
	struct finding f;

	if (judge_as("4,1,2,-,caller=T77", text, device, &f) != expected)
		fail_msg("%s on %s: %s", text, device, expected ? "missed" : "false alarm");
}

static void other_devices_are_not_blamed(void **state)
{
	assert_blamed("BTRFS error (device sdb1): bdev /dev/sdb1 errs: wr 1, rd 0, flush 0, corrupt 0, gen 0",
		      "loop0", false);
	assert_blamed("BTRFS error (device loop1): open_ctree: bad", "loop10", false);
	assert_blamed("BTRFS error (device loop10): open_ctree: bad", "loop1", false);
	assert_blamed("BTRFS info (device dm-3 state E): forced readonly", "dm-2", false);
	assert_blamed("BTRFS info (device dm-2 state E): forced readonly", "dm-2", true);
	assert_blamed("EXT4-fs (vda): Remounting filesystem read-only", "loop0", false);
	assert_blamed("XFS (vda1): Metadata corruption detected at x", "loop0", false);
	assert_blamed("I/O error, dev vda, sector 8 op 0x0:(READ) flags 0x0", "loop0", false);
	assert_blamed("Aborting journal on device vda-8.", "loop0", false);
	assert_blamed("BTRFS error: failed to open device for path /dev/loop1 with flags 0x23: -13", "loop0",
		      false);
	assert_blamed("BTRFS error: failed to open device for path /dev/loop0 with flags 0x23: -13", "loop0",
		      true);
	assert_blamed("Aborting journal on device dm-1-8.", "dm-1", true);
	assert_blamed("Aborting journal on device dm-1-8.", "dm-0", false);
	assert_blamed("JBD2: Detected IO errors while flushing file data on sda2-8", "sda2", true);
	assert_blamed("JBD2: Detected IO errors while flushing file data on sda2-8", "sda3", false);
	/* The block layer names the whole disk. */
	assert_blamed("I/O error, dev sda, sector 8 op 0x0:(READ) flags 0x0", "sda1", true);
	assert_blamed("I/O error, dev sda, sector 8 op 0x0:(READ) flags 0x0", "sdaa1", false);
	assert_blamed("I/O error, dev nvme0n1, sector 8 op 0x0:(READ) flags 0x0", "nvme0n1p2", true);
	assert_blamed("I/O error, dev nvme0n1, sector 8 op 0x0:(READ) flags 0x0", "nvme0n12", false);
	/* A target without a device (tmpfs), and lines without one. */
	assert_blamed("BTRFS error (device sdb1): anything", "", false);
	assert_blamed("BTRFS error: anything", "", true);
	assert_blamed("kernel BUG at mm/migrate.c:100!", "", true);
	assert_blamed("BTRFS: Transaction aborted (error -2)", "loop0", true);
	assert_blamed("kernel BUG at fs/btrfs/ctree.c:3165!", "loop0", true);
}

static void records_are_parsed(void **state)
{
	struct finding f;

	assert_true(judge_as("4,339,5140900,c", "kernel BUG at mm/migrate.c:1!", "loop0", &f));
	assert_true(verifier_kmsg.line("2,1,1,-;Oops: 0000 [#1] SMP", "loop0", &f));
	/* The facility is not the kernel's: a process wrote it to /dev/kmsg. */
	assert_false(judge_as("12,339,5140900,-", "kernel BUG at mm/migrate.c:1!", "loop0", &f));
	/* Only the text counts, not the keys behind it. */
	assert_false(verifier_kmsg.line("6,1,1,-;fine\n NOTE=x\nOops: 0000\n", "loop0", &f));
	assert_false(verifier_kmsg.line("", "loop0", &f));
	assert_false(verifier_kmsg.line("kernel BUG at mm/migrate.c:1!", "loop0", &f));
	assert_false(verifier_kmsg.line(";Oops: 0000", "loop0", &f));
	assert_false(verifier_kmsg.line("x,1,1,-;Oops: 0000", "loop0", &f));
}

static void long_lines_are_cut(void **state)
{
	char text[3000];
	struct finding f;

	memset(text, 'x', sizeof(text));
	memcpy(text, "Oops: ", 6);
	text[sizeof(text) - 1] = '\0';
	assert_true(judge(text, &f));
	assert_in_range(strlen(f.detail), 300, sizeof(f.detail) - 1);
}

/* Lines about one bad copy are those of `mirrors`; where it does not run, kmsg tells them, in the same words.
 */
static void copies_are_told_by_mirrors(void **state)
{
	static const char *const copies[] = {
		"BTRFS warning (device loop0): csum failed root 5 ino 257 off 12288 csum 0x54 expected csum "
		"0x31 mirror 1",
		"BTRFS warning (device loop0): checksum verify failed on logical 30720000 mirror 1 wanted "
		"0x48 found 0xbc level 0",
		"BTRFS info (device loop0): read error corrected: ino 257 off 12288 (dev /dev/loop0 sector "
		"206872)",
		"BTRFS error (device loop0): fixed up error at logical 13631488 on dev /dev/loop0 physical 1",
		"BTRFS error (device loop0): scrub: unable to fixup (regular) error at logical 13631488 on "
		"dev /dev/loop0 physical 13631488",
		"BTRFS warning (device loop0): tree block 30490624 mirror 1 has bad bytenr, has 0 want 1",
	};
	static const char *const others[] = {
		"BTRFS error (device loop0 state A): Transaction aborted (error -5)",
		"BTRFS error (device loop0): bdev /dev/loop0 errs: wr 0, rd 0, flush 0, corrupt 1, gen 0",
		"BTRFS info (device loop0): scrub: finished on devid 1 with status: 0",
		"WARNING: CPU: 1 PID: 4711 at fs/btrfs/disk-io.c:301 btree_csum_one_bio+0x1a3/0x2c0",
	};
	struct finding mirrors, kmsg;
	char record[512];

	for (size_t i = 0; i < ARRAY_SIZE(copies); i++) {
		snprintf(record, sizeof(record), "3,1,2,-;%s\n", copies[i]);
		assert_true(verifier_mirrors.line(record, "loop0", &mirrors));
		assert_string_equal(mirrors.verifier, "mirrors");
		assert_true(verifier_kmsg.line(record, "loop0", &kmsg));
		assert_string_equal(mirrors.detail, kmsg.detail);
		assert_int_equal(mirrors.class, kmsg.class);
		assert_false(verifier_mirrors.line(record, "loop1", &mirrors));
		assert_false(verifier_mirrors.line(record, "", &mirrors));
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		snprintf(record, sizeof(record), "3,1,2,-;%s\n", others[i]);
		assert_false(verifier_mirrors.line(record, "loop0", &mirrors));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_are_told_by_mirrors), cmocka_unit_test(findings_are_found),
		cmocka_unit_test(ordinary_lines_are_not),     cmocka_unit_test(other_devices_are_not_blamed),
		cmocka_unit_test(records_are_parsed),         cmocka_unit_test(long_lines_are_cut),
	};

	return cmocka_run_group_tests_name("kmsg", tests, NULL, NULL);
}
