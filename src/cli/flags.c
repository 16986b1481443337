/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cli/flags.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/cli.h"

#define DEFAULT_SCENARIO "migration-storm"

enum flag {
	FLAG_DURATION = 't',
	FLAG_ROUNDS = 'r',
	FLAG_WORKERS = 'j',
	FLAG_SEED = 's',
	FLAG_WORKLOAD = 'w',
	FLAG_INJECT = 'i',
	FLAG_OUTPUT = 'o',
	FLAG_DRY_RUN = 'n',
	FLAG_QUIET = 'q',
	FLAG_VERBOSE = 'v',
	FLAG_HELP = 'h',
	FLAG_OPS = 256,
	FLAG_TARGET,
	FLAG_IMAGE_SIZE,
	FLAG_TMPFS,
	FLAG_FS,
	FLAG_MKFS_OPTIONS,
	FLAG_MOUNT_OPTIONS,
	FLAG_MKFS,
	FLAG_YES,
	FLAG_SHARED_DIRS,
	FLAG_NO_INJECT,
	FLAG_VERIFY,
	FLAG_JOURNAL_KEEP,
	FLAG_JOURNAL_TAIL,
	FLAG_HANG_TIMEOUT,
	FLAG_MEMORY_FLOOR,
	FLAG_KEEP,
	FLAG_KEEP_GOING,
	FLAG_JSON,
};

static const struct option options[] = {
	{"duration", required_argument, NULL, FLAG_DURATION},
	{"rounds", required_argument, NULL, FLAG_ROUNDS},
	{"ops", required_argument, NULL, FLAG_OPS},
	{"workers", required_argument, NULL, FLAG_WORKERS},
	{"seed", required_argument, NULL, FLAG_SEED},
	{"target", required_argument, NULL, FLAG_TARGET},
	{"image-size", required_argument, NULL, FLAG_IMAGE_SIZE},
	{"tmpfs", no_argument, NULL, FLAG_TMPFS},
	{"fs", required_argument, NULL, FLAG_FS},
	{"mkfs-options", required_argument, NULL, FLAG_MKFS_OPTIONS},
	{"mount-options", required_argument, NULL, FLAG_MOUNT_OPTIONS},
	{"mkfs", no_argument, NULL, FLAG_MKFS},
	{"yes", no_argument, NULL, FLAG_YES},
	{"shared-dirs", required_argument, NULL, FLAG_SHARED_DIRS},
	{"workload", required_argument, NULL, FLAG_WORKLOAD},
	{"inject", required_argument, NULL, FLAG_INJECT},
	{"no-inject", no_argument, NULL, FLAG_NO_INJECT},
	{"verify", required_argument, NULL, FLAG_VERIFY},
	{"journal-keep", required_argument, NULL, FLAG_JOURNAL_KEEP},
	{"journal-tail", required_argument, NULL, FLAG_JOURNAL_TAIL},
	{"hang-timeout", required_argument, NULL, FLAG_HANG_TIMEOUT},
	{"memory-floor", required_argument, NULL, FLAG_MEMORY_FLOOR},
	{"output", required_argument, NULL, FLAG_OUTPUT},
	{"keep", no_argument, NULL, FLAG_KEEP},
	{"keep-going", no_argument, NULL, FLAG_KEEP_GOING},
	{"json", no_argument, NULL, FLAG_JSON},
	{"dry-run", no_argument, NULL, FLAG_DRY_RUN},
	{"quiet", no_argument, NULL, FLAG_QUIET},
	{"verbose", no_argument, NULL, FLAG_VERBOSE},
	{"help", no_argument, NULL, FLAG_HELP},
	{NULL, 0, NULL, 0},
};

