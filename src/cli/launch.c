/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cli/launch.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "src/base/units.h"
#include "src/cli/account.h"
#include "src/engine/churn.h"
#include "src/engine/disturb.h"
#include "src/machine/survey.h"
#include "src/report/report.h"

#define RUNS "/var/tmp/recow"

/* Absolute, so that it means the same in every process; by default named after time and seed. */
static int settle_output(struct plan *p, const char *suffix, struct error *e)
{
	char given[sizeof(p->output)], cwd[2048], when[32];
	time_t now = time(NULL);
	struct tm tm;
	int len = 0;

	snprintf(given, sizeof(given), "%s", p->output);
	if (!given[0]) {
		strftime(when, sizeof(when), "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
		snprintf(p->output, sizeof(p->output), RUNS "/%s-%" PRIx64 "%s", when, p->seed, suffix);
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

int launch_settle(struct plan *p, const char *suffix, bool dry_run, struct error *e)
{
	struct surroundings around;

	if (settle_output(p, suffix, e))
		return -1;
	if (!dry_run && geteuid() != 0)
		return error_set(e, EXIT_CANNOT, "a run needs root: sudo recow %s ... (--dry-run does not)",
				 p->replay[0] ? "replay" : "run");
	if (target_examine(&p->target, e))
		return -1;
	machine_survey(&around, &p->target);
	return plan_settle(p, &around, e);
}

void launch_without_injectors(struct plan *p)
{
	p->inject = false;
	p->min_exposure = (struct least_exposure){.trial = p->min_exposure.trial};
	snprintf(p->no_inject_reason, sizeof(p->no_inject_reason), "--no-inject");
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

int launch_execute(struct launch *l, struct error *e)
{
	static const struct guard_children children = {.churn = churn_main, .disturb = disturb_main};
	struct guard_listener listener;

	l->progress = (struct progress){
		.out = l->json ? stderr : stdout,
		.terminal = isatty(STDERR_FILENO) && l->verbosity >= 0,
		.verbosity = l->verbosity,
		.run = l->plan->output,
		.command = l->command,
	};
	listener = progress_listener(&l->progress);
	print_first_line(l->plan, l->progress.out);
	if (guard_run(l->plan, &children, &listener, &l->outcome, e) == 0)
		return 0;
	launch_end(l);
	return -1;
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

void launch_print(const struct launch *l)
{
	const struct progress *p = &l->progress;

	print_stories(p);
	report_print_outcome(p->description, stdout);
	if (p->findings)
		printf("  findings    %u; recow report %s shows them\n", p->findings, p->run);
	printf("%s\n", l->outcome.verdict);
}

json_t *launch_json(const struct launch *l)
{
	struct report r;
	struct error e;
	json_t *j;

	if (report_load(&r, l->progress.run, &e))
		return json_incref(l->progress.description);
	j = report_json(&r);
	report_free(&r);
	return j;
}

void launch_end(struct launch *l)
{
	json_decref(l->progress.description);
	l->progress.description = NULL;
}
