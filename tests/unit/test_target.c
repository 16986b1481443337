/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real images, loop devices and mounts, in a private mount namespace. Needs root; skipped (77) without. */
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/loop.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/base/program.h"
#include "src/plan/needs.h"
#include "src/target/loop.h"
#include "src/target/target.h"
#include "tests/unit/real.h"
#include "tests/unit/unit.h"

/* A directory of its own for each test; `run` in it is the run directory. */
struct place {
	char dir[64], run[80];
	struct target t;
	struct target_spec spec;
	struct error e;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (!p)
		return -1;
	snprintf(p->dir, sizeof(p->dir), "/var/tmp/recow-target-XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	snprintf(p->run, sizeof(p->run), "%s/run", p->dir);
	p->spec.image_size = 512 * MiB;
	*state = p;
	return mkdir(p->run, 0755);
}

static int tear_down(void **state)
{
	struct place *p = *state;
	struct error e;
	char path[128];
	int rc;

	/* After a failed test. */
	snprintf(path, sizeof(path), "%s/mnt", p->run);
	umount2(path, MNT_DETACH);
	snprintf(path, sizeof(path), "%s/tmpfs", p->run);
	umount2(path, MNT_DETACH);
	if (p->t.loop > 0)
		close(p->t.loop);
	rc = target_remove_tree(p->dir, &e);
	free(p);
	return rc;
}

static void sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void sh(const char *fmt, ...)
{
	char script[4096];
	const char *argv[] = {"sh", "-ec", script, NULL};
	struct program program = {.argv = argv};
	struct program_end end;
	struct error e;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(script, sizeof(script), fmt, ap);
	va_end(ap);
	assert_int_equal(program_run(&program, &end, &e), 0);
	if (!end.exited || end.status != 0)
		fail_msg("failed: %s", script);
}

#define assert_ok(p, call)                                                                                   \
	do {                                                                                                 \
		if ((call) < 0)                                                                              \
			fail_msg("%s: %s", #call, (p)->e.text);                                              \
	} while (0)

static void assert_refused(struct place *p, enum exit_code exit, const char *word)
{
	assert_int_equal(target_examine(&p->spec, &p->e), -1);
	assert_int_equal(p->e.exit, exit);
	if (!strstr(p->e.text, word))
		fail_msg("'%s' does not say '%s'", p->e.text, word);
}

static void prepare(struct place *p)
{
	assert_ok(p, target_examine(&p->spec, &p->e));
	assert_ok(p, target_prepare(&p->t, &p->spec, p->run, &p->e));
}

static bool mentions(const char *path, const char *text)
{
	FILE *file = fopen(path, "re");
	char line[4096];
	bool found = false;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		found |= strstr(line, text) != NULL;
	fclose(file);
	return found;
}

static bool exists(const char *dir, const char *name)
{
	char path[4200];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return lstat(path, &st) == 0;
}

/* Is any loop device attached to a file under p->dir? */
static bool looped(const struct place *p)
{
	for (int i = 0; i < 256; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/sys/block/loop%d/loop/backing_file", i);
		if (access(path, F_OK) == 0 && mentions(path, p->dir))
			return true;
	}
	return false;
}

static void assert_nothing_left(const struct place *p)
{
	assert_false(looped(p));
	assert_false(mentions("/proc/self/mountinfo", p->dir));
	assert_false(exists(p->run, "mnt"));
	assert_false(exists(p->run, "tmpfs"));
}

static void assert_image_comes_and_goes(struct place *p, const char *fs)
{
	snprintf(p->spec.fs, sizeof(p->spec.fs), "%s", fs);
	prepare(p);
	assert_ok(p, target_mount(&p->t, &p->e));
	assert_true(p->t.own);
	assert_true(mentions("/proc/self/mountinfo", p->t.mountpoint));
	assert_true(mentions("/proc/self/mountinfo", "noatime"));
	assert_string_equal(p->t.kernel_name, p->t.device + strlen("/dev/"));
	sh("echo content > %s/file", p->t.mountpoint);
	assert_ok(p, target_unmount(&p->t, &p->e));
	assert_ok(p, target_mount(&p->t, &p->e));
	sh("grep -qx content %s/file", p->t.mountpoint);
	assert_ok(p, target_unmount(&p->t, &p->e));
	assert_ok(p, target_release(&p->t, false, &p->e));
	assert_nothing_left(p);
	assert_false(exists(p->run, "image"));
}

static void btrfs_comes_and_goes(void **state)
{
	assert_image_comes_and_goes(*state, "");
}

static void ext4_comes_and_goes(void **state)
{
	assert_image_comes_and_goes(*state, "ext4");
}

static void xfs_comes_and_goes(void **state)
{
	assert_image_comes_and_goes(*state, "xfs");
}

static bool is_direct(const struct target *t)
{
	struct loop_info64 info;

	assert_int_equal(ioctl(t->loop, LOOP_GET_STATUS64, &info), 0);
	return info.lo_flags & LO_FLAGS_DIRECT_IO;
}

static void loops_are_direct_or_say_so(void **state)
{
	struct place *p = *state;

	prepare(p);
	assert_int_equal(is_direct(&p->t), p->t.note[0] == '\0');
	assert_ok(p, target_release(&p->t, false, &p->e));
	p->spec.tmpfs = true;
	prepare(p);
	assert_int_equal(is_direct(&p->t), p->t.note[0] == '\0');
	assert_ok(p, target_release(&p->t, false, &p->e));
	assert_nothing_left(p);
}

static void options_reach_mkfs_and_mount(void **state)
{
	struct place *p = *state;

	snprintf(p->spec.mkfs_options, sizeof(p->spec.mkfs_options), "-L 'two words' -m single");
	snprintf(p->spec.mount_options, sizeof(p->spec.mount_options), "compress=zstd:1");
	prepare(p);
	assert_ok(p, target_mount(&p->t, &p->e));
	sh("test \"$(btrfs filesystem label %s)\" = 'two words'", p->t.mountpoint);
	sh("grep ' %s ' /proc/self/mounts | grep -q compress=zstd:1", p->t.mountpoint);
	sh("grep ' %s ' /proc/self/mounts | grep -q noatime", p->t.mountpoint);
	sh("! grep ' %s ' /proc/self/mounts | grep -q discard", p->t.mountpoint);
	assert_ok(p, target_release(&p->t, false, &p->e));
	assert_nothing_left(p);
}

static void refused_options_leave_nothing(void **state)
{
	struct place *p = *state;

	snprintf(p->spec.mkfs_options, sizeof(p->spec.mkfs_options), "--no-such-option");
	assert_ok(p, target_examine(&p->spec, &p->e));
	assert_int_equal(target_prepare(&p->t, &p->spec, p->run, &p->e), -1);
	assert_non_null(strstr(p->e.text, "no-such-option"));
	assert_nothing_left(p);
	assert_false(exists(p->run, "image"));
	p->spec.mkfs_options[0] = '\0';
	snprintf(p->spec.mount_options, sizeof(p->spec.mount_options), "no_such_option");
	prepare(p);
	assert_int_equal(target_mount(&p->t, &p->e), -1);
	assert_ok(p, target_release(&p->t, false, &p->e));
	assert_nothing_left(p);
}

static void kept_images_are_whole(void **state)
{
	struct place *p = *state;
	struct stat st;
	char path[128];

	p->spec.tmpfs = true;
	prepare(p);
	assert_ok(p, target_mount(&p->t, &p->e));
	sh("head -c 20000000 /dev/urandom > %s/file; sha256sum < %s/file > %s/sum", p->t.mountpoint,
	   p->t.mountpoint, p->dir);
	assert_ok(p, target_release(&p->t, true, &p->e));
	assert_nothing_left(p);
	snprintf(path, sizeof(path), "%s/image", p->run);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, p->spec.image_size);
	assert_true(st.st_blocks * 512 < 128 * (off_t)MiB);
	sh("mkdir %s/m; mount -o loop,ro %s %s/m; sha256sum < %s/m/file | cmp - %s/sum; umount %s/m", p->dir,
	   path, p->dir, p->dir, p->dir, p->dir);
}

static void mounts_in_use_name_the_holder(void **state)
{
	struct place *p = *state;
	char path[4200];
	int fd;

	prepare(p);
	assert_ok(p, target_mount(&p->t, &p->e));
	snprintf(path, sizeof(path), "%s/held", p->t.mountpoint);
	fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(target_unmount(&p->t, &p->e), -1);
	assert_int_equal(p->e.err, EBUSY);
	assert_non_null(strstr(p->e.text, "test_target"));
	close(fd);
	assert_ok(p, target_release(&p->t, false, &p->e));
	assert_nothing_left(p);
}

static void existing_files_stay_untouched(void **state)
{
	struct place *p = *state;

	sh("truncate -s 512M %s/i; mkfs.btrfs -q %s/i; mkdir %s/m; mount -o loop %s/i %s/m; echo mine > "
	   "%s/m/w0000;"
	   "umount %s/m",
	   p->dir, p->dir, p->dir, p->dir, p->dir, p->dir, p->dir);
	snprintf(p->spec.path, sizeof(p->spec.path), "%s/i", p->dir);
	prepare(p);
	assert_int_equal(p->spec.kind, TARGET_IMAGE);
	assert_string_equal(p->spec.fs, "btrfs");
	for (int i = 0; i < 2; i++) {
		assert_ok(p, target_mount(&p->t, &p->e));
		assert_false(exists(p->t.mountpoint, "w0000"));
		assert_int_equal(exists(p->t.mountpoint, "ours"), i);
		sh("mkdir -p %s/ours", p->t.mountpoint);
		assert_ok(p, target_unmount(&p->t, &p->e));
	}
	assert_ok(p, target_mount(&p->t, &p->e));
	assert_ok(p, target_release(&p->t, false, &p->e));
	assert_nothing_left(p);
	sh("mount -o loop,ro %s/i %s/m; ls -A %s/m > %s/l; grep -qx mine %s/m/w0000; umount %s/m; test $(cat "
	   "%s/l) = "
	   "w0000",
	   p->dir, p->dir, p->dir, p->dir, p->dir, p->dir, p->dir);
}

/* Two runs of one name on one filesystem: the second leaves what the first kept. */
static void a_kept_directory_is_not_taken_over(void **state)
{
	struct place *p = *state;

	sh("truncate -s 512M %s/i; mkfs.btrfs -q %s/i; mkdir %s/d", p->dir, p->dir, p->dir);
	snprintf(p->spec.path, sizeof(p->spec.path), "%s/i", p->dir);
	prepare(p);
	assert_ok(p, target_mount(&p->t, &p->e));
	sh("touch %s/evidence", p->t.mountpoint);
	assert_ok(p, target_release(&p->t, true, &p->e));
	for (int i = 0; i < 2; i++) {
		prepare(p);
		assert_int_equal(target_mount(&p->t, &p->e), -1);
		assert_int_equal(p->e.exit, EXIT_USAGE);
		assert_non_null(strstr(p->e.text, "recow-run exists on /dev/loop"));
		assert_ok(p, target_release(&p->t, false, &p->e));
		assert_nothing_left(p);
	}
	sh("mkdir %s/m; mount -o loop,ro %s/i %s/m; test -e %s/m/recow-run/evidence; umount %s/m", p->dir,
	   p->dir, p->dir, p->dir, p->dir);
	sh("mkdir %s/d/recow-run", p->dir);
	snprintf(p->spec.path, sizeof(p->spec.path), "%s/d", p->dir);
	p->spec.fs[0] = '\0';
	assert_ok(p, target_examine(&p->spec, &p->e));
	assert_int_equal(target_prepare(&p->t, &p->spec, p->run, &p->e), -1);
	assert_int_equal(p->e.exit, EXIT_USAGE);
	assert_non_null(strstr(p->e.text, "recow-run exists on"));
}

static void assert_on_image(const struct place *p, const char *expected)
{
	sh("mount -o loop,ro %s/i %s/m; ls %s/m | tr '\\n' ' ' > %s/l; umount %s/m; test \"$(cat %s/l)\" = "
	   "'%s'",
	   p->dir, p->dir, p->dir, p->dir, p->dir, p->dir, expected);
}

/* As a killed churn leaves it: the kernel has unmounted it and detached the loop device. */
static void what_a_dead_run_left_is_removed(void **state)
{
	struct place *p = *state;
	int64_t since = (int64_t)clock_ns(CLOCK_REALTIME_COARSE);

	sh("truncate -s 512M %s/i; mkfs.btrfs -q %s/i; mkdir %s/m; mount -o loop %s/i %s/m; touch %s/m/mine;"
	   "umount %s/m",
	   p->dir, p->dir, p->dir, p->dir, p->dir, p->dir, p->dir);
	snprintf(p->spec.path, sizeof(p->spec.path), "%s/i", p->dir);
	prepare(p);
	assert_ok(p, target_mount(&p->t, &p->e));
	sh("cd %s; btrfs -q subvolume create w0000; touch w0000/file", p->t.mountpoint);
	assert_ok(p, target_unmount(&p->t, &p->e));
	loop_detach(p->t.loop, p->t.device);
	p->t.loop = -1;
	assert_ok(p, target_remove_left(&p->spec, p->run, since + 3600 * (int64_t)NSEC_PER_SEC, &p->e));
	assert_on_image(p, "mine recow-run ");
	for (int i = 0; i < 2; i++) {
		assert_ok(p, target_remove_left(&p->spec, p->run, since, &p->e));
		assert_nothing_left(p);
		assert_on_image(p, "mine ");
	}
}

static void only_mkfs_formats(void **state)
{
	struct place *p = *state;

	sh("truncate -s 512M %s/i; mkfs.ext4 -q -L old %s/i", p->dir, p->dir);
	snprintf(p->spec.path, sizeof(p->spec.path), "%s/i", p->dir);
	snprintf(p->spec.fs, sizeof(p->spec.fs), "btrfs");
	assert_refused(p, EXIT_USAGE, "holds ext4");
	p->spec.mkfs = true;
	prepare(p);
	assert_ok(p, target_mount(&p->t, &p->e));
	assert_ok(p, target_release(&p->t, false, &p->e));
	assert_nothing_left(p);
	sh("blkid -o value -s TYPE %s/i | grep -qx btrfs", p->dir);
}

static void devices_work_too(void **state)
{
	struct place *p = *state;
	struct loop loop;
	char image[128];

	snprintf(image, sizeof(image), "%s/i", p->dir);
	sh("truncate -s 512M %s", image);
	assert_ok(p, loop_attach(image, &loop, &p->e));
	snprintf(p->spec.path, sizeof(p->spec.path), "%s", loop.device);
	assert_refused(p, EXIT_USAGE, "holds no filesystem");
	p->spec.mkfs = true;
	prepare(p);
	assert_int_equal(p->t.spec.kind, TARGET_DEVICE);
	assert_ok(p, target_mount(&p->t, &p->e));
	assert_refused(p, EXIT_USAGE, "mounted on");
	assert_ok(p, target_release(&p->t, false, &p->e));
	snprintf(p->spec.path, sizeof(p->spec.path), "%s", image);
	assert_refused(p, EXIT_USAGE, loop.device);
	loop_detach(loop.fd, loop.device);
	assert_nothing_left(p);
}

static void directories_are_left_as_found(void **state)
{
	struct place *p = *state;
	struct target base;
	char path[4200];

	prepare(p);
	assert_ok(p, target_mount(&p->t, &p->e));
	base = p->t;
	sh("echo mine > %s/mine", base.mountpoint);
	snprintf(p->spec.path, sizeof(p->spec.path), "%s", base.mountpoint);
	prepare(p);
	assert_int_equal(p->t.spec.kind, TARGET_DIRECTORY);
	assert_true(p->t.btrfs);
	assert_false(p->t.own);
	assert_string_equal(p->t.kernel_name, base.kernel_name);
	assert_ok(p, target_mount(&p->t, &p->e));
	assert_int_equal(target_unmount(&p->t, &p->e), -1);
	snprintf(path, sizeof(path), "%s/w0000", p->t.mountpoint);
	assert_ok(p, target_make_subvolume(&p->t, path, &p->e));
	sh("cd %s; btrfs -q subvolume create w0000/inner; mkdir -p a/b; echo x > a/b/c; ln -s /etc l; mkfifo "
	   "f;"
	   "btrfs -q subvolume snapshot -r w0000 a/snapshot",
	   p->t.mountpoint);
	assert_ok(p, target_release(&p->t, false, &p->e));
	sh("test \"$(ls -A %s)\" = mine", base.mountpoint);
	assert_ok(p, target_release(&base, false, &p->e));
	assert_nothing_left(p);
}

/* One Linux partition: entry at 446 (type at +4, first sector at +8, sectors at +12), signature at 510. */
static void write_mbr(const struct place *p)
{
	unsigned char mbr[512] = {
		[446 + 4] = 0x83, [446 + 9] = 8, [446 + 13] = 64, [510] = 0x55, [511] = 0xaa};
	char image[128];
	int fd;

	snprintf(image, sizeof(image), "%s/i", p->dir);
	fd = open(image, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, mbr, sizeof(mbr), 0), sizeof(mbr));
	close(fd);
}

