/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The disturb process with made-up injectors; the test plays the conductor. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/engine/disturb.h"
#include "src/engine/pace.h"
#include "tests/unit/unit.h"

#define SECOND NSEC_PER_SEC

/* What the injectors did, one letter each: S start, P phase, s step, R rest, F finish. Several steps in a row
 * are one letter. By index of the injection. */
struct record {
	pthread_mutex_t lock;
	char calls[PLAN_INJECTORS][256];
	char notes[4096];
	char args[256];
	char thread[32];
	int target;
	uint64_t drawn[4];
	unsigned int phases;
};

static struct record record = {.lock = PTHREAD_MUTEX_INITIALIZER};
static _Atomic bool resting;        /* the conductor saw acting == 0: nobody may step now */
static _Atomic unsigned int broken; /* somebody did */
static _Atomic unsigned int inside; /* steps begun */

/* Takes the place of the door: notes are kept. */
void machine_note(struct machine *m, const char *who, const char *text)
{
	size_t used;

	pthread_mutex_lock(&record.lock);
	used = strlen(record.notes);
	snprintf(record.notes + used, sizeof(record.notes) - used, "%s: %s\n", who, text);
	pthread_mutex_unlock(&record.lock);
}

static void call(const struct injection *in, char letter)
{
	char *calls = record.calls[in->machine->socket];
	size_t used;

	pthread_mutex_lock(&record.lock);
	used = strlen(calls);
	if (used + 1 < sizeof(record.calls[0]) && !(letter == 's' && used && calls[used - 1] == 's'))
		calls[used] = letter;
	pthread_mutex_unlock(&record.lock);
}

static int fake_start(struct injection *in, struct error *e)
{
	call(in, 'S');
	return 0;
}

static int failing_start(struct injection *in, struct error *e)
{
	call(in, 'S');
	return error_set(e, EXIT_CANNOT, "nothing here to disturb");
}

static int fake_phase(struct injection *in, struct error *e)
{
	call(in, 'P');
	pthread_mutex_lock(&record.lock);
	strncat(record.args, in->phase_arg, sizeof(record.args) - strlen(record.args) - 1);
	strncat(record.args, ";", sizeof(record.args) - strlen(record.args) - 1);
	pthread_getname_np(pthread_self(), record.thread, sizeof(record.thread));
	record.target = in->target;
	if (record.phases < ARRAY_SIZE(record.drawn))
		record.drawn[record.phases++] = stream_u64(&in->random);
	pthread_mutex_unlock(&record.lock);
	return 0;
}

static int failing_phase(struct injection *in, struct error *e)
{
	call(in, 'P');
	return error_set(e, EXIT_CANNOT, "not in this phase");
}

static enum step fake_step(struct injection *in)
{
	if (atomic_load(&resting))
		atomic_fetch_add(&broken, 1);
	atomic_fetch_add(&inside, 1);
	call(in, 's');
	return STEP_DONE;
}

static enum step idle_step(struct injection *in)
{
	call(in, 's');
	return inject_idle(in, "%s", "all is quiet");
}

static enum step refused_step(struct injection *in)
{
	call(in, 's');
	return STEP_REFUSED;
}

/* Ends with the phase only. */
static enum step long_step(struct injection *in)
{
	call(in, 's');
	atomic_fetch_add(&inside, 1);
	while (!inject_pause(in, 60 * SECOND))
		;
	return STEP_DONE;
}

static void fake_rest(struct injection *in)
{
	if (atomic_load(&resting))
		atomic_fetch_add(&broken, 1);
	call(in, 'R');
}

static void fake_finish(struct injection *in)
{
	call(in, 'F');
}

#define FAKE(n, start_fn, phase_fn, step_fn)                                                                 \
	static const struct injector n = {.name = #n,                                                        \
					  .start = start_fn,                                                 \
					  .phase = phase_fn,                                                 \
					  .step = step_fn,                                                   \
					  .rest = fake_rest,                                                 \
					  .finish = fake_finish}

FAKE(plain, fake_start, fake_phase, fake_step);
FAKE(unable, failing_start, fake_phase, fake_step);
FAKE(absent, fake_start, failing_phase, fake_step);
FAKE(quiet, fake_start, fake_phase, idle_step);
FAKE(refused, fake_start, fake_phase, refused_step);
FAKE(slow, fake_start, fake_phase, long_step);

/* ---- the conductor ---- */

struct run {
	struct shared *shared;
	pthread_t thread;
	int status;
};

