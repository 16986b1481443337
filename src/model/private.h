/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the model share among themselves: records as they are stored, block maps, fragments. */
#ifndef RECOW_MODEL_PRIVATE_H
#define RECOW_MODEL_PRIVATE_H

#include "src/model/model.h"

/* ---- stored records: tight, since there are many ----------------------------------------- */

/* Free when length is 0. */
struct __attribute__((packed)) stored_name {
	uint32_t object, parent, next, place;
	uint16_t seed;
	uint8_t length;
};
_Static_assert(sizeof(struct stored_name) == 19,
	       "with its place in a pick list a name takes less than 24 bytes");

/* Free when operation is 0. */
struct __attribute__((packed)) stored_xattr {
	uint32_t next, number;
	uint64_t operation;
	uint32_t length;
};
_Static_assert(sizeof(struct stored_xattr) == 20, "see docs/formats.md");

struct __attribute__((packed)) stored_fragment {
	uint32_t next; /* 1 + number of the next one of the block, 0 at the end */
	uint32_t object;
	uint32_t length;
	uint64_t writer; /* writer_pack() with the start */
	int64_t shift;
};
_Static_assert(sizeof(struct stored_fragment) == 28, "36 make a page");

_Static_assert(sizeof(struct object) == 88, "see docs/formats.md");

/* ---- what wrote a block ------------------------------------------------------------------ */

/* worker << 52 | operation << 12 | low, as in the stamp of a line. In a block entry `low` is the number of
 * bytes written less one, all from the block's start; a block of any other make has the worker
 * ORIGIN_WORKERS, and the rest is the number of its first fragment. 0 is a hole. */

#define WRITER_HOLE 0ULL

static inline uint64_t writer_pack(struct origin o, uint32_t low)
{
	return (uint64_t)o.worker << 52 | o.operation << 12 | low;
}

static inline struct origin writer_origin(uint64_t writer)
{
	return (struct origin){.worker = (uint32_t)(writer >> 52),
			       .operation = writer >> 12 & ((1ULL << 40) - 1)};
}

static inline uint32_t writer_low(uint64_t writer)
{
	return writer & 0xfff;
}

static inline uint64_t writer_chain(uint32_t first)
{
	return (uint64_t)ORIGIN_WORKERS << 52 | first;
}

static inline bool writer_is_chain(uint64_t writer)
{
	return writer >> 52 == ORIGIN_WORKERS;
}

static inline uint32_t writer_first(uint64_t writer)
{
	return (uint32_t)writer;
}

/* ---- records of a view ------------------------------------------------------------------- */

/* Record n, checked when the view is frozen; NULL on harness corruption. */
static inline const void *view_record(const struct model_view *v, const struct array *a, uint32_t n)
{
	return v->sum ? array_frozen(v->pool, a, n) : array_at(v->pool, a, n);
}

/* ---- block maps (blocks.c) --------------------------------------------------------------- */

/* A map of n entries is a row of pieces, each a record of one of the arrays `blocks`: as many full pieces
 * as go into n, and one or two small ones for the rest. Its handle is that of its only piece, or of another
 * map which holds the handles of its pieces, four to an entry. Handle 0 is a piece of holes, of pieces or
 * of entries, that takes no room. */

#define PIECE_MAX 63U

/* Blocks whose entries are changed in one go. */
#define RUN_BLOCKS 64U

extern const uint8_t block_class_size[BLOCK_CLASSES + 1];

/* Read entries [first, first + count) of a map of n. Returns how many could be read. */
uint32_t map_read(const struct model_view *v, uint32_t root, uint32_t n, uint32_t first, uint32_t count,
		  struct block_entry *out);
void map_write(struct model *m, uint32_t *root, uint32_t n, uint32_t first, uint32_t count,
	       const struct block_entry *entries);
/* Change the number of entries; new ones are holes. */
void map_resize(struct model *m, uint32_t *root, uint32_t n, uint32_t to);
/* The lowest entry from `first` on that lies in a piece that exists; n if there is none. */
uint32_t map_skip(const struct model_view *v, uint32_t root, uint32_t n, uint32_t first);
/* How a rest of 0 to 62 entries is cut into pieces: classes, BLOCK_CLASSES for none. */
void map_rest(uint32_t rest, uint8_t pieces[2]);

/* ---- fragments (fragments.c) ------------------------------------------------------------- */

/* The make of one block, sorted by start, not overlapping. */
struct makeup {
	unsigned int count;
	struct fragment list[FRAGMENTS_MAX];
};

struct scratch {
	_Alignas(64) unsigned char block[BLOCK_SIZE];
	struct makeup makeup;
	struct makeup source; /* of a clone */
};

/* The next fragment of a chain. `at` is 1 + its number; 0 is returned at the end, and on corruption with
 * *bad. */
uint32_t chain_next(const struct model_view *v, uint32_t at, struct fragment *out, bool *bad);

/* Bytes from the start of the block to the end of its last fragment. */
uint32_t block_end(const struct model_view *v, uint64_t writer);
void makeup_load(const struct model_view *v, uint32_t object, uint64_t writer, struct makeup *out);
/* `f` was written over what was there. */
void makeup_overlay(struct makeup *mk, const struct fragment *f);
/* Cut bytes [start, end) out; returns the place at which a fragment with that range belongs. */
unsigned int makeup_punch(struct makeup *mk, uint32_t start, uint32_t end);
/* Put it in the place of what `old` says; returns the new writer word. `object` is the file's id. */
uint64_t makeup_store(struct model *m, uint32_t object, uint64_t old, const struct makeup *mk);
void chain_free(struct model *m, uint64_t writer);
void makeup_regenerate(const struct model_view *v, uint64_t block, const struct makeup *mk,
		       unsigned char *buf);

/* ---- objects.c, names.c, model.c --------------------------------------------------------- */

void object_get(const struct model *m, uint32_t id, struct object *out);
void object_put(struct model *m, uint32_t id, const struct object *o);
/* Its xattrs and blocks go too. */
void object_free(struct model *m, uint32_t id, struct object *o);
/* Operation op has been taken in. */
void model_learned(struct model *m, uint64_t op);
void names_add_anchor(struct model *m, uint32_t id);
void name_get(const struct model *m, uint32_t number, struct name *out);
/* The object as it is when it has just been made in `parent`. */
struct object object_fresh(uint64_t op, const struct model_create *c, const struct object *parent);
/* *o lies in this directory now: its depth and what it has of its place. */
void moved_to(struct object *o, const struct object *dir);
/* Record `number` becomes a name of object `id` (*o; the caller stores it), in n->parent. */
void link_add(struct model *m, uint32_t number, struct name *n, uint32_t id, struct object *o);
/* Record `number` is no longer a name of *o (which the caller stores). The record itself stays. */
void link_remove(struct model *m, uint32_t number, struct object *o);
/* A directory has got one name more (by = 1) or less (by = -1), or another one (by = 0). */
void count_child(struct model *m, uint64_t op, uint32_t dir, int by);
/* A model without anchors, for model_load(). */
int model_init_empty(struct model *m, struct page_pool *pool, uint32_t worker, uint64_t run, struct error *e);

/* ---- data.c ------------------------------------------------------------------------------ */

/* Change the size of a file in *o; the caller stores *o. */
void data_resize(struct model *m, uint32_t id, struct object *o, uint64_t size);
/* Keep count of the blocks with data, where `before` becomes `after`; NULL: there are or will be none. */
void data_count(struct model *m, const struct block_entry *before, const struct block_entry *after,
		uint32_t count);

#endif