static void wrong_targets_are_named(void **state)
{
	struct place *p = *state;

	snprintf(p->spec.path, sizeof(p->spec.path), "%s/none", p->dir);
	assert_refused(p, EXIT_USAGE, "none");
	snprintf(p->spec.path, sizeof(p->spec.path), "/dev/null");
	assert_refused(p, EXIT_USAGE, "neither");
	sh("truncate -s 300M %s/i", p->dir);
	write_mbr(p);
	snprintf(p->spec.path, sizeof(p->spec.path), "%s/i", p->dir);
	assert_refused(p, EXIT_USAGE, "partition table (dos)");
	sh("rm %s/i; truncate -s 300M %s/i; mkswap -q %s/i", p->dir, p->dir, p->dir);
	assert_refused(p, EXIT_USAGE, "holds swap");
	sh("truncate -s 0 %s/i; truncate -s 50M %s/i", p->dir, p->dir);
	assert_refused(p, EXIT_USAGE, "--mkfs --yes");
	p->spec.mkfs = true;
	assert_refused(p, EXIT_USAGE, "at least 256 MiB");
	snprintf(p->spec.path, sizeof(p->spec.path), "%s", p->dir);
	assert_refused(p, EXIT_USAGE, "cannot be formatted");
	p->spec.mkfs = false;
	p->spec.fs[0] = '\0';
	snprintf(p->spec.path, sizeof(p->spec.path), "/proc");
	assert_refused(p, EXIT_USAGE, "without a size");
}

