/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A worker's model made again from its journal: each operation learns from what was answered, as it did in
 * the run, and no system call is made. What an error left that only a look at the target could tell is not
 * known then (OBJECT_UNSURE).
 */
#ifndef RECOW_DURABLE_RETELL_H
#define RECOW_DURABLE_RETELL_H

#include "src/durable/source.h"
#include "src/ops/op.h"

struct retelling {
	struct op_ctx ctx;
	struct witness_list witnesses; /* that live */
	struct shape shape;
	struct finding_sink deaf;
	uint64_t start; /* CLOCK_REALTIME of the run's start, ns */
};

/* Ready for what follows on the state of *m, which stays the caller's. `workers`: of the run. */
int retell_begin(struct retelling *t, struct model *m, uint32_t workers, uint64_t start, struct error *e);
void retell_end(struct retelling *t);

/* Learn one operation. One in flight is taken to have done all of its work. */
void retell(struct retelling *t, const struct done *d);

/* Did it change nothing, as its answer says? */
bool retell_refused(const struct journal_record *r);

#endif
