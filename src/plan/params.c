/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/plan/params.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "src/base/units.h"

int params_find(const struct param *declared, size_t count, const char *name, struct error *e)
{
	const char *names[64];
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(declared[i].name, name) == 0)
			return (int)i;
		if (n < ARRAY_SIZE(names))
			names[n++] = declared[i].name;
	}
	return unknown_word(e, "parameter", name, names, n);
}

static int parse_percent(const char *text, uint64_t *value, struct error *e)
{
	char number[32];
	size_t len = strlen(text);

	if (len && text[len - 1] == '%')
		len--;
	snprintf(number, sizeof(number), "%.*s", (int)len, text);
	if (units_count(number, value, e))
		return -1;
	if (*value > 100)
		return error_set(e, EXIT_USAGE, "'%s' is more than 100 percent", text);
	return 0;
}

static int parse_bool(const char *text, uint64_t *value, struct error *e)
{
	static const char *const no[] = {"no", "off", "false", "0"};
	static const char *const yes[] = {"yes", "on", "true", "1"};

	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		if (strcasecmp(text, no[i]) == 0 || strcasecmp(text, yes[i]) == 0) {
			*value = strcasecmp(text, yes[i]) == 0;
			return 0;
		}
	}
	return error_set(e, EXIT_USAGE, "'%s' is neither yes nor no", text);
}

static int parse_choice(const struct param *declared, const char *text, uint64_t *value, struct error *e)
{
	size_t n = 0;

	while (declared->choices[n]) {
		if (strcmp(declared->choices[n], text) == 0) {
			*value = n;
			return 0;
		}
		n++;
	}
	return unknown_word(e, declared->name, text, declared->choices, n);
}

static int parse_unit(const struct param *declared, const char *text, uint64_t *value, struct error *e)
{
	switch (declared->unit) {
	case PARAM_COUNT:
		return units_count(text, value, e);
	case PARAM_SIZE:
		return units_size(text, value, e);
	case PARAM_DURATION:
		return units_duration(text, value, e);
	case PARAM_PERCENT:
		return parse_percent(text, value, e);
	case PARAM_BOOL:
		return parse_bool(text, value, e);
	case PARAM_CHOICE:
		return parse_choice(declared, text, value, e);
	}
	return error_set(e, EXIT_HARNESS, "parameter %s has no unit", declared->name);
}

int params_parse(const struct param *declared, const char *text, uint64_t *value, struct error *e)
{
	char low[32], high[32];

	if (parse_unit(declared, text, value, e))
		return error_context(e, "%s", declared->name);
	if (!declared->min && !declared->max)
		return 0;
	if (*value >= declared->min && (!declared->max || *value <= declared->max))
		return 0;
	params_show(low, sizeof(low), declared, declared->min);
	params_show(high, sizeof(high), declared, declared->max);
	if (!declared->max)
		return error_set(e, EXIT_USAGE, "%s: '%s' is below %s", declared->name, text, low);
	return error_set(e, EXIT_USAGE, "%s: '%s' is not between %s and %s", declared->name, text, low, high);
}

int params_init(struct params *p, const struct param *declared, size_t count, struct error *e)
{
	if (count > PARAMS_MAX)
		return error_set(e, EXIT_HARNESS, "more than %d parameters are declared", PARAMS_MAX);
	memset(p, 0, sizeof(*p));
	for (size_t i = 0; i < count; i++) {
		if (params_parse(&declared[i], declared[i].fallback, &p->value[i], e))
			return error_context(e, "default");
	}
	return 0;
}

int params_set(struct params *p, const struct param *declared, size_t count, const char *name,
	       const char *value, struct error *e)
{
	int i = params_find(declared, count, name, e);

	return i < 0 ? -1 : params_parse(&declared[i], value, &p->value[i], e);
}

char *params_show(char *buf, size_t len, const struct param *declared, uint64_t value)
{
	switch (declared->unit) {
	case PARAM_SIZE:
		return units_show_size(buf, len, value);
	case PARAM_DURATION:
		return units_show_duration(buf, len, value);
	case PARAM_BOOL:
		snprintf(buf, len, "%s", value ? "yes" : "no");
		return buf;
	case PARAM_CHOICE:
		snprintf(buf, len, "%s", declared->choices[value]);
		return buf;
	case PARAM_PERCENT:
		snprintf(buf, len, "%llu%%", (unsigned long long)value);
		return buf;
	case PARAM_COUNT:
		break;
	}
	snprintf(buf, len, "%llu", (unsigned long long)value);
	return buf;
}

const char *params_unit_name(enum param_unit unit)
{
	static const char *const names[] = {
		[PARAM_COUNT] = "count",     [PARAM_SIZE] = "size",   [PARAM_DURATION] = "duration",
		[PARAM_PERCENT] = "percent", [PARAM_BOOL] = "yes/no", [PARAM_CHOICE] = "choice",
	};

	return names[unit];
}
