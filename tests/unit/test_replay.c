/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a replay takes from the run directory that it is of: operations by phase, steps of injectors, the
 * plan. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/cli/cli.h"
#include "src/engine/feed.h"
#include "src/engine/pace.h"
#include "src/machine/messages.h"
#include "src/plugins.h"
#include "src/report/replan.h"
#include "src/report/report.h"
#include "src/report/summary.h"
#include "tests/unit/made_run.h"

static int make_journaled_run(void **state)
{
	char path[128];

	if (make_run(state))
		return -1;
	snprintf(path, sizeof(path), "%s/journal", run);
	return mkdir(path, 0755);
}

/* ---- feed ---- */

struct line {
	uint64_t operation;
	uint8_t phase, flags;
	int32_t answer;
};

static void write_journal(const struct line *lines, size_t count)
{
	struct journal_writer *w;
	char dir[128];
	struct error e;

	snprintf(dir, sizeof(dir), "%s/journal", run);
	w = journal_writer_open(dir, 3, 1, 0, &e);
	assert_non_null(w);
	for (size_t i = 0; i < count; i++) {
		struct journal_record r = {.operation = lines[i].operation,
					   .phase = lines[i].phase,
					   .flags = lines[i].flags,
					   .answer = lines[i].answer,
					   .kind = 10};

		r.check = journal_record_check(&r);
		assert_int_equal(journal_writer_append(w, &r, 1, &e), 0);
	}
	journal_writer_close(w);
}

/* How many operations the phase has; the last one is `last`. */
static unsigned int take_phase(struct feed *f, uint8_t phase, uint64_t last)
{
	struct journal_record r = {0};
	unsigned int count = 0;

	while (feed_take(f, phase, &r))
		count++;
	assert_int_equal(r.operation, last);
	return count;
}

static void feed_stops_where_the_worker_was_parked(void **state)
{
	static const struct line lines[] = {
		{1, 0, 0, 0},
		{2, 0, JOURNAL_MORE, 4096},
		{2, 0, 0, -28},
		{3, 2, 0, 0},
		{3, 0, JOURNAL_MARK, 2},
		{4, 0, 0, 0},
		{4, 0, JOURNAL_MARK, 1},
		{5, 0, 0, 0}, /* no barrier behind it: the run was killed */
	};
	struct feed f;
	struct error e;

	write_journal(lines, ARRAY_SIZE(lines));
	assert_int_equal(feed_open(&f, run, 3, &e), 0);
	assert_int_equal(take_phase(&f, 0, 2), 2);
	assert_true(feed_goes_beyond(&f, 0));
	assert_true(feed_goes_beyond(&f, 1));
	assert_int_equal(take_phase(&f, 1, 0), 0);
	feed_pass_barrier(&f); /* there is none here */
	assert_int_equal(take_phase(&f, 2, 3), 1);
	assert_false(feed_goes_beyond(&f, 2));
	assert_int_equal(take_phase(&f, 0, 0), 0);
	feed_pass_barrier(&f);
	assert_int_equal(take_phase(&f, 0, 4), 1);
	assert_true(feed_goes_beyond(&f, 0)); /* phase 1 had no operations */
	assert_false(feed_goes_beyond(&f, 1));
	feed_pass_barrier(&f);
	assert_true(f.more);
	assert_int_equal(take_phase(&f, 0, 5), 1);
	assert_false(f.more || f.failed);
	assert_false(feed_goes_beyond(&f, 0));
	feed_close(&f);
	assert_int_equal(feed_open(&f, run, 4, &e), -1);
	assert_int_equal(e.exit, EXIT_USAGE);
}

/* ---- pace ---- */

static const struct injector fake = {.name = "fake"}, other = {.name = "other"};

