/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/base/units.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit size_units[] = {
	{"", 1},      {"b", 1},   {"k", KiB},  {"kb", KiB},  {"kib", KiB}, {"m", MiB},  {"mb", MiB},
	{"mib", MiB}, {"g", GiB}, {"gb", GiB}, {"gib", GiB}, {"t", TiB},   {"tb", TiB}, {"tib", TiB},
};

static const struct unit count_units[] = {
	{"", 1},
	{"k", 1000},
	{"m", 1000000},
	{"g", 1000000000},
};

static const struct unit time_units[] = {
	{"", NSEC_PER_SEC},         {"ns", 1},
	{"us", NSEC_PER_USEC},      {"ms", NSEC_PER_MSEC},
	{"s", NSEC_PER_SEC},        {"sec", NSEC_PER_SEC},
	{"m", 60 * NSEC_PER_SEC},   {"min", 60 * NSEC_PER_SEC},
	{"h", 3600 * NSEC_PER_SEC}, {"d", 86400 * NSEC_PER_SEC},
};

/* Read "<number><unit>" at *text and step over it. 0, or an errno. */
static int read_part(const char **text, const struct unit *units, size_t unit_count, uint64_t *out)
{
	char word[8];
	size_t len = 0;
	char *end;
	unsigned long long whole;
	double fraction = 0;

	if (!isdigit((unsigned char)**text))
		return EINVAL;
	errno = 0;
	whole = strtoull(*text, &end, 10);
	if (errno)
		return errno;
	if (*end == '.' && isdigit((unsigned char)end[1]))
		fraction = strtod(end, &end);
	while (len < sizeof(word) - 1 && isalpha((unsigned char)end[len])) {
		word[len] = end[len];
		len++;
	}
	word[len] = '\0';
	for (size_t i = 0; i < unit_count; i++) {
		uint64_t scaled;

		if (strcasecmp(word, units[i].name) != 0)
			continue;
		if (fraction > 0 && units[i].factor == 1)
			return EINVAL;
		if (__builtin_mul_overflow(whole, units[i].factor, &scaled))
			return ERANGE;
		if (__builtin_add_overflow(scaled, (uint64_t)(fraction * (double)units[i].factor), out))
			return ERANGE;
		*text = end + len;
		return 0;
	}
	return EINVAL;
}

static int read_whole(const char *text, const struct unit *units, size_t unit_count, bool parts,
		      uint64_t *out, const char *known, struct error *e)
{
	const char *at = text;
	uint64_t sum = 0;

	do {
		uint64_t part = 0;
		bool alone = at == text;
		int err = read_part(&at, units, unit_count, &part);

		/* In 1h30 the 30 could be anything. */
		if (!err && !(alone && !*at) && isdigit((unsigned char)at[-1]))
			err = EINVAL;
		if (!err && __builtin_add_overflow(sum, part, &sum))
			err = ERANGE;
		if (err == ERANGE)
			return error_set(e, EXIT_USAGE, "'%s' is too large", text);
		if (err)
			return error_set(e, EXIT_USAGE, "'%s' is not a number with a unit of %s", text,
					 known);
	} while (parts && *at);
	if (*at)
		return error_set(e, EXIT_USAGE, "'%s': '%s' is left over; units are %s", text, at, known);
	*out = sum;
	return 0;
}

int units_size(const char *text, uint64_t *bytes, struct error *e)
{
	return read_whole(text, size_units, ARRAY_SIZE(size_units), false, bytes, "k, m, g, t (1024-based)",
			  e);
}

int units_duration(const char *text, uint64_t *ns, struct error *e)
{
	return read_whole(text, time_units, ARRAY_SIZE(time_units), true, ns, "ms, s, m, h, d", e);
}

int units_count(const char *text, uint64_t *count, struct error *e)
{
	return read_whole(text, count_units, ARRAY_SIZE(count_units), false, count, "k, m, g (1000-based)",
			  e);
}

static char *show_scaled(char *buf, size_t len, uint64_t n, double step, const char *const *names,
			 size_t count)
{
	double value = (double)n;
	size_t i = 0;

	while (value >= step && i + 1 < count) {
		value /= step;
		i++;
	}
	if (i == 0)
		snprintf(buf, len, "%llu%s", (unsigned long long)n, names[0]);
	else
		snprintf(buf, len, "%.*f%s", value < 10 ? 2 : value < 100 ? 1 : 0, value, names[i]);
	return buf;
}

char *units_show_size(char *buf, size_t len, uint64_t bytes)
{
	static const char *const names[] = {" B", " KiB", " MiB", " GiB", " TiB", " PiB"};

	return show_scaled(buf, len, bytes, 1024, names, ARRAY_SIZE(names));
}

