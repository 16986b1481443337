/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario files: what runs together, in which phases (docs/formats.md, "Scenario file"). This room knows
 * the syntax only: sections, keys, lines. What they mean is the plan's affair (src/plan/plan.h). The flags
 * of the command line are made into a scenario too, which lies over the file's.
 */
#ifndef RECOW_SCENARIO_H
#define RECOW_SCENARIO_H

#include <stdio.h>

#include "src/base/base.h"
#include "src/base/error.h"

struct scenario_key {
	char name[48];
	char value[4096];
	unsigned int line; /* 0: a flag */
	char flag[24];     /* "--duration"; "" for a file's key */
};

/* [KIND] or [KIND NAME] */
struct scenario_section {
	char kind[16];
	char name[32];
	unsigned int line; /* 0: a flag */
	char flag[24];
	struct scenario_key *keys;
	size_t key_count;
};

struct scenario {
	char name[64];   /* file name without its ".ini" */
	char path[4096]; /* as it was found; "" for flags */
	struct scenario_section *sections;
	size_t section_count;
};

/* Read a file. Errors name file and line. Free with scenario_free() after success. */
int scenario_load(const char *path, struct scenario *out, struct error *e);

/* The same from a stream; `path` is for messages. */
int scenario_read(FILE *in, const char *path, struct scenario *out, struct error *e);
void scenario_free(struct scenario *s);

/* Find a scenario by name ("smoke") or path (anything with a '/' or ending in ".ini"). */
int scenario_find(const char *word, char *path, size_t len, struct error *e);

/* Call each() for every scenario file that a name would find, by name. Files of the same name in a later
 * place are hidden. Returns the number of them. */
size_t scenario_each(void (*each)(void *self, const char *name, const char *path), void *self);

/* Section and key by name, made if absent (for flags). They live until the next call that adds. */
struct scenario_section *scenario_section(struct scenario *s, const char *kind, const char *name,
					  const char *flag);
int scenario_add(struct scenario_section *section, const char *key, const char *value, const char *flag,
		 struct error *e);

/* Value of a key, NULL if it isn't there. */
const char *scenario_value(const struct scenario *s, const char *kind, const char *name, const char *key);

/* Put where a section or key comes from before an error: "storm.ini:12" or "--inject". Returns -1. */
int scenario_blame(const struct scenario *s, unsigned int line, const char *flag, struct error *e);

#endif
