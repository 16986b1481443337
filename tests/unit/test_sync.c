/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sync injector on made-up dirty_* settings that behave as the kernel's, and on a real directory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "injectors/walk.h"
#include "src/base/clock.h"
#include "tests/unit/injection.h"

extern const struct injector injector_sync;

/* ---- the made-up kernel ---- */

enum { RATIO, BYTES, BG_RATIO, BG_BYTES, EXPIRE, WRITEBACK, FILES };

static const char *const names[FILES] = {
	"dirty_ratio",
	"dirty_bytes",
	"dirty_background_ratio",
	"dirty_background_bytes",
	"dirty_expire_centisecs",
	"dirty_writeback_centisecs",
};

struct noted {
	int file;
	uint64_t old;
};

static struct {
	uint64_t value[FILES];
	bool read_only[FILES];
	struct noted noted[FILES]; /* as the guard's undo log: first changes in order */
	unsigned int changes;
	unsigned int sets;
	char notes[4096];
} kernel;

static int file_of(const char *path)
{
	for (int i = 0; i < FILES; i++) {
		if (!strncmp(path, "/proc/sys/vm/", 13) && !strcmp(path + 13, names[i]))
			return i;
	}
	fail_msg("an unknown file: %s", path);
	return -1;
}

/* The other file of the same limit, -1 if there is none. */
static int twin(int file)
{
	return file <= BG_BYTES ? file ^ 1 : -1;
}

static int kernel_write(int file, uint64_t value)
{
	if (kernel.read_only[file])
		return EACCES;
	if ((file == BYTES || file == BG_BYTES) && value == 0)
		return EINVAL;
	if ((file == RATIO || file == BG_RATIO) && value > 100)
		return EINVAL;
	if (twin(file) >= 0 && kernel.value[file] != value)
		kernel.value[twin(file)] = 0;
	kernel.value[file] = value;
	return 0;
}

int machine_set(struct machine *m, const char *path, const char *value, uint64_t limit)
{
	int file = file_of(path);
	unsigned int i = 0;

	while (i < kernel.changes && kernel.noted[i].file != file)
		i++;
	if (i == kernel.changes)
		kernel.noted[kernel.changes++] = (struct noted){file, kernel.value[file]};
	kernel.sets++;
	return kernel_write(file, strtoull(value, NULL, 10));
}

/* As the guard does: last change first. Returns how many writes were refused. */
static unsigned int undo(void)
{
	unsigned int refused = 0;

	while (kernel.changes) {
		const struct noted *n = &kernel.noted[--kernel.changes];

		if (!kernel.read_only[n->file])
			refused += kernel_write(n->file, n->old) != 0;
	}
	return refused;
}

int machine_read(const char *path, char *buf, size_t len)
{
	snprintf(buf, len, "%llu", (unsigned long long)kernel.value[file_of(path)]);
	return 0;
}

uint64_t machine_meminfo_kib(const char *name)
{
	return 10 * GiB / KiB;
}

/* Syncs of the whole target, as the timeline would have them; from any thread. */
static _Atomic unsigned int synced;
static _Atomic uint64_t synced_first, synced_last;

void machine_synced(struct machine *m, const char *how, uint64_t begin)
{
	if (!synced++)
		synced_first = begin;
	synced_last = begin;
}

void machine_note(struct machine *m, const char *who, const char *text)
{
	size_t used = strlen(kernel.notes);

	snprintf(kernel.notes + used, sizeof(kernel.notes) - used, "%s\n", text);
}

/* The freeze service. */
static struct {
	int refusal;
	unsigned int frozen, thawed;
	uint64_t limit;
} service;

int machine_freeze(struct machine *m, int root, uint64_t limit)
{
	assert_true(root >= 0);
	assert_int_equal(service.frozen, service.thawed);
	service.limit = limit;
	service.frozen += !service.refusal;
	return service.refusal;
}

int machine_thaw(struct machine *m)
{
	service.thawed++;
	return 0;
}

/* ---- one injection of it ---- */

static char directory[] = "/tmp/recow-sync-XXXXXX";

static const uint64_t held[FILES] = {70, 0, 60, 0, 30000, 0};
static const uint64_t released[FILES] = {20, 0, 0, 0, 100, 100};
static const uint64_t by_ratio[FILES] = {20, 0, 10, 0, 3000, 500};
static const uint64_t by_bytes[FILES] = {0, 100000000, 0, 50000000, 3000, 500};
static const uint64_t by_both[FILES] = {40, 0, 0, 70000, 1234, 0};
static const uint64_t by_none[FILES] = {0, 0, 0, 0, 3000, 500};

static void set_up(const uint64_t *values)
{
	struct error e;

	memset(&kernel, 0, sizeof(kernel));
	memcpy(kernel.value, values, sizeof(kernel.value));
	make_injection(&injector_sync, "");
	memset(&service, 0, sizeof(service));
	params.value[0] = params.value[1] = params.value[5] = 0; /* no pauses */
	params.value[3] = params.value[4] = NSEC_PER_MSEC;       /* short turns, short freezes */
	assert_int_equal(injector_sync.start(&in, &e), 0);
}

