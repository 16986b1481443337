/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cli/recheck.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/base/units.h"
#include "src/durable/timeline.h"
#include "src/journal/file.h"
#include "src/plan/pick.h"
#include "src/plugins.h"
#include "src/report/print.h"
#include "src/target/promises.h"
#include "verify/durable.h"

#define USUAL "remount,cold,devstats"

/* ---- what is to be done */

static int take_list(struct recheck *r, const char *list, struct error *e)
{
	char *copy = strdup(list ? list : USUAL), *rest = copy, *name;
	int rc = 0;

	if (!copy)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "--verify");
	while (!rc && (name = strsep(&rest, ","))) {
		const struct verifier *v;

		name += strspn(name, " ");
		v = pick_verifier(name, e);
		if (!v)
			rc = -1;
		else if (v->when == VERIFY_FAILED)
			rc = error_set(e, EXIT_USAGE,
				       "--verify: %s takes the place of the others by itself where a run was "
				       "cut off, or "
				       "made its target fail",
				       name);
		else if (v->when == VERIFY_LIVE)
			rc = error_set(e, EXIT_USAGE,
				       "--verify: %s follows the kernel log of a run that goes on", name);
		else if (r->verifiers == RECHECK_VERIFIERS)
			rc = error_set(e, EXIT_USAGE, "--verify: at most %d names", RECHECK_VERIFIERS);
		else
			r->verifier[r->verifiers++] = v;
	}
	free(copy);
	return rc;
}

static void take_spec(struct recheck *r, const json_t *target)
{
	struct target_spec *t = &r->spec;

	target_kind_of(json_text(target, "kind"), &t->kind);
	snprintf(t->path, sizeof(t->path), "%s", json_text(target, "path"));
	snprintf(t->fs, sizeof(t->fs), "%s", json_text(target, "fs"));
	snprintf(t->mount_options, sizeof(t->mount_options), "%s", json_text(target, "mount_options"));
	t->mkfs = json_is_true(json_object_get(target, "mkfs"));
}

/* ---- the recorded state */

static int load_model(struct recheck *r, unsigned int i, struct error *e)
{
	if (stored_open(&r->stored[i], r->run, i, e))
		return -1;
	r->frozen[i] = model_freeze(&r->stored[i].model);
	if (!r->frozen[i]) {
		stored_close(&r->stored[i]);
		return error_errno(e, EXIT_HARNESS, ENOMEM, "model of worker %u", i);
	}
	r->views[i] = &r->frozen[i]->view;
	return 0;
}

static bool has_models(const struct recheck *r)
{
	char path[4096 + 32];

	snprintf(path, sizeof(path), "%s/model/w0000.model", r->run);
	return access(path, F_OK) == 0;
}

static int load_models(struct recheck *r, unsigned int workers, struct error *e)
{
	r->stored = calloc(workers, sizeof(*r->stored));
	r->frozen = calloc(workers, sizeof(struct frozen *));
	r->views = calloc(workers, sizeof(const struct model_view *));
	if (!r->stored || !r->frozen || !r->views)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "models");
	for (; r->workers < workers; r->workers++) {
		if (load_model(r, r->workers, e))
			return -1;
	}
	return 0;
}

int recheck_load(struct recheck *r, const char *list, struct error *e)
{
	const json_t *plan;
	uint64_t workers;

	pthread_mutex_init(&r->lock, NULL);
	if (take_list(r, list, e) || report_load(&r->report, r->run, e))
		return -1;
	plan = json_object_get(r->report.run, "plan");
	workers = json_uint(plan, "workers");
	take_spec(r, json_object_get(plan, "target"));
	if (!workers || workers > 1024)
		return error_set(e, EXIT_USAGE, "%s/run.json: a run of %llu workers", r->run,
				 (unsigned long long)workers);
	return has_models(r) ? load_models(r, (unsigned int)workers, e) : 0;
}

void recheck_free(struct recheck *r)
{
	while (r->workers) {
		r->workers--;
		model_release(r->frozen[r->workers]);
		stored_close(&r->stored[r->workers]);
	}
	free(r->stored);
	free(r->frozen);
	free(r->views);
	for (unsigned int i = 0; i < MIN(r->findings, r->room); i++)
		free(r->finding[i]);
	free(r->finding);
	history_free(&r->history);
	report_free(&r->report);
	pthread_mutex_destroy(&r->lock);
}

/* ---- is it the state at the end? */

