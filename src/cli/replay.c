/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `recow replay`: the operations of a run again, and its injections with them, once or until it fails. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/base/json.h"
#include "src/base/units.h"
#include "src/cli/cli.h"
#include "src/cli/differences.h"
#include "src/cli/flags.h"
#include "src/cli/launch.h"
#include "src/journal/file.h"
#include "src/report/replan.h"
#include "src/report/report.h"
#include "src/run/rundir.h"
#include "src/target/filesystem.h"

#define REPETITIONS_MAX 1000000ULL

struct replay {
	const char *run; /* as it was given */
	struct run_flags flags;
	uint64_t most;        /* repetitions; 0: one, without --until-finding */
	struct report report; /* of the run */
};

/* What the repetitions came to. */
struct tally_of_repetitions {
	uint64_t done, found;
	uint64_t first;  /* operations to the first finding of the first repetition that had one */
	json_t *reports; /* with --json, a list */
	int exit;
};

static int take_until(struct replay *r, struct error *e)
{
	if (!r->flags.until)
		return 0;
	if (units_count(r->flags.until, &r->most, e))
		return error_context(e, "--until-finding");
	if (!r->most || r->most > REPETITIONS_MAX)
		return error_set(e, EXIT_USAGE, "--until-finding: from 1 to %llu repetitions",
				 REPETITIONS_MAX);
	return 0;
}

/* ---- the run that is replayed ---- */

/* All of a worker's journal is there, from its first operation on. */
static int check_journal(const struct replay *r, const struct plan *p, uint32_t worker, bool *any,
			 struct error *e)
{
	char dir[4096 + 16];
	struct journal_reader *reader =
		journal_reader_open(rundir_path(dir, sizeof(dir), r->run, "journal"), worker, e);
	const struct journal_header *h = reader ? journal_reader_header(reader) : NULL;
	struct journal_record record;
	int ret = 0;

	if (!reader)
		return -1;
	if (h->run != p->run_key)
		ret = error_set(e, EXIT_USAGE, "%s: the journal of worker %u is another run's", r->run,
				worker);
	else if (h->part)
		ret = error_set(e, EXIT_CANNOT,
				"%s can't be replayed from its begin: the first operations of its journals "
				"were dropped (what is left of worker %u begins at %llu). A run with "
				"--journal-keep 0 keeps all of them",
				r->run, worker, (unsigned long long)h->first);
	else if (journal_reader_next(reader, &record, NULL, e) > 0)
		*any |= !(record.flags & JOURNAL_MARK);
	journal_reader_close(reader);
	return ret;
}

static int check_journals(const struct replay *r, const struct plan *p, struct error *e)
{
	bool any = false;

	for (uint32_t i = 0; i < p->workers; i++) {
		if (check_journal(r, p, i, &any, e))
			return -1;
	}
	return any ? 0 : error_set(e, EXIT_CANNOT, "%s has no operations to replay", r->run);
}

/* What a flag says about the target; NULL: there is no such flag. */
static const char *asked(const struct replay *r, const char *key)
{
	return scenario_value(&r->flags.over, "target", "", key);
}

/* Nothing but a throw-away image is formatted because an earlier run was allowed to. */
static int settle_formatting(const struct replay *r, struct plan *p, struct error *e)
{
	const bool formatted = p->target.mkfs && p->target.kind != TARGET_AUTO;

	p->target.mkfs = false;
	if (!formatted || asked(r, "mkfs") || asked(r, "path"))
		return 0;
	return error_set(e, EXIT_USAGE,
			 "the run formatted %s: add --mkfs --yes to do so again, or replay on a throw-away "
			 "image with --target auto",
			 p->target.path);
}

/* On another target (--target) the filesystem is what is there; one that is made is of the run's kind, if
 * that can be made. */
static void settle_elsewhere(const struct replay *r, struct target_spec *t)
{
	const char *path = asked(r, "path");
	struct error ignored;
	struct stat st;

	if (!path || (strcmp(path, "auto") == 0 ? filesystem_available(t->fs, true, &ignored) == 0
						: asked(r, "mkfs") != NULL))
		return;
	t->fs[0] = t->mkfs_options[0] = '\0';
	if (stat(path, &st) || S_ISDIR(st.st_mode))
		t->mount_options[0] = '\0';
}

static int make_plan(const struct replay *r, struct plan *p, struct error *e)
{
	char *whole;

	if (replan(p, r->report.run, r->run, e) || check_journals(r, p, e))
		return -1;
	whole = realpath(r->run, NULL);
	if (!whole || strlen(whole) >= sizeof(p->replay)) {
		free(whole);
		return error_errno(e, EXIT_USAGE, errno, "%s", r->run);
	}
	snprintf(p->replay, sizeof(p->replay), "%s", whole);
	free(whole);
	if (settle_formatting(r, p, e))
		return -1;
	settle_elsewhere(r, &p->target);
	if (plan_overlay(p, &r->flags.over, e))
		return -1;
	if (r->flags.no_inject)
		launch_without_injectors(p);
	return launch_settle(p, r->most ? "-replays" : "-replay", r->flags.dry_run, e);
}

/* ---- repetitions ---- */

