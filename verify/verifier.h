/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that a new verifier must read. A verifier compares the target with the frozen models, or audits the
 * target by the target's own rules. It runs in the churn process, at barriers, while no worker runs
 * (but for VERIFY_DURING).
 *
 * Write one file that ends in one `const struct verifier`, name it in src/plugins.c and in local.mk.
 */
#ifndef RECOW_VERIFIER_H
#define RECOW_VERIFIER_H

#include "src/base/error.h"
#include "src/finding/finding.h"
#include "src/model/witness.h"
#include "src/plan/needs.h"
#include "src/target/target.h"

struct history;
struct machine;

/* When it runs. */
enum verify_when {
	VERIFY_ROUND,     /* at the barrier that ends each round, the target mounted */
	VERIFY_MOUNTED,   /* as VERIFY_ROUND, and once more after the final unmount and mount */
	VERIFY_OFFLINE,   /* once at the end, the target unmounted and free of users */
	VERIFY_RESTING,   /* as VERIFY_ROUND, and as VERIFY_OFFLINE; the target does not change meanwhile */
	VERIFY_REMOUNTED, /* once at the end, after unmount and mount */
	VERIFY_LIVE,      /* all the time: the guard feeds it kernel log lines through line() */
	/* Again and again while the workers churn, in a thread of its own, until `stop`; and as well after
	 * those of VERIFY_ROUND and of VERIFY_REMOUNTED. */
	VERIFY_DURING,
	VERIFY_FAILED, /* instead of all of these when the target was made to fail, after unmount and mount */
};

#define VERIFY_KEPT 8

/* Of a VERIFY_FAILED one, in `kept`: what was durable, and was compared; blocks that show what had been cut
 * off of their file. */
enum { DURABLE_OBJECTS, DURABLE_NAMES, DURABLE_BLOCKS, DURABLE_CUT_OFF };

/* What was looked at; added to, never reset, by several threads. */
struct verify_counters {
	_Atomic uint64_t bytes;    /* file bytes compared */
	_Atomic uint64_t objects;  /* objects whose attributes were compared */
	_Atomic uint64_t names;    /* names compared */
	_Atomic uint64_t blocks;   /* blocks compared */
	_Atomic uint64_t resident; /* hot: blocks that were in the page cache */
	_Atomic uint64_t
		cached_only; /* cold: bytes that could only be read through the cache (inline, compressed) */
	_Atomic uint64_t unsure; /* blocks that are not compared, since an error made them unknown */
	_Atomic uint64_t
		scrubbed; /* scrub: bytes of all copies that the kernel compared with their checksums */
	_Atomic uint64_t
		kept[VERIFY_KEPT]; /* what a verifier keeps from one round to the next; its own affair */
	_Atomic uint64_t audited;  /* metadata blocks on disk, each time counted */
	_Atomic uint64_t pauses;   /* how often the target was frozen for it */
	_Atomic uint64_t pause_ns; /* for how long, in all; and the longest */
	_Atomic uint64_t pause_max_ns;
	_Atomic uint64_t witnesses; /* snapshots that were looked through to the end, each time counted */
	_Atomic uint64_t time_ns;   /* wall time spent; added to by who calls run(), in VERIFY_DURING by the
				     * verifier itself */
};

struct verification {
	const struct target *target;
	int mount;                             /* descriptor of the mount point */
	uint64_t run;                          /* content key */
	const struct model_view *const *views; /* one per worker */
	size_t view_count;
	/* Which names of the views count. But for SCOPE_ALL `mount` is the root of the subvolume, which the
	 * first component of the views' paths stands for. */
	enum view_scope scope;
	struct witness_list *const *witnesses; /* may be NULL */
	size_t witness_lists;
	uint64_t later;        /* wrong bytes may be of so many operations that came after the views' last */
	enum verify_when when; /* in which of its turns one that has several is */
	struct machine *machine; /* the door to the machine, for VERIFY_RESTING while the target is mounted */
	const _Atomic bool
		*gone;        /* set: what is looked at is about to go, give up as with stop; may be NULL */
	unsigned int threads; /* how many to use at most */
	const struct finding_sink *findings;
	struct verify_counters *counters;
	const _Atomic bool *stop; /* give up soon: what was compared so far counts */
	/* Of a run that was cut off (recow verify), or made its target fail: what is durable of it; and with
	 * which options its filesystem was made. */
	const struct history *durable;
	const char *mkfs_options;
	const char *log; /* path of a file for the verifier's own output (RUN/<name>.log) */
	/* The descriptor by which a file without a name lives, of views[view]; -1 if there is none, which is
	 * an error. NULL: such files are gone (after a remount) and are passed over. */
	int (*held)(const struct verification *v, size_t view, uint32_t object);
	const void *holder; /* held()'s own */
};

struct verifier {
	const char *name;
	const char *summary;
	uint32_t needs;
	enum verify_when when;
	/* Once, when the target is mounted and nothing was done to it yet. May be NULL. */
	int (*begin)(struct verification *v, struct error *e);
	/* Returns -1 when it could not do its work (which is not a finding about the target). */
	int (*run)(struct verification *v, struct error *e);
	/* VERIFY_LIVE: judge one record of the kernel log, as read from /dev/kmsg. `device` is the kernel's
	 * name of the target's device (target.kernel_name: "loop0"; "" while it is unknown, or if there is
	 * none): a line that names another device, or any then, is not the target's affair. True: *f is
	 * filled in. Pure. */
	bool (*line)(const char *record, const char *device, struct finding *f);
};

/* Is it its turn? (VERIFY_DURING follows others: see there.) */
static inline bool verifier_has_turn(const struct verifier *v, enum verify_when turn)
{
	if (v->when == VERIFY_MOUNTED)
		return turn == VERIFY_ROUND || turn == VERIFY_REMOUNTED;
	if (v->when == VERIFY_RESTING)
		return turn == VERIFY_ROUND || turn == VERIFY_OFFLINE;
	return v->when == turn;
}

/* "after each round" */
const char *verify_when_text(enum verify_when when);

#endif
