/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What recow writes. Every byte is a pure function of (run, worker, operation, object, file offset), so no
 * data is kept and any range can be made again. Content is built of 64-byte lines, aligned to the file
 *offset. Each line is stamped with its origin and carries a check word, so that a line found anywhere says
 *where it belongs:
 *
 *	word 0   run key ^ origin (worker << 52 | operation << 12 | 0)
 *	word 1   run key' ^ (object << 32 | line number), line number = file offset / 64 modulo 2^32
 *	word 2-6 filler drawn from words 0 and 1 (all equal for one operation in four: compressible to about
 *half) word 7   check over words 0 and 1
 *
 * All words are little-endian. A short or unaligned write holds parts of lines; they are regenerated the same
 * way.
 */
#ifndef RECOW_CONTENT_H
#define RECOW_CONTENT_H

#include "src/base/base.h"

#define LINE_SIZE 64U

/* Who wrote something: worker and operation, packed as the model keeps it. */
struct origin {
	uint32_t worker;    /* below ORIGIN_WORKERS */
	uint64_t operation; /* below 2^40; operation numbers start at 1 */
};
#define ORIGIN_WORKERS 0xfffU

/* Everything that content depends on but the offset. */
struct content_key {
	uint64_t run; /* from the run's seed and start; the same for all workers */
	struct origin origin;
	uint32_t object; /* the writer's object id */
};

/* Generate the bytes [offset, offset + len) into buf. */
void content_fill(const struct content_key *key, uint64_t offset, void *buf, size_t len);

/* The stamp of a line, when its check word holds. */
struct stamp {
	struct origin origin;
	uint32_t object;
	uint32_t line; /* file offset / 64, modulo 2^32 */
};

/* Read the stamp of the 64 bytes at `line`. False when they carry no valid stamp of this run. */
bool content_stamp(uint64_t run, const void *line, struct stamp *out);

/* What the first 16 bytes of a line say, its check word unread: what follows must be made again and compared
 * before it counts. False when no line of this run begins so. */
bool content_claim(uint64_t run, const void *line, struct stamp *out);

/* Checksum of one model block: XXH3-64 of BLOCK_SIZE bytes; what lies behind the end of file is zero. */
uint64_t content_hash(const void *block);

/* content_hash of BLOCK_SIZE zero bytes. */
uint64_t content_hash_of_zeroes(void);

/* Values of extended attributes and targets of symbolic links. A target has no NUL and no '/' at its start.
 */
void content_xattr(const struct content_key *key, uint32_t number, void *buf, size_t len);

/* Attributes of one object are "user.recow.0" to "user.recow.7": few, so that they are often replaced. */
#define CONTENT_XATTRS 8U
/* A value that is shorter doesn't tell whose it is. */
#define CONTENT_XATTR_TOLD 8U

/* Whose value of attribute `number` begins with these bytes: *key, from which they were made again to the
 * last one. The object is in bytes 12 to 15: as far as there are none of them it is taken to be `object`,
 * else what is missing of it to be 0. False when nobody's does, or when there are too few. */
bool content_xattr_key(uint64_t run, uint32_t number, uint32_t object, const void *value, size_t len,
		       struct content_key *key);
void content_symlink(const struct content_key *key, char *buf,
		     size_t len); /* len without the NUL, which is added */

/*
 * Names. A name reference is what the model and the journal keep of a name: the number of its record (unique
 * among the live names of a worker) and a tag with its length (top 8 bits) and the seed of its filler (low 16
 * bits). The bytes follow from it: a prefix code of the worker (in directories that several workers share)
 * and of the number, filled up to the length. Bytes are any but NUL and '/'; most names are plain text, some
 * hold blanks, newlines and non-UTF-8 bytes. Never "." or "..".
 */
struct nameref {
	uint32_t number;
	uint32_t tag; /* length in the top 8 bits, filler seed in the low 16 */
};

/* `length` is 1 to 255 bytes (0 is taken as 1, more as 255); of `seed` the low 16 bits count. */
static inline struct nameref nameref_make(uint32_t number, unsigned int length, uint32_t seed)
{
	uint32_t bytes = length < 1 ? 1 : MIN(length, 255U);

	return (struct nameref){.number = number, .tag = bytes << 24 | (seed & 0xffff)};
}

/* Write the name, NUL-terminated, into buf (256 bytes). Returns its length, which can exceed the wanted one
 * when the code needs more room. `shared` says whether the directory is shared among workers. */
size_t content_name(struct nameref ref, uint32_t worker, bool shared, char buf[256]);

#endif
