/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The freeze service: whole runs of the guard with a real filesystem on a loop device, and children of the
 * test's own. However a run ends while the filesystem is frozen, it is thawed and nothing of it stays.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/guard/guard.h"
#include "tests/unit/real.h"
#include "tests/unit/unit.h"

#define IMAGE_SIZE (256 * MiB)

/* What a test and the processes of its run share. */
struct board {
	struct plan plan;
	struct outcome outcome;
	struct error error;
	int answers[8];
	unsigned int findings;
	char note[1024];         /* the last thing the user was told */
	_Atomic int frozen;      /* churn or disturb has frozen the target */
	_Atomic int go;          /* and may go on */
	_Atomic uint64_t waited; /* ns that a write took */
	_Atomic pid_t churn, disturb;
};

static struct board *board;
static char directory[64];

/* ---- the run ---- */

static void on_finding(void *self, const struct shared *s, const struct finding *f)
{
	board->findings++;
}

static void on_note(void *self, const char *line)
{
	snprintf(board->note, sizeof(board->note), "%s", line);
}

static pid_t start(int (*churn)(struct shared *, int), int (*disturb)(struct shared *, const int *))
{
	const struct guard_children children = {.churn = churn, .disturb = disturb};
	const struct guard_listener listener = {.finding = on_finding, .note = on_note};
	pid_t pid = fork();

	if (pid)
		return pid;
	if (guard_run(&board->plan, &children, &listener, &board->outcome, &board->error))
		_exit((int)board->error.exit);
	_exit((int)board->outcome.exit);
}

