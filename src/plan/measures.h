/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What exposure is counted in: how often the dangerous thing happened. A scenario names its minimum in these
 * (`min_exposure = dirty_pages: 100000`), the verdict gives its bound in one of them, the report lists all.
 */
#ifndef RECOW_MEASURES_H
#define RECOW_MEASURES_H

#include "src/base/base.h"
#include "src/base/error.h"

enum measure {
	MEASURE_DIRTY,     /* dirty pages of the target that injectors moved */
	MEASURE_WRITEBACK, /* pages of the target that were being written, and moved when that was waited for
			    */
	MEASURE_PAGES,     /* pages that the machine migrated, for whatever cause */
	MEASURE_FAILED,    /* pages that it failed to migrate */
	MEASURE_COMMITS,   /* transactions that the target committed */
	MEASURE_BTREE,     /* calls of the migrate hooks of btrfs: metadata, */
	MEASURE_DATA,      /* and data */
	MEASURE_CAUSES,    /* from here on: pages migrated by cause */
	MEASURE_COMPACTION = MEASURE_CAUSES,
	MEASURE_MEMORY_FAILURE,
	MEASURE_MEMORY_HOTPLUG,
	MEASURE_SYSCALL,
	MEASURE_MBIND,
	MEASURE_NUMA,
	MEASURE_CONTIG,
	MEASURE_LONGTERM,
	MEASURE_DEMOTION,
	MEASURE_DAMON,
	MEASURE_OTHER, /* a cause that is not in this list */
	MEASURES,
};

/* What a scenario asks for. */
struct least_exposure {
	uint64_t of[MEASURES]; /* 0: nothing asked */
	enum measure trial;    /* what the bound is given in: the first that is named, else dirty pages */
};

#define CAUSES (MEASURES - MEASURE_CAUSES)

struct measure_word {
	const char *name; /* in scenarios and JSON */
	const char *what; /* "dirty pages of the target moved" */
};
extern const struct measure_word measure_words[MEASURES];

/* The cause with the kernel's own name for it (enum migrate_reason, include/trace/events/migrate.h), older
 * names too. Counted from 0: MEASURE_CAUSES + the result is its measure. */
unsigned int measure_cause(const char *kernel_name);

/* Read "dirty_pages: 100000, pages: 1m". An unknown name is an error that gives the nearest known one. */
int measures_parse(const char *text, struct least_exposure *least, struct error *e);

#endif
