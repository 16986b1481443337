/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole runs of the guard with small children of the tests' own, on real settings and a real memory block of
 * this machine. Each run is a process, so that it can be killed.
 */
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
#include "src/base/random.h"
#include "src/guard/guard.h"
#include "src/guard/write.h"
#include "src/journal/file.h"
#include "src/machine/messages.h"
#include "src/run/rundir.h"
#include "tests/unit/block.h"
#include "tests/unit/real.h"
#include "tests/unit/unit.h"

#define SWAPPINESS "/proc/sys/vm/swappiness"
#define DIRTY      "/proc/sys/vm/dirty_ratio"
/* No child of a test lasts longer, whatever goes wrong; ms. */
#define PATIENCE 20000

#define MARK "recow guard test line"

/* What a test and its run share. */
struct board {
	struct plan plan;
	struct outcome outcome;
	struct error error;
	int result;
	unsigned int findings, notes;
	char first_note[512];
	char finding[512], finding_class[32];
	int answers[4]; /* what disturb heard at the door */
	char seen[4][64];
	_Atomic int started, acted;
	_Atomic pid_t churn, disturb;
	char cgroup[512];
	int block; /* a memory block that can go offline, -1 */
};

static struct board *board; /* shared with the run's processes; made once */

static const struct injector test_injector = {.name = "test"};

static bool test_line(const char *record, const char *device, struct finding *f)
{
	return strstr(record, MARK) != NULL;
}

static const struct verifier test_verifier = {.name = "line", .when = VERIFY_LIVE, .line = test_line};

/* ---- the listener ---- */

static void on_started(void *self, const struct shared *s)
{
	snprintf(board->cgroup, sizeof(board->cgroup), "%s", s->cgroup);
	atomic_store(&board->started, 1);
}

static void on_finding(void *self, const struct shared *s, const struct finding *f)
{
	if (!board->findings++) {
		snprintf(board->finding, sizeof(board->finding), "%s", f->detail);
		snprintf(board->finding_class, sizeof(board->finding_class), "%s",
			 finding_class_name(f->class));
	}
}

static void on_note(void *self, const char *line)
{
	if (!board->notes++)
		snprintf(board->first_note, sizeof(board->first_note), "%s", line);
}

/* ---- a run ---- */

/* Those that a test has begun: whatever becomes of the test, none stays and each is undone. */
static struct {
	pid_t pid; /* 0: ended */
	char path[4096];
} begun[16];
static unsigned int begun_count;

static pid_t start(int (*churn)(struct shared *, int), int (*disturb)(struct shared *, const int *))
{
	const struct guard_children children = {.churn = churn, .disturb = disturb};
	const struct guard_listener listener = {
		.started = on_started, .finding = on_finding, .note = on_note};
	pid_t pid = fork();

	if (pid) {
		begun[begun_count].pid = pid;
		memcpy(begun[begun_count++].path, board->plan.output, sizeof(board->plan.output));
		return pid;
	}
	board->result = guard_run(&board->plan, &children, &listener, &board->outcome, &board->error);
	_exit(board->result ? (int)board->error.exit : (int)board->outcome.exit);
}

static int finish(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (unsigned int i = 0; i < begun_count; i++) {
		if (begun[i].pid == pid)
			begun[i].pid = 0;
	}
	if (!WIFEXITED(status))
		return -WTERMSIG(status);
	return WEXITSTATUS(status);
}

static int run(int (*churn)(struct shared *, int), int (*disturb)(struct shared *, const int *))
{
	return finish(start(churn, disturb));
}

static void await(const _Atomic int *flag)
{
	for (int i = 0; i < 5000 && !atomic_load(flag); i++)
		sleep_ns(NSEC_PER_MSEC);
	assert_true(atomic_load(flag));
}

static char *in_run(char *buf, size_t len, const char *name)
{
	return rundir_path(buf, len, board->plan.output, name);
}

static bool file_has(const char *name, const char *text)
{
	char path[4200], line[8192];
	bool found = false;
	FILE *file = fopen(in_run(path, sizeof(path), name), "r");

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, text) != NULL;
	fclose(file);
	return found;
}

/* ---- the machine, before and after ---- */

static struct {
	char swappiness[32], dirty[32], zone[64];
} before;

static void block_path(char *buf, size_t len, const char *file)
{
	snprintf(buf, len, "/sys/devices/system/memory/memory%d/%s", board->block, file);
}

