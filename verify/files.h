/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of all models, cut into slices and dealt out to threads. A file is opened when its first slice is
 * read and closed, and judged, when its last is given back.
 */
#ifndef RECOW_VERIFY_FILES_H
#define RECOW_VERIFY_FILES_H

#include <pthread.h>

#include "verify/check.h"

/* A block that isn't as expected, as it was read. */
struct note {
	uint64_t block;
	int err; /* it could not be read; 0: it was, into found */
	struct block_entry entry;
	unsigned char *found; /* BLOCK_SIZE */
};

#define NOTES_MAX 4096U /* of one file; 16 MiB of evidence */

struct file {
	struct subject subject;
	struct object object;
	size_t view;     /* whose it is */
	uint64_t blocks; /* that can be compared: a file that is too short is not read behind its end */
	int fd;          /* -1 until opened */
	uint32_t unit;   /* bytes of the filesystem's own blocks, BLOCK_SIZE if they are larger */
	bool opened;     /* or tried to */
	bool cached;     /* could not be opened for direct reading */
	uint32_t refs;   /* slices out or still to deal, under the dealer's lock */
	pthread_mutex_t lock;
	struct note *note;
	size_t notes, room;
	uint64_t unnoted; /* wrong blocks beyond NOTES_MAX */
};

struct slice {
	struct file *file;
	uint64_t first, count; /* blocks */
};

/* The dealer. */
struct files {
	struct check *check;
	uint64_t slice;     /* blocks */
	int open_flags;     /* O_DIRECT or 0 */
	bool tell_presence; /* report files that are gone or have a wrong size: nobody else looks */
	void (*opened)(struct files *f, struct file *file); /* before a file's first read; may be NULL */
	void (*done)(struct files *f, struct file *file);   /* before a file is closed; may be NULL */
	pthread_mutex_t lock;
	size_t view; /* where dealing stands */
	uint32_t next_object;
	struct file *current; /* the file being cut */
	uint64_t next_block;
};

void files_start(struct files *f, struct check *c, uint64_t slice_bytes, int open_flags);
void files_end(struct files *f);

/* Deal the next slice; false when there is none or the run is to stop. Unsure files are counted and passed
 * over. */
bool files_next(struct files *f, struct slice *out);

/* Open the slice's file if nobody has. False when it can't be read; that was reported if it is to be. Cuts
 * the slice to what the file has. */
bool files_open(struct files *f, struct slice *s);

/* Give a slice back. */
void files_put(struct files *f, struct slice *s);

/* Note a wrong block; `found` is copied (NULL with err). */
void file_note(struct file *file, uint64_t block, const struct block_entry *entry, const void *found,
	       int err);

#endif
