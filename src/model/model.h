/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recorded state of what one worker owns: objects (files, directories, symbolic links), their names,
 * extended attributes and blocks. Exact, without data: 16 bytes per 4 KiB block (XXH3 and the operation that
 * wrote it). Only the worker changes its model, after the kernel's answer; freezing it costs a copy of its
 * root.
 */
#ifndef RECOW_MODEL_H
#define RECOW_MODEL_H

#include "src/content/content.h"
#include "src/model/pages.h"

/* Object ids of a worker. The anchors exist from the start and stay. */
#define OBJECT_NONE         0U
#define OBJECT_ROOT         1U /* the worker's own subvolume (or directory) */
#define OBJECT_FIRST_SHARED 2U /* shared directory k is OBJECT_FIRST_SHARED + k */
#define NAME_NONE           UINT32_MAX
/* No directory: the parent of the name record that a file without any name keeps. The file lives by the
 * worker's descriptor of it alone; it has 0 links and, as its first name, that record. */
#define OBJECT_HELD     UINT32_MAX
#define SHARED_DIRS_MAX 64U
/* Shared file k is OBJECT_FIRST_SHARED_FILE + k: a file that all workers write, each in its own stripes
 * (stripes.h). Each model has an anchor for it, of fixed size, and only the worker's own bytes in it. */
#define OBJECT_FIRST_SHARED_FILE (OBJECT_FIRST_SHARED + SHARED_DIRS_MAX)
#define SHARED_FILES_MAX         64U

/* A whiteout is what rename leaves with RENAME_WHITEOUT: a character device 0:0 that nobody can open. */
enum object_type { OBJECT_FREE, OBJECT_FILE, OBJECT_DIR, OBJECT_SYMLINK, OBJECT_WHITEOUT };

enum object_flags {
	OBJECT_ANCHOR = 1, /* not this worker's to rename or remove; attributes not modelled */
	OBJECT_SHARED = 2, /* a directory in which other workers have names too, or a file in which they have
			      bytes (an anchor) */
	OBJECT_REALM = 4,  /* was made in the shared subvolume (a hint for drawing; EXDEV else) */
	OBJECT_UNSURE =
		8, /* content is not known (a failed fsync, a failed truncate): not compared, counted */
	OBJECT_LINKABLE = 16,  /* has no name, and may be given one (O_TMPFILE without O_EXCL) */
	OBJECT_SUBVOLUME = 64, /* a directory that is a btrfs subvolume, not an anchor */
	OBJECT_NESTED = 128,   /* lies in such a one: not in the snapshots of what is around it */
};

struct object {
	uint64_t size;     /* file: bytes; symlink: length of the target */
	int64_t mtime_min; /* ns since the epoch; the time lies in [min, max] */
	int64_t mtime_max;
	uint64_t born;       /* operation that made it (the key of a symlink's target) */
	uint64_t changed;    /* last operation that changed it */
	uint64_t synced;     /* last operation that made it durable by itself (fsync, fdatasync), 0 if none */
	uint32_t blocks;     /* block map; private to the model */
	uint32_t mapped;     /* blocks in the map: ceil(size / 4096) for files */
	uint32_t first_name; /* first of its links; the record in OBJECT_HELD of a file without a name */
	uint32_t first_xattr; /* 1 + number of its first xattr record, 0 if none */
	uint32_t links;       /* names it has */
	uint32_t children;    /* directory: names of this worker in it */
	uint32_t uid, gid;
	uint16_t mode;  /* permission bits, 07777 */
	uint8_t type;   /* enum object_type */
	uint8_t flags;  /* enum object_flags */
	uint16_t depth; /* directory levels below the anchor when it was made or moved; what lies below a
			   directory that is moved keeps its own */
	uint16_t pad;
};

struct name {
	uint32_t object;
	uint32_t parent; /* the directory's object id; OBJECT_NONE for an anchor's own name; OBJECT_HELD */
	uint32_t next;   /* next link of the same object, NAME_NONE at the end */
	uint32_t place;  /* its place in the pick list of its kind */
	uint32_t tag;    /* struct nameref */
};

struct xattr {
	uint32_t next;      /* 1 + number, 0 at the end */
	uint32_t number;    /* the attribute is "user.recow.<number>" */
	uint64_t operation; /* that set it: the key of its value */
	uint32_t length;
};