/* What the kernel answered otherwise becomes part of the replay's own directory. */
static void note_differences(const struct plan *p, struct launch *l)
{
	struct error e;
	json_t *found = differences_find(p->replay, p->output, p->workers, p->shared_dirs, &e);

	if (!found) {
		fprintf(stderr, "recow: the journals can't be compared: %s\n", e.text);
		return;
	}
	json_object_set_new(l->progress.description, "replay", found);
	if (report_write(p->output, "run.json", l->progress.description, &e))
		fprintf(stderr, "recow: %s\n", e.text);
}

static int run_once(const struct replay *r, const struct plan *p, struct tally_of_repetitions *t,
		    struct error *e)
{
	struct launch l = {
		.plan = p,
		.command = json_object_get(r->report.run, "command"),
		.json = r->flags.json,
		.verbosity = r->flags.verbosity,
	};

	if (launch_execute(&l, e))
		return -1;
	note_differences(p, &l);
	if (r->flags.json)
		json_array_append_new(t->reports, launch_json(&l));
	else
		launch_print(&l);
	t->done++;
	if (l.progress.findings && !t->found++)
		t->first = l.progress.first_finding;
	if (l.outcome.exit != EXIT_CLEAN && t->exit != EXIT_FINDING)
		t->exit = (int)l.outcome.exit;
	launch_end(&l);
	return l.outcome.interrupted ? 1 : 0;
}

/* DIR/DIR-1 and so on: what a run makes on a target that is there already has the name of its directory. */
static int name_repetition(char *buf, size_t len, const char *base, uint64_t number, struct error *e)
{
	const char *slash = strrchr(base, '/');

	if ((size_t)snprintf(buf, len, "%s/%s-%llu", base, slash ? slash + 1 : base,
			     (unsigned long long)number) < len)
		return 0;
	return error_set(e, EXIT_USAGE, "--output: the path is too long");
}

/* Each in a directory of its own. A finding ends it, unless all repetitions are wanted; so does what recow
 * can't do. */
static int repeat(const struct replay *r, struct plan *p, struct tally_of_repetitions *t, struct error *e)
{
	const bool all = scenario_value(&r->flags.over, "run", "", "keep_going");
	char base[sizeof(p->output)];
	int ret = 0;

	snprintf(base, sizeof(base), "%s", p->output);
	for (uint64_t i = 1; i <= MAX(r->most, 1ULL) && !ret; i++) {
		if (r->most && name_repetition(p->output, sizeof(p->output), base, i, e))
			return -1;
		ret = run_once(r, p, t, e);
		if ((t->found && !all) || t->exit == EXIT_CANNOT || t->exit == EXIT_HARNESS)
			break;
	}
	return ret < 0 ? -1 : 0;
}

/* ---- what it came to ---- */

static void say_rate(const struct tally_of_repetitions *t)
{
	char count[32];

	if (t->found)
		printf("%llu of %llu repetitions had a finding; the first one came after %s operations\n",
		       (unsigned long long)t->found, (unsigned long long)t->done,
		       units_show_count(count, sizeof(count), t->first));
	else
		printf("%s0 of %llu repetitions had a finding\n",
		       t->exit == EXIT_CLEAN          ? ""
		       : t->exit == EXIT_INCONCLUSIVE ? "inconclusive: "
						      : "cut short: ",
		       (unsigned long long)t->done);
}

static void print_json(const struct replay *r, const struct tally_of_repetitions *t)
{
	json_t *j = r->most ? json_pack("{s:i, s:s, s:I, s:I, s:I, s:i, s:o, s:O}", "format", RUN_FORMAT,
					"replay_of", r->run, "until_finding", (json_int_t)r->most,
					"repetitions", (json_int_t)t->done, "with_finding",
					(json_int_t)t->found, "exit", t->exit, "first_finding_operations",
					t->found ? json_integer((json_int_t)t->first) : json_null(), "runs",
					t->reports)
			    : json_incref(json_array_get(t->reports, 0));

	cli_print_json(j);
}

static int execute(const struct replay *r, struct plan *p, struct error *e)
{
	struct tally_of_repetitions t = {.reports = json_array(), .exit = EXIT_CLEAN};
	int ret = repeat(r, p, &t, e);

	if (!ret && r->flags.json)
		print_json(r, &t);
	else if (!ret && r->most)
		say_rate(&t);
	json_decref(t.reports);
	return ret ? -1 : t.exit;
}

static int replay(struct replay *r, struct error *e)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	int ret = -1;

	if (!plan)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "plan");
	if (report_load(&r->report, r->run, e)) {
		free(plan);
		return -1;
	}
	if (make_plan(r, plan, e) == 0) {
		if (r->flags.dry_run)
			plan_print(plan, stdout);
		ret = r->flags.dry_run ? EXIT_CLEAN : execute(r, plan, e);
	}
	report_free(&r->report);
	free(plan);
	return ret;
}

int command_replay(int argc, char **argv, struct error *e)
{
	struct replay r = {.run = NULL};
	int ret;

	signal(SIGPIPE, SIG_IGN); /* as in a run */
	if (flags_parse(argc, argv, FLAGS_REPLAY, &r.flags, e))
		return -1;
	r.run = r.flags.argument;
	if (r.flags.help)
		ret = cli_help(argv[0]);
	else
		ret = take_until(&r, e) ? -1 : replay(&r, e);
	scenario_free(&r.flags.over);
	return ret;
}
