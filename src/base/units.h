/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes, durations and counts as people write them: 4g, 10m, 200000, 64KiB, 1h30m. */
#ifndef RECOW_UNITS_H
#define RECOW_UNITS_H

#include "src/base/base.h"
#include "src/base/error.h"

/* Bytes; suffixes k m g t (1024-based, "kib", "kb" and "b" too, any case). Errors name the text and the
 * units. */
int units_size(const char *text, uint64_t *bytes, struct error *e);

/* Nanoseconds; suffixes ms s m h d, parts add up ("1h30m"); a bare number is seconds. */
int units_duration(const char *text, uint64_t *ns, struct error *e);

/* A plain count; k, m, g are 1000-based. */
int units_count(const char *text, uint64_t *count, struct error *e);

/* Write for people, three figures ("1.5 GiB", "2m 03s", "12.3 k"). Each returns buf. */
char *units_show_size(char *buf, size_t len, uint64_t bytes);
char *units_show_duration(char *buf, size_t len, uint64_t ns);
char *units_show_count(char *buf, size_t len, uint64_t count);

/* As sprintf, but behind the text that is in `buf`, which has room for `len` bytes; what does not fit is cut.
 */
void text_add(char *buf, size_t len, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Make text fit for one line of a terminal, in place: control characters become '?'. Returns it. */
char *text_plain(char *text);

/* Put any bytes into printable ASCII, C-escaped as strace does ("a\377\n"), without quotes. Always
 * terminates. Returns buf. */
char *bytes_escape(char *buf, size_t len, const void *bytes, size_t count);

/* The inverse of bytes_escape. Returns the number of bytes, or -1 on a broken escape or lack of room. */
long bytes_unescape(unsigned char *out, size_t room, const char *text);

/* The candidate nearest to `word` (edit distance at most 1 and a quarter of its length), or NULL. */
const char *nearest_word(const char *word, const char *const *candidates, size_t count);

/* "unknown KIND 'WORD'", with "; did you mean 'NEAR'?" when one of the candidates is near, and otherwise the
 * list of them when it is short. Always -1, EXIT_USAGE. */
int unknown_word(struct error *e, const char *kind, const char *word, const char *const *candidates,
		 size_t count);

#endif
