/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was done to objects after they were last made durable: any of it may have reached the disk. */
#ifndef RECOW_DURABLE_TOUCHES_H
#define RECOW_DURABLE_TOUCHES_H

#include "src/durable/source.h"
#include "src/model/model.h"

struct touch {
	struct journal_record record;
	bool pending;        /* in flight at the end */
	struct object after; /* the object as the operation left it */
	uint32_t before;     /* 1 + index of the touch before of the same id; 0: none */
};

struct touches {
	struct touch *touch;
	size_t count, room;
	uint32_t *newest; /* by object: 1 + index */
	size_t objects;
	bool failed; /* there was no memory: what is here is not all */
};

void touches_end(struct touches *t);

/* Add all records of an operation to an object: that they are done to, or that they made. */
void touches_add(struct touches *t, const struct done *d, uint32_t object, const struct object *after);

/* The touches of an object from the last one on, down to those behind `operation`. NULL at the end. */
const struct touch *touches_newest(const struct touches *t, uint32_t object, uint64_t operation);
const struct touch *touches_before(const struct touches *t, const struct touch *at, uint64_t operation);

#endif