static void wrong_wishes_are_named(void **state)
{
	struct place *p = *state;

	p->spec.image_size = 100 * MiB;
	assert_refused(p, EXIT_USAGE, "at least 256 MiB");
	snprintf(p->spec.fs, sizeof(p->spec.fs), "xfs");
	p->spec.image_size = 299 * MiB;
	assert_refused(p, EXIT_USAGE, "at least 300 MiB");
	p->spec.image_size = 512 * MiB;
	snprintf(p->spec.fs, sizeof(p->spec.fs), "btfs");
	assert_refused(p, EXIT_USAGE, "did you mean btrfs");
	snprintf(p->spec.fs, sizeof(p->spec.fs), "tmpfs");
	assert_refused(p, EXIT_USAGE, "directory");
	snprintf(p->spec.fs, sizeof(p->spec.fs), "bcachefs");
	assert_refused(p, EXIT_CANNOT, "bcachefs");
	snprintf(p->spec.fs, sizeof(p->spec.fs), "btrfs");
	snprintf(p->spec.mkfs_options, sizeof(p->spec.mkfs_options), "-L 'x");
	assert_refused(p, EXIT_USAGE, "quote");
	p->spec.mkfs_options[0] = '\0';
	snprintf(p->spec.mount_options, sizeof(p->spec.mount_options), "compress,ro");
	assert_refused(p, EXIT_USAGE, "ro");
	p->spec.mount_options[0] = '\0';
	p->spec.image_size = 1 << 20;
	p->spec.image_size <<= 30;
	assert_ok(p, target_examine(&p->spec, &p->e));
	assert_int_equal(target_prepare(&p->t, &p->spec, p->run, &p->e), -1);
	assert_int_equal(p->e.exit, EXIT_CANNOT);
	assert_nothing_left(p);
	p->spec.tmpfs = true;
	assert_refused(p, EXIT_CANNOT, "memory");
	/* What is hardly filled takes little. */
	p->spec.fill = 16 * MiB;
	assert_ok(p, target_examine(&p->spec, &p->e));
	p->spec.tmpfs = false;
}

