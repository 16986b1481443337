/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A finding as people read it: what, where, who wrote it, who should have, and the bytes themselves. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "src/base/units.h"
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

static void print_head(unsigned int number, const struct finding *f, FILE *out)
{
	char time[32];

	fprintf(out, "FINDING %u: %s: %s\n", number, finding_class_name(f->class),
		f->class < FINDING_CLASSES ? sentences[f->class] : "");
	if (f->detail[0])
		fprintf(out, "  what      %s\n", f->detail);
	fprintf(out, "  seen      by %s%s%s, round %u, %s after the start%s\n", f->verifier,
		places[f->place][0] ? " " : "", places[f->place], f->round,
		units_show_duration(time, sizeof(time), f->time),
		f->still ? "; looked at again: still wrong" : "");
}

static void print_where(const struct finding *f, FILE *out)
{
	if (f->path[0])
		fprintf(out, "  path      %s\n", f->path);
	if (f->length)
		fprintf(out, "  bytes     %" PRIu64 " to %" PRIu64 " (block %" PRIu64 ")\n", f->offset,
			f->offset + f->length - 1, f->offset / BLOCK_SIZE);
	if (f->logical)
		fprintf(out, "  logical   0x%" PRIx64 "\n", f->logical);
	for (unsigned int i = 0; i < f->mirrors && i < FINDING_MIRRORS; i++)
		fprintf(out, "  mirror %u  device %" PRIu64 ", byte 0x%" PRIx64 " (%" PRIu64 ")\n", i + 1,
			f->mirror[i].devid, f->mirror[i].physical, f->mirror[i].physical);
	if (f->object || f->operation) {
		fprintf(out, "  writer    worker %u, object %u", f->worker, f->object);
		if (f->operation)
			fprintf(out, ", operation %" PRIu64, f->operation);
		fprintf(out, "\n");
	}
	if (f->expected_hash || f->found_hash)
		fprintf(out, "  hash      expected %016" PRIx64 ", found %016" PRIx64 "\n", f->expected_hash,
			f->found_hash);
}

static void print_ranges(const struct finding *f, FILE *out)
{
	for (unsigned int i = 0; i < f->ranges && i < FINDING_RANGES; i++) {
		const struct finding_range *r = &f->range[i];

		fprintf(out, "  %-4u-%4u %s", r->start, r->start + r->length - 1U,
			r->class < FINDING_CLASSES ? finding_class_name(r->class) : "as expected");
		if (r->class == FINDING_STALE || r->class == FINDING_FOREIGN)
			fprintf(out, ": written by worker %u, operation %" PRIu64, r->origin.worker,
				r->origin.operation);
		if (r->class == FINDING_FOREIGN)
			fprintf(out, " to object %u at byte %" PRIu64, r->object, r->offset);
		fprintf(out, "\n");
	}
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

void finding_print(unsigned int number, const struct finding *f, FILE *out)
{
	print_head(number, f, out);
	print_where(f, out);
	print_ranges(f, out);
	if (f->dumps) {
		finding_print_bytes(f, 4, out);
		fprintf(out, "  dumps     findings/%04u.expected, findings/%04u.found\n", number, number);
	}
}
