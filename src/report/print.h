/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the printing files of this room share. */
#ifndef RECOW_PRINT_H
#define RECOW_PRINT_H

#include <jansson.h>
#include <stdio.h>

#include "src/base/base.h"

/* Members of an object: 0 and "" where they are missing. */
static inline uint64_t json_uint(const json_t *j, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(j, key));
}

static inline const char *json_text(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "";
}

static inline double json_number(const json_t *j, const char *key)
{
	return json_number_value(json_object_get(j, key));
}

/* exposure_print.c: the member outcome.exposure; nothing when it is NULL. */
void print_exposure(const json_t *exposure, FILE *out);
void print_not_measurable(const json_t *exposure, FILE *out);

/* replay_print.c: the member replay; nothing when it is NULL. */
void print_replay(const json_t *replay, FILE *out);

#endif