static void full_and_readonly_directories_are_refused(void **state)
{
	struct place *p = *state;

	sh("mkdir %s/t; mount -t tmpfs -o size=16m none %s/t", p->dir, p->dir);
	snprintf(p->spec.path, sizeof(p->spec.path), "%s/t", p->dir);
	assert_refused(p, EXIT_CANNOT, "256 MiB needed");
	sh("mount -o remount,size=600m,nr_inodes=100 %s/t", p->dir);
	assert_refused(p, EXIT_CANNOT, "inodes");
	sh("mount -o remount,nr_inodes=100000 %s/t", p->dir);
	assert_ok(p, target_examine(&p->spec, &p->e));
	assert_string_equal(p->spec.fs, "tmpfs");
	sh("mount -o remount,ro %s/t", p->dir);
	assert_refused(p, EXIT_USAGE, "ead-only");
	sh("umount %s/t", p->dir);
}

static void readonly_devices_are_refused(void **state)
{
	struct place *p = *state;
	struct loop loop;
	char image[128];

	snprintf(image, sizeof(image), "%s/i", p->dir);
	sh("truncate -s 512M %s", image);
	assert_ok(p, loop_attach(image, &loop, &p->e));
	sh("blockdev --setro %s", loop.device);
	snprintf(p->spec.path, sizeof(p->spec.path), "%s", loop.device);
	p->spec.mkfs = true;
	assert_refused(p, EXIT_USAGE, "read-only");
	sh("blockdev --setrw %s", loop.device);
	loop_detach(loop.fd, loop.device);
}