static int phase(const char *arg)
{
	struct error e;
	int ret;

	in.phase_arg = arg;
	ret = injector_sync.phase(&in, &e);
	injector_sync.rest(&in);
	return ret;
}

/* Every order of phases, from every situation: the undo brings back what was there, with no refusal. */
static void undo_is_exact(void **state)
{
	static const uint64_t *const situations[] = {by_ratio, by_bytes, by_both, by_none};
	static const char *const words[] = {"hold", "release", "storm", "mixed"};

	in.target = -1;
	for (size_t s = 0; s < ARRAY_SIZE(situations); s++) {
		for (unsigned int order = 0; order < 64; order++) {
			set_up(situations[s]);
			phase(words[order & 3]);
			phase(words[order >> 2 & 3]);
			phase(words[order >> 4 & 3]);
			injector_sync.finish(&in);
			assert_int_equal(undo(), 0);
			assert_memory_equal(kernel.value, situations[s], sizeof(kernel.value));
		}
	}
}

static void hold_keeps_pages_dirty(void **state)
{
	set_up(by_ratio);
	assert_int_equal(phase("hold"), 0);
	assert_memory_equal(kernel.value, held, sizeof(held));
	injector_sync.finish(&in);
}

static void hold_in_bytes_holds_as_much(void **state)
{
	set_up(by_bytes);
	assert_int_equal(phase("hold"), 0);
	assert_int_equal(kernel.value[RATIO], 0);
	assert_in_range(kernel.value[BYTES], 10 * GiB / 100 * 69, 10 * GiB / 100 * 70);
	assert_in_range(kernel.value[BG_BYTES], 10 * GiB / 100 * 59, 10 * GiB / 100 * 60);
	injector_sync.finish(&in);
}

static void release_writes_at_once(void **state)
{
	set_up(by_ratio);
	phase("hold");
	assert_int_equal(phase("release"), 0);
	assert_memory_equal(kernel.value, released, sizeof(released));
	injector_sync.finish(&in);
}

static void mixed_alone_changes_nothing(void **state)
{
	set_up(by_ratio);
	phase("");
	phase("mixed");
	assert_int_equal(kernel.sets, 0);
	phase("hold");
	phase("mixed");
	assert_memory_equal(kernel.value, by_ratio, sizeof(by_ratio));
	injector_sync.finish(&in);
}

static void a_refusal_is_named_once(void **state)
{
	unsigned int sets;

	set_up(by_ratio);
	kernel.read_only[RATIO] = true;
	assert_int_equal(phase("hold"), 0);
	assert_string_equal(kernel.notes,
			    "cannot set /proc/sys/vm/dirty_ratio: Permission denied; it stays as it is\n");
	assert_int_equal(kernel.value[EXPIRE], 30000);
	sets = kernel.sets;
	assert_int_equal(phase("hold"), 0);
	assert_int_equal(kernel.sets, sets + 3);
	assert_null(strstr(strchr(kernel.notes, '\n') + 1, "cannot"));
	injector_sync.finish(&in);
}

/* ---- on a directory ---- */

static void make(const char *name, mode_t mode)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (S_ISDIR(mode)) {
		assert_int_equal(mkdir(path, 0700), 0);
	} else if (S_ISFIFO(mode)) {
		assert_int_equal(mkfifo(path, 0600), 0);
	} else {
		int fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0600);

		assert_true(fd >= 0);
		assert_int_equal(write(fd, "content", 7), 7);
		close(fd);
	}
}

static void walk_reaches_files_and_only_those(void **state)
{
	unsigned int files = 0, deep = 0, directories = 0;
	struct stream random = stream_make(4, 5, 6);
	int root = open(directory, O_PATH | O_DIRECTORY);

	assert_true(root >= 0);
	for (unsigned int i = 0; i < 2000; i++) {
		struct walk_file file;
		struct stat st;

		if (walk_random(root, &random, &file))
			continue;
		assert_int_equal(fstat(file.fd, &st), 0);
		close(file.fd);
		assert_true(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
		files += S_ISREG(st.st_mode);
		directories += S_ISDIR(st.st_mode);
		deep += !strcmp(file.path, "d/e/deep \\377");
	}
	close(root);
	assert_true(files > 500);
	assert_true(deep > 50);
	assert_true(directories > 20);
}

static void every_kind_of_sync_answers(void **state)
{
	unsigned int done = 0;
	struct error e;

	set_up(by_ratio);
	in.target = open(directory, O_PATH | O_DIRECTORY);
	assert_int_equal(injector_sync.phase(&in, &e), 0);
	for (unsigned int i = 0; i < 100; i++) {
		enum step step = injector_sync.step(&in);

		assert_int_not_equal(step, STEP_REFUSED);
		done += step == STEP_DONE;
	}
	assert_true(done > 50);
	assert_string_equal(kernel.notes, "");
	injector_sync.rest(&in);
	close(in.target);
	injector_sync.finish(&in);
}

static void pages_are_held_and_released_by_turns(void **state)
{
	struct error e;

	set_up(by_ratio);
	in.phase_arg = "alternate";
	assert_int_equal(injector_sync.phase(&in, &e), 0);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(injector_sync.step(&in), STEP_DONE);
		assert_memory_equal(kernel.value, held, sizeof(held));
		assert_int_equal(injector_sync.step(&in), STEP_DONE);
		assert_memory_equal(kernel.value, released, sizeof(released));
	}
	injector_sync.rest(&in);
	injector_sync.finish(&in);
	assert_int_equal(undo(), 0);
	assert_memory_equal(kernel.value, by_ratio, sizeof(by_ratio));
}

