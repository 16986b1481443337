/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths at the time of each record: follows directories through the journal of one worker. When the head of
 * the journal was dropped, directories begin where the journal first mentions them, and those that it never
 * mentions stand where the last checkpoint has them.
 */
#ifndef RECOW_NAMER_H
#define RECOW_NAMER_H

#include "src/ops/op.h"

struct namer_place {
	struct nameref name;
	uint32_t dir;
	bool shared;  /* `dir` is shared among workers */
	bool known;   /* the rest is valid */
	bool settled; /* what it was at the journal's begin is decided */
};

struct namer {
	uint32_t worker;
	unsigned int shared_dirs;
	struct namer_place *places; /* by object id */
	size_t room;
};

/* Ready to follow the journal of `worker` in RUN from its first record that is left. */
int namer_begin(struct namer *n, const char *run, uint32_t worker, unsigned int shared_dirs, struct error *e);
void namer_end(struct namer *n);

/* Call after a record was shown: learn what it did to directories. */
void namer_learn(struct namer *n, const struct journal_record *r);

/* For op->show(). */
struct op_namer namer_for_show(const struct namer *n);

/* Escaped paths of a record. Returns how many: 1, or 2 for links and renames. */
unsigned int namer_paths(const struct namer *n, const struct journal_record *r, char path[2][4 * 4096]);

#endif
