/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings on disk: one JSON object a line in RUN/findings.jsonl, the dumps of expected and found bytes
 * beside it in RUN/findings/NNNN.expected and .found (docs/formats.md). Written by the guard, read by the
 * report.
 */
#ifndef RECOW_STORE_H
#define RECOW_STORE_H

#include "src/base/error.h"
#include "src/finding/finding.h"

struct _IO_FILE;

/* Append finding number `number` (from 1) and its dumps. Returns when it is in the file (not necessarily on
 * disk). */
int finding_store(const char *run, unsigned int number, const struct finding *f, struct error *e);

/* As it stands in findings.jsonl. New reference. */
struct json_t;
struct json_t *finding_json(unsigned int number, const struct finding *f);

/* Call each() for every stored finding in order (dumps are loaded too). A cut last line is skipped. Stops
 * early when each() returns non-zero. Returns the number read, or -1. */
long finding_load(const char *run, int (*each)(void *self, unsigned int number, const struct finding *f),
		  void *self, struct error *e);

/* "stale data: an older version of this very place"; "on the disk (cold, read past the cache)", "" where
 * there is no place. */
const char *finding_sentence(enum finding_class class);
const char *finding_place_words(enum finding_place place);

/* Three lines, for the moment at which it is found: class, what, where. */
void finding_print_short(unsigned int number, const struct finding *f, struct _IO_FILE *out);

/* The rows of ranges, and the first bytes that differ (at most `rows` rows of 16). */
void finding_print_bytes(const struct finding *f, unsigned int rows, struct _IO_FILE *out);

#endif
