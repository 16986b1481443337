/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/finding/looks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/json.h"

static const char *const sights[] = {
	[SIGHT_NONE] = "not seen",
	[SIGHT_RIGHT] = "right",
	[SIGHT_WRONG] = "wrong",
	[SIGHT_UNREADABLE] = "unreadable",
};

static const char *const wheres[] = {
	[LOOK_CACHE] = "page cache",
	[LOOK_DIRECT] = "direct read",
	[LOOK_DEVICE] = "device",
};

static const struct {
	const char *name, *words;
} faults[] = {
	[FAULT_UNKNOWN] = {"unknown", "not looked at again"},
	[FAULT_NONE] = {"none", "right when read again"},
	[FAULT_CACHE] = {"cache", "wrong in the page cache only"},
	[FAULT_DISK] = {"disk", "wrong on disk only"},
	[FAULT_BOTH] = {"both", "wrong in the page cache and on disk"},
	[FAULT_CACHE_AT_LEAST] = {"cache or more", "wrong in the page cache"},
};

/* Bits of /proc/kpageflags (linux/kernel-page-flags.h). */
static const char *const flag_names[] = {
	"locked",     "error",     "referenced", "uptodate", "dirty",       "lru",      "active",
	"slab",       "writeback", "reclaim",    "buddy",    "mmap",        "anon",     "swapcache",
	"swapbacked", "head",      "tail",       "huge",     "unevictable", "hwpoison", "nopage",
	"ksm",        "thp",       "offline",    "zero",     "idle",        "pgtable",
};

const char *look_sight_name(enum look_sight sight)
{
	return sight < ARRAY_SIZE(sights) ? sights[sight] : sights[SIGHT_NONE];
}

const char *look_where_name(enum look_where where)
{
	return where < ARRAY_SIZE(wheres) ? wheres[where] : "unknown";
}

const char *fault_name(enum finding_fault fault)
{
	return faults[fault < ARRAY_SIZE(faults) ? fault : FAULT_UNKNOWN].name;
}

const char *fault_words(enum finding_fault fault)
{
	return faults[fault < ARRAY_SIZE(faults) ? fault : FAULT_UNKNOWN].words;
}

char *page_flags_show(char *buf, size_t len, uint64_t flags)
{
	size_t used = 0;

	*buf = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(flag_names) && used < len; i++) {
		if (flags >> i & 1)
			used += (size_t)snprintf(buf + used, len - used, "%s%s", used ? " " : "",
						 flag_names[i]);
	}
	return buf;
}

/* The number of a word in a list; 0 if it isn't there. */
static unsigned int number_of(const char *const *list, size_t count, const json_t *j, const char *key)
{
	const char *text = json_string_value(json_object_get(j, key));

	for (unsigned int i = 0; text && i < count; i++) {
		if (strcmp(list[i], text) == 0)
			return i;
	}
	return 0;
}

static json_t *looks_list(const struct finding *f)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < f->looks && i < FINDING_LOOKS; i++) {
		const struct finding_look *l = &f->look[i];
		json_t *one = json_pack("{s:s, s:s}", "at", look_where_name((enum look_where)l->where), "saw",
					look_sight_name((enum look_sight)l->sight));

		if (l->where == LOOK_DEVICE)
			json_object_set_new(one, "mirror", json_integer(l->mirror + 1));
		json_array_append_new(list, one);
	}
	return list;
}

void looks_to_json(const struct finding *f, json_t *j)
{
	json_object_set_new(j, "fault", json_string(fault_name((enum finding_fault)f->fault)));
	json_object_set_new(j, "looks", looks_list(f));
	json_object_set_new(j, "not_on_disk", json_text(f->not_on_disk));
	json_object_set_new(j, "inode", json_integer((json_int_t)f->inode));
	if (f->page.known)
		json_object_set_new(j, "page",
				    json_pack("{s:o, s:o, s:I}", "pfn", json_sprintf("%" PRIx64, f->page.pfn),
					      "flags", json_sprintf("%" PRIx64, f->page.flags),
					      "memory_block", (json_int_t)f->page.block));
}

static uint64_t hex(const json_t *j, const char *key)
{
	const char *text = json_string_value(json_object_get(j, key));

	return text ? strtoull(text, NULL, 16) : 0;
}

void looks_from_json(const json_t *j, struct finding *f)
{
	const json_t *page = json_object_get(j, "page");
	const char *text = json_string_value(json_object_get(j, "not_on_disk"));
	const char *names[ARRAY_SIZE(faults)];
	json_t *one;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(faults); i++)
		names[i] = faults[i].name;
	f->fault = (uint8_t)number_of(names, ARRAY_SIZE(names), j, "fault");
	snprintf(f->not_on_disk, sizeof(f->not_on_disk), "%s", text ? text : "");
	f->inode = (uint64_t)json_integer_value(json_object_get(j, "inode"));
	json_array_foreach(json_object_get(j, "looks"), i, one)
	{
		json_int_t mirror = json_integer_value(json_object_get(one, "mirror"));

		if (i == FINDING_LOOKS)
			break;
		f->look[f->looks++] = (struct finding_look){
			.where = (uint8_t)number_of(wheres, ARRAY_SIZE(wheres), one, "at"),
			.sight = (uint8_t)number_of(sights, ARRAY_SIZE(sights), one, "saw"),
			.mirror = (uint8_t)(mirror > 0 ? mirror - 1 : 0),
		};
	}
	f->page.known = json_is_object(page);
	f->page.pfn = hex(page, "pfn");
	f->page.flags = hex(page, "flags");
	f->page.block = (uint64_t)json_integer_value(json_object_get(page, "memory_block"));
}