static void look(char *swappiness, char *dirty, char *zone)
{
	char path[96];

	assert_int_equal(machine_read(SWAPPINESS, swappiness, 32), 0);
	assert_int_equal(machine_read(DIRTY, dirty, 32), 0);
	block_path(path, sizeof(path), "valid_zones");
	zone[0] = '\0';
	if (board->block >= 0)
		assert_int_equal(machine_read(path, zone, 64), 0);
}

static void assert_all_back(void)
{
	char swappiness[32], dirty[32], zone[64];

	look(swappiness, dirty, zone);
	assert_string_equal(swappiness, before.swappiness);
	assert_string_equal(dirty, before.dirty);
	assert_string_equal(zone, before.zone);
	assert_true(!board->cgroup[0] || access(board->cgroup, F_OK));
}

static int set_up(void **state)
{
	int block = board->block;
	char dir[64] = "/tmp/recow-guard-XXXXXX";

	if (geteuid())
		return 0;
	memset(board, 0, sizeof(*board));
	board->block = block;
	assert_non_null(mkdtemp(dir));
	snprintf(board->plan.output, sizeof(board->plan.output), "%s/run", dir);
	snprintf(board->plan.scenario, sizeof(board->plan.scenario), "test");
	board->plan.workers = 1;
	board->plan.run_key = 7;
	board->plan.inject = true;
	board->plan.target.kind = TARGET_AUTO;
	board->plan.injection_count = 1;
	board->plan.injection[0].injector = &test_injector;
	board->plan.verification_count = 1;
	board->plan.verification[0].verifier = &test_verifier;
	await_machine();
	look(before.swappiness, before.dirty, before.zone);
	return 0;
}

static void ignore_line(void *self, const char *text)
{
}

static void end_all(void)
{
	struct error e;

	for (unsigned int i = 0; i < begun_count; i++) {
		if (begun[i].pid) {
			kill(begun[i].pid, SIGKILL);
			waitpid(begun[i].pid, NULL, 0);
		}
		guard_restore(begun[i].path, ignore_line, NULL, &e);
	}
	begun_count = 0;
}

static int tear_down(void **state)
{
	char command[8192];

	if (geteuid())
		return 0;
	end_all();
	*strrchr(board->plan.output, '/') = '\0';
	snprintf(command, sizeof(command), "rm -rf '%s'", board->plan.output);
	return system(command);
}

/* ---- children ---- */

static void one_round(struct shared *s)
{
	atomic_store(&s->round, 1);
	atomic_store(&s->stage, STAGE_CHURN);
	atomic_store(&s->rounds_done, 1);
	atomic_store(&s->trials[MEASURE_DIRTY], 1000);
}

/* Wait until disturb has acted; at most ten seconds. */
static int churn_until_acted(struct shared *s, int socket)
{
	one_round(s);
	for (int i = 0; i < 10000 && !atomic_load(&board->acted); i++)
		sleep_ns(NSEC_PER_MSEC);
	return 0;
}

static int churn_until_stop(struct shared *s, int socket)
{
	atomic_store(&board->churn, getpid());
	one_round(s);
	for (int i = 0; i < PATIENCE && !atomic_load(&s->stop); i++)
		sleep_ns(NSEC_PER_MSEC);
	return 0;
}

static int churn_for_ever(struct shared *s, int socket)
{
	one_round(s);
	sleep_ns(PATIENCE * NSEC_PER_MSEC);
	return 0;
}

static int disturb_nothing(struct shared *s, const int *sockets)
{
	for (int i = 0; i < PATIENCE && !atomic_load(&s->stop); i++)
		sleep_ns(NSEC_PER_MSEC);
	return 0;
}

static int disturb_all(struct shared *s, const int *sockets)
{
	struct machine m = {.socket = sockets[0]};
	char path[96];

	board->answers[0] = machine_set(&m, SWAPPINESS, "33", 0);
	board->answers[1] = machine_set(&m, "/proc/sys/vm/dirty_bytes", "268435456", 0);
	if (board->block >= 0) {
		board->answers[2] = machine_memory_block(&m, (unsigned int)board->block, "offline", 0);
		board->answers[3] = machine_memory_block(&m, (unsigned int)board->block, "online_movable", 0);
		block_path(path, sizeof(path), "valid_zones");
		machine_read(path, board->seen[2], sizeof(board->seen[2]));
	}
	machine_read(SWAPPINESS, board->seen[0], sizeof(board->seen[0]));
	machine_read(DIRTY, board->seen[1], sizeof(board->seen[1]));
	machine_note(&m, "test", "all changed");
	machine_synced(&m, "syncfs", clock_mono());
	machine_synced(&m, "another at once", clock_mono());
	atomic_store(&board->acted, 1);
	return disturb_nothing(s, sockets);
}

