/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <unistd.h>

#include "src/cli/cli.h"
#include "src/guard/guard.h"

static void print_line(void *self, const char *text)
{
	printf("%s\n", text);
}

int command_restore(int argc, char **argv, struct error *e)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const char *run;
	int c;

	while ((c = cli_option(argc, argv, ":h", options, e)) != -1) {
		if (c == -2)
			return -1;
		return cli_help(argv[0]);
	}
	if (cli_one_argument(argc, argv, "the run directory", &run, e))
		return -1;
	if (geteuid() != 0)
		return error_set(e, EXIT_CANNOT, "restore needs root: sudo recow restore %s", run);
	return guard_restore(run, print_line, NULL, e);
}
