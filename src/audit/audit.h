/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The audit: every metadata block that the superblocks of a btrfs can reach, read from its devices, all
 * copies of it, and checked by itself and against all others (docs/audit.md). Reads only. Nothing that lies
 * on the devices is believed: memory is bounded by what they have room for.
 */
#ifndef RECOW_AUDIT_H
#define RECOW_AUDIT_H

#include "src/base/error.h"
#include "verify/btrfs/event.h"

#define AUDIT_PATH 4096

/* Where something is wrong, as exactly as it is known. */
struct audit_finding {
	enum rule rule;
	uint64_t tree;            /* 0: of no tree */
	uint64_t block;           /* logical address of a block or extent; 0: of none */
	int level;                /* of the block; -1: it is none */
	int copy;                 /* from 1; 0: all copies */
	uint64_t devid, physical; /* of the copy, or of the first; 0: unknown */
	const char *device;       /* its path, NULL */
	int slot;                 /* -1: the whole block */
	struct key key;           /* where slot >= 0, or `keyed` */
	bool keyed;
	uint64_t subvolume, inode; /* whose it is; inode 0: of no file, or it can't be told */
	/* That file's path from the top of the filesystem, through all subvolumes, as bytes_escape() shows
	 * it; of several names one; "." is the top. Empty: it is of no file, or has none that can be read. Of
	 * a whole leaf: the file of its first item. */
	char path[AUDIT_PATH];
	char text[256];
};

struct audit_options {
	unsigned int threads;     /* 0: one for each processor */
	bool data;                /* check data against their checksums too, every copy */
	bool no_queue;            /* one read after the other: for many audits of tiny images */
	bool scan;                /* look at unreachable blocks in metadata chunks too */
	unsigned int limit;       /* findings that are handed out for each rule; 0: all */
	const _Atomic bool *stop; /* give up when this becomes true; may be NULL */
	void *context;
	/* One thread at a time. */
	void (*found)(void *context, const struct audit_finding *f);
	/* Twice a second or so; may be NULL. `blocks`: checked so far. */
	void (*progress)(void *context, const char *stage, uint64_t blocks);
};

#define AUDIT_UNCHECKED 16

struct audit_result {
	uint64_t blocks;     /* each once, however many trees share it */
	uint64_t copies;     /* of them, as read */
	uint64_t bytes;      /* of metadata read, with what lay between blocks */
	uint64_t trees;      /* roots */
	uint64_t generation; /* of the superblock that was believed */
	uint64_t data_bytes; /* checked with options.data, all copies */
	uint64_t scanned;    /* unreachable blocks looked at */
	uint64_t footprints; /* of them, of this filesystem and without the mark */
	uint64_t memory;     /* bytes that the table of blocks took */
	uint64_t ns;
	uint64_t findings;
	uint64_t by_rule[RULES];
	char unchecked[AUDIT_UNCHECKED][160]; /* what could not be checked, and why */
	unsigned int unchecked_count;
	bool refused; /* the filesystem has features that are not understood: nothing was judged */
};

/* Rule, place and text in one line, without the path. Returns buf. */
char *audit_describe(char *buf, size_t len, const struct audit_finding *f);

/* Audit the filesystem that lies on these devices or images (all of them). 0: done, see *result; -1 with *e:
 * it could not be done. */
int audit_run(const char *const *paths, size_t count, const struct audit_options *options,
	      struct audit_result *result, struct error *e);

#endif
