/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a replay's kernel answered otherwise: the journals of two runs side by side. */
#ifndef RECOW_DIFFERENCES_H
#define RECOW_DIFFERENCES_H

#include <jansson.h>

#include "src/base/error.h"

/* Compare the journals of `replay` with those of the run that it is of, for each of `workers` workers. All
 * differences, up to a limit, go to `replay`/differences.jsonl; counts and the first of them are returned as
 * the member `replay` of run.json (docs/formats.md). NULL and *e when a journal can't be read. */
json_t *differences_find(const char *run, const char *replay, unsigned int workers, unsigned int shared_dirs,
			 struct error *e);

#endif
