/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to run to see a finding again. */
#include <string.h>
#include <unistd.h>

#include "src/journal/file.h"
#include "src/report/print.h"
#include "src/report/story.h"

static void add_word(char *buf, size_t len, const char *word)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%";
	bool plain = word[0] && strspn(word, safe) == strlen(word);
	size_t used = strlen(buf);

	used += (size_t)snprintf(buf + used, len - used, "%s", plain ? " " : " '");
	for (; *word && used + 8 < len; word++) {
		if (*word == '\'')
			used += (size_t)snprintf(buf + used, len - used, "'\\''");
		else
			buf[used++] = *word;
	}
	if (!plain && used + 2 < len)
		buf[used++] = '\'';
	buf[MIN(used, len - 1)] = '\0';
}

/* An option that names the run directory, which must be another one: how many words it takes. */
static size_t output_words(const char *word)
{
	if (!strcmp(word, "-o") || !strcmp(word, "--output"))
		return 2;
	return !strncmp(word, "--output=", 9) || (!strncmp(word, "-o", 2) && word[2]) ? 1 : 0;
}

static bool is_seed(const char *word)
{
	return !strncmp(word, "--seed", 6) || !strncmp(word, "-s", 2);
}

char *story_again(char *buf, size_t len, const json_t *run_json)
{
	const json_t *command = json_object_get(run_json, "command"),
		     *plan = json_object_get(run_json, "plan");
	bool seeded = false;

	snprintf(buf, len, "recow run");
	for (size_t i = 0; i < json_array_size(command); i++) {
		const char *word = json_string_value(json_array_get(command, i));
		size_t skip = word ? output_words(word) : 1;

		seeded |= word && is_seed(word);
		if (skip)
			i += skip - 1;
		else
			add_word(buf, len, word);
	}
	if (!json_is_array(command) && json_text(plan, "scenario_path")[0])
		add_word(buf, len, json_text(plan, "scenario_path"));
	if (!seeded && json_text(plan, "seed")[0]) {
		add_word(buf, len, "--seed");
		add_word(buf, len, json_text(plan, "seed"));
	}
	return buf;
}

/* Is the journal of each worker there, from its first operation on? */
static bool has_whole_journals(const char *run, uint64_t workers)
{
	for (uint32_t i = 0; i < workers; i++) {
		char name[JOURNAL_NAME_LEN], path[4096 + 64];

		journal_part_name(name, i, 0);
		snprintf(path, sizeof(path), "%s/journal/%s", run, name);
		if (access(path, F_OK))
			return false;
	}
	return workers != 0;
}

char *story_replay(char *buf, size_t len, const char *run, const json_t *run_json)
{
	const uint64_t workers = json_uint(json_object_get(run_json, "plan"), "workers");

	buf[0] = '\0';
	if (!has_whole_journals(run, workers))
		return buf;
	snprintf(buf, len, "recow replay");
	add_word(buf, len, run);
	return buf;
}
