/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/program.h"

/* wordexp(3) would expand globs and variables too, which nobody wants in mkfs options. */
struct splitter {
	const char *in;
	char *out;
	char **word;
	bool inside; /* a word has begun */
	char quote;  /* the open quote, or 0 */
};

static void begin_word(struct splitter *s)
{
	if (!s->inside)
		*s->word++ = s->out;
	s->inside = true;
}

static void end_word(struct splitter *s)
{
	if (s->inside)
		*s->out++ = '\0';
	s->inside = false;
}

/* In double quotes a backslash protects only what would end or continue the protection, as in a shell. */
static bool escapes(const struct splitter *s)
{
	return s->in[0] == '\\' && s->in[1] && s->quote != '\'' &&
	       (!s->quote || s->in[1] == '"' || s->in[1] == '\\');
}

static void split_one(struct splitter *s)
{
	char c = *s->in;

	if (escapes(s)) {
		begin_word(s);
		*s->out++ = *++s->in;
	} else if (s->quote ? c == s->quote : c == '\'' || c == '"') {
		begin_word(s);
		s->quote = s->quote ? '\0' : c;
	} else if (!s->quote && strchr(" \t\n", c)) {
		end_word(s);
	} else {
		begin_word(s);
		*s->out++ = c;
	}
	s->in++;
}

char **words_split(const char *text, struct error *e)
{
	size_t length = strlen(text), most = length / 2 + 2;
	char **words = malloc(most * sizeof(*words) + 2 * length + 2);
	struct splitter s = {.in = text};

	if (!words) {
		error_set(e, EXIT_HARNESS, "out of memory");
		return NULL;
	}
	s.word = words;
	s.out = (char *)(words + most);
	while (*s.in)
		split_one(&s);
	end_word(&s);
	*s.word = NULL;
	if (s.quote) {
		error_set(e, EXIT_USAGE, "a quote (%c) is not closed in '%s'", s.quote, text);
		free(words);
		return NULL;
	}
	return words;
}

/* Append a piece whole or not at all. */
static bool put(char *buf, size_t len, size_t *used, const char *piece)
{
	size_t n = strlen(piece);

	if (*used + n >= len)
		return false;
	memcpy(buf + *used, piece, n + 1);
	*used += n;
	return true;
}

/* One character within '...' or, `escaped`, within $'...'. */
static const char *protect(char piece[8], unsigned char c, bool escaped)
{
	if (escaped && (iscntrl(c) || c == '\'' || c == '\\'))
		snprintf(piece, 8, "\\%03o", c);
	else
		snprintf(piece, 8, c == '\'' ? "'\\''" : "%c", c);
	return piece;
}

char *shell_quote(char *buf, size_t len, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "@%_+=:,./-";
	bool escaped = false, fits;
	size_t used = 0;
	char piece[8];

	if (text[0] && !text[strspn(text, plain)] && strlen(text) < len)
		return memcpy(buf, text, strlen(text) + 1);
	for (const char *c = text; *c; c++)
		escaped |= iscntrl((unsigned char)*c) != 0;
	fits = put(buf, len, &used, escaped ? "$'" : "'");
	for (const char *c = text; *c && fits; c++)
		fits = put(buf, len, &used, protect(piece, (unsigned char)*c, escaped));
	if (fits)
		put(buf, len, &used, "'");
	return buf;
}
