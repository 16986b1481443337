/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of a replay: the member `replay` of run.json. */
#include <inttypes.h>
#include <string.h>

#include "src/base/units.h"
#include "src/report/print.h"

/* "... = 4096; now ENOSPC" */
static void print_difference(const json_t *d, FILE *out)
{
	const json_t *is = json_object_get(d, "is");
	const json_int_t answer = json_integer_value(is);
	const char *name = answer < 0 ? strerrorname_np((int)-answer) : NULL;

	fprintf(out, "              w%04" PRIu64 " %8" PRIu64 " %s; now ", json_uint(d, "worker"),
		json_uint(d, "operation"), json_text(d, "text"));
	if (json_is_null(is))
		fprintf(out, "left out\n");
	else if (name)
		fprintf(out, "%s\n", name);
	else
		fprintf(out, "%lld\n", (long long)answer);
}

void print_replay(const json_t *replay, FILE *out)
{
	const json_t *list = json_object_get(replay, "differences");
	const uint64_t differing = json_uint(replay, "differing"), skipped = json_uint(replay, "skipped");
	char all[32], reached[32];

	if (!replay)
		return;
	fprintf(out, "  replay      of %s: %s of its %s operations reached\n", json_text(replay, "of"),
		units_show_count(reached, sizeof(reached),
				 json_uint(replay, "operations") - json_uint(replay, "not_reached")),
		units_show_count(all, sizeof(all), json_uint(replay, "operations")));
	fprintf(out,
		"              %" PRIu64 " answered otherwise, %" PRIu64
		" left out, since they made no sense any more or can't be done here\n",
		differing, skipped);
	for (size_t i = 0; i < json_array_size(list); i++)
		print_difference(json_array_get(list, i), out);
	if (differing + skipped > json_array_size(list))
		fprintf(out, "              all of them: differences.jsonl\n");
}
