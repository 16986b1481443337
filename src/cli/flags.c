/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cli/flags.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/cli.h"

#define DEFAULT_SCENARIO "migration-storm"

enum meaning { KEY, WORKLOAD, INJECT, NO_INJECT, UNTIL, YES, JSON, DRY_RUN, QUIET, VERBOSE, HELP };

enum { RUN = FLAGS_RUN, REPLAY = FLAGS_REPLAY, BOTH = FLAGS_RUN | FLAGS_REPLAY };

/* KEY: the flag is one key of a scenario; `value`: of one that takes none. */
static const struct flag {
	const char *name;
	char letter;
	int takes;
	unsigned int of;
	enum meaning meaning;
	const char *section, *key, *value;
} flags[] = {
	{"duration", 't', required_argument, RUN, KEY, "run", "duration", NULL},
	{"rounds", 'r', required_argument, RUN, KEY, "run", "rounds", NULL},
	{"ops", 0, required_argument, RUN, KEY, "run", "ops", NULL},
	{"workers", 'j', required_argument, RUN, KEY, "run", "workers", NULL},
	{"seed", 's', required_argument, RUN, KEY, "run", "seed", NULL},
	{"target", 0, required_argument, BOTH, KEY, "target", "path", NULL},
	{"image-size", 0, required_argument, BOTH, KEY, "target", "image_size", NULL},
	{"tmpfs", 0, no_argument, BOTH, KEY, "target", "tmpfs", "yes"},
	{"fs", 0, required_argument, BOTH, KEY, "target", "fs", NULL},
	{"mkfs-options", 0, required_argument, BOTH, KEY, "target", "mkfs_options", NULL},
	{"mount-options", 0, required_argument, BOTH, KEY, "target", "mount_options", NULL},
	{"mkfs", 0, no_argument, BOTH, KEY, "target", "mkfs", "yes"},
	{"yes", 0, no_argument, BOTH, YES, NULL, NULL, NULL},
	{"shared-dirs", 0, required_argument, RUN, KEY, "run", "shared_dirs", NULL},
	{"workload", 'w', required_argument, RUN, WORKLOAD, NULL, NULL, NULL},
	{"inject", 'i', required_argument, RUN, INJECT, NULL, NULL, NULL},
	{"no-inject", 0, no_argument, BOTH, NO_INJECT, NULL, NULL, NULL},
	{"until-finding", 0, required_argument, REPLAY, UNTIL, NULL, NULL, NULL},
	{"verify", 0, required_argument, RUN, KEY, "verify", "list", NULL},
	{"journal-keep", 0, required_argument, RUN, KEY, "run", "journal_keep", NULL},
	{"journal-tail", 0, required_argument, RUN, KEY, "run", "journal_tail", NULL},
	{"hang-timeout", 0, required_argument, RUN, KEY, "run", "hang_timeout", NULL},
	{"memory-floor", 0, required_argument, RUN, KEY, "run", "memory_floor", NULL},
	{"output", 'o', required_argument, BOTH, KEY, "run", "output", NULL},
	{"keep", 0, no_argument, BOTH, KEY, "run", "keep", "yes"},
	{"keep-going", 0, no_argument, BOTH, KEY, "run", "keep_going", "yes"},
	{"json", 0, no_argument, BOTH, JSON, NULL, NULL, NULL},
	{"dry-run", 'n', no_argument, BOTH, DRY_RUN, NULL, NULL, NULL},
	{"quiet", 'q', no_argument, BOTH, QUIET, NULL, NULL, NULL},
	{"verbose", 'v', no_argument, BOTH, VERBOSE, NULL, NULL, NULL},
	{"help", 'h', no_argument, BOTH, HELP, NULL, NULL, NULL},
};

/* What getopt gives for a flag that is written out: this and its place in the table. */
#define WRITTEN_OUT 256

/* For getopt: those of one command. */
struct known {
	struct option option[ARRAY_SIZE(flags) + 1];
	char letters[2 * ARRAY_SIZE(flags) + 2];
};

