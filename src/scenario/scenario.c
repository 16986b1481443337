/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/scenario/scenario.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/units.h"

/* libinih cuts section and key names at 50 bytes and tells neither line numbers nor empty sections; its line
 * reader, which we bring, knows both. */
struct reading {
	FILE *in;
	struct scenario *out;
	unsigned int line;
	struct scenario_section *section;
	bool continued; /* the line is indented: libinih takes it for more of the value before */
	bool failed;
	struct error *e;
};

static const char *const kinds[] = {"run", "target", "workload", "inject", "verify", "phase"};

static bool kind_is_named(const char *kind)
{
	return strcmp(kind, "workload") == 0 || strcmp(kind, "inject") == 0 || strcmp(kind, "phase") == 0;
}

int scenario_blame(const struct scenario *s, unsigned int line, const char *flag, struct error *e)
{
	if (line)
		return error_context(e, "%s:%u", s->path, line);
	return flag[0] ? error_context(e, "%s", flag) : -1;
}

static struct scenario_section *find_section(const struct scenario *s, const char *kind, const char *name)
{
	for (size_t i = 0; i < s->section_count; i++) {
		if (strcmp(s->sections[i].kind, kind) == 0 && strcmp(s->sections[i].name, name) == 0)
			return &s->sections[i];
	}
	return NULL;
}

static struct scenario_section *new_section(struct scenario *s, const char *kind, const char *name)
{
	struct scenario_section *grown = realloc(s->sections, (s->section_count + 1) * sizeof(*s->sections));

	if (!grown)
		return NULL;
	s->sections = grown;
	grown += s->section_count++;
	memset(grown, 0, sizeof(*grown));
	snprintf(grown->kind, sizeof(grown->kind), "%s", kind);
	snprintf(grown->name, sizeof(grown->name), "%s", name);
	return grown;
}

struct scenario_section *scenario_section(struct scenario *s, const char *kind, const char *name,
					  const char *flag)
{
	struct scenario_section *section = find_section(s, kind, name);

	if (!section) {
		section = new_section(s, kind, name);
		if (section)
			snprintf(section->flag, sizeof(section->flag), "%s", flag);
	}
	return section;
}

static struct scenario_key *find_key(const struct scenario_section *section, const char *name)
{
	for (size_t i = 0; i < section->key_count; i++) {
		if (strcmp(section->keys[i].name, name) == 0)
			return &section->keys[i];
	}
	return NULL;
}

int scenario_add(struct scenario_section *section, const char *key, const char *value, const char *flag,
		 struct error *e)
{
	struct scenario_key *k;

	if (strlen(key) >= sizeof(k->name))
		return error_set(e, EXIT_USAGE, "'%s' is too long for a key", key);
	if (strlen(value) >= sizeof(k->value))
		return error_set(e, EXIT_USAGE, "%s: the value is longer than %zu bytes", key,
				 sizeof(k->value) - 1);
	k = realloc(section->keys, (section->key_count + 1) * sizeof(*k));
	if (!k)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "scenario");
	section->keys = k;
	k += section->key_count++;
	memset(k, 0, sizeof(*k));
	snprintf(k->name, sizeof(k->name), "%s", key);
	snprintf(k->value, sizeof(k->value), "%s", value);
	snprintf(k->flag, sizeof(k->flag), "%s", flag);
	return 0;
}

const char *scenario_value(const struct scenario *s, const char *kind, const char *name, const char *key)
{
	const struct scenario_section *section = find_section(s, kind, name);
	const struct scenario_key *k = section ? find_key(section, key) : NULL;

	return k ? k->value : NULL;
}

static int fail(struct reading *r)
{
	scenario_blame(r->out, r->line, "", r->e);
	r->failed = true;
	return 0; /* libinih's word for failure */
}

/* Bytes of a section's title; lines of libinih hold at most 200. */
#define TITLE 128

/* Begin the section `[title]`. Returns 1, or 0 after an error. */
static int open_section(struct reading *r, const char *title)
{
	char kind[TITLE], name[TITLE] = "", rest;
	int words = sscanf(title, "%127s %127s %c", kind, name, &rest);
	bool known = false;
	const struct scenario_section *before;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		known |= words > 0 && strcmp(kind, kinds[i]) == 0;
	if (words < 1)
		error_set(r->e, EXIT_USAGE, "a section without a name");
	else if (!known)
		unknown_word(r->e, "section", kind, kinds, ARRAY_SIZE(kinds));
	else if (words > 2)
		error_set(r->e, EXIT_USAGE, "[%s]: too many words", title);
	else if (kind_is_named(kind) && words == 1)
		error_set(r->e, EXIT_USAGE, "[%s] lacks a name: [%s NAME]", kind, kind);
	else if (!kind_is_named(kind) && words == 2)
		error_set(r->e, EXIT_USAGE, "[%s] takes no name", kind);
	else if (strlen(name) >= sizeof(before->name))
		error_set(r->e, EXIT_USAGE, "'%s' is longer than %zu bytes", name, sizeof(before->name) - 1);
	else if ((before = find_section(r->out, kind, name)))
		error_set(r->e, EXIT_USAGE, "[%s] was begun in line %u already", title, before->line);
	else if (!(r->section = new_section(r->out, kind, name)))
		error_errno(r->e, EXIT_HARNESS, ENOMEM, "scenario");
	else {
		r->section->line = r->line;
		return 1;
	}
	return fail(r);
}