/* ---- tests ---- */

#define NEEDS_ROOT                                                                                           \
	if (geteuid())                                                                                       \
	skip()

static void what_injectors_change_is_back_at_the_end(void **state)
{
	char path[4200];

	NEEDS_ROOT;
	assert_int_equal(run(churn_until_acted, disturb_all), EXIT_CLEAN);
	for (int i = 0; i < 4; i++)
		assert_int_equal(board->answers[i], 0);
	assert_string_equal(board->seen[0], "33");
	assert_string_equal(board->seen[1], "0");
	if (board->block >= 0)
		assert_int_equal(strncmp(board->seen[2], "Movable", 7), 0);
	assert_all_back();
	assert_int_equal(board->outcome.left, 0);
	assert_true(file_has("undo.log", "closed"));
	assert_true(file_has("timeline.jsonl", "all changed"));
	assert_true(file_has("timeline.jsonl", "\"event\":\"sync\""));
	assert_true(file_has("timeline.jsonl", "syncfs"));
	assert_false(file_has("timeline.jsonl", "another at once"));
	assert_true(file_has("timeline.jsonl", "\"event\":\"end\""));
	assert_int_equal(access(in_run(path, sizeof(path), "plan.txt"), F_OK), 0);
}

static int disturb_and_go_on(struct shared *s, const int *sockets)
{
	struct machine m = {.socket = sockets[0]};

	for (unsigned int i = 0; !atomic_load(&s->stop); i++) {
		machine_set(&m, SWAPPINESS, i % 2 ? "11" : "12", 0);
		machine_set(&m, DIRTY, i % 2 ? "31" : "32", 0);
		if (board->block < 0)
			continue;
		machine_memory_block(&m, (unsigned int)board->block, "offline", 0);
		machine_memory_block(&m, (unsigned int)board->block, "online_movable", 0);
	}
	return 0;
}

static void count_line(void *self, const char *text)
{
	++*(int *)self;
}

/* Is there such a process? A dead one that nobody has reaped doesn't run. */
static bool runs(pid_t pid)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return !machine_read(path, text, sizeof(text)) && !strstr(text, ") Z");
}

static void a_killed_guard_leaves_a_way_back(void **state)
{
	struct stream r = stream_make(clock_mono(), 1, 2);
	char base[3072];

	NEEDS_ROOT;
	snprintf(base, sizeof(base), "%.3000s", board->plan.output);
	for (int i = 0; i < 8; i++) {
		char other[4096];
		struct error e = {0};
		int lines = 0;
		pid_t pid;

		snprintf(board->plan.output, sizeof(board->plan.output), "%s%d", base, i);
		atomic_store(&board->started, 0);
		pid = start(churn_until_stop, disturb_and_go_on);
		await(&board->started);
		sleep_ns(stream_below(&r, 150) * NSEC_PER_MSEC);
		assert_int_equal(guard_restore(board->plan.output, count_line, &lines, &e), -1);
		assert_non_null(strstr(e.text, "alive"));
		kill(pid, SIGKILL);
		assert_int_equal(finish(pid), -SIGKILL);
		sleep_ns(50 * NSEC_PER_MSEC); /* its children die with it, but not in no time */
		assert_true(guard_leftover(other));
		assert_string_equal(other, board->plan.output);
		assert_int_equal(guard_restore(board->plan.output, count_line, &lines, &e), EXIT_CLEAN);
		assert_true(lines > 0);
		assert_all_back();
		assert_false(guard_leftover(other));
		assert_false(runs(atomic_load(&board->churn)));
	}
	snprintf(board->plan.output, sizeof(board->plan.output), "%s", base);
}

