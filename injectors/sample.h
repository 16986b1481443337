/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which cached pages of the target were moved at least once: the page frames of a sample of them, before and
 * after. A page that is found in another frame was moved (or dropped and read again meanwhile, which is
 * counted too); one that came back into its first frame is missed. Files are drawn by a random walk, so what
 * is drawn is a file, not a page: the margin of the share goes with the number of files.
 *
 * Looking disturbs little: mincore() tells what is cached, only that is mapped for a moment and not read, and
 * nothing stays mapped. A page that is looked at counts as referenced once.
 */
#ifndef RECOW_SAMPLE_H
#define RECOW_SAMPLE_H

#include "src/base/base.h"
#include "src/base/random.h"

#define SAMPLE_FILES  32
#define SAMPLE_PAGES  64 /* of one file, out of a window of SAMPLE_WINDOW pages at a random place */
#define SAMPLE_WINDOW 256

struct sample_file {
	int fd;                        /* open until sample_end() */
	uint64_t offset;               /* of the window */
	uint64_t frame[SAMPLE_WINDOW]; /* page frame numbers; 0: not in the sample */
};

struct sample {
	int pagemap; /* /proc/self/pagemap */
	unsigned int count;
	struct sample_file file[SAMPLE_FILES];
};

struct sample_result {
	uint64_t files, pages, moved; /* pages: those still cached at the end */
};

/* Can page frames be seen at all (CAP_SYS_ADMIN)? Returns 0 or an errno. */
int sample_possible(void);

/* Draw files below the directory `root` and note their cached pages. Takes some milliseconds. */
void sample_begin(struct sample *s, int root, struct stream *random);

/* Look again, and close the files. */
void sample_end(struct sample *s, struct sample_result *out);

#endif
