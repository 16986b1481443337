/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "src/base/json.h"
#include "src/base/units.h"
#include "src/cli/account.h"
#include "src/cli/cli.h"
#include "src/cli/flags.h"
#include "src/cli/progress.h"
#include "src/engine/churn.h"
#include "src/engine/disturb.h"
#include "src/machine/survey.h"
#include "src/report/report.h"

#define RUNS "/var/tmp/recow"

/* Absolute, so that it means the same in every process; by default named after time and seed. */
static int settle_output(struct plan *p, struct error *e)
{
	char given[sizeof(p->output)], cwd[2048], when[32];
	time_t now = time(NULL);
	struct tm tm;
	int len = 0;

	snprintf(given, sizeof(given), "%s", p->output);
	if (!given[0]) {
		strftime(when, sizeof(when), "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
		snprintf(p->output, sizeof(p->output), RUNS "/%s-%" PRIx64, when, p->seed);
	} else if (given[0] != '/') {
		if (!getcwd(cwd, sizeof(cwd)))
			return error_errno(e, EXIT_CANNOT, errno, "working directory");
		len = snprintf(p->output, sizeof(p->output), "%s/%s", cwd, given);
	}
	if (len >= (int)sizeof(p->output))
		return error_set(e, EXIT_USAGE, "--output: the path is too long");
	if (access(p->output, F_OK) == 0)
		return error_set(e, EXIT_USAGE, "--output: %s exists; a run wants a directory of its own",
				 p->output);
	return 0;
}

static int make_plan(struct plan *p, const struct run_flags *f, struct error *e)
{
	struct surroundings around;
	struct scenario scenario;
	char path[4096];
	int ret;

	if (scenario_find(f->scenario, path, sizeof(path), e) || scenario_load(path, &scenario, e))
		return -1;
	ret = plan_make(p, &scenario, &f->over, e);
	scenario_free(&scenario);
	if (ret || settle_output(p, e))
		return -1;
	if (f->no_inject) {
		p->inject = false;
		/* Nobody expects exposure of a run that asks for none. */
		p->min_exposure = (struct least_exposure){.trial = p->min_exposure.trial};
		snprintf(p->no_inject_reason, sizeof(p->no_inject_reason), "--no-inject");
	}
	if (!f->dry_run && geteuid() != 0)
		return error_set(e, EXIT_CANNOT, "a run needs root: sudo recow run ... (--dry-run does not)");
	if (target_examine(&p->target, e))
		return -1;
	machine_survey(&around, &p->target);
	return plan_settle(p, &around, e);
}

static void print_first_line(const struct plan *p, FILE *out)
{
	char target[4096 + 128], output[sizeof(p->output)];

	snprintf(output, sizeof(output), "%s", p->output);
	fprintf(out, "recow %s: scenario %s, seed 0x%" PRIx64 ", %u worker%s, %s, run directory %s\n",
		PACKAGE_VERSION, p->scenario, p->seed, p->workers, p->workers == 1 ? "" : "s",
		describe_target(target, sizeof(target), &p->target), text_plain(output));
	for (unsigned int i = 0; i < p->injection_count; i++) {
		if (p->injection[i].unavailable)
			fprintf(out, "not run: %s: %s\n", p->injection[i].injector->name,
				p->injection[i].unavailable);
	}
	for (unsigned int i = 0; i < p->verification_count; i++) {
		if (p->verification[i].unavailable)
			fprintf(out, "not run: %s: %s\n", p->verification[i].verifier->name,
				p->verification[i].unavailable);
	}
	fflush(out);
}

/* Each cause once, with all that the run directory knows of it. */
static void print_stories(const struct progress *p)
{
	struct stories s;
	struct error e;

	if (!p->findings)
		return;
	if (account_load(&s, p->run, p->description, &e))
		printf("recow: %s\n", e.text);
	else
		account_print(&s, stdout);
	stories_free(&s);
}

static void print_end(const struct progress *p, const struct outcome *o, bool json)
{
	if (json) {
		struct report r;
		struct error e;
		json_t *j = json_incref(p->description);

		if (report_load(&r, p->run, &e) == 0) {
			json_decref(j);
			j = report_json(&r);
			report_free(&r);
		}
		json_dumpf(j, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII);
		putchar('\n');
		json_decref(j);
		return;
	}
	print_stories(p);
	report_print_outcome(p->description, stdout);
	if (p->findings)
		printf("  findings    %u; recow report %s shows them\n", p->findings, p->run);
	printf("%s\n", o->verdict);
}

static int execute(const struct plan *plan, const struct run_flags *f, json_t *command, struct error *e)
{
	static const struct guard_children children = {.churn = churn_main, .disturb = disturb_main};
	struct progress progress = {
		.out = f->json ? stderr : stdout,
		.terminal = isatty(STDERR_FILENO) && f->verbosity >= 0,
		.verbosity = f->verbosity,
		.run = plan->output,
		.command = command,
	};
	struct guard_listener listener = progress_listener(&progress);
	struct outcome outcome;

	print_first_line(plan, progress.out);
	if (guard_run(plan, &children, &listener, &outcome, e)) {
		json_decref(progress.description);
		return -1;
	}
	print_end(&progress, &outcome, f->json);
	json_decref(progress.description);
	return (int)outcome.exit;
}

/* As they were given: getopt moves them about. */
static json_t *words_of(int argc, char **argv)
{
	json_t *list = json_array();

	for (int i = 1; i < argc; i++)
		json_array_append_new(list, json_text(argv[i]));
	return list;
}

int command_run(int argc, char **argv, struct error *e)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	json_t *command = words_of(argc, argv);
	struct run_flags flags;
	int ret;

	if (!plan) {
		json_decref(command);
		return error_errno(e, EXIT_HARNESS, ENOMEM, "plan");
	}
	if (flags_parse(argc, argv, &flags, e)) {
		json_decref(command);
		free(plan);
		return -1;
	}
	/* A reader that goes away (| head) ends no run: there is something to undo and a verdict to give. */
	signal(SIGPIPE, SIG_IGN);
	if (flags.help)
		ret = cli_help(argv[0]);
	else if ((ret = make_plan(plan, &flags, e)) == 0) {
		if (flags.dry_run)
			plan_print(plan, stdout);
		else
			ret = execute(plan, &flags, command, e);
	}
	json_decref(command);
	scenario_free(&flags.over);
	free(plan);
	return ret;
}