static void begin_on_directory(const char *arg)
{
	struct error e;

	in.target = open(directory, O_PATH | O_DIRECTORY);
	in.phase_arg = arg;
	assert_int_equal(injector_sync.phase(&in, &e), 0);
}

static void end_on_directory(void)
{
	injector_sync.rest(&in);
	close(in.target);
	injector_sync.finish(&in);
}

static void every_freeze_is_thawed(void **state)
{
	set_up(by_ratio);
	begin_on_directory("freeze");
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(injector_sync.step(&in), STEP_DONE);
	assert_int_equal(service.frozen, 20);
	assert_int_equal(service.thawed, 20);
	assert_true(service.limit > NSEC_PER_MSEC);
	assert_int_equal(kernel.sets, 0);
	end_on_directory();
}

static void who_may_not_freeze_asks_once(void **state)
{
	set_up(by_ratio);
	begin_on_directory("freeze");
	service.refusal = EBUSY;
	assert_int_equal(injector_sync.step(&in), STEP_REFUSED);
	service.refusal = EPERM;
	assert_int_equal(injector_sync.step(&in), STEP_REFUSED);
	assert_string_equal(kernel.notes, "the target is not frozen in this run: Operation not permitted\n");
	service.refusal = 0;
	atomic_store(&stop, true); /* no pause */
	assert_int_equal(injector_sync.step(&in), STEP_IDLE);
	atomic_store(&stop, false);
	assert_int_equal(service.frozen + service.thawed, 0);
	end_on_directory();
}

/* In its own thread the injector does nothing here: what is counted is the helpers'. */
static void many_threads_sync(void **state)
{
	uint64_t before = atomic_load(&exposure.steps), begin = clock_mono();
	uint64_t limit = begin + 20 * NSEC_PER_SEC;
	struct error e;

	set_up(by_ratio);
	synced = 0;
	injector_sync.finish(&in);
	params.value[2] = 8;
	assert_int_equal(injector_sync.start(&in, &e), 0);
	begin_on_directory("storm");
	while (atomic_load(&exposure.steps) < before + 100 && clock_mono() < limit)
		sleep_ns(NSEC_PER_MSEC);
	end_phase();
	end_on_directory();
	in.serial = atomic_load(&serial);
	before = atomic_load(&exposure.steps) - before;
	assert_true(before >= 100);
	assert_string_equal(kernel.notes, "");
	/* Those of the whole target are told, with when they began; those of a file aren't. */
	assert_in_range(synced, 1, before - 1);
	assert_true(synced_first >= begin && synced_last <= clock_mono());
}

static void without_a_target_no_sync(void **state)
{
	set_up(by_ratio);
	in.target = -1;
	assert_int_equal(phase("storm"), -1);
	assert_int_equal(phase("hold"), 0);
	injector_sync.finish(&in);
}

static int make_directory(void **state)
{
	assert_non_null(mkdtemp(directory));
	make("file", S_IFREG);
	make("fifo", S_IFIFO);
	make("d", S_IFDIR);
	make("d/e", S_IFDIR);
	make("d/e/deep \377", S_IFREG);
	return 0;
}

static int remove_directory(void **state)
{
	char path[256];
	static const char *const left[] = {"d/e/deep \377", "d/e", "d", "fifo", "file"};

	for (size_t i = 0; i < ARRAY_SIZE(left); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, left[i]);
		remove(path);
	}
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(undo_is_exact),
		cmocka_unit_test(hold_keeps_pages_dirty),
		cmocka_unit_test(hold_in_bytes_holds_as_much),
		cmocka_unit_test(release_writes_at_once),
		cmocka_unit_test(mixed_alone_changes_nothing),
		cmocka_unit_test(a_refusal_is_named_once),
		cmocka_unit_test(walk_reaches_files_and_only_those),
		cmocka_unit_test(every_kind_of_sync_answers),
		cmocka_unit_test(pages_are_held_and_released_by_turns),
		cmocka_unit_test(every_freeze_is_thawed),
		cmocka_unit_test(who_may_not_freeze_asks_once),
		cmocka_unit_test(many_threads_sync),
		cmocka_unit_test(without_a_target_no_sync),
	};

	return cmocka_run_group_tests_name("sync", tests, make_directory, remove_directory);
}
