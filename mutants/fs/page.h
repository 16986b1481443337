/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bugs that do something to a page of what is written: it is written as it should be, so that size and times
 * are right, and then the page is made to hold what the bug would have left there.
 */
#ifndef MUTANTS_FS_PAGE_H
#define MUTANTS_FS_PAGE_H

#include "mutants/fs/damage.h"

/* The part of a page that is written. */
struct piece {
	uint64_t offset;
	size_t length;            /* at most PAGE */
	const unsigned char *old; /* what was there; zeroes behind the end of the file */
	const unsigned char *new; /* what must be there now */
	unsigned char *after;     /* what there will be; `new` at first */
	bool from;                /* see struct damage */
	uint64_t from_offset;
	ino_t from_inode;
};

struct page_bug {
	const char *kind;
	bool whole;         /* only pages that are written from end to end */
	bool overlay;       /* only buffered reads show it */
	unsigned int later; /* the damage comes so many requests later */
	/* Change p->after; false: this piece can't be hit. */
	bool (*alter)(struct fs *fs, const struct write *w, struct piece *p);
};

/* The write as a system call answers, with the bug in it once in a while. */
ssize_t page_write(struct fs *fs, const struct write *w, const struct page_bug *bug);

#endif