/* What some editors put before UTF-8. */
#define BOM "\xef\xbb\xbf"

/* libinih's way to get a line. */
static char *next_line(char *buf, int room, void *stream)
{
	struct reading *r = stream;
	size_t len;

	if (r->failed || !fgets(buf, room, r->in))
		return NULL;
	r->line++;
	r->continued = buf[0] == ' ' || buf[0] == '\t';
	len = strlen(buf);
	if (!len || (buf[len - 1] != '\n' && len + 1 < (size_t)room && !feof(r->in))) {
		error_set(r->e, EXIT_USAGE, "a NUL byte: this is no text file");
		fail(r);
		return NULL;
	}
	if (len + 1 == (size_t)room && buf[len - 1] != '\n') {
		error_set(r->e, EXIT_USAGE, "the line is longer than %d bytes", room - 2);
		fail(r);
		return NULL;
	}
	if (r->line == 1 && strncmp(buf, BOM, strlen(BOM)) == 0)
		memmove(buf, buf + strlen(BOM), len - strlen(BOM) + 1);
	if (buf[0] == '[' && strchr(buf, ']')) {
		char title[TITLE];

		snprintf(title, sizeof(title), "%.*s", (int)(strchr(buf, ']') - buf - 1), buf + 1);
		if (!open_section(r, title))
			return NULL;
	}
	return buf;
}

/* A value that goes on in an indented line comes as the same key again. */
static int join_value(struct reading *r, struct scenario_key *k, const char *value)
{
	size_t used = strlen(k->value);

	if (used + strlen(value) + 2 > sizeof(k->value)) {
		error_set(r->e, EXIT_USAGE, "%s: the value is longer than %zu bytes", k->name,
			  sizeof(k->value) - 1);
		return fail(r);
	}
	snprintf(k->value + used, sizeof(k->value) - used, " %s", value);
	k->line = r->line;
	return 1;
}

static int take_key(void *user, const char *section, const char *name, const char *value)
{
	struct reading *r = user;
	struct scenario_key *before;

	if (r->failed)
		return 0;
	if (!r->section) {
		error_set(r->e, EXIT_USAGE, "'%s' stands before the first section", name);
		return fail(r);
	}
	before = find_key(r->section, name);
	if (before && r->continued)
		return join_value(r, before, value);
	if (before) {
		error_set(r->e, EXIT_USAGE, "'%s' was given in line %u already", name, before->line);
		return fail(r);
	}
	if (scenario_add(r->section, name, value, "", r->e))
		return fail(r);
	r->section->keys[r->section->key_count - 1].line = r->line;
	return 1;
}

static void set_name(struct scenario *s, const char *path)
{
	const char *base = strrchr(path, '/');
	size_t len;

	base = base ? base + 1 : path;
	len = strlen(base);
	if (len > 4 && strcmp(base + len - 4, ".ini") == 0)
		len -= 4;
	snprintf(s->name, sizeof(s->name), "%.*s", (int)len, base);
	snprintf(s->path, sizeof(s->path), "%s", path);
}

int scenario_read(FILE *in, const char *path, struct scenario *out, struct error *e)
{
	struct reading r = {.in = in, .out = out, .e = e};
	int line;

	memset(out, 0, sizeof(*out));
	set_name(out, path);
	line = ini_parse_stream(next_line, &r, take_key, &r);
	if (!r.failed && line > 0) {
		error_set(e, EXIT_USAGE, "%s:%d: neither [section] nor key = value", path, line);
		r.failed = true;
	}
	if (!r.failed && (line < 0 || ferror(in))) {
		error_errno(e, EXIT_CANNOT, ferror(in) ? errno : ENOMEM, "cannot read %s", path);
		r.failed = true;
	}
	if (r.failed)
		scenario_free(out);
	return r.failed ? -1 : 0;
}

/* Without O_NONBLOCK the open() of a pipe waits for somebody to write to it; with it, reading is no good. */
static FILE *open_text(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), err;
	struct stat st = {0};
	FILE *in = NULL;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		errno = EISDIR;
	else if (fcntl(fd, F_SETFL, 0) == 0)
		in = fdopen(fd, "r");
	if (in)
		return in;
	err = errno;
	close(fd);
	errno = err;
	return NULL;
}

/* A pipe that ends before its first byte. */
static bool is_deserted(FILE *in)
{
	struct stat st = {0};
	int first;

	if (fstat(fileno(in), &st) || !S_ISFIFO(st.st_mode))
		return false;
	first = fgetc(in);
	return ungetc(first, in) == EOF;
}

int scenario_load(const char *path, struct scenario *out, struct error *e)
{
	FILE *in = open_text(path);
	int ret;

	if (!in)
		return error_errno(e, EXIT_USAGE, errno, "cannot open the scenario %s", path);
	if (is_deserted(in))
		ret = error_set(e, EXIT_USAGE, "the scenario %s is a pipe, and nobody writes to it", path);
	else
		ret = scenario_read(in, path, out, e);
	fclose(in);
	return ret;
}

void scenario_free(struct scenario *s)
{
	for (size_t i = 0; i < s->section_count; i++)
		free(s->sections[i].keys);
	free(s->sections);
	s->sections = NULL;
	s->section_count = 0;
}
