/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An operation: one change to the target, as four small functions. To add one, write them next to their
 *neighbours (names.c, attributes.c, data.c, durability.c) and give them a row in table.c.
 *
 *	draw	random numbers and model -> arguments. Pure: looks at nothing but its parameters.
 *	call	arguments -> system calls -> the kernel's answer. Doesn't touch the model.
 *	learn	arguments and answer -> model. An answer that cannot be right is reported.
 *	show	one line, as strace would print it, from the journal record alone.
 *
 * Replay takes the arguments from the journal instead of draw; nothing else changes the target.
 */
#ifndef RECOW_OP_H
#define RECOW_OP_H

#include "src/base/random.h"
#include "src/finding/finding.h"
#include "src/journal/record.h"
#include "src/model/witness.h"
#include "src/plan/needs.h"

/* What shape a workload's objects have. */
struct shape {
	uint32_t files;    /* objects per worker around which the tree is held steady */
	uint32_t dirs;     /* private directories per worker, likewise */
	uint64_t size[2];  /* file sizes, bytes, smallest and largest; drawn log-uniform */
	uint64_t write[2]; /* lengths of one write, drawn log-uniform, at most OP_BUFFER */
	uint32_t depth;    /* deepest directory level */
	bool shared_dirs;  /* half of the new names go into directories shared with other workers */
};

#define OP_BUFFER (1 * MiB)

/* What an operation works with; the worker's own, nothing in it is shared with other workers. */
struct op_ctx {
	struct model *model;
	const struct shape *shape;
	uint64_t bytes_limit; /* the worker's share of the target: no operation grows its files beyond */
	int target; /* descriptor of the target's mount point (O_PATH); all paths are relative to it */
	uint64_t operation; /* number of the present operation */
	unsigned char
		*buffer; /* OP_BUFFER bytes, page-aligned; what call() writes and reads, learn() looks at */
	char path[2][4096];
	struct witness_list *witnesses; /* the worker's; changed by learn alone, and `dying` by call */
	const struct finding_sink *findings;
};

/* The kernel's answer. */
struct op_answer {
	int64_t ret;      /* as the system call returned it, or -errno */
	int64_t time_min; /* CLOCK_REALTIME_COARSE before, ns: no timestamp set by the call is earlier */
	int64_t time_max; /* CLOCK_REALTIME after; both reach further when the clock was set back meanwhile */
	int64_t mono;     /* CLOCK_MONOTONIC before, ns */
	uint64_t size;    /* file size looked at after a failure that may have done its work in part */
	bool began; /* the object was open and the change itself was called: its failure may leave traces */
};

/* What a failure leaves behind. */
enum op_failure { FAILS_CLEAN, FAILS_PREFIX, FAILS_EITHER };

enum op_group { GROUP_NAMES, GROUP_ATTRIBUTES, GROUP_DATA, GROUP_DURABILITY, GROUP_SNAPSHOTS };

/* How the engine keeps the tree steady: it redraws GROWS while there is too much, SHRINKS while there is too
 * little. */
enum op_balance { BALANCE_NONE, BALANCE_GROWS, BALANCE_SHRINKS };

/* Names for show(): the journal's reader knows more paths than a single record does. */
struct op_namer {
	/* Write the (escaped, quoted) path of `ref` in directory `dir` into buf. */
	void (*path)(const void *self, uint32_t dir, struct nameref ref, bool shared, char *buf, size_t len);
	const void *self;
	uint32_t worker;
};

struct op {
	const char *name;    /* as workloads and the journal name it */
	const char *summary; /* one line */
	uint16_t id;         /* its number in journals: never reused */
	enum op_group group;
	enum op_failure failure;
	enum op_balance balance;
	uint32_t needs;    /* enum need: where one isn't met, workloads go without the operation */
	const int *errors; /* errnos that are ordinary answers of a sound filesystem at any time
			      (0-terminated) */
	/* False: nothing to do it to (no file yet, ...); the engine draws another operation. */
	bool (*draw)(const struct op_ctx *c, struct stream *s, struct op_args *args);
	void (*call)(struct op_ctx *c, const struct op_args *args, struct op_answer *answer);
	void (*learn)(struct op_ctx *c, const struct op_args *args, const struct op_answer *answer);
	/* Write `open("a/b", O_CREAT|O_EXCL, 0644) = 0` into buf. Names come from `namer`. */
	void (*show)(const struct journal_record *r, const struct op_namer *namer, char *buf, size_t len);
};

/* All operations, by row. */
extern const struct op *const op_table[];
extern const size_t op_count;

/* Which of the directories in these arguments are shared among workers: JOURNAL_SHARED, JOURNAL_SHARED2. To
 * be asked between draw and learn. */
uint8_t op_journal_flags(const struct op_ctx *c, const struct op_args *args);

const struct op *op_by_name(const char *name);
const struct op *op_by_id(uint16_t id);

#endif
