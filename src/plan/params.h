/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parameters of plug-ins, declared as data: `--inject hotplug:blocks=4,limit=2s`. One parser, one help text,
 * one place that knows the units.
 */
#ifndef RECOW_PARAMS_H
#define RECOW_PARAMS_H

#include "src/base/base.h"
#include "src/base/error.h"

enum param_unit { PARAM_COUNT, PARAM_SIZE, PARAM_DURATION, PARAM_PERCENT, PARAM_BOOL, PARAM_CHOICE };

struct param {
	const char *name;
	const char *summary;
	enum param_unit unit;
	const char *fallback;       /* the default, as a user would write it */
	uint64_t min, max;          /* in the unit's base (bytes, ns, ...); 0,0: any */
	const char *const *choices; /* PARAM_CHOICE: NULL-terminated; the value is the index */
};

#define PARAMS_MAX 16

/* Values in the order of the declaration. */
struct params {
	uint64_t value[PARAMS_MAX];
};

/* Defaults. */
int params_init(struct params *p, const struct param *declared, size_t count, struct error *e);

/* Set one value from text. An unknown name is an error that gives the nearest known one. */
int params_set(struct params *p, const struct param *declared, size_t count, const char *name,
	       const char *value, struct error *e);

/* The number of the parameter of that name, or -1 and an error that gives the nearest known name. */
int params_find(const struct param *declared, size_t count, const char *name, struct error *e);

/* Read one value as its declaration wants it: unit, choice, range. */
int params_parse(const struct param *declared, const char *text, uint64_t *value, struct error *e);

/* Write a value for people in its unit ("64 KiB", "2.0 s", "yes"). Returns buf. */
char *params_show(char *buf, size_t len, const struct param *declared, uint64_t value);

/* What the unit is called in lists: "count", "size", "duration", "percent", "yes/no", "choice". */
const char *params_unit_name(enum param_unit unit);

#endif