static int finish(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static bool await(const _Atomic int *flag, unsigned int ms)
{
	for (unsigned int i = 0; i < ms && !atomic_load(flag); i++)
		sleep_ns(NSEC_PER_MSEC);
	return atomic_load(flag);
}

/* ---- churn and disturb ---- */

static int begin(struct shared *s)
{
	struct error e;

	atomic_store(&board->churn, getpid());
	if (target_prepare(&s->target, &s->plan.target, s->plan.output, &e) || target_mount(&s->target, &e)) {
		snprintf(board->note, sizeof(board->note), "%s", e.text);
		return -1;
	}
	atomic_store(&s->target_mounted, 1);
	atomic_store(&s->round, 1);
	atomic_store(&s->stage, STAGE_CHURN);
	atomic_store(&s->rounds_done, 1);
	atomic_store(&s->trials[MEASURE_DIRTY], 1000);
	return 0;
}

static int end(struct shared *s)
{
	struct error e;

	if (target_unmount(&s->target, &e) || target_release(&s->target, false, &e)) {
		snprintf(board->note, sizeof(board->note), "%s", e.text);
		return 1;
	}
	return 0;
}

static int open_root(const struct shared *s)
{
	return open(s->target.mountpoint, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int freeze(const struct shared *s, int socket, uint64_t limit)
{
	struct machine m = {.socket = socket};
	int root = open_root(s), err = machine_freeze(&m, root, limit);

	close(root);
	return err;
}

/* The hand of the one before may still be on its way out. */
static int freeze_next(const struct shared *s, int socket, uint64_t limit)
{
	int err = EBUSY;

	for (unsigned int i = 0; i < 2000 && err == EBUSY; i++) {
		err = freeze(s, socket, limit);
		sleep_ns(NSEC_PER_MSEC);
	}
	return err;
}

static int thaw(int socket)
{
	return machine_thaw(&(struct machine){.socket = socket});
}

/* Make a file; says how long that took. */
static void write_something(const struct shared *s)
{
	uint64_t begun = clock_mono();
	char path[4200];
	int fd;

	snprintf(path, sizeof(path), "%s/file", s->target.mountpoint);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	atomic_store(&board->waited, clock_mono() - begun);
}

static pid_t fork_writer(const struct shared *s)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	write_something(s);
	_exit(0);
}

static int disturb_nothing(struct shared *s, const int *sockets)
{
	for (int i = 0; i < 20000 && !atomic_load(&s->stop); i++)
		sleep_ns(NSEC_PER_MSEC);
	return 0;
}

static int disturb_asks_too(struct shared *s, const int *sockets)
{
	await(&board->frozen, 10000);
	board->answers[4] = freeze(s, sockets[0], 0);
	board->answers[5] = thaw(sockets[0]);
	atomic_store(&board->go, 1);
	return disturb_nothing(s, sockets);
}

static int churn_freezes_and_thaws(struct shared *s, int socket)
{
	struct machine m = {.socket = socket};
	int slash = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t writer;

	if (begin(s))
		return 1;
	board->answers[0] = machine_freeze(&m, slash, 0);
	board->answers[1] = freeze(s, socket, 10 * NSEC_PER_SEC);
	atomic_store(&board->frozen, 1);
	writer = fork_writer(s);
	await(&board->go, 10000);
	sleep_ns(300 * NSEC_PER_MSEC);
	board->answers[2] = thaw(socket);
	board->answers[3] = thaw(socket);
	waitpid(writer, NULL, 0);
	return end(s);
}

static int churn_is_late(struct shared *s, int socket)
{
	if (begin(s))
		return 1;
	board->answers[0] = freeze(s, socket, 200 * NSEC_PER_MSEC);
	write_something(s);
	board->answers[1] = freeze_next(s, socket, 0);
	board->answers[2] = thaw(socket);
	board->answers[3] = freeze(s, socket, 50 * NSEC_PER_MSEC);
	sleep_ns(300 * NSEC_PER_MSEC);
	board->answers[4] = thaw(socket);
	board->answers[5] = thaw(socket);
	return end(s);
}

static int churn_forgets(struct shared *s, int socket)
{
	if (begin(s))
		return 1;
	board->answers[0] = freeze(s, socket, 60 * NSEC_PER_SEC);
	return 0;
}

static int churn_waits(struct shared *s, int socket)
{
	if (begin(s))
		return 1;
	await(&board->frozen, 10000);
	for (int i = 0; i < 4; i++)
		fork_writer(s);
	write_something(s);
	return disturb_nothing(s, NULL);
}

static int churn_sleeps(struct shared *s, int socket)
{
	return begin(s) ? 1 : disturb_nothing(s, NULL);
}

/* Freezes for a minute and stays. */
static int disturb_freezes(struct shared *s, const int *sockets)
{
	atomic_store(&board->disturb, getpid());
	await(&s->target_mounted, 10000);
	board->answers[0] = freeze(s, sockets[0], 60 * NSEC_PER_SEC);
	atomic_store(&board->frozen, 1);
	sleep_ns(60 * NSEC_PER_SEC);
	return 0;
}

/* A worker's operation that takes as long as the freeze. */
static int churn_has_patience(struct shared *s, int socket)
{
	if (begin(s))
		return 1;
	board->answers[0] = freeze(s, socket, 10 * NSEC_PER_SEC);
	atomic_store(&s->worker[0].started, clock_mono());
	sleep_ns(3500 * NSEC_PER_MSEC);
	board->answers[1] = thaw(socket);
	atomic_store(&s->worker[0].started, 0);
	return end(s);
}

/* A change that is asked for while its file can't be written, whatever signal comes. The target stays mounted
 * for the guard to undo it. */
static int churn_holds_up_a_change(struct shared *s, int socket)
{
	char path[4200];
	int fd;

	if (begin(s))
		return 1;
	snprintf(path, sizeof(path), "%s/setting", s->target.mountpoint);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, "1\n", 2) != 2)
		return 1;
	close(fd);
	board->answers[0] = freeze(s, socket, 20 * NSEC_PER_SEC);
	atomic_store(&board->frozen, 1);
	await(&board->go, 10000);
	board->answers[1] = thaw(socket);
	return 0;
}

static int disturb_changes_what_is_frozen(struct shared *s, const int *sockets)
{
	struct machine m = {.socket = sockets[0]};
	char path[4200];

	await(&board->frozen, 10000);
	snprintf(path, sizeof(path), "%s/setting", s->target.mountpoint);
	board->answers[4] = machine_set(&m, path, "2", 100 * NSEC_PER_MSEC);
	atomic_store(&board->go, 1);
	return disturb_nothing(s, sockets);
}

/* ---- what must be left of it: nothing ---- */