/* What wrote bytes [start, start + length) of a block. The rest of the block is zero. */
struct fragment {
	uint32_t start, length;
	struct origin origin;
	uint32_t object; /* of the writer, part of the content's key */
	int64_t shift;   /* file offset here minus file offset at which it was written (0 but for clones) */
};
#define FRAGMENTS_MAX 4096U

/* Lists from which an operation draws in O(1). */
enum pick { PICK_FILE, PICK_DIR, PICK_SYMLINK, PICK_WHITEOUT, PICK_HELD, PICKS };

#define BLOCK_CLASSES 14

/* A root: all that is needed to read a model. Plain data, copied to freeze it. */
struct model_view {
	struct page_pool *pool;
	uint32_t worker;
	uint32_t epoch;
	uint32_t anchors;      /* how many of its directories are anchors, from OBJECT_ROOT on */
	uint32_t shared_files; /* how many shared files it has, anchors too */
	uint64_t run;          /* the run's content key */
	uint64_t operations;   /* operations learned so far */
	uint64_t bytes;        /* sum of the sizes of its own files */
	uint64_t blocks_used;  /* blocks of its files that hold data */
	uint64_t mapped;       /* all blocks of its files, holes too */
	struct array objects, names, xattrs, fragments;
	struct array picks[PICKS];
	struct array blocks[BLOCK_CLASSES];
	uint64_t sum; /* of all before; set when frozen, 0 in the live state (whose pages are read unchecked)
		       */
};

struct model {
	struct model_view head; /* the live state */
	struct page_owner owner;
	struct frozen *newest;   /* frozen roots, newest first */
	struct scratch *scratch; /* room for regenerating a block; private to the model */
};

/* A pinned root. Any thread reads it until it is released; the owner reclaims its pages afterwards. */
struct frozen {
	struct model_view view;
	_Atomic uint32_t pins;
	struct frozen *older;
	uint32_t dead; /* pages of the next older root that this one no longer has */
};

/* ---- the owner's side -------------------------------------------------------------------- */

/* Make an empty model with its anchors: OBJECT_ROOT and `shared_dirs` shared directories. */
int model_init(struct model *m, struct page_pool *pool, uint32_t worker, uint64_t run,
	       unsigned int shared_dirs, struct error *e);
/* Behind model_init(), before anything else: one shared file more, of zeroes. False when the pool is
 * exhausted or the file's id is in use. */
bool model_add_shared_file(struct model *m, uint64_t size);
/* Free what lies outside the pool. The pages stay taken until the pool's mapping goes. */
void model_destroy(struct model *m);

/* Freeze the present state in O(1), with one pin. model_release() takes it back (any thread); the owner's
 * next freeze or model_reap() reclaims. NULL for lack of memory. */
struct frozen *model_freeze(struct model *m);
void model_pin(struct frozen *f);
void model_release(struct frozen *f);
void model_reap(struct model *m);

/* The lowest id and the lowest name number that are free: what draw gives to what is to be made. */
uint32_t model_next_object(const struct model *m);
uint32_t model_next_name(const struct model *m);

/* Changes. `op` is the number of the operation; all arguments are as the kernel accepted them. */
struct model_create {
	uint32_t object; /* its id; OBJECT_NONE: model_next_object() */
	enum object_type type;
	uint32_t parent; /* directory; OBJECT_HELD: a file without a name */
	uint32_t home;   /* OBJECT_HELD: the directory in whose filesystem it lies */
	bool linkable;   /* OBJECT_HELD: it may be given a name */
	struct nameref name;
	uint16_t mode;
	uint64_t size; /* of a symlink's target */
	int64_t time_min, time_max;
	uint32_t uid, gid;
	bool subvolume; /* a directory: with OBJECT_SUBVOLUME */
};
/* Nobody may have name.number yet: mostly it is model_next_name(). Flags OBJECT_REALM and OBJECT_NESTED come
 * from the parent. Returns the new object's id, OBJECT_NONE when the pool is exhausted. The parent's times
 * are the caller's affair (model_set_mtime), here and in all changes below. */
uint32_t model_create(struct model *m, uint64_t op, const struct model_create *c);
void model_link(struct model *m, uint64_t op, uint32_t object, uint32_t parent, struct nameref name);
/* Remove a name; the object goes with its last one. */
void model_unlink(struct model *m, uint64_t op, uint32_t name);
/* A subvolume goes with all that is in it (no other subvolume may be). Costs a look at each name of the
 * model. Returns -1 for lack of memory: then nothing is changed. */
