/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cli/cli.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "src/base/units.h"

static const struct {
	const char *name;
	int (*execute)(int argc, char **argv, struct error *e);
} commands[] = {
	{"run", command_run},         {"report", command_report}, {"journal", command_journal},
	{"model", command_model},     {"list", command_list},     {"doctor", command_doctor},
	{"restore", command_restore}, {"verify", command_verify}, {"audit", command_audit},
	{"replay", command_replay},
};

static int complain(const struct error *e)
{
	fflush(stdout);
	fprintf(stderr, "recow: %s\n", e->text);
	return (int)e->exit;
}

static int unknown_command(const char *word)
{
	static const char *const options[] = {"--help", "--version"};
	const char *names[ARRAY_SIZE(commands)];
	struct error e;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		names[i] = commands[i].name;
	if (word[0] == '-')
		unknown_word(&e, "option", word, options, ARRAY_SIZE(options));
	else
		unknown_word(&e, "command", word, names, ARRAY_SIZE(names));
	return complain(&e);
}

static int execute(int (*command)(int argc, char **argv, struct error *e), int argc, char **argv)
{
	struct error e = {.exit = EXIT_HARNESS};
	int status = command(argc, argv, &e);

	if (status < 0)
		return complain(&e);
	/* What a run found is said by its exit code even to those who don't read. */
	if ((fflush(stdout) || ferror(stdout)) && status == EXIT_CLEAN) {
		error_set(&e, EXIT_HARNESS, "cannot write to the standard output");
		return complain(&e);
	}
	return status;
}

static int help(const char *command)
{
	return cli_help(command) < 0 ? unknown_command(command) : EXIT_CLEAN;
}

/* A descriptor 0, 1 or 2 that the caller closed would be given to the next file that is opened, and what is
 * meant for people would be written into an undo log. Writing to one that is open for reading fails, as to a
 * closed one. */
static void hold_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int cli_main(int argc, char **argv)
{
	struct error e;

	hold_standard_descriptors();
	if (argc < 2) {
		error_set(&e, EXIT_USAGE, "no command; try 'recow run' or 'recow --help'");
		return complain(&e);
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("recow %s\n", PACKAGE_VERSION);
		return EXIT_CLEAN;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
		return help(argc > 2 ? argv[2] : "");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, argv[1]) == 0)
			return execute(commands[i].execute, argc - 1, argv + 1);
	}
	return unknown_command(argv[1]);
}

static int wrong_option(const char *word, const struct option *options, struct error *e)
{
	const char *names[64];
	char bare[64];
	size_t n = 0;

	if (word[0] != '-' || word[1] != '-')
		return error_set(e, EXIT_USAGE, "unknown option '%s'", word);
	snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	for (; n < ARRAY_SIZE(names) && options[n].name; n++)
		names[n] = options[n].name;
	if (!nearest_word(bare, names, n))
		return error_set(e, EXIT_USAGE, "unknown option '--%s'", bare);
	return error_set(e, EXIT_USAGE, "unknown option '--%s'; did you mean '--%s'?", bare,
			 nearest_word(bare, names, n));
}

int cli_option(int argc, char **argv, const char *letters, const struct option *options, struct error *e)
{
	int at = optind ? optind : 1, c;
	char letter[3] = "-?";

	opterr = 0;
	c = getopt_long(argc, argv, letters, options, NULL);
	if (c != '?' && c != ':')
		return c;
	/* getopt moves words that are no options to the end: the bad one is just before optind, or within it.
	 */
	letter[1] = (char)optopt;
	if (c == ':') {
		error_set(e, EXIT_USAGE, "option '%s' needs a value", argv[optind - 1]);
		return -2;
	}
	if (optopt && (optind == at || argv[optind - 1][1] != '-')) {
		wrong_option(letter, options, e);
		return -2;
	}
	if (optopt) /* a long option that takes no value was given one */
		error_set(e, EXIT_USAGE, "option '%s' takes no value", argv[optind - 1]);
	else
		wrong_option(argv[optind - 1], options, e);
	return -2;
}

int cli_json_option(int argc, char **argv, bool *json, struct error *e)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = cli_option(argc, argv, ":h", options, e)) != -1) {
		if (c == -2)
			return -1;
		if (c == 'h') {
			cli_help(argv[0]);
			return 1;
		}
		*json = true;
	}
	return 0;
}

void cli_print_json(struct json_t *j)
{
	json_dumpf(j, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(j);
}

int cli_one_argument(int argc, char **argv, const char *what, const char **out, struct error *e)
{
	if (optind == argc)
		return error_set(e, EXIT_USAGE, "%s: %s is missing; see recow %s --help", argv[0], what,
				 argv[0]);
	if (optind + 1 < argc)
		return error_set(e, EXIT_USAGE, "%s: '%s' is one argument too many", argv[0],
				 argv[optind + 1]);
	*out = argv[optind];
	return 0;
}
