/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of [run] and [target], as data: one place for names, units and ranges. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "src/base/units.h"
#include "src/plan/apply.h"

/* A key that a scenario's [run] or [target] section takes. */
struct plan_key {
	const char *section;
	struct param param;  /* unit PARAM_* as far as `text` is false */
	bool text;           /* taken as it stands */
	bool measures;       /* NAME: COUNT, ... (src/plan/measures.h) */
	bool filled;         /* an empty one is a slip: an unset variable of a script */
	size_t offset, room; /* in struct plan */
};

#define FIELD(member) .offset = offsetof(struct plan, member), .room = sizeof(((struct plan *)0)->member)

#define COUNT_KEY(sect, key, help, low, high, member)                                                        \
	{                                                                                                    \
		.section = (sect), .param = {key, help, PARAM_COUNT, "", low, high, NULL}, FIELD(member)     \
	}
#define SIZE_KEY(sect, key, help, low, high, member)                                                         \
	{                                                                                                    \
		.section = (sect), .param = {key, help, PARAM_SIZE, "", low, high, NULL}, FIELD(member)      \
	}
#define TIME_KEY(sect, key, help, low, high, member)                                                         \
	{                                                                                                    \
		.section = (sect), .param = {key, help, PARAM_DURATION, "", low, high, NULL}, FIELD(member)  \
	}
#define BOOL_KEY(sect, key, help, member)                                                                    \
	{                                                                                                    \
		.section = (sect), .param = {key, help, PARAM_BOOL, "", 0, 0, NULL}, FIELD(member)           \
	}
#define TEXT_KEY(sect, key, help, member)                                                                    \
	{                                                                                                    \
		.section = (sect), .param = {key, help, PARAM_COUNT, "", 0, 0, NULL}, .text = true,          \
		FIELD(member)                                                                                \
	}
#define PATH_KEY(sect, key, help, member)                                                                    \
	{                                                                                                    \
		.section = (sect), .param = {key, help, PARAM_COUNT, "", 0, 0, NULL}, .text = true,          \
		.filled = true, FIELD(member)                                                                \
	}

#define YEAR (365ULL * 86400 * NSEC_PER_SEC)

static const struct plan_key plan_keys[] = {
	TIME_KEY("run", "duration", "how long; 0: until Ctrl-C", 0, YEAR, duration),
	COUNT_KEY("run", "rounds", "how many rounds; 0: not limited", 0, 1ULL << 40, rounds),
	COUNT_KEY("run", "ops", "operations per worker; 0: not limited", 0, 1ULL << 40, ops),
	COUNT_KEY("run", "workers", "threads that churn", 1, PLAN_WORKERS, workers),
	COUNT_KEY("run", "shared_dirs", "directories that workers share", 0, SHARED_DIRS_MAX, shared_dirs),
	COUNT_KEY("run", "shared_files", "files that workers write together; none without shared_dirs", 0,
		  SHARED_FILES_MAX, shared_files),
	{
		.section = "run",
		.param = {"min_exposure", "NAME: COUNT, ... without which a run is inconclusive", PARAM_COUNT,
			  "", 0, 0, NULL},
		.measures = true,
		FIELD(min_exposure),
	},
	SIZE_KEY("run", "journal_keep", "journal kept, all workers; 0: everything", 0, 1ULL << 60,
		 journal_keep),
	PATH_KEY("run", "journal_tail", "memory outside of the machine for what the journals don't have yet",
		 journal_tail),
	TIME_KEY("run", "hang_timeout", "an operation that takes longer is a hang", NSEC_PER_SEC, YEAR,
		 hang_limit),
	SIZE_KEY("run", "memory_floor", "free memory that is always left", 0, 1ULL << 60, memory_floor),
	BOOL_KEY("run", "keep", "keep the image", keep),
	BOOL_KEY("run", "keep_going", "go on after a finding", keep_going),
	PATH_KEY("target", "path", "auto, a block device, an image file or a directory", target.path),
	SIZE_KEY("target", "image_size", "size of a throw-away image", 16 * MiB, 1ULL << 50,
		 target.image_size),
	SIZE_KEY("target", "fill", "file data that workers hold at most; 0: half of the free space", 0,
		 1ULL << 50, target.fill),
	TEXT_KEY("target", "fs", "filesystem to make", target.fs),
	TEXT_KEY("target", "mkfs_options", "passed to mkfs", target.mkfs_options),
	TEXT_KEY("target", "mount_options", "passed to mount", target.mount_options),
	BOOL_KEY("target", "tmpfs", "the image lies on a tmpfs of its own", target.tmpfs),
};