/* Number of the last operation in a worker's journal. False: it can't be told. */
static bool last_operation(const struct recheck *r, uint32_t worker, uint64_t *operation)
{
	struct journal_reader *reader;
	struct journal_record record;
	uint64_t truncated = 0;
	struct error ignored;
	char dir[4096 + 16];
	int more = -1;

	snprintf(dir, sizeof(dir), "%s/journal", r->run);
	reader = journal_reader_open(dir, worker, &ignored);
	if (!reader)
		return false;
	*operation = 0;
	if (journal_reader_last(reader, &ignored) == 0) {
		while ((more = journal_reader_next(reader, &record, &truncated, &ignored)) > 0)
			*operation = record.operation;
	}
	journal_reader_close(reader);
	return more == 0 && !truncated;
}

bool recheck_exact(const struct recheck *r, char *why, size_t len)
{
	if (timeline_times(r->run).failing) {
		snprintf(why, len, "the run made its target fail: only what was durable then must be there");
		return false;
	}
	if (!r->workers) {
		snprintf(why, len, "the run recorded no state: it died before its first checkpoint");
		return false;
	}
	if (!json_object_get(r->report.run, "outcome")) {
		snprintf(why, len,
			 "the run has no end (it still goes on, or its guard died): what was done after the "
			 "last recorded state is not known");
		return false;
	}
	for (unsigned int i = 0; i < r->workers; i++) {
		uint64_t recorded = r->views[i]->operations, last;

		if (!last_operation(r, i, &last)) {
			snprintf(why, len, "the journal of worker %u can't be read to its end", i);
			return false;
		}
		if (last > recorded) {
			snprintf(why, len,
				 "the run ended amid a round: worker %u did %llu operations after the last "
				 "barrier (operation %llu), and what they left can't be compared exactly",
				 i, (unsigned long long)(last - recorded), (unsigned long long)recorded);
			return false;
		}
	}
	return true;
}

/* ---- amid a round */

/* Names, attributes and contents against the models: there are none of this moment. */
static bool compares_models(const struct verifier *v)
{
	static const char *const names[] = {"hot", "cold", "remount", "snapshots"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(v->name, names[i]) == 0)
			return true;
	}
	return false;
}

static void take_durable(struct recheck *r)
{
	unsigned int left = 0;

	for (unsigned int i = 0; i < r->verifiers; i++) {
		if (!compares_models(r->verifier[i]))
			r->verifier[left++] = r->verifier[i];
	}
	r->durable = left < r->verifiers;
	r->verifiers = left;
	if (!r->durable)
		return;
	memmove(&r->verifier[1], &r->verifier[0], left * sizeof(struct verifier *));
	r->verifier[0] = &verifier_durable;
	r->verifiers++;
}

int recheck_amid_round(struct recheck *r, struct error *e)
{
	const json_t *plan = json_object_get(r->report.run, "plan");
	const char *key = json_string_value(json_object_get(plan, "run_key"));
	const json_t *target = json_object_get(plan, "target");
	const struct promises promises =
		target_promises(r->spec.fs, json_text(target, "mkfs_options"), r->spec.mount_options);
	const struct history_plan p = {
		.run = r->run,
		.key = key ? strtoull(key, NULL, 16) : 0,
		.workers = (unsigned int)json_uint(plan, "workers"),
		.shared_dirs = (unsigned int)json_uint(plan, "shared_dirs"),
		.shared_files = (unsigned int)json_uint(plan, "shared_files"),
		.ended = json_object_get(r->report.run, "outcome") != NULL,
	};

	r->amid_round = true;
	take_durable(r);
	if (!r->durable)
		return 0;
	if (promises.none)
		return error_set(e, EXIT_INCONCLUSIVE, "%s", promises.none);
	return history_make(&r->history, &p, e);
}

/* ---- findings */

static bool make_room(struct recheck *r)
{
	unsigned int room = MAX(2 * r->room, 64U);
	struct finding **grown;

	if (r->findings < r->room)
		return true;
	grown = realloc(r->finding, room * sizeof(struct finding *));
	if (!grown)
		return false;
	r->finding = grown;
	r->room = room;
	return true;
}

static void keep(struct recheck *r, const struct finding *f)
{
	double started = json_number(r->report.run, "started");
	uint64_t now = clock_ns(CLOCK_REALTIME);
	struct finding *copy = make_room(r) ? malloc(sizeof(*copy)) : NULL;

	r->by_class[f->class]++;
	if (!copy) {
		r->lost = true;
		return;
	}
	*copy = *f;
	copy->time = now - (uint64_t)(started * NSEC_PER_SEC);
	r->finding[r->findings++] = copy;
}

