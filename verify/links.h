/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which inode each object is: its links must all lead to one, and different objects to different ones. */
#ifndef RECOW_VERIFY_LINKS_H
#define RECOW_VERIFY_LINKS_H

#include <pthread.h>
#include <sys/stat.h>

#include "verify/check.h"

struct inode_id {
	dev_t dev;
	ino_t ino; /* 0: not seen */
};

/* Where the first names of one worker's objects lead. */
struct inode_table {
	struct inode_id *object;
};

struct further_link {
	size_t view;
	struct subject subject;
	struct inode_id id;
};

struct links {
	const struct verification *v;
	struct inode_table *id; /* by view */
	pthread_mutex_t lock;   /* of the rest */
	struct further_link *further;
	size_t count, room;
	bool short_of_memory;
};

int links_start(struct links *l, const struct verification *v, struct error *e);
void links_free(struct links *l);

/* The object's first name leads here. Called once per object. */
void links_first(struct links *l, size_t view, uint32_t object, const struct stat *st);

/* A further name leads here. Any thread. */
void links_further(struct links *l, size_t view, const struct subject *s, const struct stat *st);

/* Compare, when all names have been seen. */
int links_verify(struct links *l, struct check *c, struct error *e);

#endif
