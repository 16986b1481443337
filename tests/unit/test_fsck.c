/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checkers' answers, from scripts that stand in for them; the real ones are run on real images at the
 * end. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/base/program.h"
#include "src/target/target.h"
#include "tests/unit/unit.h"
#include "verify/verifier.h"

extern const struct verifier verifier_fsck;

struct fixture {
	char dir[64], log[80], path[256];
	struct target target;
	struct verify_counters counters;
	struct finding last;
	unsigned int findings;
	const struct history *cut_off;
	struct error e;
};

static int set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	if (!x)
		return -1;
	snprintf(x->dir, sizeof(x->dir), "/var/tmp/recow-fsck-XXXXXX");
	if (!mkdtemp(x->dir))
		return -1;
	snprintf(x->log, sizeof(x->log), "%s/fsck.log", x->dir);
	snprintf(x->path, sizeof(x->path), "%s", getenv("PATH"));
	snprintf(x->target.spec.fs, sizeof(x->target.spec.fs), "btrfs");
	*state = x;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *x = *state;
	int rc = target_remove_tree(x->dir, &x->e);

	setenv("PATH", x->path, 1);
	free(x);
	return rc;
}

static void take(void *self, const struct finding *f)
{
	struct fixture *x = self;

	x->last = *f;
	x->findings++;
}

static int run(struct fixture *x, bool stopped)
{
	_Atomic bool stop = stopped;
	struct finding_sink sink = {.emit = take, .self = x};
	struct verification v = {
		.target = &x->target,
		.mount = -1,
		.findings = &sink,
		.counters = &x->counters,
		.stop = &stop,
		.log = x->log,
	};

	x->findings = 0;
	v.durable = x->cut_off;
	return verifier_fsck.run(&v, &x->e);
}

/* A program in front of the real one. */
static void stand_in(struct fixture *x, const char *name, const char *script)
{
	char file[128], path[400];
	FILE *out;

	snprintf(file, sizeof(file), "%s/%s", x->dir, name);
	out = fopen(file, "we");
	assert_non_null(out);
	fprintf(out, "#!/bin/sh\n%s\n", script);
	fclose(out);
	assert_int_equal(chmod(file, 0755), 0);
	snprintf(path, sizeof(path), "%s:%s", x->dir, x->path);
	setenv("PATH", path, 1);
}

static void assert_finding(struct fixture *x, const char *word)
{
	assert_int_equal(run(x, false), 0);
	assert_int_equal(x->findings, 1);
	assert_int_equal(x->last.class, FINDING_FSCK);
	assert_int_equal(x->last.place, SEEN_OFFLINE);
	if (!strstr(x->last.detail, word))
		fail_msg("'%s' does not say '%s'", x->last.detail, word);
}

static void assert_could_not(struct fixture *x, const char *word)
{
	assert_int_equal(run(x, false), -1);
	assert_int_equal(x->findings, 0);
	if (!strstr(x->e.text, word))
		fail_msg("'%s' does not say '%s'", x->e.text, word);
}

static void clean_is_silent(void **state)
{
	struct fixture *x = *state;

	stand_in(x, "btrfs", "echo 'Opening filesystem to check...'; echo $1 $2; exit 0");
	assert_int_equal(run(x, false), 0);
	assert_int_equal(x->findings, 0);
}

static void damage_is_told(void **state)
{
	struct fixture *x = *state;

	stand_in(x, "btrfs",
		 "test \"$1 $2\" = 'check --readonly' || exit 0\n"
		 "echo 'Opening filesystem to check...'; echo '[1/7] checking root items'; echo 'ERROR: "
		 "errors found in fs "
		 "roots' >&2; echo 'found 638976 bytes used, error(s) found'; exit 1");
	assert_finding(x, "check ended with 1: ERROR: errors found in fs roots");
	assert_null(strstr(x->last.detail, "Opening"));
	assert_null(strstr(x->last.detail, "638976"));
	stand_in(x, "btrfs", "echo 'ERROR: cannot open file system' >&2; exit 1");
	assert_finding(x, "cannot open file system");
	stand_in(x, "btrfs", "exit 1");
	assert_finding(x, "no reason");
}

static void a_bad_copy_is_told_whatever_the_end(void **state)
{
	struct fixture *x = *state;

	stand_in(x, "btrfs",
		 "echo 'checksum verify failed on 527433728 wanted 0x3c924544 found 0x377d3977'; echo 'found "
		 "33001472 bytes used, no error found'; exit 0");
	assert_finding(x, "check ended with 0: checksum verify failed on 527433728");
	stand_in(x, "btrfs", "echo 'parent transid verify failed on 30490624 wanted 9 found 8'; exit 0");
	assert_finding(x, "parent transid verify failed");
}