static void no_run_injects_on_top_of_leftovers(void **state)
{
	char base[3072], dead[4096];
	struct error e;
	int lines = 0;
	pid_t pid;

	NEEDS_ROOT;
	snprintf(base, sizeof(base), "%.3000s", board->plan.output);
	pid = start(churn_until_stop, disturb_all);
	await(&board->acted);
	kill(pid, SIGKILL);
	finish(pid);
	memcpy(dead, board->plan.output, sizeof(dead));
	snprintf(board->plan.output, sizeof(board->plan.output), "%s-next", base);
	board->plan.min_exposure.of[MEASURE_DIRTY] = 2000;
	assert_int_equal(run(churn_until_acted, disturb_all), EXIT_INCONCLUSIVE);
	assert_non_null(strstr(board->first_note, "recow restore"));
	assert_int_equal(guard_restore(dead, count_line, &lines, &e), EXIT_CLEAN);
	assert_all_back();
	snprintf(board->plan.output, sizeof(board->plan.output), "%s", base);
}

static void a_second_run_goes_on_without_injectors(void **state)
{
	char base[3072];
	pid_t first;

	NEEDS_ROOT;
	snprintf(base, sizeof(base), "%.3000s", board->plan.output);
	first = start(churn_until_stop, disturb_nothing);
	await(&board->started);
	snprintf(board->plan.output, sizeof(board->plan.output), "%s-second", base);
	board->notes = 0;
	atomic_store(&board->acted, 1);
	assert_int_equal(run(churn_until_acted, disturb_all), EXIT_CLEAN);
	assert_non_null(strstr(board->first_note, "another run holds the machine"));
	assert_non_null(strstr(board->first_note, base));
	assert_string_equal(board->seen[0], "");
	kill(first, SIGTERM);
	assert_int_equal(finish(first), EXIT_CLEAN);
	snprintf(board->plan.output, sizeof(board->plan.output), "%s", base);
}

static int disturb_fifo(struct shared *s, const int *sockets)
{
	struct machine m = {.socket = sockets[0]};
	char fifo[4200];
	uint64_t begin = clock_mono();

	mkfifo(in_run(fifo, sizeof(fifo), "fifo"), 0600);
	board->answers[0] = machine_set(&m, fifo, "1", 200 * NSEC_PER_MSEC);
	board->answers[1] = (int)((clock_mono() - begin) / NSEC_PER_MSEC);
	board->answers[2] = machine_set(&m, SWAPPINESS, "33", 0);
	board->answers[3] = machine_set(&m, "/proc/sys/vm/no_such_thing", "33", 0);
	atomic_store(&board->acted, 1);
	return disturb_nothing(s, sockets);
}

static void a_change_that_hangs_is_given_up(void **state)
{
	NEEDS_ROOT;
	assert_int_equal(run(churn_until_acted, disturb_fifo), EXIT_CLEAN);
	assert_int_equal(board->answers[0], ETIMEDOUT);
	assert_in_range(board->answers[1], 200, 900);
	assert_int_equal(board->answers[2], 0);
	assert_int_equal(board->answers[3], ENOENT);
	assert_all_back();
}

static int churn_dies(struct shared *s, int socket)
{
	churn_until_acted(s, socket);
	kill(getpid(), SIGKILL);
	return 0;
}

static void a_dead_churn_gets_a_verdict(void **state)
{
	NEEDS_ROOT;
	assert_int_equal(run(churn_dies, disturb_all), EXIT_HARNESS);
	assert_non_null(strstr(board->outcome.verdict, "churn was killed by SIGKILL"));
	assert_true(board->outcome.interrupted);
	assert_all_back();
}

static int churn_leaves_a_tree(struct shared *s, int socket)
{
	char path[4400];

	snprintf(path, sizeof(path), "%s/recow-run", s->plan.target.path);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/recow-run/w0000", s->plan.target.path);
	mkdir(path, 0700);
	kill(getpid(), SIGKILL);
	return 0;
}

static void a_dead_churn_leaves_no_directory(void **state)
{
	struct target_spec *t = &board->plan.target;
	char path[4400];

	NEEDS_ROOT;
	t->kind = TARGET_DIRECTORY;
	snprintf(t->path, sizeof(t->path), "%s", board->plan.output);
	*strrchr(t->path, '/') = '\0';
	snprintf(path, sizeof(path), "%s/recow-run", t->path);
	assert_int_equal(run(churn_leaves_a_tree, disturb_nothing), EXIT_HARNESS);
	assert_int_equal(access(path, F_OK), -1);
}