int model_unlink_subvolume(struct model *m, uint64_t op, uint32_t name);
/* Give the object of `name` the name (parent, to). When `victim` is not NAME_NONE that record is the existing
 * target name: its object loses it and the record carries on under the moved object. If both name the same
 * object, nothing changes (rename(2)). */
void model_rename(struct model *m, uint64_t op, uint32_t name, uint32_t parent, struct nameref to,
		  uint32_t victim);
/* Two names exchange their objects (RENAME_EXCHANGE). Nothing changes when both name the same one. */
void model_exchange(struct model *m, uint64_t op, uint32_t name, uint32_t other);
/* The object of `name` goes to the new name (parent, to), whose number nobody has yet. Under the old name a
 * whiteout is made with the free id `whiteout`, owned by root, with mode 0. Returns its id, OBJECT_NONE when
 * the pool is exhausted. */
uint32_t model_whiteout(struct model *m, uint64_t op, uint32_t name, uint32_t parent, struct nameref to,
			uint32_t whiteout, int64_t time_min, int64_t time_max);
/* The last name of a file goes, yet the file stays, held by a descriptor: the record moves to OBJECT_HELD.
 * model_unlink() of that record ends the file. */
void model_orphan(struct model *m, uint64_t op, uint32_t name);
/* A file without a name gets one: its record moves from OBJECT_HELD to (parent, to). */
void model_link_held(struct model *m, uint64_t op, uint32_t name, uint32_t parent, struct nameref to);
/* Bytes [offset, offset + len) were written with content_key (run, worker, op, object); `data` are those
 * bytes. Grows the file if need be; a gap behind the old end is a hole. Times stay as they are. */
void model_write(struct model *m, uint64_t op, uint32_t object, uint64_t offset, const void *data,
		 size_t len);
/* To 0: the content is known again (OBJECT_UNSURE goes). */
void model_truncate(struct model *m, uint64_t op, uint32_t object, uint64_t size);
/* Bytes [offset, offset + len) read as zeroes from now on, as far as they lie before the end of the file:
 * whole blocks become holes. The size stays. */
void model_zero(struct model *m, uint64_t op, uint32_t object, uint64_t offset, uint64_t len);
/* Bytes [offset, offset + len) of `object` take over what [source_offset, source_offset + len) of `source`
 * hold, holes too. Any alignment; the file grows if need be. `source` may be `object` when the ranges don't
 * overlap; its range lies before its end. What is cloned from an unsure file is unsure. */
void model_clone(struct model *m, uint64_t op, uint32_t object, uint64_t offset, uint32_t source,
		 uint64_t source_offset, uint64_t len);
void model_set_mode(struct model *m, uint64_t op, uint32_t object, uint16_t mode);
void model_set_owner(struct model *m, uint64_t op, uint32_t object, uint32_t uid, uint32_t gid);
/* Anchors have no times. */
void model_set_mtime(struct model *m, uint64_t op, uint32_t object, int64_t min, int64_t max);
/* length UINT32_MAX removes. */
void model_set_xattr(struct model *m, uint64_t op, uint32_t object, uint32_t number, uint32_t length);
void model_set_synced(struct model *m, uint64_t op, uint32_t object);
void model_set_unsure(struct model *m, uint64_t op, uint32_t object);

/* Draw from a pick list: a name number, or NAME_NONE when the list is empty. `r` is any random number.
 * PICK_DIR holds the anchors too. Files without a name are in PICK_HELD only. */
uint32_t model_pick(const struct model *m, enum pick list, uint64_t r);
uint32_t model_pick_count(const struct model *m, enum pick list);

/* ---- reading: the live head by its owner, or a frozen view by anyone --------------------- */

/* Is this directory an anchor, is it a shared one? Their ids tell. */
static inline bool view_is_anchor(const struct model_view *v, uint32_t object)
{
	return object - OBJECT_ROOT < v->anchors;
}

static inline bool view_is_shared(const struct model_view *v, uint32_t object)
{
	return object != OBJECT_ROOT && view_is_anchor(v, object);
}

/* Has it no name, is it there by its descriptor alone? */
static inline bool object_is_held(const struct object *o)
{
	return o->type == OBJECT_FILE && o->links == 0;
}

/* Which names of a view count, where a subvolume is looked at by itself. On btrfs no object has names in
 * both, since neither link nor rename leads from one subvolume into another; what lies in a further one is in
 * neither. */
