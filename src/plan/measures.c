/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/plan/measures.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "src/base/units.h"

const struct measure_word measure_words[MEASURES] = {
	[MEASURE_DIRTY] = {"dirty_pages", "dirty pages of the target moved"},
	[MEASURE_WRITEBACK] = {"writeback_pages", "pages of the target moved behind their writeback"},
	[MEASURE_PAGES] = {"pages", "pages migrated"},
	[MEASURE_FAILED] = {"failed_pages", "pages that failed to migrate"},
	[MEASURE_COMMITS] = {"commits", "transactions committed"},
	[MEASURE_BTREE] = {"btree_migrate_folio", "calls of btree_migrate_folio"},
	[MEASURE_DATA] = {"btrfs_migrate_folio", "calls of btrfs_migrate_folio"},
	[MEASURE_COMPACTION] = {"compaction", "pages migrated by compaction"},
	[MEASURE_MEMORY_FAILURE] = {"memory_failure", "pages migrated by memory_failure"},
	[MEASURE_MEMORY_HOTPLUG] = {"memory_hotplug", "pages migrated by memory_hotplug"},
	[MEASURE_SYSCALL] = {"syscall_or_cpuset", "pages migrated by syscall_or_cpuset"},
	[MEASURE_MBIND] = {"mempolicy_mbind", "pages migrated by mempolicy_mbind"},
	[MEASURE_NUMA] = {"numa_misplaced", "pages migrated by numa_misplaced"},
	[MEASURE_CONTIG] = {"contig_range", "pages migrated by contig_range"},
	[MEASURE_LONGTERM] = {"longterm_pin", "pages migrated by longterm_pin"},
	[MEASURE_DEMOTION] = {"demotion", "pages migrated by demotion"},
	[MEASURE_DAMON] = {"damon", "pages migrated by damon"},
	[MEASURE_OTHER] = {"other", "pages migrated by another cause"},
};

static int find(const char *name)
{
	for (int i = 0; i < MEASURES; i++) {
		if (!strcmp(measure_words[i].name, name))
			return i;
	}
	return -1;
}

unsigned int measure_cause(const char *kernel_name)
{
	/* Linux before 5.18 called what became contig_range "cma". */
	int found = strcmp(kernel_name, "cma") ? find(kernel_name) : MEASURE_CONTIG;

	return (unsigned int)(found < MEASURE_CAUSES ? MEASURE_OTHER : found) - MEASURE_CAUSES;
}

static char *trim(char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	return text;
}

static int unknown(const char *name, struct error *e)
{
	const char *names[MEASURES];

	for (size_t i = 0; i < MEASURES; i++)
		names[i] = measure_words[i].name;
	return unknown_word(e, "measure of exposure", name, names, MEASURES);
}

/* "dirty_pages: 100000" */
static int parse_one(char *text, struct least_exposure *least, struct error *e)
{
	char *count = strchr(text, ':'), *name;
	int which;

	if (!count)
		return error_set(e, EXIT_USAGE,
				 "'%s': exposure is given as NAME: COUNT, like dirty_pages: 100k", text);
	*count++ = '\0';
	name = trim(text);
	which = find(name);
	if (which < 0)
		return unknown(name, e);
	if (units_count(trim(count), &least->of[which], e))
		return error_context(e, "%s", name);
	return which;
}

int measures_parse(const char *text, struct least_exposure *least, struct error *e)
{
	char copy[512], *rest = copy, *part;
	bool any = false;

	*least = (struct least_exposure){0};
	if ((size_t)snprintf(copy, sizeof(copy), "%s", text) >= sizeof(copy))
		return error_set(e, EXIT_USAGE, "a list of at most %zu bytes", sizeof(copy) - 1);
	while ((part = strsep(&rest, ","))) {
		int which = parse_one(trim(part), least, e);

		if (which < 0)
			return -1;
		if (!any)
			least->trial = (enum measure)which;
		any = true;
	}
	return 0;
}
