/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/content/content.h"

#include <endian.h>
#include <string.h>

#include "src/base/random.h"
#include "src/content/hash.h"

#define WORDS (LINE_SIZE / 8)

/* Odd constants with evenly spread bits: the golden ratio and the multipliers of MurmurHash3's and xxHash's
 * finalisers. */
#define K1 0x9e3779b97f4a7c15ULL
#define K2 0xff51afd7ed558ccdULL
#define K3 0xc4ceb9fe1a85ec53ULL

/* What is the same in every line of one key. */
struct line_key {
	uint64_t origin;        /* word 0 */
	uint64_t object;        /* word 1 without the line number */
	uint64_t filler[WORDS]; /* what makes a filler word differ from the others of its line, if they do */
};

static uint64_t second_key(uint64_t run)
{
	return mix64(run + K1);
}

static uint64_t origin_pack(struct origin o)
{
	return (uint64_t)o.worker << 52 | (o.operation & ((1ULL << 40) - 1)) << 12;
}

static struct line_key line_key(const struct content_key *key)
{
	uint64_t plain = origin_pack(key->origin);
	bool repeat = (mix64(plain ^ K2) & 3) == 0;
	struct line_key k = {
		.origin = key->run ^ plain,
		.object = second_key(key->run) ^ (uint64_t)key->object << 32,
	};

	for (unsigned int i = 2; i < WORDS - 1; i++)
		k.filler[i] = (repeat ? 2 : i) * K1;
	return k;
}

static uint64_t line_check(uint64_t word0, uint64_t word1)
{
	return mix64(word0 + K1 + (word1 ^ word1 >> 32) * K3);
}

static uint64_t filler_word(uint64_t check, uint64_t filler)
{
	uint64_t x = (check ^ filler) * K2;

	return x ^ x >> 32;
}

static inline void word_put(unsigned char *out, unsigned int i, uint64_t word)
{
	word = htole64(word);
	memcpy(out + i * sizeof(word), &word, sizeof(word));
}

static inline void line_make(const struct line_key *key, uint32_t number, unsigned char *out)
{
	uint64_t word0 = key->origin, word1 = key->object ^ number;
	uint64_t check = line_check(word0, word1);

	word_put(out, 0, word0);
	word_put(out, 1, word1);
	word_put(out, 2, filler_word(check, key->filler[2]));
	word_put(out, 3, filler_word(check, key->filler[3]));
	word_put(out, 4, filler_word(check, key->filler[4]));
	word_put(out, 5, filler_word(check, key->filler[5]));
	word_put(out, 6, filler_word(check, key->filler[6]));
	word_put(out, 7, check);
}

/* Copy `len` bytes of line `number`, from byte `at` of it. */
static void line_part(const struct line_key *key, uint64_t number, size_t at, unsigned char *out, size_t len)
{
	unsigned char line[LINE_SIZE];

	line_make(key, (uint32_t)number, line);
	memcpy(out, line + at, len);
}

void content_fill(const struct content_key *key, uint64_t offset, void *buf, size_t len)
{
	struct line_key k = line_key(key);
	unsigned char *out = buf;
	uint64_t number = offset / LINE_SIZE;
	size_t at = offset % LINE_SIZE;

	if (at) {
		size_t part = MIN(LINE_SIZE - at, len);

		line_part(&k, number++, at, out, part);
		out += part;
		len -= part;
	}
	for (; len >= LINE_SIZE; len -= LINE_SIZE, out += LINE_SIZE)
		line_make(&k, (uint32_t)number++, out);
	if (len)
		line_part(&k, number, 0, out, len);
}

bool content_stamp(uint64_t run, const void *line, struct stamp *out)
{
	uint64_t w[WORDS];

	memcpy(w, line, LINE_SIZE);
	return le64toh(w[WORDS - 1]) == line_check(le64toh(w[0]), le64toh(w[1])) &&
	       content_claim(run, line, out);
}

bool content_claim(uint64_t run, const void *line, struct stamp *out)
{
	uint64_t w[2], origin, place;

	memcpy(w, line, sizeof(w));
	origin = le64toh(w[0]) ^ run;
	if ((origin & 0xfff) != 0 || origin >> 52 >= ORIGIN_WORKERS)
		return false;
	place = le64toh(w[1]) ^ second_key(run);
	*out = (struct stamp){
		.origin = {.worker = (uint32_t)(origin >> 52),
			   .operation = origin >> 12 & ((1ULL << 40) - 1)},
		.object = (uint32_t)(place >> 32),
		.line = (uint32_t)place,
	};
	return true;
}

uint64_t content_hash(const void *block)
{
	return hash_bytes(block, BLOCK_SIZE);
}

uint64_t content_hash_of_zeroes(void)
{
	/* XXH3-64 of 4096 zero bytes; test_content compares it with the library's answer. */
	return 0x93d76fe148c689baULL;
}

static uint64_t xattr_run(uint64_t run, uint32_t number)
{
	return mix64(run ^ (uint64_t)(number + 1) * K3);
}

void content_xattr(const struct content_key *key, uint32_t number, void *buf, size_t len)
{
	struct content_key k = *key;

	k.run = xattr_run(key->run, number);
	content_fill(&k, 0, buf, len);
}

/* Are these the first bytes that `key` makes? */
static bool begins_with(const struct content_key *key, const unsigned char *bytes, size_t len)
{
	unsigned char line[LINE_SIZE];

	for (size_t at = 0; at < len; at += LINE_SIZE) {
		size_t part = MIN(len - at, LINE_SIZE);

		content_fill(key, at, line, part);
		if (memcmp(line, bytes + at, part) != 0)
			return false;
	}
	return true;
}

bool content_xattr_key(uint64_t run, uint32_t number, uint32_t object, const void *value, size_t len,
		       struct content_key *key)
{
	struct content_key k = {.run = xattr_run(run, number), .object = len > 12 ? 0 : object};
	uint64_t w[2], origin;

	if (len < CONTENT_XATTR_TOLD)
		return false;
	content_fill(&k, 0, w, sizeof(w));
	memcpy(w, value, MIN(len, sizeof(w)));
	origin = le64toh(w[0]) ^ k.run;
	k.origin = (struct origin){(uint32_t)(origin >> 52), origin >> 12 & ((1ULL << 40) - 1)};
	k.object = (uint32_t)((le64toh(w[1]) ^ second_key(k.run)) >> 32);
	if (k.origin.worker >= ORIGIN_WORKERS || !begins_with(&k, value, len))
		return false;
	*key = (struct content_key){run, k.origin, k.object};
	return true;
}

void content_symlink(const struct content_key *key, char *buf, size_t len)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345678-_/";
	struct stream s = stream_make(key->run, origin_pack(key->origin), key->object);
	uint64_t bits = 0;

	for (size_t i = 0; i < len; i++) {
		if (i % 8 == 0)
			bits = stream_u64(&s);
		buf[i] = letters[bits & 63];
		bits >>= 8;
	}
	if (len && buf[0] == '/')
		buf[0] = '.';
	buf[len] = '\0';
}