enum view_scope {
	SCOPE_ALL,
	SCOPE_PRIVATE, /* below OBJECT_ROOT */
	SCOPE_SHARED,  /* in the shared directories and below */
};

static inline bool scope_has(enum view_scope scope, const struct object *o)
{
	if (scope == SCOPE_ALL)
		return true;
	return !(o->flags & OBJECT_NESTED) && !(o->flags & OBJECT_REALM) == (scope == SCOPE_PRIVATE);
}

/* Does the view's own checksum hold? True for a live one. */
bool view_intact(const struct model_view *v);

/* Each returns false when the record is free, out of range, or its page fails its checksum (which the pool
 * counts). Objects are numbered from 1 below v->objects.count, names from 0 below v->names.count. */
bool view_object(const struct model_view *v, uint32_t object, struct object *out);
bool view_name(const struct model_view *v, uint32_t number, struct name *out);
bool view_xattr(const struct model_view *v, uint32_t number, struct xattr *out);

struct block_entry {
	uint64_t hash;
	uint64_t writer; /* packed; view_fragments() unpacks */
};
/* Entries [first, first + count) of a file's blocks. A hole has writer 0 and the hash of zeroes. Returns how
 * many were read (less at the end of the map or on harness corruption). */
size_t view_blocks(const struct model_view *v, const struct object *o, uint64_t first, size_t count,
		   struct block_entry *out);
/* The fragments of a block, by start. Returns their number, 0 for a hole. `object` is the id of the file it
 * belongs to. */
size_t view_fragments(const struct model_view *v, uint32_t object, const struct block_entry *b,
		      struct fragment *out, size_t room);
/* Regenerate the bytes of block number `block` into buf (BLOCK_SIZE), zero where nothing was written. */
void view_regenerate(const struct model_view *v, uint32_t object, uint64_t block, const struct block_entry *b,
		     unsigned char *buf);

/* The bytes of a name as readdir gives them. */
size_t view_name_bytes(const struct model_view *v, const struct name *n, uint32_t number, char buf[256]);

/* The name at a place of a pick list, from 0 on; NAME_NONE behind its end or on harness corruption. */
uint32_t view_pick(const struct model_view *v, enum pick list, uint32_t place);

/* Path of a name relative to the target's mount point, NUL-terminated ("w0003/a/b", "shared/d02/x"); as the
 * model knows it. Of a record in OBJECT_HELD: held_label(). Returns its length or -1 when it does not fit or
 * the tree above is gone. */
int view_path(const struct model_view *v, uint32_t number, char *buf, size_t len);

/* Is this object a shared file? Then its number is object - OBJECT_FIRST_SHARED_FILE. */
static inline bool view_is_shared_file(const struct model_view *v, uint32_t object)
{
	return object - OBJECT_FIRST_SHARED_FILE < v->shared_files;
}

/* Anchors' paths, as printf would give them: "w%04u", "shared/d%02u", "shared/f%02u". -1 when it does not
 * fit. */
int anchor_path(uint32_t worker, uint32_t object, char *buf, size_t len);

/* What stands where a path would, for people: "w0003/(unlinked #17)". Returns its length. */
int held_label(uint32_t worker, uint32_t object, char *buf, size_t len);

/* Index pages are counted to what they index. */
struct model_stats {
	uint64_t mapped; /* blocks of the files, holes too; the others count what holds data */
	uint64_t objects, names, xattrs; /* without the anchors */
	uint64_t blocks;                 /* with data; a hole costs at most its entry */
	uint64_t fragments;
	uint64_t block_bytes; /* all memory of block maps: 16 a block, up to a tenth more, and some ten KiB of
				 index pages that show in small models only */
	uint64_t object_bytes; /* objects, first names and their places in the pick lists */
	uint64_t link_bytes;   /* further names and theirs */
	uint64_t xattr_bytes;
	uint64_t fragment_bytes;
	uint64_t total_bytes; /* all pages in use */
};
void view_stats(const struct model_view *v, struct model_stats *out);

/* ---- outside the process (docs/formats.md, "Model file") --------------------------------- */

/* Write a view to a descriptor, and read it back into a fresh model of the caller's pool. */
int model_save(const struct model_view *v, int fd, struct error *e);
int model_load(struct model *m, struct page_pool *pool, int fd, struct error *e);

#endif
