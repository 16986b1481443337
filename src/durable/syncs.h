/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What made things durable, and when: system calls that returned success. What each promises is in
 * docs/verify.md, "After a power cut".
 */
#ifndef RECOW_DURABLE_SYNCS_H
#define RECOW_DURABLE_SYNCS_H

#include "src/durable/source.h"
#include "src/model/model.h"

/* Of one object, the last operations that synced it: its data and size; that, its other attributes and (of a
 * directory) its names. 0: none. Ids are used again: what an object with this id was synced by before this
 * one was born counts for nothing. */
struct synced {
	uint64_t data, all;
};

struct syncs {
	struct synced *object; /* by id */
	size_t objects;
	uint64_t snapshot; /* the last operation that made all of the worker's own subvolume durable; 0: none
			    */
	uint64_t whole;    /* all that was over at this moment is durable, ns since the start of the run; 0:
			      nothing */
	uint64_t until;    /* when the target began to fail, ns since the start of the run: what was not over
			      before counts for nothing; 0: it never did */
	bool failed;       /* there was no memory: what is here is not all */
};

void syncs_end(struct syncs *s);

/* Take in an operation of the worker. */
void syncs_take(struct syncs *s, const struct done *d);

/* Of an object born by operation `born`. */
struct synced syncs_of(const struct syncs *s, uint32_t object, uint64_t born);

#endif