/* It may name no error of a filesystem that was cut off, where its other mode finds none. */
static void vague_words_want_a_second_opinion(void **state)
{
	static const char vague[] =
		"case $3 in --mode=lowmem) exit %d ;; esac; echo 'ERROR: errors found in fs "
		"roots' >&2; %s exit 1";
	struct fixture *x = *state;
	char script[256];

	snprintf(script, sizeof(script), vague, 0, "");
	stand_in(x, "btrfs", script);
	assert_finding(x, "errors found in fs roots");
	x->cut_off = (const struct history *)x; /* only whether there is one counts */
	assert_int_equal(run(x, false), 0);
	assert_int_equal(x->findings, 0);
	snprintf(script, sizeof(script), vague, 1, "");
	stand_in(x, "btrfs", script);
	assert_finding(x, "errors found in fs roots");
	snprintf(script, sizeof(script), vague, 0, "echo 'root 5 inode 257 errors 2000, link count wrong';");
	stand_in(x, "btrfs", script);
	assert_finding(x, "link count wrong");
}

/* As xfs_repair 6.1 says it. */
#define INCOMPLETE(inode)                                                                                    \
	"echo 'Phase 3 - for each AG...'; echo '        - agno = 0'; echo 'attribute entry #1 in attr "      \
	"block 0, "                                                                                          \
	"inode " inode " is INCOMPLETE'; echo 'problem with attribute contents in inode 131'; "              \
	"echo 'would clear attr fork'; echo 'bad nblocks 1 for inode 131, would reset to 0'; "               \
	"echo 'bad anextents 1 for inode 131, would reset to 0'; "

static void what_xfs_leaves_when_it_is_cut_off(void **state)
{
	struct fixture *x = *state;

	snprintf(x->target.spec.fs, sizeof(x->target.spec.fs), "xfs");
	stand_in(x, "xfs_repair", INCOMPLETE("131") "exit 1");
	assert_finding(x, "is INCOMPLETE");
	x->cut_off = (const struct history *)x; /* only whether there is one counts */
	assert_int_equal(run(x, false), 0);
	assert_int_equal(x->findings, 0);
	stand_in(x, "xfs_repair", INCOMPLETE("1310") "exit 1");
	assert_finding(x, "problem with attribute contents in inode 131");
	stand_in(x, "xfs_repair", INCOMPLETE("131") "echo 'would junk block'; exit 1");
	assert_finding(x, "is INCOMPLETE");
	stand_in(x, "xfs_repair",
		 "echo 'would clear attr fork'; echo 'bad nblocks 1 for inode 131, would reset'; exit 1");
	assert_finding(x, "bad nblocks");
	stand_in(x, "xfs_repair", "exit 1");
	assert_finding(x, "gave no reason");
}

static void its_own_troubles_are_errors(void **state)
{
	struct fixture *x = *state;

	stand_in(x, "btrfs",
		 "echo 'ERROR: /dev/loop0 is currently mounted, use --force if you really intend to' >&2; "
		 "exit 1");
	assert_could_not(x, "currently mounted");
	stand_in(x, "btrfs", "kill -KILL $$");
	assert_could_not(x, "killed by signal 9");
	snprintf(x->target.spec.fs, sizeof(x->target.spec.fs), "ufs");
	assert_could_not(x, "no checker for ufs");
	snprintf(x->target.spec.fs, sizeof(x->target.spec.fs), "ext4");
	stand_in(x, "e2fsck", "echo '/dev/loop0 is in use.'; exit 8");
	assert_could_not(x, "in use");
	stand_in(x, "e2fsck", "echo 'Usage: e2fsck'; exit 16");
	assert_could_not(x, "Usage");
	snprintf(x->target.spec.fs, sizeof(x->target.spec.fs), "xfs");
	stand_in(x, "xfs_repair", "echo 'xfs_repair: /dev/loop0 contains a mounted filesystem'; exit 1");
	assert_could_not(x, "mounted filesystem");
}

static void other_checkers_are_understood(void **state)
{
	struct fixture *x = *state;

	snprintf(x->target.spec.fs, sizeof(x->target.spec.fs), "ext4");
	stand_in(x, "e2fsck",
		 "echo 'Pass 1: Checking inodes'; echo 'Directory inode 12: directory corrupted'; exit 12");
	assert_finding(x, "-fn ended with 12: Directory inode 12");
	stand_in(x, "e2fsck", "echo 'Bad magic number in super-block while trying to open'; exit 8");
	assert_finding(x, "Bad magic");
	snprintf(x->target.spec.fs, sizeof(x->target.spec.fs), "xfs");
	stand_in(x, "xfs_repair",
		 "echo 'Phase 1 - find'; echo '        - agno = 0'; echo 'would junk block'; exit 1");
	assert_finding(x, "-n ended with 1: would junk block");
}

static void a_crash_is_a_finding(void **state)
{
	struct fixture *x = *state;

	stand_in(x, "btrfs", "ulimit -c 0; kill -SEGV $$");
	assert_finding(x, "crashed");
	stand_in(x, "btrfs", "ulimit -c 0; kill -ABRT $$");
	assert_finding(x, "crashed");
}