/* The kernel keeps a loop device read-only that once was set so; a run that gets it must not notice. */
static void a_loop_is_writable(void **state)
{
	struct place *p = *state;
	struct loop first, second;
	char image[128];

	snprintf(image, sizeof(image), "%s/i", p->dir);
	sh("truncate -s 512M %s", image);
	assert_ok(p, loop_attach(image, &first, &p->e));
	sh("blockdev --setro %s", first.device);
	loop_detach(first.fd, first.device);
	assert_ok(p, loop_attach(image, &second, &p->e));
	sh("blockdev --getro %s >%s/ro", second.device, p->dir);
	sh("blockdev --setrw %s", first.device); /* whatever was found: nobody else is to meet it */
	assert_string_equal(second.device, first.device);
	sh("grep -qx 0 %s/ro", p->dir);
	loop_detach(second.fd, second.device);
}

/* Many at once ask for a free loop device: each gets one. */
static void loops_are_not_fought_over(void **state)
{
	struct place *p = *state;
	int status, failed = 0;

	for (int i = 0; i < 6; i++)
		sh("truncate -s 64M %s/i%d", p->dir, i);
	for (int i = 0; i < 6; i++) {
		if (fork() == 0) {
			struct loop loop;
			char image[128];
			int rc = 0;

			snprintf(image, sizeof(image), "%s/i%d", p->dir, i);
			for (int n = 0; n < 5 && rc == 0; n++) {
				rc = loop_attach(image, &loop, &p->e);
				if (rc == 0)
					loop_detach(loop.fd, loop.device);
			}
			_exit(rc != 0);
		}
	}
	while (wait(&status) > 0)
		failed += status != 0;
	assert_int_equal(failed, 0);
	assert_false(looped(p));
}

