/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rings of a run in a file, so that nothing is lost of what the guard had not taken yet when it died: a
 * shared mapping outlives every process. Where that memory lies outside of the machine (of a guest: in its
 * host, `recow run --journal-tail`) it outlives the kernel, too. With each worker's operation in flight it
 * says all that was ever begun. docs/formats.md, "Tail".
 */
#ifndef RECOW_JOURNAL_TAIL_H
#define RECOW_JOURNAL_TAIL_H

#include "src/base/error.h"
#include "src/journal/ring.h"

#define TAIL_NAME  "journal/tail" /* in the run directory */
#define TAIL_MAGIC "recowtl\1"
#define TAIL_HEAD  4096U /* bytes before the first ring */
#define TAIL_BOOT  40U

struct tail_header {
	char magic[8]; /* "recowtl\1" */
	uint32_t workers;
	uint32_t records;     /* of each ring */
	uint64_t run;         /* content key of the run */
	char boot[TAIL_BOOT]; /* the kernel's boot_id; "": this memory is there still when the kernel is not
			       */
};
_Static_assert(sizeof(struct tail_header) == 64, "docs/formats.md");

/* Bytes of the rings of so many workers, head included. */
size_t tail_bytes(unsigned int workers);

/* Make `path` (a file; or a device's memory, which must be there and large enough) and map it: the first of
 * the rings, zeroed. `outlives`: see boot. NULL with errno where that can't be: a file of a filesystem that
 * maps none. */
struct journal_ring *tail_make(const char *path, unsigned int workers, uint64_t run, bool outlives);
void tail_unmap(struct journal_ring *first, unsigned int workers);

/* What a worker did last, of a run that is over. */
struct tail {
	struct journal_record *record; /* that the journal doesn't have, in order; free with tail_free() */
	size_t count;
	struct journal_record pending; /* the operation in flight at the end; operation 0: none was */
};

/* Of RUN. `last`: the last record of the worker's journal, NULL if it has none. 0; -1 when there is no tail,
 * when it is not of this run, of an earlier boot, or does not meet the journal's end: then it is not known
 * what was done last. */
int tail_read(const char *run, uint64_t key, uint32_t worker, const struct journal_record *last,
	      struct tail *out);
void tail_free(struct tail *t);

#endif
