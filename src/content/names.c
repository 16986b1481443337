/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names from numbers. Two names never meet because the codes in front are prefix-free: the first character of
 * a code says how many follow, so neither is the beginning of the other, whatever is filled in behind.
 */
#include <string.h>

#include "src/base/random.h"
#include "src/content/content.h"

#define NAME_LENGTH_MAX 255U

/* Digits of the codes, and the plain text of fillers. None is a dot, so that no name is "." or "..". */
static const char digits[64] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

/* Codes by length: the first digit is one of `first`..`first + firsts - 1`, `more` digits follow. The last
 * row holds more than 2^32 numbers. */
static const struct code_row {
	unsigned int first, firsts, more;
} code_rows[] = {{0, 48, 0}, {48, 10, 1}, {58, 4, 2}, {62, 1, 4}, {63, 1, 6}};

static size_t code_put(uint64_t number, char *out)
{
	size_t row = 0;
	unsigned int more;

	while (number >= (uint64_t)code_rows[row].firsts << 6 * code_rows[row].more) {
		number -= (uint64_t)code_rows[row].firsts << 6 * code_rows[row].more;
		row++;
	}
	more = code_rows[row].more;
	out[0] = digits[code_rows[row].first + (number >> 6 * more)];
	for (unsigned int i = 1; i <= more; i++)
		out[i] = digits[number >> 6 * (more - i) & 63];
	return more + 1;
}

/* Names that shells, scripts and careless tools stumble over, but that every Unix filesystem has to keep. */
static char awkward(uint64_t byte)
{
	static const char bytes[16] = " \n\t\r\\\"'*?.;\x01\x7f\x80\xc3\xff";

	return bytes[byte & 15];
}

static char filler_byte(unsigned int style, uint64_t byte)
{
	switch (style) {
	case 0: /* any byte that a name may hold */
		return (char)(byte % 256 == 0 || byte % 256 == '/' ? 0xff : byte % 256);
	case 1: /* half of it awkward */
		return byte & 0x80 ? awkward(byte) : digits[byte & 63];
	default:
		return digits[byte & 63];
	}
}

static void filler_put(struct nameref ref, char *out, size_t len)
{
	struct stream s = stream_make(ref.tag & 0xffffff, ref.number, 0);
	unsigned int style = (unsigned int)(stream_u64(&s) & 7);
	uint64_t bits = 0;

	for (size_t i = 0; i < len; i++) {
		if (i % 8 == 0)
			bits = stream_u64(&s);
		out[i] = filler_byte(style, bits & 255);
		bits >>= 8;
	}
}

size_t content_name(struct nameref ref, uint32_t worker, bool shared, char buf[256])
{
	size_t wanted = MIN(ref.tag >> 24, NAME_LENGTH_MAX);
	size_t used = 0;

	if (shared)
		used = code_put(worker, buf);
	used += code_put(ref.number, buf + used);
	if (used < wanted) {
		filler_put(ref, buf + used, wanted - used);
		used = wanted;
	}
	buf[used] = '\0';
	return used;
}