/* ---- where bytes lie ---- */

#define PIECE (64 * KiB)

/* Bytes that name their place. */
static void fill_piece(uint64_t *piece, uint64_t number)
{
	for (size_t i = 0; i < PIECE / sizeof(*piece); i++)
		piece[i] = 0x7265636f77000000ULL ^ (number << 20) ^ i;
}

static void write_pieces(const char *path, uint64_t count)
{
	uint64_t piece[PIECE / sizeof(uint64_t)];
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	for (uint64_t i = 0; i < count; i++) {
		fill_piece(piece, i);
		assert_int_equal(pwrite(fd, piece, PIECE, (off_t)(i * PIECE)), PIECE);
	}
	assert_int_equal(fsync(fd), 0);
	close(fd);
}

/* Locate bytes in the middle of each piece and look at every copy on the device. Returns how many copies lie
 * elsewhere than where their logical address says. */
static unsigned int assert_located(struct place *p, const char *path, uint64_t count, unsigned int copies)
{
	uint64_t piece[PIECE / sizeof(uint64_t)];
	int fd = open(path, O_RDONLY | O_CLOEXEC), image = open(p->t.image, O_RDONLY | O_CLOEXEC);
	unsigned int elsewhere = 0;

	assert_true(fd >= 0 && image >= 0);
	for (uint64_t i = 0; i < count; i++) {
		struct target_address a;
		char found[512];

		fill_piece(piece, i);
		assert_ok(p, target_locate(&p->t, fd, i * PIECE + 4096 + 512, &a, &p->e));
		assert_int_equal(a.mirrors, copies);
		for (unsigned int m = 0; m < a.mirrors; m++) {
			assert_int_equal(a.mirror[m].devid, 1);
			assert_int_equal(pread(image, found, sizeof(found), (off_t)a.mirror[m].physical),
					 sizeof(found));
			assert_memory_equal(found, (char *)piece + 4096 + 512, sizeof(found));
			elsewhere += a.mirror[m].physical != a.logical;
		}
	}
	close(fd);
	close(image);
	return elsewhere;
}