static void stop_stops_it(void **state)
{
	struct fixture *x = *state;
	uint64_t start = clock_mono();

	stand_in(x, "btrfs", "sleep 100");
	assert_int_equal(run(x, true), -1);
	assert_int_equal(x->e.err, ECANCELED);
	assert_true(clock_mono() - start < 10 * NSEC_PER_SEC);
}

static void sh(const char *script)
{
	const char *argv[] = {"sh", "-ec", script, NULL};
	struct program program = {.argv = argv};
	struct program_end end;
	struct error e;

	assert_int_equal(program_run(&program, &end, &e), 0);
	assert_true(end.exited && end.status == 0);
}

/* Make an image, check it, overwrite every block that looks like metadata behind the first MiB, check again.
 */
static void check_real(struct fixture *x, const char *fs, const char *magic, size_t length, off_t within)
{
	char script[512], junk[256], *at, *image;
	struct stat st;
	int fd;

	snprintf(x->target.spec.fs, sizeof(x->target.spec.fs), "%s", fs);
	snprintf(x->target.device, sizeof(x->target.device), "%.50s/i", x->dir);
	snprintf(script, sizeof(script), "rm -f %s; truncate -s 512M %s; mkfs.%s -q %s", x->target.device,
		 x->target.device, fs, x->target.device);
	sh(script);
	if (run(x, false) < 0 || x->findings)
		fail_msg("%s: %s %s", fs, x->e.text, x->last.detail);
	fd = open(x->target.device, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	image = malloc(128 * MiB);
	assert_non_null(image);
	assert_int_equal(pread(fd, image, 128 * MiB, 0), 128 * MiB);
	memset(junk, 0xa5, sizeof(junk));
	for (char *from = image + 4096;
	     (at = memmem(from, (size_t)(image + 128 * MiB - from), magic, length)); from = at + 1)
		assert_true(pwrite(fd, junk, sizeof(junk), at - image + within) == sizeof(junk));
	free(image);
	close(fd);
	assert_finding(x, "ended with");
}

/* What is sought and spoilt, in every copy: of btrfs the leaf with the root tree's entry "default", of ext4
 * the root directory, of xfs the inodes of directories. */
static void real_checkers_see_damage(void **state)
{
	check_real(*state, "btrfs", "default", 7, -300);
	check_real(*state, "ext4", "lost+found", 10, -24);
	check_real(*state, "xfs", "IN\x41\xed", 4, 0);
}

/* An ext4 with a file of 800 lone extents, two levels deep, of which most lie behind its end: unwritten ones
 * as fallocate gives them, or of data, which a sound filesystem has none of there. What else debugfs is to
 * do. */
static void make_deep(struct fixture *x, bool data, const char *more)
{
	char script[1200];

	snprintf(x->target.spec.fs, sizeof(x->target.spec.fs), "ext4");
	snprintf(x->target.device, sizeof(x->target.device), "%.50s/i", x->dir);
	snprintf(script, sizeof(script),
		 "cd %s; rm -f i data list; truncate -s 16M i; mkfs.ext4 -q -F -b 1024 i\n"
		 "for n in $(seq 0 3 2397); do\n"
		 "	%s\n"
		 "done\n"
		 "{ echo 'write %s f'; cat list; echo 'sif f size 100000'; echo '%s'; } >commands\n"
		 "debugfs -w -f commands i >/dev/null 2>&1",
		 x->dir,
		 data ? "echo 1 | dd of=data bs=1024 seek=$n conv=notrunc status=none; : >list"
		      : "echo \"fallocate f $n $n\" >>list",
		 data ? "data" : "/dev/null", more);
	sh(script);
}

static void blocks_behind_the_end_are_no_damage(void **state)
{
	struct fixture *x = *state;

	make_deep(x, false, "");
	if (run(x, false) < 0 || x->findings)
		fail_msg("%s %s", x->e.text, x->last.detail);
	/* A block in use that is nobody's, data behind the end, blocks that are not there: never hidden by
	 * it. */
	make_deep(x, false, "setb 8000");
	assert_finding(x, "end of extent exceeds allowed value");
	make_deep(x, true, "");
	assert_finding(x, "end of extent exceeds allowed value");
	make_deep(x, false, "sif f blocks 1000");
	assert_finding(x, "end of extent exceeds allowed value");
	make_deep(x, false, "sif f links_count 3");
	assert_finding(x, "end of extent exceeds allowed value");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(clean_is_silent),
		TEST(damage_is_told),
		TEST(a_bad_copy_is_told_whatever_the_end),
		TEST(vague_words_want_a_second_opinion),
		TEST(what_xfs_leaves_when_it_is_cut_off),
		TEST(its_own_troubles_are_errors),
		TEST(other_checkers_are_understood),
		TEST(a_crash_is_a_finding),
		TEST(stop_stops_it),
		TEST(real_checkers_see_damage),
		TEST(blocks_behind_the_end_are_no_damage),
	};

	return cmocka_run_group_tests_name("fsck", tests, NULL, NULL);
}