static void what_was_there_before_stays(void **state)
{
	struct target_spec *t = &board->plan.target;
	char path[4400];

	NEEDS_ROOT;
	t->kind = TARGET_DIRECTORY;
	snprintf(t->path, sizeof(t->path), "%s", board->plan.output);
	*strrchr(t->path, '/') = '\0';
	snprintf(path, sizeof(path), "%s/recow-run", t->path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(run(churn_leaves_a_tree, disturb_nothing), EXIT_HARNESS);
	assert_int_equal(access(path, F_OK), 0);
}

static int disturb_crashes(struct shared *s, const int *sockets)
{
	struct machine m = {.socket = sockets[0]};

	atomic_store(&s->acting, 1);
	machine_set(&m, SWAPPINESS, "33", 0);
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	return 0;
}

static int churn_until_rest(struct shared *s, int socket)
{
	one_round(s);
	for (int i = 0; i < PATIENCE && (!atomic_load(&s->stop) || atomic_load(&s->acting)); i++)
		sleep_ns(NSEC_PER_MSEC);
	return 0;
}

static void a_dead_disturb_ends_the_run(void **state)
{
	NEEDS_ROOT;
	assert_int_equal(run(churn_until_rest, disturb_crashes), EXIT_HARNESS);
	assert_non_null(strstr(board->outcome.verdict, "disturb was killed by SIGSEGV"));
	assert_all_back();
}

static int churn_hangs(struct shared *s, int socket)
{
	atomic_store(&s->worker[0].tid, getpid());
	atomic_store(&s->worker[0].started, clock_mono());
	return churn_for_ever(s, socket);
}

static void a_hang_is_a_finding(void **state)
{
	uint64_t begin = clock_mono();

	NEEDS_ROOT;
	board->plan.hang_limit = NSEC_PER_SEC;
	assert_int_equal(run(churn_hangs, disturb_all), EXIT_FINDING);
	assert_in_range(clock_mono() - begin, NSEC_PER_SEC, 8 * NSEC_PER_SEC);
	assert_string_equal(board->finding_class, finding_class_name(FINDING_HANG));
	assert_non_null(strstr(board->finding, "worker 0"));
	assert_true(file_has("hang.txt", "/wchan"));
	assert_all_back();
}

static void a_standstill_is_a_hang(void **state)
{
	NEEDS_ROOT;
	board->plan.hang_limit = NSEC_PER_SEC;
	assert_int_equal(run(churn_for_ever, disturb_nothing), EXIT_FINDING);
	assert_non_null(strstr(board->finding, "no progress"));
}

static void an_interrupted_run_says_so(void **state)
{
	pid_t pid;

	NEEDS_ROOT;
	board->plan.duration = 3600 * NSEC_PER_SEC;
	pid = start(churn_until_stop, disturb_all);
	await(&board->acted);
	kill(pid, SIGINT);
	assert_int_equal(finish(pid), EXIT_HARNESS);
	assert_non_null(strstr(board->outcome.verdict, "cut short"));
	assert_true(board->outcome.interrupted);
	assert_all_back();
}

static void without_a_limit_the_user_ends_it(void **state)
{
	pid_t pid;

	NEEDS_ROOT;
	pid = start(churn_until_stop, disturb_all);
	await(&board->acted);
	kill(pid, SIGHUP);
	assert_int_equal(finish(pid), EXIT_CLEAN);
	assert_all_back();
}

static void the_second_signal_ends_it_at_once(void **state)
{
	uint64_t begin;
	pid_t pid;

	NEEDS_ROOT;
	pid = start(churn_for_ever, disturb_all);
	await(&board->acted);
	begin = clock_mono();
	kill(pid, SIGINT);
	sleep_ns(100 * NSEC_PER_MSEC);
	kill(pid, SIGINT);
	assert_int_equal(finish(pid), EXIT_HARNESS);
	assert_in_range(clock_mono() - begin, 0, 4 * NSEC_PER_SEC);
	assert_all_back();
}

static void a_deaf_churn_is_killed_in_ten_seconds(void **state)
{
	uint64_t begin;
	pid_t pid;

	NEEDS_ROOT;
	pid = start(churn_for_ever, disturb_all);
	await(&board->acted);
	begin = clock_mono();
	kill(pid, SIGTERM);
	assert_int_equal(finish(pid), EXIT_HARNESS);
	assert_in_range(clock_mono() - begin, 6 * NSEC_PER_SEC, 10 * NSEC_PER_SEC);
	assert_all_back();
}

static int churn_cannot(struct shared *s, int socket)
{
	struct error e;

	error_set(&e, EXIT_CANNOT, "no loop device left");
	message_send(socket, MESSAGE_ERROR, &e, sizeof(e));
	return EXIT_HARNESS;
}

static void a_run_that_cannot_begin_says_why(void **state)
{
	NEEDS_ROOT;
	assert_int_equal(run(churn_cannot, disturb_nothing), EXIT_CANNOT);
	assert_int_equal(board->result, -1);
	assert_string_equal(board->error.text, "no loop device left");
	assert_all_back();
}

static int churn_logs(struct shared *s, int socket)
{
	one_round(s);
	write_value("/dev/kmsg", "<4>" MARK "\n");
	for (int i = 0; i < 5000 && !atomic_load(&s->findings); i++)
		sleep_ns(NSEC_PER_MSEC);
	return 0;
}

static void the_kernel_log_is_judged(void **state)
{
	NEEDS_ROOT;
	assert_int_equal(run(churn_logs, disturb_nothing), EXIT_FINDING);
	assert_string_equal(board->finding_class, finding_class_name(FINDING_KERNEL));
	assert_true(file_has("kmsg.log", MARK));
	assert_true(file_has("findings.jsonl", "line"));
}

#define RECORDS 100000U

static int churn_writes(struct shared *s, int socket)
{
	struct shared_worker *w = &s->worker[0];
	struct frozen *frozen;
	struct error e;

	if (model_init(&w->model, s->pool, 0, s->plan.run_key, 1, &e))
		return 1;
	for (unsigned int i = 1; i <= RECORDS; i++) {
		struct journal_record r = {.operation = i};

		ring_put(w->ring, &r, &s->stop);
		atomic_store(&w->operations, i);
	}
	frozen = model_freeze(&w->model);
	w->barrier = frozen->view;
	atomic_store(&s->barrier_valid, true);
	board->answers[0] = message_ask(socket, MESSAGE_DURABLE, NULL, 0);
	board->answers[1] = message_ask(socket, MESSAGE_CHECKPOINT, NULL, 0);
	one_round(s);
	return 0;
}

static void journals_and_models_reach_the_disk(void **state)
{
	char dir[4200];
	struct journal_reader *reader;
	struct journal_record r;
	struct error e;
	uint64_t n = 0;

	NEEDS_ROOT;
	board->plan.injection_count = 0;
	board->answers[0] = board->answers[1] = -1;
	assert_int_equal(run(churn_writes, disturb_nothing), EXIT_CLEAN);
	assert_int_equal(board->answers[0], 0);
	assert_int_equal(board->answers[1], 0);
	reader = journal_reader_open(in_run(dir, sizeof(dir), "journal"), 0, &e);
	assert_non_null(reader);
	while (journal_reader_next(reader, &r, NULL, &e) == 1)
		assert_int_equal(r.operation, ++n);
	assert_int_equal(n, RECORDS);
	journal_reader_close(reader);
	assert_int_equal(access(in_run(dir, sizeof(dir), "model/w0000.model"), R_OK), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_injectors_change_is_back_at_the_end),
		TEST(a_killed_guard_leaves_a_way_back),
		TEST(no_run_injects_on_top_of_leftovers),
		TEST(a_second_run_goes_on_without_injectors),
		TEST(a_change_that_hangs_is_given_up),
		TEST(a_dead_churn_gets_a_verdict),
		TEST(a_dead_churn_leaves_no_directory),
		TEST(what_was_there_before_stays),
		TEST(a_dead_disturb_ends_the_run),
		TEST(a_hang_is_a_finding),
		TEST(a_standstill_is_a_hang),
		TEST(an_interrupted_run_says_so),
		TEST(without_a_limit_the_user_ends_it),
		TEST(the_second_signal_ends_it_at_once),
		TEST(a_deaf_churn_is_killed_in_ten_seconds),
		TEST(a_run_that_cannot_begin_says_why),
		TEST(the_kernel_log_is_judged),
		TEST(journals_and_models_reach_the_disk),
	};

	board = take_real_machine_with(sizeof(*board));
	if (!board)
		return 1;
	board->block = geteuid() ? -1 : find_block();
	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
