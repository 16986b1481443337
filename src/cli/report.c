/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/report.h"

#include <errno.h>
#include <stdlib.h>

#include "src/cli/account.h"
#include "src/cli/cli.h"

static int print_one(const char *path, const struct report *r, struct error *e)
{
	struct stories s;

	if (account_load(&s, path, r->run, e)) {
		stories_free(&s);
		return -1;
	}
	account_print(&s, stdout);
	stories_free(&s);
	report_print(r, stdout);
	return 0;
}

static json_t *one_json(const struct report *r)
{
	json_t *j = report_json(r);
	struct error ignored;
	struct stories s;

	if (account_load(&s, r->path, r->run, &ignored) == 0)
		json_object_set_new(j, "stories", account_json(&s));
	stories_free(&s);
	return j;
}

static void print_json(const struct report *runs, size_t count)
{
	json_t *all = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(all, one_json(&runs[i]));
	/* One run is one object, as `recow run --json` prints it. */
	cli_print_json(json_incref(count == 1 ? json_array_get(all, 0) : all));
	json_decref(all);
}

static int load_all(char **paths, size_t count, struct report *runs, size_t *loaded, struct error *e)
{
	for (*loaded = 0; *loaded < count; ++*loaded) {
		if (report_load(&runs[*loaded], paths[*loaded], e))
			return -1;
	}
	return 0;
}

static int print_all(char **paths, size_t count, bool json, struct error *e)
{
	struct report *runs = calloc(count, sizeof(*runs));
	size_t loaded = 0;
	int ret = -1;

	if (!runs)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "report");
	if (load_all(paths, count, runs, &loaded, e))
		goto out;
	ret = 0;
	if (json)
		print_json(runs, count);
	for (size_t i = 0; !json && !ret && i < count; i++)
		ret = print_one(paths[i], &runs[i], e);
	if (!json && !ret && count > 1) {
		putchar('\n');
		report_print_merged(runs, count, stdout);
	}
out:
	while (loaded)
		report_free(&runs[--loaded]);
	free(runs);
	return ret;
}

int command_report(int argc, char **argv, struct error *e)
{
	bool json = false;
	int done = cli_json_option(argc, argv, &json, e);

	if (done)
		return done < 0 ? -1 : EXIT_CLEAN;
	if (optind == argc)
		return error_set(e, EXIT_USAGE,
				 "report: the run directory is missing; see recow report --help");
	return print_all(argv + optind, (size_t)(argc - optind), json, e);
}
