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
 * Replay takes the arguments from the journal instead of draw, as far as `fits` says that they still make
 * sense; nothing else changes the target.
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
	bool brim;         /* the worker may fill the target up, unless the plan says how far */
	bool nocow; /* btrfs: the worker's own tree is nodatacow, so that direct writes are really direct */
};

#define OP_BUFFER (1 * MiB)

/* A stretch of a file that stays mapped over several operations (window.h). */
struct op_window {
	unsigned char *at; /* NULL: the place is free */
	uint64_t offset;   /* in the file */
	uint64_t reach;    /* file offset behind the last byte stored through it */
	uint64_t born;     /* of the object: ids are used again */
	uint32_t object;
};
#define OP_WINDOWS 16U

/* Ranges that one operation hands to the kernel together (direct.c). */
#define OP_BATCH 16U

/* What call() saw of a file after a failure: blocks [first, first + count), up to the end of the file or the
 * first that could not be read. src/ops/resolve.h. */
#define LOOK_BLOCKS 8192U
struct op_look {
	uint64_t first;
	uint32_t count;
	uint32_t unit;              /* bytes of the filesystem's own blocks, BLOCK_SIZE if they are larger */
	uint64_t hash[LOOK_BLOCKS]; /* content_hash(), with zeroes behind the end of the file */
};

/* A file without a name lives by a descriptor of its worker. */
struct held {
	uint32_t object; /* OBJECT_NONE: the place is free */
	int fd;
};
#define HELD_MAX 16U

/* What an operation works with; the worker's own, nothing in it is shared with other workers. */
struct op_ctx {
	struct model *model;
	const struct shape *shape;
	uint64_t bytes_limit; /* the worker's share of the target: no operation grows its files beyond */
	int target; /* descriptor of the target's mount point (O_PATH); all paths are relative to it */
	const struct target *where; /* that target, to find out where bytes lie; NULL: it isn't asked */
	uint64_t operation;         /* number of the present operation */
	unsigned char
		*buffer; /* OP_BUFFER bytes, page-aligned; what call() writes and reads, learn() looks at */
	char path[2][4096];
	struct witness_list *witnesses; /* the worker's; changed by learn alone, and `dying` by call */
	const struct finding_sink *findings;
	uint32_t workers;       /* of the run: whose bytes of shared files are whose; 0 counts as 1 */
	struct io_context *aio; /* for OP_BATCH requests; libaio's io_context_t */
	struct op_window window[OP_WINDOWS];
	unsigned int next_window; /* the place that is given up next */
	struct op_look look;      /* filled by call() after a failure that can have done a part of its work */
	struct held held[HELD_MAX];
};

/* The kernel's answer. */
struct op_answer {
	int64_t ret;      /* as the system call returned it, or -errno */
	int64_t time_min; /* CLOCK_REALTIME_COARSE before, ns: no timestamp set by the call is earlier */
	int64_t time_max; /* CLOCK_REALTIME after; both reach further when the clock was set back meanwhile */
	int64_t mono;     /* CLOCK_MONOTONIC before, ns */
	uint64_t size;    /* file size looked at after a failure that may have done its work in part */
	int stopped; /* errno that ended an operation after it had done `ret` bytes of its work, 0: none */
	bool cut;    /* it failed, and then the file was cut off where the range begins: zero_range */
	bool began;  /* the object was open and the change itself was called: its failure may leave traces */
	uint32_t done;          /* bytes that a mapped store put in before it failed */
	uint32_t parts;         /* records of a batch; 0 for all other operations */
	int32_t part[OP_BATCH]; /* their answers, as `ret` */
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
	bool reads;        /* the bytes that it answers with were read, not written */
	uint32_t needs;    /* enum need: where one isn't met, workloads go without the operation */
	const int *errors; /* errnos that are ordinary answers of a sound filesystem at any time
			      (0-terminated) */
	/* False: nothing to do it to (no file yet, ...); the engine draws another operation. */
	bool (*draw)(const struct op_ctx *c, struct stream *s, struct op_args *args);
	/* Of arguments out of a journal: could draw have given them, as the model is now? True for all that
	 * it gives. Pure, as draw is. What it allows must be exact: whatever the kernel answers, learn knows
	 * what it means. */
	bool (*fits)(const struct op_ctx *c, const struct op_args *args);
	/* What call() will write and learn() looks at, into c->buffer. Pure. NULL: neither needs it. The
	 * caller of call() has nothing to do with it; who learns from a journal, without a kernel, calls it
	 * before learn(). */
	void (*fill)(struct op_ctx *c, const struct op_args *args);
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
