/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <jansson.h>
#include <stdio.h>

#include "src/cli/cli.h"
#include "src/guard/guard.h"
#include "src/machine/survey.h"

static const char *const states[] = {[FACT_GOOD] = "good", [FACT_LESS] = "less", [FACT_MISSING] = "missing"};

static void print_json(const struct fact *facts, size_t count, const char *leftover)
{
	json_t *list = json_array(), *j;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "name", facts[i].name, "state",
						      states[facts[i].state], "found", facts[i].found,
						      "remedy", facts[i].remedy));
	j = json_pack("{s:o, s:o}", "facts", list, "leftover",
		      leftover ? json_string(leftover) : json_null());
	cli_print_json(j);
}

static void print_text(const struct fact *facts, size_t count, const char *leftover)
{
	for (size_t i = 0; i < count; i++) {
		printf("%-8s %-20s %s\n", states[facts[i].state], facts[i].name, facts[i].found);
		if (facts[i].remedy[0])
			printf("         %-20s -> %s\n", "", facts[i].remedy);
	}
	if (leftover)
		printf("a dead run has left changes behind: recow restore %s\n", leftover);
}

int command_doctor(int argc, char **argv, struct error *e)
{
	struct fact facts[FACTS_MAX];
	char run[4096];
	const char *leftover;
	bool json = false, missing = false;
	int done = cli_json_option(argc, argv, &json, e);
	size_t count;

	if (done)
		return done < 0 ? -1 : EXIT_CLEAN;
	if (optind < argc)
		return error_set(e, EXIT_USAGE, "doctor: '%s' is one argument too many", argv[optind]);
	count = machine_facts(facts, FACTS_MAX);
	leftover = guard_leftover(run) ? run : NULL;
	for (size_t i = 0; i < count; i++)
		missing |= facts[i].state == FACT_MISSING;
	if (json)
		print_json(facts, count, leftover);
	else
		print_text(facts, count, leftover);
	return missing ? EXIT_CANNOT : EXIT_CLEAN;
}
