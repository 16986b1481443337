/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the audit: what its parts share. */
#ifndef RECOW_AUDIT_WALK_H
#define RECOW_AUDIT_WALK_H

#include <pthread.h>

#include "src/audit/audit.h"
#include "src/audit/map.h"
#include "src/audit/reader.h"
#include "src/audit/table.h"
#include "verify/btrfs/block.h"

/* Sums of references to data are kept by a hash of the extent: what does not come out even is looked for only
 * there. */
#define DATA_BUCKETS 65536U

/* The same for what belongs to an inode: names, links, the size of a directory. */
#define NAME_BUCKETS 65536U

struct tree {
	uint64_t id;     /* of a log: TREE_LOG */
	uint64_t offset; /* of the root item's key */
	uint64_t bytenr, generation;
	uint8_t level;
	bool log;
	/* It is being deleted: what lies before `drop` is gone already (btrfs_drop_snapshot()). */
	bool dropping;
	uint8_t drop_level;
	struct key drop;
	uint32_t refs; /* 0: it is deleted, and waits to be dropped */
};

/* A block to be visited. */
struct queued {
	uint32_t entry, tree;
};

/* What is said of the name of a subvolume. */
struct root_ref {
	uint64_t parent, child, dir, index, digest;
	bool back; /* said by the child */
};

/* An extent of a file without checksums, whose inode lies in another leaf. */
struct unsettled {
	uint32_t tree;
	uint64_t inode, block;
	struct key key;
	unsigned int slot;
};

enum pass {
	PASS_WALK,   /* everything */
	PASS_LOCATE, /* leaves again: only to find what did not come out even */
};

struct walk;

/* One reading thread's own. */
struct worker {
	struct walk *w;
	uint64_t *used, *tiling; /* by chunk: bytes allocated; edges of what is allocated and free */
	uint64_t *data;          /* by DATA_BUCKETS: references less uses */
	uint64_t *names;         /* by NAME_BUCKETS: see names.c */
	uint64_t blocks, copies;
	/* The block that it looks at. */
	const struct got *got;
	struct promise promise;
	const struct tree *tree;
	uint32_t tree_number;
	uint64_t owner;
	int copy; /* from 1; 0: all */
	bool full;
	bool dropping; /* a tree that is being deleted reaches it */
	uint32_t weight;
	uint64_t inode, inode_flags; /* the last INODE_ITEM of the leaf; 0: none yet */
	unsigned int children;
	struct event *child; /* EVENT_POINTER of a node */
};

enum located_kind { LOCATED_REF, LOCATED_INODE, LOCATED_ALLOCATED, LOCATED_FREE };

/* Something said of data or space that did not come out even. */
struct located {
	uint64_t start, end;
	uint64_t root, inode, parent, who; /* LOCATED_REF; who 0: the number of references itself */
	enum rule rule;                    /* LOCATED_INODE, with inode (also in start) and who */
	int64_t count;                     /* references less uses */
	enum located_kind kind;
};

struct walk {
	const struct audit_options *o;
	struct audit_result *r;
	struct disks disks;
	/* By place in `disks`: bytes used, as the device item says, less those of device extents. */
	_Atomic uint64_t device_used[AUDIT_DISKS];
	bool device_known[AUDIT_DISKS]; /* it has an item */
	struct super super;
	unsigned char super_bytes[SUPER_SIZE];
	struct map map;
	struct table table;
	struct tree *trees; /* that are walked; stays where it is while blocks are read */
	size_t tree_count, tree_room;
	struct tree *roots; /* that root items name */
	size_t root_count, root_room;
	struct root_ref *refs; /* of subvolumes */
	size_t ref_count, ref_room;
	uint64_t *owners; /* their numbers, sorted; NULL: not known yet */
	struct queued *queue, *now;
	size_t queue_count, queue_room, now_count, now_at;
	struct worker *workers;
	unsigned int threads;
	struct reader_pool *pool;
	pthread_mutex_t lock; /* table, queue, trees, map, findings, lists */
	enum pass pass;
	const char *stage;
	_Atomic uint64_t done;      /* blocks, for those who watch */
	_Atomic bool broken;        /* something can't be reached */
	_Atomic bool broken_extent; /* the extent tree is not whole: what it lacks says nothing */
	_Atomic bool broken_space, broken_csum;
	_Atomic bool no_memory, crowded;
	struct unsettled *unsettled;
	size_t unsettled_count, unsettled_room;
	/* PASS_LOCATE */
	bool *bad_bucket; /* DATA_BUCKETS */
	bool *bad_name;   /* NAME_BUCKETS */
	bool *bad_chunk;  /* by chunk */
	struct located *located;
	size_t located_count, located_room;
};

