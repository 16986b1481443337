/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The undo log and its kinds, on real settings of this machine; each test leaves it as it was. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/guard/guard.h"
#include "src/guard/hand.h"
#include "src/guard/lock.h"
#include "src/guard/undo.h"
#include "src/guard/write.h"
#include "tests/unit/block.h"
#include "tests/unit/real.h"
#include "tests/unit/unit.h"

#define SWAPPINESS "/proc/sys/vm/swappiness"

struct place {
	char dir[64];
	struct undo_log log;
	unsigned int back, left;
	char last[2048]; /* last line of something left */
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct error e;

	snprintf(p->dir, sizeof(p->dir), "/tmp/recow-undo-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	assert_int_equal(undo_create(&p->log, p->dir, &e), 0);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	char path[128];

	undo_free(&p->log);
	snprintf(path, sizeof(path), "%s/undo.log", p->dir);
	unlink(path);
	rmdir(p->dir);
	free(p);
	return 0;
}

static void heard(void *self, const struct undo_entry *entry, int err)
{
	struct place *p = self;

	if (!err)
		p->back++;
	if (err) {
		p->left++;
		undo_show(entry, err, p->last, sizeof(p->last));
	}
}

static unsigned int run(struct place *p)
{
	struct undo_listener l = {.self = p, .said = heard};

	return undo_run(&p->log, &l);
}

/* Note what is there now, as a hand would. */
static void note(struct place *p, const char *kind, const char *what)
{
	const struct undo_kind *k = undo_kind_by_name(kind);
	char old[UNDO_OLD] = "";

	if (k->note)
		assert_int_equal(k->note(what, old, sizeof(old)), 0);
	assert_int_equal(undo_note(&p->log, k, what, old), 0);
	assert_int_equal(undo_sync(&p->log), 0);
}

static void read_first(const char *path, char *buf, size_t len)
{
	assert_int_equal(machine_read(path, buf, len), 0);
}

static void reopen(struct place *p)
{
	struct error e;

	undo_free(&p->log);
	assert_int_equal(undo_open(&p->log, p->dir, &e), 0);
}

static void a_setting_comes_back(void **state)
{
	struct place *p = *state;
	char before[32], after[32];

	if (geteuid())
		skip();
	read_first(SWAPPINESS, before, sizeof(before));
	note(p, "set", SWAPPINESS);
	assert_int_equal(write_value(SWAPPINESS, strcmp(before, "7") ? "7" : "8"), 0);
	reopen(p);
	assert_int_equal(p->log.count, 1);
	assert_int_equal(run(p), 0);
	read_first(SWAPPINESS, after, sizeof(after));
	assert_string_equal(before, after);
	reopen(p);
	assert_true(p->log.closed);
}

static void dirty_bytes_and_ratio_are_one(void **state)
{
	struct place *p = *state;
	char ratio[32], bytes[32], now[32];
	const char *what;

	if (geteuid())
		skip();
	read_first("/proc/sys/vm/dirty_ratio", ratio, sizeof(ratio));
	read_first("/proc/sys/vm/dirty_bytes", bytes, sizeof(bytes));
	assert_string_equal(undo_kind_of_path("/proc/sys/vm/dirty_bytes", &what)->name, "dirty");
	note(p, "dirty", what);
	/* An injector sets the other of the two; the kernel sets the first to 0. */
	assert_int_equal(write_value("/proc/sys/vm/dirty_bytes", "268435456"), 0);
	read_first("/proc/sys/vm/dirty_ratio", now, sizeof(now));
	assert_string_equal(now, "0");
	assert_int_equal(run(p), 0);
	read_first("/proc/sys/vm/dirty_ratio", now, sizeof(now));
	assert_string_equal(now, ratio);
	read_first("/proc/sys/vm/dirty_bytes", now, sizeof(now));
	assert_string_equal(now, bytes);
}

static void a_memory_block_returns_to_its_zone(void **state)
{
	static const char *const ways[] = {"offline", "online_movable"};
	struct place *p = *state;
	const struct undo_kind *kind = undo_kind_by_name("memory");
	char what[16], path[96], before[64], now[64];
	int block = geteuid() ? -1 : find_block();

	if (block < 0)
		skip();
	snprintf(what, sizeof(what), "%d", block);
	snprintf(path, sizeof(path), "/sys/devices/system/memory/memory%d/state", block);
	assert_int_equal(kind->note(what, before, sizeof(before)), 0);
	assert_string_equal(before, "online DMA32");
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		note(p, "memory", what);
		assert_int_equal(take_offline(path), 0);
		if (strcmp(ways[i], "offline"))
			assert_int_equal(write_value(path, ways[i]), 0);
		assert_int_equal(kind->note(what, now, sizeof(now)), 0);
		assert_string_not_equal(now, before);
		assert_int_equal(run(p), 0);
		assert_int_equal(kind->note(what, now, sizeof(now)), 0);
		assert_string_equal(now, before);
	}
}

