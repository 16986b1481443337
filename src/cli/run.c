/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/base/json.h"
#include "src/cli/cli.h"
#include "src/cli/flags.h"
#include "src/cli/launch.h"

static int make_plan(struct plan *p, const struct run_flags *f, struct error *e)
{
	struct scenario scenario;
	char path[4096];
	int ret;

	if (scenario_find(f->argument, path, sizeof(path), e) || scenario_load(path, &scenario, e))
		return -1;
	ret = plan_make(p, &scenario, &f->over, e);
	scenario_free(&scenario);
	if (ret)
		return -1;
	if (f->no_inject)
		launch_without_injectors(p);
	return launch_settle(p, "", f->dry_run, e);
}

static int execute(const struct plan *plan, const struct run_flags *f, json_t *command, struct error *e)
{
	struct launch l = {.plan = plan, .command = command, .json = f->json, .verbosity = f->verbosity};

	if (launch_execute(&l, e))
		return -1;
	if (f->json)
		cli_print_json(launch_json(&l));
	else
		launch_print(&l);
	launch_end(&l);
	return (int)l.outcome.exit;
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
	if (flags_parse(argc, argv, FLAGS_RUN, &flags, e)) {
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