static bool loop_left(void)
{
	DIR *dir = opendir("/sys/block");
	struct dirent *entry;
	bool left = false;

	while (dir && (entry = readdir(dir))) {
		char path[320], file[4096];

		snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", entry->d_name);
		left |= !machine_read(path, file, sizeof(file)) && strstr(file, directory);
	}
	if (dir)
		closedir(dir);
	return left;
}

/* The loop device goes with the superblock, a moment after its last user. */
static void assert_nothing_left(void)
{
	for (int i = 0; i < 10000 && loop_left(); i++)
		sleep_ns(NSEC_PER_MSEC);
	assert_false(loop_left());
}

static void ignore_line(void *self, const char *text)
{
}

static int restore(void)
{
	struct error e;

	return guard_restore(board->plan.output, ignore_line, NULL, &e);
}

/* The freezing hand of this run, by what it is called and whose child it is. 0: there is none. */
static pid_t freezing_hand(pid_t guard)
{
	char path[128], list[4096] = "", name[32];
	char *at = list;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)guard, (int)guard);
	machine_read(path, list, sizeof(list));
	while (*at) {
		pid_t pid = (pid_t)strtol(at, &at, 10);

		at += strspn(at, " ");
		snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
		if (pid && !machine_read(path, name, sizeof(name)) && !strcmp(name, "recow-freeze"))
			return pid;
	}
	return 0;
}

/* ---- tests ---- */

static void frozen_until_thawed(void **state)
{
	assert_int_equal(finish(start(churn_freezes_and_thaws, disturb_asks_too)), EXIT_CLEAN);
	assert_int_equal(board->answers[0], EPERM);
	assert_int_equal(board->answers[1], 0);
	assert_int_equal(board->answers[2], 0);
	assert_int_equal(board->answers[3], ENOENT);
	assert_int_equal(board->answers[4], EBUSY);
	assert_int_equal(board->answers[5], ENOENT);
	assert_true(board->waited > 200 * NSEC_PER_MSEC);
	assert_string_equal(board->note, "no freeze: / is the root filesystem, which is not frozen");
	assert_nothing_left();
}

/* It was given up, and died later: at the end of the run nothing hangs any more. */
static void a_hand_that_dies_late_is_no_hang(void **state)
{
	assert_int_equal(finish(start(churn_holds_up_a_change, disturb_changes_what_is_frozen)), EXIT_CLEAN);
	assert_int_equal(board->answers[0], 0);
	assert_int_equal(board->answers[1], 0);
	assert_int_equal(board->answers[4], ETIMEDOUT);
	assert_int_equal(board->outcome.left, 0);
	assert_nothing_left();
}

static void the_limit_ends_it(void **state)
{
	assert_int_equal(finish(start(churn_is_late, disturb_nothing)), EXIT_CLEAN);
	assert_int_equal(board->answers[0], 0);
	assert_in_range(board->waited, 150 * NSEC_PER_MSEC, 5 * NSEC_PER_SEC);
	assert_int_equal(board->answers[1], 0);
	assert_int_equal(board->answers[2], 0);
	assert_int_equal(board->answers[3], 0);
	assert_int_equal(board->answers[4], ETIME);
	assert_int_equal(board->answers[5], ENOENT);
	assert_nothing_left();
}

static void the_end_of_its_asker_ends_it(void **state)
{
	uint64_t begun = clock_mono();

	finish(start(churn_forgets, disturb_nothing));
	assert_true(clock_mono() - begun < 20 * NSEC_PER_SEC);
	assert_int_equal(board->answers[0], 0);
	assert_int_equal(board->outcome.left, 0);
	assert_nothing_left();
}

static void a_long_freeze_is_no_hang(void **state)
{
	board->plan.hang_limit = 1 * NSEC_PER_SEC;
	assert_int_equal(finish(start(churn_has_patience, disturb_nothing)), EXIT_CLEAN);
	assert_int_equal(board->answers[1], 0);
	assert_int_equal(board->findings, 0);
}

