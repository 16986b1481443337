/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A finding: one thing that is wrong, with its evidence. Whoever notices fills one in and hands it to a sink;
 * the guard writes it to RUN/findings.jsonl (docs/formats.md) and the dumps beside it. Plain data of bounded
 * size: it travels through a socket in one message.
 */
#ifndef RECOW_FINDING_H
#define RECOW_FINDING_H

#include "src/base/base.h"
#include "src/content/content.h"

/* What is wrong. */
enum finding_class {
	FINDING_ZEROES,    /* expected data, found zeroes */
	FINDING_STALE,     /* an older version of this very place */
	FINDING_FOREIGN,   /* data of another object or another offset */
	FINDING_TORN,      /* part expected, part one of the others */
	FINDING_FLIPPED,   /* few bits differ */
	FINDING_SHIFTED,   /* the right bytes at the wrong place within the block */
	FINDING_GARBAGE,   /* nothing that recow wrote */
	FINDING_MISSING,   /* a name or an object is gone */
	FINDING_EXTRA,     /* a name that must not be there */
	FINDING_ATTRIBUTE, /* size, mode, owner, time, link count, xattr, symlink target, type */
	FINDING_ANSWER,    /* a system call answered what it must not */
	FINDING_EIO,
	FINDING_EROFS,
	FINDING_KERNEL, /* a warning, an oops, a filesystem error in the kernel log */
	FINDING_HANG,
	FINDING_FSCK,    /* the filesystem fails a check of its own structure: checker, scrub, audit */
	FINDING_TARGET,  /* the target went away, could not be mounted again */
	FINDING_HARNESS, /* recow's own memory is wrong: not the filesystem's fault, but no verdict is
			    possible */
	FINDING_CLASSES,
};

/* Where the reader looked. */
enum finding_place { SEEN_NOWHERE, SEEN_HOT, SEEN_COLD, SEEN_FRESH, SEEN_CHURN, SEEN_LOG, SEEN_OFFLINE };

/* A run of equal judgement inside a block. */
struct finding_range {
	uint16_t start, length; /* bytes within the block */
	uint8_t class;          /* enum finding_class; FINDING_CLASSES: as expected */
	struct origin origin;   /* stale, foreign: who wrote it */
	uint32_t object;        /* foreign: the writer's object */
	uint64_t offset;        /* foreign, shifted: file offset for which it was written */
	uint32_t bits;          /* flipped: how many bits differ */
};
#define FINDING_RANGES 8

#define FINDING_MIRRORS 4

/* A further look at a wrong place: where, and what was seen there. */
enum look_where { LOOK_CACHE, LOOK_DIRECT, LOOK_DEVICE };
enum look_sight { SIGHT_NONE, SIGHT_RIGHT, SIGHT_WRONG, SIGHT_UNREADABLE };
struct finding_look {
	uint8_t where, sight; /* enum look_where, look_sight */
	uint8_t mirror;       /* LOOK_DEVICE: which, from 0 */
};
#define FINDING_LOOKS 8

/* What they say together. */
enum finding_fault {
	FAULT_UNKNOWN, /* nobody looked again */
	FAULT_NONE,    /* right when it was read again */
	FAULT_CACHE,
	FAULT_DISK,
	FAULT_BOTH,
	FAULT_CACHE_AT_LEAST, /* the disk could not be read past the cache */
};

/* FINDING_ATTRIBUTE: which, where recow gives it values. */
enum finding_attribute {
	ATTRIBUTE_NONE,
	ATTRIBUTE_SIZE,
	ATTRIBUTE_MODE,
	ATTRIBUTE_OWNER,
	ATTRIBUTE_GROUP,
	ATTRIBUTE_LINKS,
	ATTRIBUTE_MTIME,
	ATTRIBUTE_TARGET,
	ATTRIBUTE_XATTR,
	ATTRIBUTES,
};

/* Whose value was found. */
enum finding_value {
	VALUE_UNKNOWN,
	VALUE_OLDER,   /* one that this attribute of this object had before */
	VALUE_LATER,   /* one that it got after the moment that is looked at (in a snapshot) */
	VALUE_FOREIGN, /* one of another object, or of another attribute */
	VALUE_PART,    /* the beginning of what was set, cut short */
	VALUE_NEVER,   /* none that recow ever gave */
	VALUES,
};

struct attribute_seen {
	uint8_t which, value; /* enum finding_attribute; finding_value, as far as it is known */
	bool absent;          /* it is not there (an extended attribute) */
	uint32_t number;      /* ATTRIBUTE_XATTR: which */
	uint64_t found;       /* mtime in ns since the epoch; of bytes their length */
	uint64_t hash;        /* XXH3 of bytes that were found */
	uint64_t learned;     /* the last operation of its worker that the recorded state has in it */
	struct origin origin; /* older, later, foreign, part: who set it, operation 0 if unknown */
	uint32_t object, origin_number; /* foreign: on which object, as which extended attribute */
};

struct finding {
	enum finding_class class;
	enum finding_place place;
	char verifier[24];     /* who noticed: a verifier, an operation, "guard" */
	uint64_t time;         /* ns since the start of the run; filled in by the sink */
	uint32_t round, phase; /* likewise */
	uint32_t worker, object;
	uint64_t
		operation; /* the operation that should be seen there (or that answered wrongly), 0 if none */
	char path[4096];   /* relative to the target, escaped; empty if none */
	uint64_t offset, length; /* bytes of the file, 0 length if it isn't about data */
	uint64_t expected_hash, found_hash;
	char detail[512]; /* one line for people: expected what, found what */
	bool still;       /* looked at again: still wrong */
	uint32_t tear;    /* torn: the byte within the (first) block at which the line runs */
	unsigned int ranges, mirrors;
	struct finding_range range[FINDING_RANGES];
	struct {
		uint64_t devid, physical; /* where this block lies on the device */
	} mirror[FINDING_MIRRORS];
	struct finding_look
		look[FINDING_LOOKS]; /* in the order in which they were made, the first read first */
	unsigned int looks;
	struct attribute_seen attribute;
	uint8_t fault;        /* enum finding_fault */
	char not_on_disk[40]; /* why the bytes have no place there ("a hole"), "" if they have */
	uint64_t inode;       /* 0 if unknown */
	struct {
		bool known;
		uint64_t pfn, flags; /* as /proc/kpageflags */
		uint64_t block;      /* memory block */
	} page;                      /* that cached the first wrong block when it was looked at again */
	uint64_t logical;            /* filesystem address as FIEMAP gives it, 0 if unknown */
	bool dumps;                  /* expected and found are filled in */
	unsigned char expected[BLOCK_SIZE];
	unsigned char found[BLOCK_SIZE];
};

/* Where findings go. emit() may be called from any thread. */
struct finding_sink {
	void (*emit)(void *self, const struct finding *f);
	void *self;
};

static inline void finding_emit(const struct finding_sink *sink, const struct finding *f)
{
	sink->emit(sink->self, f);
}

/* Does this errno say that whatever serves the target is no more: a FUSE daemon that died, a server, a device
 * that was pulled? An operation on a sound target is never answered so. */
bool finding_errno_is_gone(int err);

const char *finding_class_name(enum finding_class class); /* "zeroes", "stale", ... */
const char *finding_place_name(enum finding_place place);
int finding_class_by_name(const char *name); /* -1 if unknown */

#endif