static struct shared *make_shared(void)
{
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(s, MAP_FAILED);
	s->plan.workers = 2;
	s->plan.injection_count = 2;
	s->plan.injection[0].injector = &other;
	s->plan.injection[1].injector = &fake;
	s->plan.phase_count = 2;
	s->plan.phase[0].churn = true;
	s->worker = mmap(NULL, 2 * sizeof(struct shared_worker), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(s->worker, MAP_FAILED);
	atomic_store(&s->round, 1);
	return s;
}

static void free_shared(struct shared *s)
{
	munmap(s->worker, 2 * sizeof(struct shared_worker));
	munmap(s, sizeof(*s));
}

static void take_to(struct shared *s, uint64_t position)
{
	atomic_store(&s->worker[0].taken, position / 3);
	atomic_store(&s->worker[1].taken, position - position / 3);
}

/* The phase is over when this was asked so often. */
static bool soon(const void *self)
{
	unsigned int *left = *(unsigned int *const *)self;

	return *left == 0 || --*left == 0;
}

static bool step(struct pace *p, int socket)
{
	unsigned int left = 20, *at = &left;

	return pace_step(p, socket, soon, &at);
}

static void expect_told(int socket, uint32_t phase, uint64_t at, uint64_t count)
{
	_Alignas(16) unsigned char body[MESSAGE_BYTES];
	const struct message_steps *m = (const void *)body;
	uint32_t kind;
	int passed;

	assert_int_equal(message_receive(socket, &kind, body, sizeof(body), &passed), sizeof(*m));
	assert_int_equal(kind, MESSAGE_STEPS);
	assert_int_equal(m->round, 1);
	assert_int_equal(m->phase, phase);
	assert_int_equal(m->at, at);
	assert_int_equal(m->count, count);
}

static void expect_silence(int socket)
{
	_Alignas(16) unsigned char body[MESSAGE_BYTES];
	uint32_t kind;
	int passed;

	assert_int_equal(message_receive(socket, &kind, body, sizeof(body), &passed), -1);
}

static void steps_are_told_with_their_position(void **state)
{
	struct shared *s = make_shared();
	struct pace p;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	pace_open(&p, s, 1);
	pace_begin(&p);
	assert_int_equal(pace_due(s), UINT64_MAX);
	take_to(s, 100);
	assert_true(step(&p, pair[0]));
	sleep_ns(20 * NSEC_PER_MSEC);
	take_to(s, 300);
	assert_true(step(&p, pair[0]));
	expect_told(pair[1], 0, 100, 1);
	pace_end(&p, pair[0]);
	expect_told(pair[1], 0, 300, 1);
	atomic_store(&s->phase, 1); /* without operations: nothing to count in */
	pace_begin(&p);
	assert_true(step(&p, pair[0]));
	pace_end(&p, pair[0]);
	expect_silence(pair[1]);
	pace_close(&p);
	close(pair[0]);
	close(pair[1]);
	free_shared(s);
}

static struct shared *make_replay(const char *steps)
{
	struct shared *s = make_shared();

	put("steps.jsonl", steps);
	snprintf(s->plan.replay, sizeof(s->plan.replay), "%s", run);
	return s;
}

static void a_replay_steps_at_the_same_positions(void **state)
{
	struct shared *s = make_replay("{\"who\":\"fake\",\"round\":1,\"phase\":0,\"at\":100,\"steps\":2}\n"
				       "{\"who\":\"other\",\"round\":1,\"phase\":0,\"at\":50,\"steps\":7}\n"
				       "{\"who\":\"fake\",\"round\":1,\"phase\":0,\"at\":200,\"steps\":1}\n"
				       "{\"who\":\"fake\",\"round\":3,\"phase\":0,\"at\":900,\"steps\":1}\n"
				       "{\"who\":\"fake\",\"round\":3,\"pha");
	struct pace p;

	pace_open(&p, s, 1);
	pace_begin(&p);
	take_to(s, 99);
	assert_int_equal(pace_due(s), 100);
	assert_false(step(&p, -1));
	take_to(s, 100);
	assert_true(step(&p, -1));
	assert_int_equal(pace_due(s), 100);
	assert_true(step(&p, -1));
	assert_int_equal(pace_due(s), 200);
	assert_false(step(&p, -1));
	take_to(s, 250);
	assert_true(step(&p, -1));
	assert_int_equal(pace_due(s), UINT64_MAX);
	assert_false(step(&p, -1));
	pace_end(&p, -1);
	atomic_store(&s->round, 2); /* none in this round */
	pace_begin(&p);
	take_to(s, 1000);
	assert_int_equal(pace_due(s), UINT64_MAX);
	assert_false(step(&p, -1));
	pace_end(&p, -1);
	atomic_store(&s->round, 4); /* past all of them */
	pace_begin(&p);
	assert_false(step(&p, -1));
	pace_end(&p, -1);
	pace_close(&p);
	free_shared(s);
}

static void where_nothing_is_recorded_time_decides(void **state)
{
	struct shared *s = make_replay("{\"who\":\"fake\",\"round\":1,\"phase\":0,\"at\":100,\"steps\":1}\n"
				       "{\"full\":true}\n");
	struct pace p;

	pace_open(&p, s, 1);
	pace_begin(&p);
	assert_false(step(&p, -1));
	take_to(s, 100);
	assert_true(step(&p, -1));
	assert_true(step(&p, -1)); /* the file was full */
	pace_end(&p, -1);
	atomic_store(&s->round, 2);
	pace_begin(&p);
	assert_true(step(&p, -1));
	pace_end(&p, -1);
	pace_close(&p);
	snprintf(s->plan.replay, sizeof(s->plan.replay), "/tmp"); /* a run without the file */
	pace_open(&p, s, 1);
	pace_begin(&p);
	assert_true(step(&p, -1));
	pace_end(&p, -1);
	pace_close(&p);
	free_shared(s);
}

/* ---- the plan ---- */

/* Something in every field that a run's own plan can have. */
static struct plan *make_plan(void)
{
	struct plan *p = calloc(1, sizeof(*p));
	struct error e;

