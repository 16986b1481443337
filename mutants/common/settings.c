// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/common/settings.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define EXIT_USAGE 2

static const struct option options[] = {
	{"backing", required_argument, NULL, 'b'},
	{"mount", required_argument, NULL, 'm'},
	{"mutant", required_argument, NULL, 'x'},
	{"seed", required_argument, NULL, 's'},
	{"one-in", required_argument, NULL, 'n'},
	{"limit", required_argument, NULL, 'k'},
	{"from", required_argument, NULL, 'f'},
	{"until", required_argument, NULL, 'u'},
	{"truth", required_argument, NULL, 't'},
	{"log", required_argument, NULL, 'w'},
	{"scope", required_argument, NULL, 'c'},
	{"list", no_argument, NULL, 'l'},
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const char usage[] = "usage: %s --backing PATH --mount PATH --mutant NAME [options]\n"
			    "       %s --list [--json]\n"
			    "Serve PATH with one bug in it, in the foreground, until SIGTERM or until it is "
			    "unmounted. Prints \"ready\" when it serves.\n"
			    "  --backing PATH    what is served: %s\n"
			    "  --mount PATH      where: an empty %s\n"
			    "  --mutant NAME     which bug; control: none\n"
			    "  --seed N          decides when it fires (default 1)\n"
			    "  --one-in N        fires once in so many chances (default 2000)\n"
			    "  --limit N         at most so many times (default 0: no limit)\n"
			    "  --from S          not in the first S seconds (default 0)\n"
			    "  --until S         not after S seconds (default: no end)\n"
			    "  --truth FILE      what it really did, a JSON object per line\n";

static const char usage_device[] =
	"  --scope WHAT      any, data or metadata: which requests it may hit "
	"(default any; data and metadata: btrfs)\n"
	"  --log FILE        record every write and flush (docs/mutants-device.md)\n"
	"  --replay LOG [--upto N] IMAGE   do on IMAGE what a log says, up to its flush N\n";

static void print_usage(const char *program, bool has_device)
{
	printf(usage, program, program, has_device ? "an image file" : "a directory",
	       has_device ? "file" : "directory");
	if (has_device)
		fputs(usage_device, stdout);
	printf("example: %s --backing %s --mount /mnt/x --mutant lost-write --seed 7 --truth truth.jsonl\n",
	       program, has_device ? "disk.img" : "/srv/dir");
}

static void print_list(const struct about *const *mutants, size_t count, bool json)
{
	json_t *all = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct about *a = mutants[i];

		if (json)
			json_array_append_new(all, json_pack("{s:s, s:s, s:s?, s:s?}", "name", a->name,
							     "summary", a->summary, "source", a->source,
							     "unseen", a->unseen));
		else
			printf("%-26s %s\n", a->name, a->summary);
	}
	if (json) {
		json_dumpf(all, stdout, JSON_INDENT(1));
		putchar('\n');
	}
	json_decref(all);
}

const struct about *about_find(const char *name, const struct about *const *mutants, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(mutants[i]->name, name))
			return mutants[i];
	return NULL;
}

/* A whole number of at least `least`; complains and returns false else. */
static bool read_number(const char *what, const char *text, uint64_t least, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 0);
	if (!errno && end != text && !*end && *text != '-' && *out >= least)
		return true;
	fprintf(stderr, "--%s wants a whole number of at least %llu, not '%s'\n", what,
		(unsigned long long)least, text);
	return false;
}

static bool read_seconds(const char *what, const char *text, int64_t *out)
{
	char *end;
	const double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds >= 0 && seconds < 1e9)) {
		fprintf(stderr, "--%s wants seconds, not '%s'\n", what, text);
		return false;
	}
	*out = (int64_t)(seconds * 1e9);
	return true;
}

static bool read_option(struct settings *s, int option, const char *text)
{
	switch (option) {
	case 'b':
		s->backing = text;
		return true;
	case 'm':
		s->mount = text;
		return true;
	case 'x':
		s->mutant = text;
		return true;
	case 't':
		s->truth = text;
		return true;
	case 'w':
		s->log = text;
		return true;
	case 'c':
		s->scope = text;
		return true;
	case 's':
		return read_number("seed", text, 0, &s->chance.seed);
	case 'n':
		return read_number("one-in", text, 1, &s->chance.one_in);
	case 'k':
		return read_number("limit", text, 0, &s->chance.limit);
	case 'f':
		return read_seconds("from", text, &s->chance.from_ns);
	case 'u':
		return read_seconds("until", text, &s->chance.until_ns);
	default:
		return false;
	}
}

/* What must be there and hang together; complains. */
static bool is_complete(const struct settings *s, bool has_device, const struct about *const *mutants,
			size_t count)
{
	if (!s->backing || !s->mount || !s->mutant)
		fprintf(stderr, "--backing, --mount and --mutant are needed; see --help\n");
	else if (!about_find(s->mutant, mutants, count))
		fprintf(stderr, "there is no mutant '%s'; --list shows them\n", s->mutant);
	else if (!has_device && (s->log || strcmp(s->scope, "any")))
		fprintf(stderr, "--log and --scope are for devices\n");
	else if (strcmp(s->scope, "any") && strcmp(s->scope, "data") && strcmp(s->scope, "metadata"))
		fprintf(stderr, "--scope wants any, data or metadata, not '%s'\n", s->scope);
	else
		return true;
	return false;
}

int settings_read(struct settings *s, int argc, char **argv, bool has_device,
		  const struct about *const *mutants, size_t count)
{
	int option;
	bool help = false;

	*s = (struct settings){.scope = "any", .chance = {.seed = 1, .one_in = 2000, .until_ns = INT64_MAX}};
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'l')
			s->list = true;
		else if (option == 'j')
			s->json = true;
		else if (option == 'h')
			help = s->list = true;
		else if (!read_option(s, option, optarg))
			return EXIT_USAGE;
	}
	if (optind < argc) {
		fprintf(stderr, "'%s' is not an option\n", argv[optind]);
		return EXIT_USAGE;
	}
	if (help)
		print_usage(argv[0], has_device);
	else if (s->list)
		print_list(mutants, count, s->json);
	else if (!is_complete(s, has_device, mutants, count))
		return EXIT_USAGE;
	s->chance.start_ns = mutant_clock();
	return 0;
}

int mutant_lock_memory(void)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) && errno != EPERM && errno != ENOMEM)
		return -errno;
	return 0;
}
