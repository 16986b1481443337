/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Comparing file contents with the recorded checksums. */
#ifndef RECOW_VERIFY_DATA_H
#define RECOW_VERIFY_DATA_H

#include "verify/files.h"

/* Compare `count` blocks from `first` on, read into `buf` (room for whole blocks: what lies behind the end of
 * file is zeroed here). Wrong ones are noted. */
void data_compare(struct check *c, struct file *file, uint64_t first, uint64_t count, unsigned char *buf);

/* A read that failed (err) or was short (err 0). */
struct failure {
	uint64_t first, count; /* blocks */
	int err;
};

/* Read its blocks one by one, compare what comes, note the rest as unreadable. If all of them can be read
 * now, the error itself is reported. */
void data_salvage(struct check *c, struct file *file, const struct failure *failed, unsigned char *buf);

/* Read blocks by pread until all is there, end of file or an error. Returns 0 or an errno; EIO's like for a
 * file that ends before its blocks do. */
int data_read(const struct file *file, int fd, uint64_t first, uint64_t count, unsigned char *buf);

/* How much to ask for to have these blocks: whole blocks of the filesystem, for the sake of direct reads, and
 * nothing behind the one that holds the end (docs/found/xfs-direct-read-behind-end.md). */
uint64_t data_asked(const struct file *file, uint64_t first, uint64_t count);

/* Bytes of the file in these blocks. */
uint64_t data_bytes(const struct file *file, uint64_t first, uint64_t count);

/* All contents through the page cache; residency is looked at first. */
int data_verify_cached(struct check *c, struct error *e);

/* All contents past the page cache. tell_presence: files that are gone or have a wrong size are reported,
 * too, since nobody else looks at names. */
int data_verify_direct(struct check *c, bool tell_presence, struct error *e);

#endif
