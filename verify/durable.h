/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A target after a power cut, as a run that was killed left it, or after it was made to fail, against what
 * must be durable of that run. `recow verify` runs it where the run ended amid a round, a run itself when it
 * made its target fail.
 */
#ifndef RECOW_VERIFY_DURABLE_H
#define RECOW_VERIFY_DURABLE_H

#include "src/durable/history.h"
#include "src/target/promises.h"
#include "verify/inode.h"

/* The target as it is looked through. */
struct durable_pass {
	struct check check;
	const struct history *history;
	struct promises promises;
	struct inode_room *room;
	unsigned char *buffer; /* DURABLE_BUFFER bytes */
	struct durable_worker {
		unsigned char *state; /* by object: enum durable_state */
		size_t objects;
	} * worker;
	/* of objects that are durable, and of names that must be there: how many were looked at */
	uint64_t objects, names, blocks;
	uint64_t cut_off; /* blocks in which bytes are back that were behind the end that was durable */
	bool quiet;       /* nothing is reported: only counted in `wrong` */
	uint64_t wrong;
};
#define DURABLE_BUFFER (64U * BLOCK_SIZE)

enum durable_state { DURABLE_UNSEEN, DURABLE_SEEN, DURABLE_MISSING };

/* Something at `path` that may be the thing. */
struct durable_found {
	const struct worker_history *w;
	struct thing thing;
	int dir; /* it lies there, as */
	const char *name;
	const char *path; /* relative to the target */
	struct stat st;
};

/* Report about what was found; the detail is made from fmt. */
void durable_report(struct durable_pass *p, const struct durable_found *f, enum finding_class class,
		    const struct attribute_seen *a, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Attributes and content of what is alive at the end: each is one that it had when it was durable last, or
 * since. */
void durable_object(struct durable_pass *p, const struct durable_found *f);

/* The content of a file. */
void durable_data(struct durable_pass *p, const struct durable_found *f, int fd);

/* A file in which all workers have bytes: number k, at `path`. */
void durable_shared_file(struct durable_pass *p, uint32_t k, const char *path);

/* What v->durable says, against the target at v->mount. Counts in v->counters: objects, names, blocks and
 * bytes that were compared. */
int durable_verify(struct verification *v, struct error *e);

extern const struct verifier verifier_durable;

#endif
