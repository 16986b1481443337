/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random choices for draw(): each takes a handful of looks at the model, however many objects there are. */
#ifndef RECOW_OPS_CHOOSE_H
#define RECOW_OPS_CHOOSE_H

#include "src/ops/op.h"

/* How often a choice that didn't suit is made again before draw() gives up. */
#define CHOOSE_TRIES 4

/* What may be chosen. */
enum choose_kind {
	CHOOSE_FILE = 1 << 0,
	CHOOSE_DIR = 1 << 1,
	CHOOSE_SYMLINK = 1 << 2,
	CHOOSE_ANCHOR = 1 << 3, /* with CHOOSE_DIR: anchors too */
	CHOOSE_WHITEOUT = 1 << 4,
	CHOOSE_HELD = 1 << 5, /* a file without a name; reached by address_open() and address_path() only */
	CHOOSE_ANY = CHOOSE_FILE | CHOOSE_DIR | CHOOSE_SYMLINK | CHOOSE_WHITEOUT,
};

/* One name of the model and its object. */
struct chosen {
	uint32_t number; /* of the name */
	struct name name;
	struct object object;
};

/* Any name of these kinds; seven files to two directories and one symbolic link where all are allowed.
 * Whiteouts and files without a name, if there are any, are one choice in 24 each. */
bool choose(const struct op_ctx *c, struct stream *s, unsigned int kinds, struct chosen *out);

/* Fill object, dir and name of the arguments. */
void choose_subject(const struct chosen *from, struct op_args *args);

static inline struct nameref choose_ref(const struct chosen *from)
{
	return (struct nameref){.number = from->number, .tag = from->name.tag};
}

/* A directory for a new name, at most `depth` levels below its anchor; the anchors count. With shared_dirs
 * in the shape half of them lie in the shared realm, half of these are the shared directories themselves.
 * OBJECT_NONE when none was found. */
uint32_t choose_directory(const struct op_ctx *c, struct stream *s, uint32_t depth);

/* A directory for something that is moved or linked away from `dir`: the same, another of its realm, and one
 * time in 64 any. */
uint32_t choose_destination(const struct op_ctx *c, struct stream *s, uint32_t dir, uint32_t depth);

/* A name of 1 to 255 bytes for record `number`. */
struct nameref choose_name(struct stream *s, uint32_t number);

/* How many directories the worker has made and still has: all but the anchors. */
uint32_t choose_own_directories(const struct op_ctx *c);

/* The deepest level of directories in this shape. */
uint32_t choose_depth(const struct op_ctx *c);

/* The size that a file tends to and does not exceed: drawn from its birth, so that small files stay small. */
uint64_t choose_size(const struct op_ctx *c, uint32_t id, const struct object *file);

/* May the worker's files grow by so many bytes? */
static inline bool choose_room(const struct op_ctx *c, uint64_t bytes)
{
	return c->model->head.bytes + bytes <= c->bytes_limit;
}

#endif
