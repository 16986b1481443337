/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A finding as people read it: what and where, in words, and the bytes themselves. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "src/finding/store.h"

static const char *const sentences[FINDING_CLASSES] = {
	[FINDING_ZEROES] = "zeroes instead of data",
	[FINDING_STALE] = "stale data: an older version of this very place",
	[FINDING_FOREIGN] = "foreign data: of another object or another offset",
	[FINDING_TORN] = "a torn block: in part as expected, in part not",
	[FINDING_FLIPPED] = "flipped bits",
	[FINDING_SHIFTED] = "shifted data: the right bytes at the wrong place",
	[FINDING_GARBAGE] = "garbage: bytes that recow never wrote",
	[FINDING_MISSING] = "missing: a name or an object is gone",
	[FINDING_EXTRA] = "extra: a name that must not be there",
	[FINDING_ATTRIBUTE] = "a wrong attribute",
	[FINDING_ANSWER] = "a system call answered what it must not",
	[FINDING_EIO] = "an I/O error",
	[FINDING_EROFS] = "the filesystem turned read-only",
	[FINDING_KERNEL] = "the kernel complained",
	[FINDING_HANG] = "a hang",
	[FINDING_FSCK] = "the filesystem fails a check of its own structure",
	[FINDING_TARGET] = "the target is gone or can't be mounted",
	[FINDING_HARNESS] = "recow's own memory is wrong (not the filesystem's fault)",
};

static const char *const places[] = {
	[SEEN_NOWHERE] = "",
	[SEEN_HOT] = "in the page cache (hot)",
	[SEEN_COLD] = "on the disk (cold, read past the cache)",
	[SEEN_FRESH] = "after unmount and mount (fresh)",
	[SEEN_CHURN] = "while it was churned",
	[SEEN_LOG] = "in the kernel log",
	[SEEN_OFFLINE] = "on the unmounted target",
};

const char *finding_sentence(enum finding_class class)
{
	return class < FINDING_CLASSES ? sentences[class] : "";
}

const char *finding_place_words(enum finding_place place)
{
	return place < ARRAY_SIZE(places) ? places[place] : "";
}

static void print_row(const char *label, const struct finding *f, const unsigned char *bytes,
		      const unsigned char *other, unsigned int at, FILE *out)
{
	fprintf(out, "  %-8s  %6" PRIx64 " ", label, f->offset / BLOCK_SIZE * BLOCK_SIZE + at);
	for (unsigned int i = at; i < at + 16; i++)
		fprintf(out, "%c%02x", bytes[i] != other[i] ? '*' : ' ', bytes[i]);
	fprintf(out, "\n");
}

/* The first 64 bytes that differ: rows of 16, a star before each byte that is not the same in both. */
void finding_print_bytes(const struct finding *f, unsigned int rows, FILE *out)
{
	unsigned int first = 0;

	while (first < BLOCK_SIZE && f->expected[first] == f->found[first])
		first++;
	if (first == BLOCK_SIZE || !f->dumps)
		return;
	first -= first % 64;
	for (unsigned int at = first; at < first + 64 && rows; at += 16) {
		if (memcmp(f->expected + at, f->found + at, 16) == 0)
			continue;
		rows--;
		print_row("expected", f, f->expected, f->found, at, out);
		print_row("found", f, f->found, f->expected, at, out);
	}
}

void finding_print_short(unsigned int number, const struct finding *f, FILE *out)
{
	fprintf(out, "FINDING %u: %s: %s\n", number, finding_class_name(f->class),
		finding_sentence(f->class));
	if (f->detail[0])
		fprintf(out, "  what      %s\n", f->detail);
	if (f->path[0])
		fprintf(out, "  path      %s\n", f->path);
}