static void made_things_go(void **state)
{
	struct place *p = *state;
	char dir[96], file[96];

	snprintf(dir, sizeof(dir), "%s/made", p->dir);
	snprintf(file, sizeof(file), "%s/made/file", p->dir);
	note(p, "rmdir", dir);
	note(p, "unlink", file);
	assert_int_equal(mkdir(dir, 0700), 0);
	close(open(file, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(run(p), 0); /* in reverse: the file first */
	assert_int_equal(access(dir, F_OK), -1);
	assert_int_equal(p->back, 2);
}

static void what_is_left_is_named_with_the_way(void **state)
{
	struct place *p = *state;

	assert_int_equal(undo_note(&p->log, undo_kind_by_name("set"), "/proc/sys/vm/no_such_thing", "1"), 0);
	assert_int_equal(run(p), 1);
	assert_int_equal(p->left, 1);
	assert_non_null(strstr(p->last, "NOT put back"));
	assert_non_null(strstr(p->last, "echo 1 > /proc/sys/vm/no_such_thing"));
	reopen(p);
	assert_false(p->log.closed);
	assert_false(p->log.entry[0].done);
}

/* Paste it into a shell: it must mean that path. */
static void the_way_by_hand_is_quoted(void **state)
{
	static const char *const kinds[][2] = {
		{"rmdir", "rmdir"}, {"unlink", "rm"}, {"tree", "rm -r"}, {"umount", "umount"}};
	char command[256], expected[256];

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		undo_kind_by_name(kinds[i][0])->by_hand("/tmp/it's mine", "", command, sizeof(command));
		snprintf(expected, sizeof(expected), "%s '/tmp/it'\\''s mine'", kinds[i][1]);
		assert_string_equal(command, expected);
	}
	undo_kind_by_name("set")->by_hand("/a b", "c'd", command, sizeof(command));
	assert_string_equal(command, "echo 'c'\\''d' > '/a b'");
}

static void odd_names_survive(void **state)
{
	static const char name[] = "/tmp/with\ttab and\nnewline \\ \xff";
	struct place *p = *state;

	assert_int_equal(undo_note(&p->log, undo_kind_by_name("unlink"), name, ""), 0);
	reopen(p);
	assert_int_equal(p->log.count, 1);
	assert_string_equal(p->log.entry[0].what, name);
}

static void a_cut_line_is_dropped(void **state)
{
	struct place *p = *state;
	struct stat st;

	note(p, "unlink", "/tmp/recow-no-such-1");
	note(p, "unlink", "/tmp/recow-no-such-2");
	assert_int_equal(fstat(p->log.fd, &st), 0);
	for (off_t cut = 1; cut < 20; cut++) {
		assert_int_equal(ftruncate(p->log.fd, st.st_size - cut), 0);
		reopen(p);
		assert_int_equal(p->log.count, 1);
		assert_int_equal(p->log.damaged, 0);
		note(p, "unlink", "/tmp/recow-no-such-2");
		reopen(p);
		assert_int_equal(p->log.count, 2);
	}
}

static void damage_in_the_middle_is_not_passed_over(void **state)
{
	struct place *p = *state;
	struct stat st;
	int fd;

	assert_int_equal(fstat(p->log.fd, &st), 0);
	note(p, "unlink", "/tmp/recow-no-such-1");
	note(p, "unlink", "/tmp/recow-no-such-2");
	fd = open(p->log.path, O_WRONLY);
	assert_int_equal(pwrite(fd, "X", 1, st.st_size + 14), 1);
	close(fd);
	reopen(p);
	assert_true(p->log.damaged > 0);
	assert_true(run(p) > 0);
	assert_false(p->log.closed);
}

/* Only what stood in the damaged line is lost. */
static void notes_behind_damage_are_put_back(void **state)
{
	struct place *p = *state;
	char first[128], second[128];
	struct stat st;
	int fd;

	snprintf(first, sizeof(first), "%s/first", p->dir);
	snprintf(second, sizeof(second), "%s/second", p->dir);
	close(open(first, O_WRONLY | O_CREAT, 0600));
	close(open(second, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(fstat(p->log.fd, &st), 0);
	note(p, "unlink", first);
	note(p, "unlink", second);
	fd = open(p->log.path, O_WRONLY);
	assert_int_equal(pwrite(fd, "X", 1, st.st_size + 14), 1);
	close(fd);
	for (int restore = 0; restore < 2; restore++) {
		reopen(p);
		assert_int_equal(p->log.damaged, 1);
		assert_int_equal(run(p), 1);
		assert_int_equal(access(second, F_OK), -1);
	}
	assert_int_equal(access(first, F_OK), 0);
	unlink(first);
}

static void something_else_is_no_undo_log(void **state)
{
	struct place *p = *state;
	struct undo_log other;
	struct error e;

	assert_int_equal(ftruncate(p->log.fd, 0), 0);
	assert_int_equal(write(p->log.fd, "hello\n", 6), 6);
	assert_int_equal(undo_open(&other, p->dir, &e), -1);
}

static void one_of_our_own_is_alive(void **state)
{
	struct place *p = *state;

	reopen(p);
	assert_true(undo_alive(&p->log));
	p->log.guard_start++;
	assert_false(undo_alive(&p->log));
	p->log.guard_start--;
	p->log.boot[0] ^= 1;
	assert_false(undo_alive(&p->log));
}

/* ---- hands ---- */

static int write_to(void *arg, int socket)
{
	return write_value(arg, "1");
}

static int answer_seventeen(void *arg, int socket)
{
	return 17;
}

static int crash(void *arg, int socket)
{
	raise(SIGKILL);
	return 0;
}

static void a_hand_that_hangs_is_given_up(void **state)
{
	struct place *p = *state;
	char fifo[96];
	uint64_t begin = clock_mono();

	snprintf(fifo, sizeof(fifo), "%s/fifo", p->dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(hand_do(write_to, fifo, 100 * NSEC_PER_MSEC, NULL), ETIMEDOUT);
	assert_in_range(clock_mono() - begin, 100 * NSEC_PER_MSEC, 1000 * NSEC_PER_MSEC);
	unlink(fifo);
}

static void a_hand_answers(void **state)
{
	assert_int_equal(hand_do(answer_seventeen, NULL, NSEC_PER_SEC, NULL), 17);
	assert_int_equal(hand_do(crash, NULL, NSEC_PER_SEC, NULL), EINTR);
}

/* ---- the lock ---- */

static void one_run_holds_the_machine(void **state)
{
	struct place *p = *state;
	struct machine_lock first, second;
	char reason[160], run_dir[4096];
	int status;
	pid_t other;

	assert_true(lock_take(&first, p->dir, p->dir, reason, sizeof(reason)));
	other = fork();
	if (!other)
		_exit(lock_take(&second, p->dir, "/another", reason, sizeof(reason)) ||
		      !strstr(reason, p->dir));
	waitpid(other, &status, 0);
	assert_int_equal(status, 0);
	assert_false(lock_leftover(p->dir, run_dir, sizeof(run_dir))); /* alive: this process */
	lock_release(&first, false);
	/* Not clean: the next one may not begin, whoever it is. */
	assert_false(lock_take(&second, p->dir, "/another", reason, sizeof(reason)));
	assert_non_null(strstr(reason, "recow restore"));
	assert_int_equal(undo_close(&p->log), 0);
	assert_true(lock_take(&second, p->dir, "/another", reason, sizeof(reason)));
	lock_release(&second, true);
	snprintf(run_dir, sizeof(run_dir), "%s/lock", p->dir);
	assert_int_equal(unlink(run_dir), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_setting_comes_back),
		TEST(dirty_bytes_and_ratio_are_one),
		TEST(a_memory_block_returns_to_its_zone),
		TEST(made_things_go),
		TEST(what_is_left_is_named_with_the_way),
		TEST(the_way_by_hand_is_quoted),
		TEST(odd_names_survive),
		TEST(a_cut_line_is_dropped),
		TEST(damage_in_the_middle_is_not_passed_over),
		TEST(notes_behind_damage_are_put_back),
		TEST(something_else_is_no_undo_log),
		TEST(one_of_our_own_is_alive),
		TEST(a_hand_that_hangs_is_given_up),
		TEST(a_hand_answers),
		TEST(one_run_holds_the_machine),
	};

	take_real_machine();
	keep_machine();
	return cmocka_run_group_tests_name("undo", tests, NULL, NULL);
}
