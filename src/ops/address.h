/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where things are, by the model: paths for system calls, ancestors, realms. */
#ifndef RECOW_OPS_ADDRESS_H
#define RECOW_OPS_ADDRESS_H

#include "src/ops/op.h"

/*
 * The deepest directory level that any shape may have. Fifteen names of 255 bytes with their slashes and the
 * longest anchor stay below PATH_MAX. No directory with something in it is ever moved deeper than it was, so
 * the limit holds for everything below it.
 */
#define DEPTH_MAX 14U

/* Path of the name `ref` in directory `dir`, relative to the target, into c->path[slot]. `dir` OBJECT_NONE
 * means the anchor `object` itself; OBJECT_HELD: `object` has no name, the path leads through the worker's
 * descriptor and must be followed (address_nofollow()); a name whose tag is 0: the directory itself. Returns
 * the path; "" (which every system call refuses with ENOENT) when the model doesn't know the directory. */
const char *address_path(struct op_ctx *c, unsigned int slot, uint32_t dir, struct nameref ref,
			 uint32_t object);

/* AT_SYMLINK_NOFOLLOW, or 0 where the path of these arguments must be followed. */
int address_nofollow(const struct op_args *args);

/* The same for people, into any buffer; held_label() where there is no name. 0, or -1 when it does not fit or
 * the directory is unknown. */
int address_write(const struct model_view *v, uint32_t dir, struct nameref ref, uint32_t object, char *buf,
		  size_t len);

/* Does the model have the name `ref` in `dir`? Fills *out when it does. */
bool address_lookup(const struct model_view *v, uint32_t dir, struct nameref ref, struct name *out);

/* The way from a directory up to its anchor. */
struct lineage {
	uint32_t anchor; /* OBJECT_ROOT or a shared directory */
	uint32_t depth;  /* levels below it; 0: the anchor */
};

/* False when the model doesn't know the directory. */
bool address_lineage(const struct model_view *v, uint32_t dir, struct lineage *out);

/* Is `dir` the directory `top` or somewhere below it? */
bool address_within(const struct model_view *v, uint32_t dir, uint32_t top);

/* The realm of a directory: itself or the nearest above it that is a subvolume, as the worker's anchor is;
 * all shared directories are one (OBJECT_FIRST_SHARED). False when the model doesn't know the directory. */
bool address_realm(const struct model_view *v, uint32_t dir, uint32_t *realm);

/* Do the two directories lie in different realms, which may be different subvolumes? */
bool address_realms_differ(const struct model_view *v, uint32_t dir, uint32_t other);

/* Open what the arguments name, which must be a file or directory; a file without a name gets a further
 * descriptor. Never follows a link, and never waits:
 * should corruption have put a pipe there, that is an answer, not a hang. Returns a descriptor or -1 with
 * errno. */
int address_open(struct op_ctx *c, const struct op_args *args, int flags);

/* The same for an object, by the first of its names. */
int address_open_object(struct op_ctx *c, uint32_t object, int flags);

/* The content key of what this operation writes into `object`. */
struct content_key address_key(const struct op_ctx *c, uint32_t object);

/* What this operation writes, `aux` bytes for `offset`, into c->buffer: fill() of most that write. */
void address_fill(struct op_ctx *c, const struct op_args *args);

#endif