/* Hand out a finding (from any thread). */
void walk_found(struct walk *w, struct audit_finding *f);

/* The same, of no block, from a format. */
void walk_say(struct walk *w, enum rule rule, uint64_t tree, uint64_t block, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Note what can't be checked. */
void walk_unchecked(struct walk *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* From now on a tree is known not to be whole: what it lacks says nothing. */
void walk_lose(struct walk *w, uint64_t tree);

bool walk_stopped(const struct walk *w);

/* Put a tree on the list and its root into the queue. */
void walk_add_tree(struct walk *w, const struct tree *t);

/* Blocks of files belong to trees that root items name: from now on. */
int walk_list_owners(struct walk *w, struct error *e);

/* Visit all that is queued, and all below it. */
int walk_queue(struct walk *w, const char *stage, struct error *e);

/* The facts of a block, to be put together (facts.c). */
void facts_event(void *context, const struct event *ev);

/* The same in PASS_LOCATE (locate.c). */
void locate_event(struct worker *k, const struct event *ev);

/* Who it is that refers to data, as a number. */
uint64_t who_refers(uint64_t root, uint64_t inode, uint64_t offset, uint64_t parent);
/* A parent of a block, as a number. */
uint64_t who_points(uint64_t root, uint64_t parent);
uint32_t data_bucket(uint64_t start);

/* Names and inodes (names.c): sums, and in PASS_LOCATE what belongs to those that are not even. */
void names_event(struct worker *k, const struct event *ev);
void names_check(struct walk *w);

/* Keep something of PASS_LOCATE. */
void locate_keep(struct walk *w, const struct located *l);

/* What must come out even when everything was seen (cross.c), and where it does not (locate.c). */
int cross_check(struct walk *w, struct error *e);
int locate(struct walk *w, struct error *e);

/* Each subvolume has its name in its parent, and two references that say so (subvolumes.c). */
void subvolumes_check(struct walk *w);

/* Trees whose inodes have names: those of files, and the one that data are moved through. */
static inline bool tree_has_names(uint64_t id)
{
	return tree_holds_files(id) || id == TREE_DATA_RELOC;
}

/* Extents without checksums whose inodes had to be looked for (settle.c). */
void settle(struct walk *w);

/* Read one block and choose a copy that is it; buf has room for READER_COPIES blocks. NULL: there is none. */
const unsigned char *walk_read(const struct walk *w, const struct promise *p, unsigned char *buf);

/* For a sink of a worker: a fault of the block that it looks at, or of something in it. */
void walk_fault(void *context, const struct fault *f);

/* For a sink that wants events only. */
static inline void walk_no_fault(void *context, const struct fault *f)
{
}

/* Looking something up (search.c); buf as above. Down a tree to the leaf that would hold the key; NULL: it
 * can't be read. */
const unsigned char *walk_descend(const struct walk *w, const struct tree *t, const struct key *key,
				  unsigned char *buf);

/* An item, in buf. */
struct found_item {
	struct key key;
	const unsigned char *bytes;
	uint32_t size;
};

/* The last item of the tree's leaf for this key whose key is not above it. False: there is none, or it can't
 * be read. */
bool walk_item(const struct walk *w, const struct tree *t, const struct key *key, unsigned char *buf,
	       struct found_item *out);

/* Whose item it is that a finding is about, and that file's path, as far as both can be read from the devices
 * (paths.c). Any thread; takes the walk's lock for a moment. */
void paths_fill(struct walk *w, struct audit_finding *f);

/* Superblocks of all devices (supers.c). 0: w->super is the one to believe. */
int supers_read(struct walk *w, struct error *e);

/* --scan and --data. */
int scan_unreached(struct walk *w, struct error *e);
int data_check(struct walk *w, struct error *e);

#endif