static void *run_main(void *arg)
{
	struct run *r = arg;
	int sockets[PLAN_INJECTORS];

	/* The fake door tells injections by their "socket". */
	for (int i = 0; i < PLAN_INJECTORS; i++)
		sockets[i] = i;
	r->status = disturb_main(r->shared, sockets);
	return NULL;
}

static struct run run_make(size_t count, const struct injector *const *injectors)
{
	struct run r = {.shared = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0)};

	assert_ptr_not_equal(r.shared, MAP_FAILED);
	for (size_t i = 0; i < count; i++)
		r.shared->plan.injection[i].injector = injectors[i];
	r.shared->plan.injection_count = (unsigned int)count;
	r.shared->plan.phase_count = 2;
	r.shared->plan.seed = 7;
	r.shared->target.btrfs = true;
	strcpy(r.shared->target.mountpoint, "/");
	memset(record.calls, 0, sizeof(record.calls));
	record.notes[0] = record.args[0] = record.thread[0] = '\0';
	record.phases = 0;
	record.target = -2;
	atomic_store(&resting, false);
	atomic_store(&broken, 0);
	atomic_store(&inside, 0);
	return r;
}

static void run_begin(struct run *r)
{
	assert_int_equal(pthread_create(&r->thread, NULL, run_main, r), 0);
}