static void collect(void *self, const struct finding *f)
{
	struct recheck *r = self;

	pthread_mutex_lock(&r->lock);
	keep(r, f);
	pthread_mutex_unlock(&r->lock);
}

/* ---- verifying */

/* devstats counts what grew since the run began: from zero only where the run made the filesystem. */
static const char *why_not(const struct recheck *r, const struct verifier *v)
{
	if ((v->needs & NEED_BTRFS) && !r->kept.target.btrfs)
		return "it is for btrfs";
	if ((v->needs & NEED_OWN_TARGET) && !r->kept.target.own)
		return "the target is a directory of a mounted filesystem";
	if (v->begin && (!r->kept.target.own || (r->spec.kind != TARGET_AUTO && !r->spec.mkfs)))
		return "the filesystem is older than the run";
	return NULL;
}

static int run_one(struct recheck *r, unsigned int i, int mount, struct error *e)
{
	const struct finding_sink sink = {collect, r};
	const struct verifier *verifier = r->verifier[i];
	struct verify_counters *counters = &r->counters[i];
	uint64_t begin = clock_mono();
	char log[4096 + 64];
	struct verification v = {
		.target = &r->kept.target,
		.mount = mount,
		.run = r->workers ? r->views[0]->run : r->history.key,
		.durable = r->durable ? &r->history : NULL,
		.mkfs_options = json_text(json_object_get(json_object_get(r->report.run, "plan"), "target"),
					  "mkfs_options"),
		.views = r->views,
		.view_count = r->workers,
		.threads = (unsigned int)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1L),
		.findings = &sink,
		.counters = counters,
		.stop = &r->stop,
		.log = log,
		.when = mount < 0 ? VERIFY_OFFLINE : verifier->when,
	};
	int rc;

	snprintf(log, sizeof(log), "%s/%s.log", r->logs, verifier->name);
	rc = verifier->run(&v, e);
	counters->time_ns += clock_mono() - begin;
	return rc ? error_context(e, "verifier %s", verifier->name) : 0;
}

/* All that want it mounted, or all others. A directory is its own mount. */
static int run_some(struct recheck *r, bool mounted, int mount, struct error *e)
{
	for (unsigned int i = 0; i < r->verifiers && !atomic_load(&r->stop); i++) {
		/* Nothing churns and nobody is there to freeze it: what wants it at rest has it unmounted. */
		if (verifier_has_turn(r->verifier[i], VERIFY_OFFLINE) == mounted)
			continue;
		r->not_run[i] = why_not(r, r->verifier[i]);
		if (!r->not_run[i] && run_one(r, i, mount, e))
			return -1;
	}
	return 0;
}

/* Nothing is remounted there: what programs see is looked at instead. */
static void settle_list(struct recheck *r, bool chosen)
{
	for (unsigned int i = 0; !chosen && !r->kept.target.own && i < r->verifiers; i++) {
		if (r->verifier[i]->when == VERIFY_REMOUNTED)
			r->verifier[i] = plugin_verifiers[0];
	}
}

static void report_unmountable(struct recheck *r, const struct error *e)
{
	struct finding f = {.class = FINDING_TARGET, .place = SEEN_FRESH, .verifier = "mount", .still = true};

	snprintf(f.detail, sizeof(f.detail), "%.500s", e->text);
	collect(r, &f);
}

static int verify_mounted(struct recheck *r, struct error *e)
{
	int mount = open(r->kept.target.mountpoint, O_PATH | O_DIRECTORY | O_CLOEXEC), rc;

	if (mount < 0)
		return error_errno(e, EXIT_CANNOT, errno, "%s", r->kept.target.mountpoint);
	rc = run_some(r, true, mount, e);
	close(mount);
	return rc;
}

int recheck_run(struct recheck *r, struct error *e)
{
	char point[4096 + 16];
	struct error late;
	int rc;

	/* Hidden by it in this namespace, and by then read: so nothing must be made for it, nor removed. */
	snprintf(point, sizeof(point), "%s/journal", r->run);
	if (kept_open(&r->kept, &r->spec, r->where, r->run, point, e) < 0) {
		if (e->exit != EXIT_FINDING)
			return -1;
		report_unmountable(r, e);
		return 0;
	}
	settle_list(r, false);
	rc = verify_mounted(r, e);
	if (kept_unmount(&r->kept, rc ? &late : e) < 0)
		rc = -1;
	else if (!rc)
		rc = run_some(r, false, -1, e);
	kept_close(&r->kept);
	return rc;
}