/* Balancing moves every chunk to a new logical address while the device offsets are reused: after that the
 * two differ, and a mapping that ignores the chunk tree reads the wrong place. */
static void assert_btrfs_located(struct place *p, const char *mkfs_options, unsigned int copies)
{
	char path[4200];

	snprintf(p->spec.mkfs_options, sizeof(p->spec.mkfs_options), "%s", mkfs_options);
	p->spec.image_size = 1 * GiB;
	prepare(p);
	assert_ok(p, target_mount(&p->t, &p->e));
	snprintf(path, sizeof(path), "%s/file", p->t.mountpoint);
	write_pieces(path, 400);
	for (int i = 0; i < 3; i++)
		sh("btrfs -q balance start --full-balance %s && sync -f %s", p->t.mountpoint,
		   p->t.mountpoint);
	assert_true(assert_located(p, path, 400, copies) >= 400);
	assert_ok(p, target_release(&p->t, false, &p->e));
	assert_nothing_left(p);
}

static void btrfs_single_is_located(void **state)
{
	assert_btrfs_located(*state, "-m single -d single", 1);
}

static void btrfs_dup_is_located_twice(void **state)
{
	assert_btrfs_located(*state, "-m dup -d dup", 2);
}

/* Profiles over four devices, against what the kernel really wrote. target_locate() needs no more of a target
 * than that it is btrfs. */
#define DEVICES 4

static void attach_four(struct place *p, struct loop *loops)
{
	for (int i = 0; i < DEVICES; i++) {
		char image[128];

		snprintf(image, sizeof(image), "%s/d%d", p->dir, i + 1);
		sh("rm -f %s; truncate -s 512M %s", image, image);
		assert_ok(p, loop_attach(image, &loops[i], &p->e));
	}
}

static void assert_copy(const struct place *p, uint64_t devid, uint64_t physical, const void *expected)
{
	char path[128], found[512];
	int fd;

	snprintf(path, sizeof(path), "%s/d%d", p->dir, (int)devid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, found, sizeof(found), (off_t)physical), sizeof(found));
	close(fd);
	assert_memory_equal(found, expected, sizeof(found));
}

static void assert_profile_located(struct place *p, const char *profile, unsigned int copies)
{
	const struct target t = {.btrfs = true};
	uint64_t piece[PIECE / sizeof(uint64_t)];
	struct loop loops[DEVICES];
	char path[128];
	int fd;

	attach_four(p, loops);
	sh("mkfs.btrfs -q -f -m raid1 -d %s %s %s %s %s; btrfs -q device scan %s %s %s %s; mount %s %s/run",
	   profile, loops[0].device, loops[1].device, loops[2].device, loops[3].device, loops[0].device,
	   loops[1].device, loops[2].device, loops[3].device, loops[0].device, p->dir);
	snprintf(path, sizeof(path), "%s/run/file", p->dir);
	write_pieces(path, 60);
	sh("sync -f %s", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	for (uint64_t i = 0; i < 60; i++) {
		struct target_address a;

		fill_piece(piece, i);
		assert_ok(p, target_locate(&t, fd, i * PIECE + 512, &a, &p->e));
		assert_int_equal(a.mirrors, copies);
		for (unsigned int m = 0; m < a.mirrors; m++)
			assert_copy(p, a.mirror[m].devid, a.mirror[m].physical, (char *)piece + 512);
	}
	close(fd);
	sh("umount %s/run; btrfs -q device scan --forget || :", p->dir);
	for (int i = 0; i < DEVICES; i++)
		loop_detach(loops[i].fd, loops[i].device);
}

static void profiles_over_devices_are_located(void **state)
{
	static const struct {
		const char *name;
		unsigned int copies;
	} profiles[] = {{"raid0", 1},  {"raid1", 2}, {"raid1c3", 3}, {"raid1c4", 4},
			{"raid10", 2}, {"raid5", 1}, {"raid6", 1}};

	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++)
		assert_profile_located(*state, profiles[i].name, profiles[i].copies);
}

static void assert_plain_located(struct place *p, const char *fs)
{
	char path[4200];

	snprintf(p->spec.fs, sizeof(p->spec.fs), "%s", fs);
	prepare(p);
	assert_ok(p, target_mount(&p->t, &p->e));
	snprintf(path, sizeof(path), "%s/file", p->t.mountpoint);
	write_pieces(path, 50);
	assert_int_equal(assert_located(p, path, 50, 1), 0);
	assert_ok(p, target_release(&p->t, false, &p->e));
}