static void set_inject(struct run *r, uint32_t bits)
{
	atomic_store(&r->shared->inject, bits);
	atomic_fetch_add(&r->shared->phase_serial, 1);
	syscall(SYS_futex, &r->shared->phase_serial, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void await_rest(struct run *r)
{
	uint64_t limit = clock_mono() + 20 * SECOND;

	while (atomic_load(&r->shared->acting)) {
		assert_true(clock_mono() < limit);
		sched_yield();
	}
}

static void await_steps(unsigned int n)
{
	uint64_t limit = clock_mono() + 20 * SECOND;

	while (atomic_load(&inside) < n) {
		assert_true(clock_mono() < limit);
		sleep_ns(NSEC_PER_MSEC / 10);
	}
}

static void run_end(struct run *r)
{
	atomic_store(&r->shared->stage, STAGE_DONE);
	set_inject(r, 0);
	pthread_join(r->thread, NULL);
	assert_int_equal(atomic_load(&r->shared->acting), 0);
}

static void run_free(struct run *r)
{
	munmap(r->shared, sizeof(struct shared));
}

/* ---- tests ---- */

static void calls_come_in_order(void **state)
{
	const struct injector *const injectors[] = {&plain};
	struct run r = run_make(1, injectors);

	strcpy(r.shared->plan.phase[0].arg[0], "hold");
	strcpy(r.shared->plan.phase[1].arg[0], "storm");
	run_begin(&r);
	for (unsigned int i = 0; i < 2; i++) {
		unsigned int before = atomic_load(&inside);

		atomic_store(&r.shared->phase, i);
		set_inject(&r, 1);
		await_steps(before + 3);
		set_inject(&r, 0);
		await_rest(&r);
	}
	run_end(&r);
	assert_int_equal(r.status, 0);
	assert_string_equal(record.calls[0], "SPsRPsRF");
	assert_string_equal(record.args, "hold;storm;");
	assert_string_equal(record.thread, "inject:plain");
	assert_int_equal(atomic_load(&r.shared->exposure[0].steps), atomic_load(&inside));
	assert_non_null(strstr(record.notes, "plain: hold: "));
	run_free(&r);
}

static void nobody_steps_after_acting_is_clear(void **state)
{
	const struct injector *const injectors[] = {&plain, &plain, &plain};
	struct run r = run_make(3, injectors);

	run_begin(&r);
	for (unsigned int i = 0; i < 500; i++) {
		atomic_store(&resting, false);
		set_inject(&r, 7);
		if (i % 10 == 0)
			await_steps(atomic_load(&inside) + 1);
		set_inject(&r, 0);
		await_rest(&r);
		atomic_store(&resting, true);
		if (i % 10 == 0)
			sleep_ns(NSEC_PER_MSEC);
	}
	run_end(&r);
	assert_int_equal(atomic_load(&broken), 0);
	assert_true(atomic_load(&inside) > 50);
	run_free(&r);
}

static void next_phase_begins_anew_without_a_gap(void **state)
{
	const struct injector *const injectors[] = {&slow};
	struct run r = run_make(1, injectors);

	run_begin(&r);
	set_inject(&r, 1);
	await_steps(1);
	set_inject(&r, 1);
	await_steps(2);
	run_end(&r);
	assert_string_equal(record.calls[0], "SPsRPsRF");
	run_free(&r);
}

static void stop_ends_a_long_step(void **state)
{
	const struct injector *const injectors[] = {&slow};
	struct run r = run_make(1, injectors);
	uint64_t begin;

	run_begin(&r);
	set_inject(&r, 1);
	await_steps(1);
	begin = clock_mono();
	atomic_store(&r.shared->stop, true);
	pthread_join(r.thread, NULL);
	assert_true(clock_mono() - begin < 2 * SECOND);
	assert_int_equal(atomic_load(&r.shared->acting), 0);
	assert_string_equal(record.calls[0], "SPsRF");
	run_free(&r);
}

static void abandon_ends_it_too(void **state)
{
	const struct injector *const injectors[] = {&plain};
	struct run r = run_make(1, injectors);

	run_begin(&r);
	set_inject(&r, 1);
	await_steps(1);
	atomic_store(&r.shared->abandon, true);
	pthread_join(r.thread, NULL);
	assert_int_equal(atomic_load(&r.shared->acting), 0);
	assert_string_equal(record.calls[0], "SPsRF");
	run_free(&r);
}

static void failed_start_silences_one_only(void **state)
{
	const struct injector *const injectors[] = {&unable, &plain};
	struct run r = run_make(2, injectors);

	run_begin(&r);
	set_inject(&r, 3);
	await_steps(5);
	set_inject(&r, 0);
	await_rest(&r);
	run_end(&r);
	assert_int_equal(r.status, 0);
	assert_string_equal(record.calls[0], "SF");
	assert_string_equal(record.calls[1], "SPsRF");
	assert_true(atomic_load(&r.shared->exposure[0].unable));
	assert_false(atomic_load(&r.shared->exposure[1].unable));
	assert_non_null(strstr(record.notes, "unable: unavailable: nothing here to disturb"));
	run_free(&r);
}

static void unavailable_never_starts(void **state)
{
	const struct injector *const injectors[] = {&plain, &plain};
	struct run r = run_make(2, injectors);

	r.shared->plan.injection[0].unavailable = "no memory hotplug";
	run_begin(&r);
	set_inject(&r, 3);
	await_steps(2);
	run_end(&r);
	assert_string_equal(record.calls[0], "");
	assert_string_equal(record.calls[1], "SPsRF");
	run_free(&r);
}

static bool noted(const char *text)
{
	bool found;

	pthread_mutex_lock(&record.lock);
	found = strstr(record.notes, text) != NULL;
	pthread_mutex_unlock(&record.lock);
	return found;
}

static void failed_phase_has_no_step_and_no_rest(void **state)
{
	const struct injector *const injectors[] = {&absent};
	struct run r = run_make(1, injectors);
	uint64_t limit = clock_mono() + 20 * SECOND;

	run_begin(&r);
	set_inject(&r, 1);
	while (!noted("\n") && clock_mono() < limit)
		sleep_ns(NSEC_PER_MSEC);
	run_end(&r);
	assert_string_equal(record.calls[0], "SPF");
	assert_string_equal(record.notes, "absent: sits this phase out: not in this phase\n");
	run_free(&r);
}

static void idle_and_refused_steps_are_counted_and_pause(void **state)
{
	const struct injector *const injectors[] = {&quiet, &refused};
	struct run r = run_make(2, injectors);
	uint64_t idle, failed;

	run_begin(&r);
	set_inject(&r, 3);
	sleep_ns(300 * NSEC_PER_MSEC);
	set_inject(&r, 0);
	await_rest(&r);
	run_end(&r);
	idle = atomic_load(&r.shared->exposure[0].idle);
	failed = atomic_load(&r.shared->exposure[1].failed);
	assert_in_range(idle, 1, 60);
	assert_in_range(failed, 1, 120);
	assert_int_equal(atomic_load(&r.shared->exposure[0].steps), 0);
	assert_int_equal(atomic_load(&r.shared->exposure[1].steps), 0);
	assert_non_null(strstr(record.notes, "idle (all is quiet)"));
	run_free(&r);
}

static unsigned int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void target_is_open_in_phases_only(void **state)
{
	const struct injector *const injectors[] = {&plain};
	struct run r = run_make(1, injectors);
	unsigned int before = open_descriptors();

	run_begin(&r);
	set_inject(&r, 1);
	await_steps(1);
	set_inject(&r, 0);
	await_rest(&r);
	assert_int_equal(record.target, -1);
	atomic_store(&r.shared->target_mounted, 1);
	set_inject(&r, 1);
	await_steps(atomic_load(&inside) + 2);
	assert_true(open_descriptors() > before); /* the injector's, and what the tally looks at */
	set_inject(&r, 0);
	await_rest(&r);
	assert_int_equal(open_descriptors(), before);
	assert_true(record.target >= 0);
	run_end(&r);
	run_free(&r);
}

static void draw_two_phases(uint64_t seed, uint64_t drawn[2])
{
	const struct injector *const injectors[] = {&plain};
	struct run r = run_make(1, injectors);

	r.shared->plan.seed = seed;
	run_begin(&r);
	for (unsigned int i = 0; i < 2; i++) {
		set_inject(&r, 1);
		await_steps(atomic_load(&inside) + 1);
		set_inject(&r, 0);
		await_rest(&r);
	}
	run_end(&r);
	assert_int_equal(record.phases, 2);
	memcpy(drawn, record.drawn, 2 * sizeof(*drawn));
	run_free(&r);
}

static void seed_decides_what_is_drawn(void **state)
{
	uint64_t a[2], b[2], c[2];

	draw_two_phases(1, a);
	draw_two_phases(1, b);
	draw_two_phases(2, c);
	assert_memory_equal(a, b, sizeof(a));
	assert_true(a[0] != a[1]);
	assert_true(a[0] != c[0]);
}

/* ---- a replay ---- */

static void make_steps(struct run *r, char dir[64])
{
	char path[128];
	FILE *f;

	snprintf(dir, 64, "/tmp/recow-disturb-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/steps.jsonl", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("{\"who\":\"plain\",\"round\":1,\"phase\":0,\"at\":10,\"steps\":3}\n"
	      "{\"who\":\"plain\",\"round\":1,\"phase\":0,\"at\":20,\"steps\":1}\n",
	      f);
	fclose(f);
	snprintf(r->shared->plan.replay, sizeof(r->shared->plan.replay), "%s", dir);
	r->shared->plan.phase[0].churn = true;
	r->shared->plan.workers = 1;
	r->shared->worker = mmap(NULL, sizeof(struct shared_worker), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(r->shared->worker, MAP_FAILED);
	atomic_store(&r->shared->round, 1);
}

static void await_due(struct run *r, uint64_t position)
{
	uint64_t limit = clock_mono() + 20 * SECOND;

	while (pace_due(r->shared) != position) {
		assert_true(clock_mono() < limit);
		sleep_ns(NSEC_PER_MSEC / 10);
	}
}

/* As many steps as were recorded, when the workers are as far; then the injector acts no more, and rests when
 * the phase is over. */
static void a_replay_steps_when_its_workers_get_there(void **state)
{
	const struct injector *const injectors[] = {&plain};
	struct run r = run_make(1, injectors);
	char dir[64], path[128];

	make_steps(&r, dir);
	run_begin(&r);
	set_inject(&r, 1);
	await_due(&r, 10);
	assert_int_equal(atomic_load(&inside), 0);
	atomic_store(&r.shared->worker[0].taken, 10);
	await_due(&r, 20);
	await_steps(3);
	sleep_ns(20 * NSEC_PER_MSEC);
	assert_int_equal(atomic_load(&inside), 3);
	atomic_store(&r.shared->worker[0].taken, 25);
	await_due(&r, UINT64_MAX);
	await_steps(4);
	sleep_ns(20 * NSEC_PER_MSEC);
	assert_int_equal(atomic_load(&inside), 4);
	assert_string_equal(record.calls[0], "SPs");
	set_inject(&r, 0);
	await_rest(&r);
	assert_string_equal(record.calls[0], "SPsR");
	run_end(&r);
	munmap(r.shared->worker, sizeof(struct shared_worker));
	run_free(&r);
	snprintf(path, sizeof(path), "%s/steps.jsonl", dir);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_come_in_order),
		cmocka_unit_test(nobody_steps_after_acting_is_clear),
		cmocka_unit_test(next_phase_begins_anew_without_a_gap),
		cmocka_unit_test(stop_ends_a_long_step),
		cmocka_unit_test(abandon_ends_it_too),
		cmocka_unit_test(failed_start_silences_one_only),
		cmocka_unit_test(unavailable_never_starts),
		cmocka_unit_test(failed_phase_has_no_step_and_no_rest),
		cmocka_unit_test(idle_and_refused_steps_are_counted_and_pause),
		cmocka_unit_test(target_is_open_in_phases_only),
		cmocka_unit_test(seed_decides_what_is_drawn),
		cmocka_unit_test(a_replay_steps_when_its_workers_get_there),
	};

	return cmocka_run_group_tests_name("disturb", tests, NULL, NULL);
}
