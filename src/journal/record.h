/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One operation as it is kept: its arguments, with ids for names, and the kernel's answer. 64 bytes,
 * little-endian, the same in the shared ring and on disk (docs/formats.md, "Journal").
 */
#ifndef RECOW_RECORD_H
#define RECOW_RECORD_H

#include "src/base/base.h"
#include "src/content/content.h"

/* The arguments of any operation. What the fields mean is the operation's own affair; unused ones are zero.
 */
struct op_args {
	uint32_t object; /* what it is done to, or what it makes */
	uint32_t dir;    /* directory of `name` */
	uint32_t dir2;   /* directory of `name2` */
	uint32_t aux;    /* a length, a mode, a number, a name number */
	struct nameref name;
	union {
		struct nameref name2;
		uint64_t offset; /* or a size, an id, a time */
	};
};

struct journal_record {
	uint64_t operation; /* number n of this worker, from 1 */
	uint64_t start;     /* ns since the start of the run (CLOCK_MONOTONIC) */
	uint32_t took;      /* microseconds, saturating */
	int32_t answer;     /* what the system call returned, -errno when it failed */
	uint16_t kind;      /* the operation's id in its table */
	uint8_t flags;      /* enum journal_flags */
	uint8_t phase;      /* number of the phase within its round */
	uint32_t check;     /* low half of the XXH3-64 of the record with 0 here */
	struct op_args args;
};
_Static_assert(sizeof(struct op_args) == 32, "arguments have their place in a journal record");
_Static_assert(sizeof(struct journal_record) == 64, "a plain operation takes 64 bytes");

/* What `check` must be. */
uint32_t journal_record_check(const struct journal_record *r);

enum journal_flags {
	JOURNAL_MORE = 1,    /* another record of the same operation follows (batches) */
	JOURNAL_MARK = 2,    /* not an operation: a barrier; args.offset is the round, answer the phase */
	JOURNAL_SHARED = 4,  /* `dir` is a directory shared among workers (its names carry the worker) */
	JOURNAL_SHARED2 = 8, /* the same of `dir2` */
};

#endif