static void ext4_and_xfs_are_located(void **state)
{
	assert_plain_located(*state, "ext4");
	assert_plain_located(*state, "xfs");
}

static void located_kinds_are_told_apart(void **state)
{
	struct place *p = *state;
	struct target_address a;
	char path[4200];
	int fd;

	prepare(p);
	assert_ok(p, target_mount(&p->t, &p->e));
	snprintf(path, sizeof(path), "%s/file", p->t.mountpoint);
	sh("cd %s; printf tiny > inline; truncate -s 1M hole; fallocate -l 1M unwritten; touch packed;"
	   "btrfs property set packed compression zstd; yes | head -c 1M > packed; sync -f .",
	   p->t.mountpoint);
#define LOCATE(name, offset)                                                                                 \
	snprintf(path, sizeof(path), "%s/" name, p->t.mountpoint);                                           \
	fd = open(path, O_RDONLY | O_CLOEXEC);                                                               \
	assert_true(fd >= 0);                                                                                \
	assert_ok(p, target_locate(&p->t, fd, offset, &a, &p->e));                                           \
	close(fd)
	LOCATE("inline", 0);
	assert_true(a.inline_data && a.mirrors == 0);
	LOCATE("hole", 5000);
	assert_true(a.hole && a.mirrors == 0);
	LOCATE("unwritten", 5000);
	assert_true(a.unwritten && a.mirrors == 1);
	LOCATE("packed", 300000);
	assert_true(a.compressed && a.mirrors == 1 && a.logical % 4096 == 0);
	LOCATE("inline", 100000);
	assert_true(a.hole);
	assert_ok(p, target_release(&p->t, false, &p->e));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* What the mounted filesystem says, and that nothing is left there. */
static void try_renames_on(struct place *p, const char *fs, uint32_t unmet)
{
	snprintf(p->t.mountpoint, sizeof(p->t.mountpoint), "%s/%s", p->dir, fs);
	p->t.unmet = UINT32_MAX;
	assert_int_equal(mkdir(p->t.mountpoint, 0755), 0);
	assert_int_equal(mount(fs, p->t.mountpoint, fs, 0, NULL), 0);
	if (target_try_renames(&p->t, &p->e))
		fail_msg("%s: %s", fs, p->e.text);
	assert_int_equal(p->t.unmet, unmet);
	assert_int_equal(p->t.unmet_reason[0] != '\0', unmet != 0);
	assert_int_equal(umount2(p->t.mountpoint, 0), 0);
	assert_int_equal(rmdir(p->t.mountpoint), 0);
}

/* ramfs knows no whiteouts (fs/libfs.c, simple_rename). */
static void flags_of_renames_are_tried(void **state)
{
	struct place *p = *state;

	try_renames_on(p, "tmpfs", 0);
	try_renames_on(p, "ramfs", NEED_WHITEOUT);
	snprintf(p->t.mountpoint, sizeof(p->t.mountpoint), "%s/nothing", p->dir);
	assert_int_equal(target_try_renames(&p->t, &p->e), -1);
	assert_non_null(strstr(p->e.text, "nothing"));
	p->t.loop = -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(btrfs_comes_and_goes),
		TEST(ext4_comes_and_goes),
		TEST(xfs_comes_and_goes),
		TEST(loops_are_direct_or_say_so),
		TEST(options_reach_mkfs_and_mount),
		TEST(refused_options_leave_nothing),
		TEST(kept_images_are_whole),
		TEST(mounts_in_use_name_the_holder),
		TEST(existing_files_stay_untouched),
		TEST(a_kept_directory_is_not_taken_over),
		TEST(what_a_dead_run_left_is_removed),
		TEST(only_mkfs_formats),
		TEST(devices_work_too),
		TEST(directories_are_left_as_found),
		TEST(wrong_targets_are_named),
		TEST(wrong_wishes_are_named),
		TEST(full_and_readonly_directories_are_refused),
		TEST(readonly_devices_are_refused),
		TEST(a_loop_is_writable),
		TEST(loops_are_not_fought_over),
		TEST(btrfs_single_is_located),
		TEST(btrfs_dup_is_located_twice),
		TEST(profiles_over_devices_are_located),
		TEST(ext4_and_xfs_are_located),
		TEST(located_kinds_are_told_apart),
		TEST(flags_of_renames_are_tried),
	};

	take_real_machine(); /* loop devices are everybody's */
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 77;
	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