const char *const plan_for_people[PLAN_FOR_PEOPLE] = {"summary", "source", "kernels"};

static bool is_for_people(const char *name)
{
	for (size_t i = 0; i < PLAN_FOR_PEOPLE; i++) {
		if (strcmp(plan_for_people[i], name) == 0)
			return true;
	}
	return false;
}

static const struct plan_key *find_key(const struct layer *l, const char *section, const char *name)
{
	const char *names[ARRAY_SIZE(plan_keys) + 1 + PLAN_FOR_PEOPLE];
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(plan_keys); i++) {
		if (strcmp(plan_keys[i].section, section) != 0)
			continue;
		if (strcmp(plan_keys[i].param.name, name) == 0)
			return &plan_keys[i];
		names[count++] = plan_keys[i].param.name;
	}
	if (strcmp(section, "run") == 0) {
		names[count++] = "seed";
		for (size_t i = 0; i < PLAN_FOR_PEOPLE; i++)
			names[count++] = plan_for_people[i];
	}
	unknown_word(l->e, "key", name, names, count);
	return NULL;
}

static int set_text(const struct layer *l, const struct plan_key *key, const char *value)
{
	char *at = (char *)l->plan + key->offset;

	if (key->filled && !value[0])
		return error_set(l->e, EXIT_USAGE, "%s is empty", key->param.name);
	if (strlen(value) >= key->room)
		return error_set(l->e, EXIT_USAGE, "%s is longer than %zu bytes", key->param.name,
				 key->room - 1);
	snprintf(at, key->room, "%s", value);
	return 0;
}

/* A flag only: each run has a directory of its own. */
static const struct plan_key output_key = PATH_KEY("run", "output", "run directory", output);

static int set_number(const struct layer *l, const struct plan_key *key, const char *value)
{
	char *at = (char *)l->plan + key->offset;
	uint64_t number;

	if (params_parse(&key->param, value, &number, l->e))
		return -1;
	if (key->room == sizeof(uint64_t)) {
		memcpy(at, &number, sizeof(number));
	} else if (key->room == sizeof(unsigned int)) {
		unsigned int narrow = (unsigned int)number;

		memcpy(at, &narrow, sizeof(narrow));
	} else {
		bool flag = number != 0;

		memcpy(at, &flag, sizeof(flag));
	}
	return 0;
}

static int set_seed(const struct layer *l, const char *value)
{
	int base = strncasecmp(value, "0x", 2) == 0 ? 16 : 10;
	char *end;

	/* strtoull() would skip blanks, take a sign and read 010 as eight. */
	errno = isdigit((unsigned char)value[0]) ? 0 : EINVAL;
	l->plan->seed = strtoull(value, &end, base);
	if (errno || *end)
		return error_set(l->e, EXIT_USAGE, "seed: '%s' is not a number below 2^64 (17, 0x1f)", value);
	return 0;
}

int apply_key(const struct layer *l, const char *section, const struct scenario_key *k)
{
	const struct plan_key *key;

	if (strcmp(section, "run") == 0) {
		if (strcmp(k->name, "seed") == 0)
			return set_seed(l, k->value);
		if (is_for_people(k->name))
			return 0;
		if (strcmp(k->name, "output") == 0 && l->flags)
			return set_text(l, &output_key, k->value);
	} else if (strcmp(k->name, "mkfs") == 0) {
		if (!l->flags)
			return error_set(l->e, EXIT_USAGE,
					 "a scenario formats nothing of yours: --mkfs --yes are flags only");
		l->plan->target.mkfs = true;
		return 0;
	}
	key = find_key(l, section, k->name);
	if (!key)
		return -1;
	if (key->measures)
		return measures_parse(k->value, &l->plan->min_exposure, l->e);
	return key->text ? set_text(l, key, k->value) : set_number(l, key, k->value);
}
