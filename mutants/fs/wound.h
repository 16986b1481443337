/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a mutant did and can still be seen. When the last of it is faithfully written again, cut off, or its
 * file is no more, the ground truth gets a "gone". Kept by file, not by inode: the kernel may forget that.
 */
#ifndef MUTANTS_FS_WOUND_H
#define MUTANTS_FS_WOUND_H

#include "mutants/fs/fs.h"

/* Wrong bytes: `bad` stands at `offset` where `right` should. With `overlay` it stands only in what buffered
 * reads are answered. `number` is the firing's. */
struct wound_bytes {
	uint64_t number, offset;
	size_t length;
	const unsigned char *right, *bad;
	bool overlay;
};
void wound_bytes(struct fs *fs, struct file_id id, const struct wound_bytes *b);

/* A wrong attribute ("mode", "mtime", "xattr user.x") of a file, or name ("name x") of a directory.
 * `expected` is for "size". */
void wound_named(struct fs *fs, struct file_id id, uint64_t number, const char *name, uint64_t expected);

/* These bytes were faithfully written; data NULL: zeroes, or a copy. `mapped` ones come from the page cache,
 * which may have read what is wrong: what equals it stays wrong. */
void wounds_written(struct fs *fs, struct file_id id, uint64_t offset, const unsigned char *data,
		    size_t length, bool mapped);
/* The file was cut off. */
void wounds_cut(struct fs *fs, struct file_id id, uint64_t size);
/* The attribute or name was faithfully set or removed. */
void wounds_set(struct fs *fs, struct file_id id, const char *name);
/* The file ends with this write, which ends at `size`. */
void wounds_sized(struct fs *fs, struct file_id id, uint64_t size);
/* All of it. */
void wounds_lost(struct fs *fs, struct file_id id, const char *why);
/* What is wrong in the source is now wrong in the copy, too. */
void wounds_copied(struct fs *fs, struct file_id from, uint64_t offset, struct file_id to, uint64_t offset_to,
		   size_t length);

/* Does any byte of the range lie in one? */
bool wounds_touch(const struct fs *fs, struct file_id id, uint64_t offset, size_t length);
/* Put the overlays over what a buffered read is answered. */
void wounds_show(const struct fs *fs, struct file_id id, unsigned char *data, uint64_t offset, size_t length);

void wounds_free(struct fs *fs);

#endif