static void list_known(unsigned int of, struct known *k)
{
	struct option *option = k->option;
	char *letter = k->letters;

	*letter++ = ':';
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (!(flags[i].of & of))
			continue;
		*option++ = (struct option){flags[i].name, flags[i].takes, NULL, WRITTEN_OUT + (int)i};
		if (flags[i].letter)
			*letter++ = flags[i].letter;
		if (flags[i].letter && flags[i].takes)
			*letter++ = ':';
	}
	*option = (struct option){0};
	*letter = '\0';
}

static const struct flag *find(int given)
{
	size_t i = 0;

	if (given >= WRITTEN_OUT)
		return &flags[given - WRITTEN_OUT];
	while (flags[i].letter != given)
		i++;
	return &flags[i];
}

static int add_key(struct run_flags *f, const char *kind, const char *name, const char *key,
		   const char *value, const char *flag, struct error *e)
{
	struct scenario_section *s = scenario_section(&f->over, kind, name, flag);

	if (!s)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "%s", flag);
	return key ? scenario_add(s, key, value, flag, e) : 0;
}

/* NAME[:key=value,...,word]: a section with its keys; a word alone is a key without a value. */
static int add_plugin(struct run_flags *f, const char *kind, const char *text, const char *flag,
		      struct error *e)
{
	char *copy = strdup(text), *rest = copy, *part;
	const char *name;
	int ret;

	if (!copy)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "%s", flag);
	name = strsep(&rest, ":");
	ret = add_key(f, kind, name, NULL, NULL, flag, e);
	while (!ret && (part = strsep(&rest, ","))) {
		char *value = strchr(part, '=');

		if (value)
			*value++ = '\0';
		ret = add_key(f, kind, name, part, value ? value : "", flag, e);
	}
	free(copy);
	return ret;
}

static int take(struct run_flags *f, const struct flag *flag, const char *value, struct error *e)
{
	char name[24];

	snprintf(name, sizeof(name), "--%s", flag->name);
	switch (flag->meaning) {
	case KEY:
		return add_key(f, flag->section, "", flag->key, flag->value ? flag->value : value, name, e);
	case WORKLOAD:
		return add_plugin(f, "workload", value, name, e);
	case INJECT:
		return add_plugin(f, "inject", value, name, e);
	case NO_INJECT:
		f->no_inject = true;
		break;
	case UNTIL:
		f->until = value;
		break;
	case YES:
		f->yes = true;
		break;
	case JSON:
		f->json = true;
		break;
	case DRY_RUN:
		f->dry_run = true;
		break;
	case QUIET:
		f->verbosity = -1;
		break;
	case VERBOSE:
		f->verbosity = 1;
		break;
	case HELP:
		f->help = true;
		break;
	}
	return 0;
}

static int take_argument(int argc, char **argv, unsigned int of, struct run_flags *f, struct error *e)
{
	f->argument = DEFAULT_SCENARIO;
	if (of == FLAGS_RUN && optind == argc)
		return 0;
	return cli_one_argument(argc, argv, "the run directory", &f->argument, e);
}

static int take_all(int argc, char **argv, unsigned int of, struct run_flags *f, struct error *e)
{
	struct known known;
	int given;

	list_known(of, &known);
	while ((given = cli_option(argc, argv, known.letters, known.option, e)) != -1) {
		if (given == -2 || take(f, find(given), optarg, e))
			return -1;
	}
	if (f->help)
		return 0;
	if (scenario_value(&f->over, "target", "", "mkfs") && !f->yes)
		return error_set(
			e, EXIT_USAGE,
			"--mkfs formats the target and destroys what is on it; add --yes if you mean it");
	return take_argument(argc, argv, of, f, e);
}

int flags_parse(int argc, char **argv, unsigned int of, struct run_flags *out, struct error *e)
{
	memset(out, 0, sizeof(*out));
	if (take_all(argc, argv, of, out, e)) {
		scenario_free(&out->over);
		return -1;
	}
	return 0;
}