char *units_show_count(char *buf, size_t len, uint64_t count)
{
	static const char *const names[] = {"", " k", " M", " G", " T"};

	return show_scaled(buf, len, count, 1000, names, ARRAY_SIZE(names));
}

char *units_show_duration(char *buf, size_t len, uint64_t ns)
{
	uint64_t s = ns / NSEC_PER_SEC;

	if (ns < NSEC_PER_MSEC)
		snprintf(buf, len, "%llu us", (unsigned long long)(ns / NSEC_PER_USEC));
	else if (s < 1)
		snprintf(buf, len, "%llu ms", (unsigned long long)(ns / NSEC_PER_MSEC));
	else if (s < 60)
		snprintf(buf, len, "%.1f s", (double)ns / NSEC_PER_SEC);
	else if (s < 3600)
		snprintf(buf, len, "%llum %02llus", (unsigned long long)(s / 60),
			 (unsigned long long)(s % 60));
	else
		snprintf(buf, len, "%lluh %02llum", (unsigned long long)(s / 3600),
			 (unsigned long long)(s / 60 % 60));
	return buf;
}

void text_add(char *buf, size_t len, const char *fmt, ...)
{
	size_t used = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + used, len - used, fmt, ap);
	va_end(ap);
}

char *text_plain(char *text)
{
	for (char *at = text; *at; at++) {
		if (iscntrl((unsigned char)*at))
			*at = '?';
	}
	return text;
}

static size_t escape_one(unsigned char c, char out[5])
{
	static const char letters[][2] = {{'\n', 'n'}, {'\t', 't'}, {'\r', 'r'}, {'\\', '\\'}, {'"', '"'}};

	for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
		if (c == (unsigned char)letters[i][0])
			return (size_t)snprintf(out, 5, "\\%c", letters[i][1]);
	}
	if (c >= 0x20 && c < 0x7f)
		return (size_t)snprintf(out, 5, "%c", c);
	return (size_t)snprintf(out, 5, "\\%03o", c);
}

char *bytes_escape(char *buf, size_t len, const void *bytes, size_t count)
{
	const unsigned char *in = bytes;
	size_t used = 0;

	if (!len)
		return buf;
	for (size_t i = 0; i < count; i++) {
		char one[5];
		size_t n = escape_one(in[i], one);

		if (used + n >= len)
			break;
		memcpy(buf + used, one, n);
		used += n;
	}
	buf[used] = '\0';
	return buf;
}

/* One escape behind the backslash at *text. The byte, or -1. Steps over it. */
static int unescape_one(const char **text)
{
	static const char letters[][2] = {{'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'\\', '\\'}, {'"', '"'}};
	const char *t = *text;

	for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
		if (*t == letters[i][0]) {
			*text = t + 1;
			return (unsigned char)letters[i][1];
		}
	}
	if (t[0] < '0' || t[0] > '3' || t[1] < '0' || t[1] > '7' || t[2] < '0' || t[2] > '7')
		return -1;
	*text = t + 3;
	return (t[0] - '0') << 6 | (t[1] - '0') << 3 | (t[2] - '0');
}

long bytes_unescape(unsigned char *out, size_t room, const char *text)
{
	size_t used = 0;

	while (*text) {
		int byte = (unsigned char)*text++;

		if (byte == '\\')
			byte = unescape_one(&text);
		if (byte < 0 || used == room)
			return -1;
		out[used++] = (unsigned char)byte;
	}
	return (long)used;
}

/* Edit distance (insert, delete, replace), words of at most 63 bytes; longer ones count as far apart. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[64];
	size_t la = strlen(a), lb = strlen(b);

	if (la > 63 || lb > 63)
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t replace = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = MIN(row[j], row[j - 1]) + 1;
			row[j] = MIN(row[j], replace);
		}
	}
	return row[lb];
}

const char *nearest_word(const char *word, const char *const *candidates, size_t count)
{
	size_t best = 2 + strlen(word) / 4;
	const char *found = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t d = edit_distance(word, candidates[i]);

		if (d < best) {
			best = d;
			found = candidates[i];
		}
	}
	return found;
}

/* As many words as an error still lists in full. */
#define LISTED 12

int unknown_word(struct error *e, const char *kind, const char *word, const char *const *candidates,
		 size_t count)
{
	const char *near = nearest_word(word, candidates, count);
	char known[512] = "";
	size_t used = 0;

	if (near)
		return error_set(e, EXIT_USAGE, "unknown %s '%s'; did you mean '%s'?", kind, word, near);
	if (!count || count > LISTED)
		return error_set(e, EXIT_USAGE, "unknown %s '%s'", kind, word);
	for (size_t i = 0; i < count && used < sizeof(known); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "",
					 candidates[i]);
	return error_set(e, EXIT_USAGE, "unknown %s '%s'; known: %s", kind, word, known);
}
