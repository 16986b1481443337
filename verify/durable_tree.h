/* SPDX-License-Identifier: GPL-2.0-or-later */
/* After a power cut: one directory after the other. Private to durable*.c. */
#ifndef RECOW_VERIFY_DURABLE_TREE_H
#define RECOW_VERIFY_DURABLE_TREE_H

#include "verify/durable.h"

/* A directory as it was found. */
struct durable_dir {
	const char *path;                   /* relative to the target */
	const struct worker_history *owner; /* NULL: all workers have names in it */
	struct thing thing;                 /* which it is */
};

/* Look through it and all below. */
void durable_walk(struct durable_pass *p, const struct durable_dir *d);

/* It was found. */
void durable_mark_seen(struct durable_pass *p, const struct worker_history *w, struct thing t);

/* A name that must be in `d` since `floor`, when it led where `e` says, is not. */
void durable_missing_name(struct durable_pass *p, const struct durable_dir *d, const struct worker_history *w,
			  const struct past_name *n, const struct name_event *e, uint64_t floor);

extern const struct verifier verifier_snapshots;

#endif