	assert_non_null(p);
	snprintf(p->scenario, sizeof(p->scenario), "some");
	snprintf(p->scenario_path, sizeof(p->scenario_path), "/x/some.ini");
	p->seed = 0xfedcba9876543210;
	p->run_key = 0x8000000000000001;
	p->workers = 7;
	p->shared_dirs = 3;
	p->shared_files = 2;
	p->journal_keep = 1 * GiB;
	p->hang_limit = 9 * NSEC_PER_SEC;
	p->memory_floor = 5 * MiB;
	p->min_exposure.of[MEASURE_COMMITS] = 12;
	p->min_exposure.trial = MEASURE_COMMITS;
	p->inject = p->keep_going = true;
	p->target = (struct target_spec){
		.kind = TARGET_AUTO, .image_size = 3 * GiB, .fill = 2 * MiB, .tmpfs = true};
	snprintf(p->target.fs, sizeof(p->target.fs), "xfs");
	snprintf(p->target.mkfs_options, sizeof(p->target.mkfs_options), "-m crc=0");
	snprintf(p->target.mount_options, sizeof(p->target.mount_options), "nodiscard");
	for (unsigned int i = 0; i < 2; i++) {
		p->workload[i].workload = plugin_workloads[i];
		p->workload[i].shape = plugin_workloads[i]->shape;
		p->workload[i].share = i + 1;
		p->injection[i].injector = plugin_injectors[i];
		assert_int_equal(params_init(&p->injection[i].params, plugin_injectors[i]->params,
					     plugin_injectors[i]->param_count, &e),
				 0);
		p->verification[i].verifier = plugin_verifiers[i];
	}
	p->workload[1].shape.files = 77;
	p->workload[1].shape.size[1] = 99 * KiB;
	p->injection[1].params.value[0]++;
	p->workload_count = p->injection_count = p->verification_count = p->phase_count = 2;
	p->phase[0] = (struct plan_phase){.name = "a", .duration = NSEC_PER_SEC, .churn = true, .inject = 2};
	p->phase[1] = (struct plan_phase){.name = "b", .ops = 500, .inject = 3};
	snprintf(p->phase[1].arg[0], sizeof(p->phase[1].arg[0]), "hold");
	return p;
}

static json_t *describe(const struct plan *p)
{
	json_t *j = describe_run(p, 0);

	assert_non_null(j);
	return j;
}

static void a_plan_comes_back(void **state)
{
	struct plan *p = make_plan(), *again = calloc(1, sizeof(*again));
	json_t *j = describe(p);
	struct error e = {.text = ""};

	assert_non_null(again);
	if (replan(again, j, "RUN", &e))
		fail_msg("%s", e.text);
	p->ops = again->ops = 0;
	assert_memory_equal(again, p, sizeof(*p));
	json_decref(j);
	free(p);
	free(again);
}

static void expect_refused(json_t *j, enum exit_code exit, const char *why)
{
	struct plan *p = calloc(1, sizeof(*p));
	struct error e = {.text = ""};

	assert_int_equal(replan(p, j, "RUN", &e), -1);
	assert_int_equal(e.exit, exit);
	if (!strstr(e.text, why))
		fail_msg("%s", e.text);
	free(p);
}

static void what_is_no_plan_is_refused(void **state)
{
	struct plan *p = make_plan();
	json_t *j = describe(p), *plan = json_object_get(j, "plan");

	json_object_set_new(j, "format", json_integer(RUN_FORMAT + 1));
	expect_refused(j, EXIT_CANNOT, "format");
	json_object_set_new(j, "format", json_integer(RUN_FORMAT));
	json_object_set_new(json_array_get(json_object_get(plan, "workloads"), 0), "name",
			    json_string("weave"));
	expect_refused(j, EXIT_CANNOT, "no workload 'weave'");
	json_object_set_new(plan, "workloads", json_array());
	expect_refused(j, EXIT_USAGE, "plan.workloads");
	json_object_set_new(plan, "workers", json_integer(5000));
	expect_refused(j, EXIT_USAGE, "a number");
	json_object_del(j, "plan");
	expect_refused(j, EXIT_USAGE, "plan is missing");
	json_decref(j);
	free(p);
}

/* ---- the command */

/* A journal of one part and a few records. */
static void write_long_journal(const struct plan *p)
{
	static struct journal_record batch[4096];
	struct journal_writer *w;
	char path[128];
	struct error e;

	snprintf(path, sizeof(path), "%s/journal", run);
	w = journal_writer_open(path, 0, p->run_key, 0, &e);
	assert_non_null(w);
	for (uint64_t n = 0; n < JOURNAL_FILE_RECORDS + ARRAY_SIZE(batch); n += ARRAY_SIZE(batch)) {
		for (size_t i = 0; i < ARRAY_SIZE(batch); i++) {
			batch[i] = (struct journal_record){.operation = n + i + 1, .kind = 10};
			batch[i].check = journal_record_check(&batch[i]);
		}
		assert_int_equal(journal_writer_append(w, batch, ARRAY_SIZE(batch), &e), 0);
	}
	journal_writer_close(w);
}

static int replay_dry(struct error *e)
{
	char *argv[] = {(char[]){"replay"}, run, (char[]){"--dry-run"}, NULL};

	optind = 0;
	return command_replay(3, argv, e);
}

static void a_run_without_its_head_is_refused(void **state)
{
	struct plan *p = make_plan();
	struct error e = {.text = ""};
	char part[128];
	json_t *j;

	p->workers = 1;
	snprintf(p->target.fs, sizeof(p->target.fs), "btrfs");
	p->target.mkfs_options[0] = '\0';
	j = describe(p);
	assert_int_equal(report_write(run, "run.json", j, &e), 0);
	write_long_journal(p);
	if (replay_dry(&e))
		fail_msg("%s", e.text);
	snprintf(part, sizeof(part), "%s/journal/w0000.000000.rjl", run);
	assert_int_equal(unlink(part), 0);
	assert_int_equal(replay_dry(&e), -1);
	assert_int_equal(e.exit, EXIT_CANNOT);
	assert_non_null(strstr(e.text, "begins at 1048577"));
	assert_non_null(strstr(e.text, "--journal-keep 0"));
	json_decref(j);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(feed_stops_where_the_worker_was_parked),
		cmocka_unit_test(steps_are_told_with_their_position),
		cmocka_unit_test(a_replay_steps_at_the_same_positions),
		cmocka_unit_test(where_nothing_is_recorded_time_decides),
		cmocka_unit_test(a_plan_comes_back),
		cmocka_unit_test(what_is_no_plan_is_refused),
		cmocka_unit_test(a_run_without_its_head_is_refused),
	};

	return cmocka_run_group_tests_name("replay", tests, make_journaled_run, remove_run);
}