/* Kill these while the target is frozen; returns once the guard is gone. */
static void kill_while_frozen(int (*churn)(struct shared *, int), bool churn_too, bool disturb_too,
			      bool guard_too, bool hand_too)
{
	pid_t guard = start(churn, disturb_freezes), hand;
	uint64_t begun = clock_mono();

	assert_true(await(&board->frozen, 20000));
	assert_int_equal(board->answers[0], 0);
	sleep_ns(200 * NSEC_PER_MSEC); /* writers come to wait */
	hand = freezing_hand(guard);
	assert_true(hand > 0);
	if (guard_too && hand_too)
		kill(guard, SIGSTOP); /* or it would thaw when it sees the hand gone */
	if (hand_too)
		kill(hand, SIGKILL);
	if (churn_too)
		kill(atomic_load(&board->churn), SIGKILL);
	if (disturb_too)
		kill(atomic_load(&board->disturb), SIGKILL);
	if (guard_too)
		kill(guard, SIGKILL);
	finish(guard);
	assert_true(clock_mono() - begun < 30 * NSEC_PER_SEC);
}

static void killed_disturb(void **state)
{
	kill_while_frozen(churn_waits, false, true, false, false);
	assert_int_equal(board->outcome.left, 0);
	assert_nothing_left();
}

static void killed_churn_and_disturb(void **state)
{
	kill_while_frozen(churn_waits, true, true, false, false);
	assert_int_equal(board->outcome.left, 0);
	assert_nothing_left();
}

static void killed_hand(void **state)
{
	kill_while_frozen(churn_waits, false, true, false, true);
	assert_int_equal(board->outcome.left, 0);
	assert_nothing_left();
}

static void killed_guard(void **state)
{
	kill_while_frozen(churn_waits, false, false, true, false);
	assert_nothing_left(); /* the freezing hand saw to it */
	assert_int_equal(restore(), EXIT_CLEAN);
}

static void killed_all(void **state)
{
	kill_while_frozen(churn_waits, true, true, true, false);
	assert_nothing_left();
	assert_int_equal(restore(), EXIT_CLEAN);
}

/* Writers that can't die keep the run's mount namespace. */
static void killed_all_and_the_hand_beside_writers(void **state)
{
	kill_while_frozen(churn_waits, true, true, true, true);
	assert_true(loop_left());
	assert_int_equal(restore(), EXIT_CLEAN);
	assert_nothing_left();
}

/* The last process of the namespace is gone, and the mount with it: the frozen superblock stays. */
static void killed_all_and_the_hand_alone(void **state)
{
	kill_while_frozen(churn_sleeps, true, true, true, true);
	sleep_ns(300 * NSEC_PER_MSEC);
	assert_true(loop_left());
	assert_int_equal(restore(), EXIT_CLEAN);
	assert_nothing_left();
}

/* ---- fixtures ---- */

static const struct injector test_injector = {.name = "test"};

static int set_up(void **state)
{
	if (geteuid())
		skip();
	await_machine();
	memset(board, 0, sizeof(*board));
	snprintf(directory, sizeof(directory), "/var/tmp/recow-freeze-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(board->plan.output, sizeof(board->plan.output), "%s/run", directory);
	board->plan.workers = 1;
	board->plan.inject = true;
	board->plan.hang_limit = 60 * NSEC_PER_SEC;
	board->plan.target =
		(struct target_spec){.kind = TARGET_AUTO, .image_size = IMAGE_SIZE, .fs = "btrfs"};
	board->plan.injection_count = 1;
	board->plan.injection[0].injector = &test_injector;
	return 0;
}

static int tear_down(void **state)
{
	struct error e;

	if (access(board->plan.output, F_OK) == 0)
		restore();
	return target_remove_tree(directory, &e);
}

static int group_set_up(void **state)
{
	board = take_real_machine_with(sizeof(*board));
	return board ? 0 : -1;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frozen_until_thawed),
		TEST(a_hand_that_dies_late_is_no_hang),
		TEST(the_limit_ends_it),
		TEST(the_end_of_its_asker_ends_it),
		TEST(a_long_freeze_is_no_hang),
		TEST(killed_disturb),
		TEST(killed_churn_and_disturb),
		TEST(killed_hand),
		TEST(killed_guard),
		TEST(killed_all),
		TEST(killed_all_and_the_hand_beside_writers),
		TEST(killed_all_and_the_hand_alone),
	};

	return cmocka_run_group_tests_name("freeze", tests, group_set_up, NULL);
}