/* Flags that are one key of the scenario. `value`: given by a flag without one. */
static const struct {
	enum flag flag;
	const char *section, *key, *value;
} keys[] = {
	{FLAG_DURATION, "run", "duration", NULL},
	{FLAG_ROUNDS, "run", "rounds", NULL},
	{FLAG_OPS, "run", "ops", NULL},
	{FLAG_WORKERS, "run", "workers", NULL},
	{FLAG_SEED, "run", "seed", NULL},
	{FLAG_OUTPUT, "run", "output", NULL},
	{FLAG_SHARED_DIRS, "run", "shared_dirs", NULL},
	{FLAG_JOURNAL_KEEP, "run", "journal_keep", NULL},
	{FLAG_JOURNAL_TAIL, "run", "journal_tail", NULL},
	{FLAG_HANG_TIMEOUT, "run", "hang_timeout", NULL},
	{FLAG_MEMORY_FLOOR, "run", "memory_floor", NULL},
	{FLAG_KEEP, "run", "keep", "yes"},
	{FLAG_KEEP_GOING, "run", "keep_going", "yes"},
	{FLAG_TARGET, "target", "path", NULL},
	{FLAG_IMAGE_SIZE, "target", "image_size", NULL},
	{FLAG_TMPFS, "target", "tmpfs", "yes"},
	{FLAG_FS, "target", "fs", NULL},
	{FLAG_MKFS_OPTIONS, "target", "mkfs_options", NULL},
	{FLAG_MOUNT_OPTIONS, "target", "mount_options", NULL},
	{FLAG_MKFS, "target", "mkfs", "yes"},
	{FLAG_VERIFY, "verify", "list", NULL},
};

static void flag_name(int flag, char *buf, size_t len)
{
	for (const struct option *o = options; o->name; o++) {
		if (o->val == flag)
			snprintf(buf, len, "--%s", o->name);
	}
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

static int take_switch(struct run_flags *f, int flag, bool *yes)
{
	switch (flag) {
	case FLAG_NO_INJECT:
		f->no_inject = true;
		return 1;
	case FLAG_JSON:
		f->json = true;
		return 1;
	case FLAG_DRY_RUN:
		f->dry_run = true;
		return 1;
	case FLAG_HELP:
		f->help = true;
		return 1;
	case FLAG_QUIET:
		f->verbosity = -1;
		return 1;
	case FLAG_VERBOSE:
		f->verbosity = 1;
		return 1;
	case FLAG_YES:
		*yes = true;
		return 1;
	default:
		return 0;
	}
}

static int take_flag(struct run_flags *f, int flag, const char *value, struct error *e)
{
	char name[24] = "";

	flag_name(flag, name, sizeof(name));
	if (flag == FLAG_WORKLOAD)
		return add_plugin(f, "workload", value, name, e);
	if (flag == FLAG_INJECT)
		return add_plugin(f, "inject", value, name, e);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if ((int)keys[i].flag == flag)
			return add_key(f, keys[i].section, "", keys[i].key,
				       keys[i].value ? keys[i].value : value, name, e);
	}
	return error_set(e, EXIT_HARNESS, "option %s has no meaning", name);
}

static int take_all(int argc, char **argv, struct run_flags *f, struct error *e)
{
	bool yes = false;
	int flag;

	while ((flag = cli_option(argc, argv, ":t:r:j:s:w:i:o:nqvh", options, e)) != -1) {
		if (flag == -2 || (!take_switch(f, flag, &yes) && take_flag(f, flag, optarg, e)))
			return -1;
	}
	if (scenario_value(&f->over, "target", "", "mkfs") && !yes)
		return error_set(
			e, EXIT_USAGE,
			"--mkfs formats the target and destroys what is on it; add --yes if you mean it");
	if (optind + 1 < argc)
		return error_set(e, EXIT_USAGE, "run: '%s' is one argument too many", argv[optind + 1]);
	f->scenario = optind < argc ? argv[optind] : DEFAULT_SCENARIO;
	return 0;
}

int flags_parse(int argc, char **argv, struct run_flags *out, struct error *e)
{
	memset(out, 0, sizeof(*out));
	if (take_all(argc, argv, out, e)) {
		scenario_free(&out->over);
		return -1;
	}
	return 0;
}
