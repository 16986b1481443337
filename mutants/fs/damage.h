/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What mutants do when they fire: put wrong bytes where right ones are, and say so in the ground truth.
 */
#ifndef MUTANTS_FS_DAMAGE_H
#define MUTANTS_FS_DAMAGE_H

#include "mutants/fs/plain.h"

struct damage {
	const char *kind, *op; /* docs/mutants-fs.md */
	const char *how;       /* "buffered", "direct", "mapped"; NULL: doesn't apply */
	struct inode *inode;   /* open */
	uint64_t offset;
	size_t length;
	const unsigned char *right, *wrong; /* what must be there, what there will be */
	uint64_t request_offset, request_length;
	bool overlay;         /* only buffered reads show it; the file is right */
	bool done;            /* the wrong bytes are there already */
	bool answer;          /* only this one answer is wrong: nothing is put */
	bool from;            /* the wrong bytes come from ... */
	uint64_t from_offset; /* ... this place of the file `from_inode` (0: unknown) */
	ino_t from_inode;
	json_t *more; /* further members of the truth's line, released; NULL: none */
};

/* Do it, from the first byte that differs to the last. Nothing differs: fs_spare(), false. */
bool damage_data(struct fs *fs, const struct damage *d);

/* An attribute of `inode` is not what it must be. `expected` and `actual` are released; NULL: none, or
 * unknown. With `lasting` it stays so until it is set again. */
void damage_attribute(struct fs *fs, const char *kind, const char *op, struct inode *inode, const char *name,
		      json_t *expected, json_t *actual, bool lasting);

/* Its size is wrong, until it is set again or a write ends behind what it must be. */
void damage_size(struct fs *fs, const char *op, struct inode *inode, uint64_t expected, uint64_t actual);

/* So is the name `name` in `parent`; `more` (may be NULL) is released. */
void damage_name(struct fs *fs, const char *kind, const char *op, struct inode *parent, const char *name,
		 json_t *more, bool lasting);

/* Any other: an answer that is wrong. */
void damage_answer(struct fs *fs, const char *kind, const char *op, struct inode *inode, json_t *more);

const char *how_written(const struct write *w);

#endif
