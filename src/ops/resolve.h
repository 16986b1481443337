/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a failure left. An operation that fails may have done its work in part: then its call() reads the
 * range that it was to change back, on the descriptor that is still open, and its learn() settles each block
 * of the filesystem, which may be smaller than the model's. It must be as the model had it, or as the
 * operation would have made it. So no space left, no memory and their like leave a state that is known
 * exactly.
 */
#ifndef RECOW_OPS_RESOLVE_H
#define RECOW_OPS_RESOLVE_H

#include "src/ops/op.h"

#define SIZE_UNKNOWN UINT64_MAX

/* In call(), while the file is open: that the change itself was called, and, if it failed, how long the file
 * is now (SIZE_UNKNOWN if that can't be asked). */
void resolve_look_at_size(int fd, struct op_answer *a);

/* The size of an open file, SIZE_UNKNOWN if that can't be asked. */
uint64_t resolve_size_of(int fd);

/* In call(): read the blocks of bytes [offset, offset + len) back, through the page cache, into c->look: the
 * first LOOK_BLOCKS of them. `fd` is open for reading. c->buffer stays as it is. */
void resolve_look(struct op_ctx *c, int fd, uint64_t offset, uint64_t len);

/* The same, after the page cache of the file was written and forgotten: for a failure that leaves pages
 * which differ from the disk and are not dirty. Nothing is looked at when the cache can't be forgotten. */
void resolve_look_at_disk(struct op_ctx *c, int fd, uint64_t offset, uint64_t len);

/* In learn(): read a block of the file that the arguments name into buf (BLOCK_SIZE), with zeroes behind the
 * end of the file. False when that isn't possible. */
bool resolve_read_again(struct op_ctx *c, const struct op_args *args, uint64_t block, unsigned char *buf);

/* In learn(), after a failure: the size is one that the operation can have left, in [least, most]. The model
 * takes it over. Any other is reported, taken over too, and nothing is believed of the content any more: then
 * false. */
bool resolve_size(struct op_ctx *c, const struct op *op, const struct op_args *args,
		  const struct op_answer *a, uint64_t least, uint64_t most);

/* Any other, with the sizes before and after: what resolve_size() does then. */
void resolve_odd_size(struct op_ctx *c, const struct op *op, const struct op_args *args,
		      const struct op_answer *a);

struct resolve {
	const struct op *op;
	const struct op_args *args;
	uint64_t offset, length; /* bytes that the operation was to change */
	/* Let the model do the operation to bytes [from, to) of the file, which lie in one block and in the
	 * range above. */
	void (*apply)(struct op_ctx *c, const struct op_args *args, uint64_t from, uint64_t to);
	/* What the operation makes of bytes [from, to), which lie in one block. */
	void (*fill)(const struct op_ctx *c, const struct op_args *args, uint64_t from, uint64_t to,
		     unsigned char *bytes);
	/* Within a block of the filesystem, the change may end here, too. 0: nowhere. */
	uint64_t old_end;
	/* The kernel may have dropped what it had not written yet: a block that is neither old nor new is no
	 * finding, it is only not known. */
	bool dropped;
};

/* A `fill` for what makes zeroes. */
void resolve_with_zeroes(const struct op_ctx *c, const struct op_args *args, uint64_t from, uint64_t to,
			 unsigned char *bytes);

/* In learn(), after a failure and after the size was settled: settle each block of the range as far as it
 * lies before the end of the file. A block that can't be is reported. When that happens, or when a block was
 * not looked at, the object becomes unsure. */
void resolve_blocks(struct op_ctx *c, const struct resolve *r);

/* In learn(), all that a failed change of a range leaves: the time that may have been set, a size between the
 * present one and `most`, the blocks. After an answer that is `wrong`, and a finding already, nothing is
 * believed. */
void resolve_failure(struct op_ctx *c, const struct resolve *r, const struct op_answer *a, uint64_t most,
		     bool wrong);

#endif
