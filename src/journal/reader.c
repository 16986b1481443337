/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/journal/file.h"

struct journal_reader {
	char *dir;
	uint32_t worker;
	uint32_t part, last_part;
	bool ended; /* by the end or by a record that cannot be read */
	FILE *file;
	struct journal_header header;
};

/* The lowest and the highest part there is; false if there is none. */
static bool find_parts(struct journal_reader *r, struct error *e)
{
	DIR *d = opendir(r->dir);
	const struct dirent *entry;
	bool found = false;

	if (!d) {
		error_errno(e, EXIT_USAGE, errno, "cannot open the journal directory %s", r->dir);
		return false;
	}
	while ((entry = readdir(d))) {
		char name[JOURNAL_NAME_LEN];
		unsigned int worker, part;

		if (sscanf(entry->d_name, "w%u.%u.rjl", &worker, &part) != 2 || worker != r->worker)
			continue;
		journal_part_name(name, worker, part);
		if (strcmp(name, entry->d_name) != 0)
			continue;
		r->part = found ? MIN(r->part, part) : part;
		r->last_part = found ? MAX(r->last_part, part) : part;
		found = true;
	}
	closedir(d);
	if (!found)
		error_set(e, EXIT_USAGE, "no journal of worker %u in %s", r->worker, r->dir);
	return found;
}

static void part_path(const struct journal_reader *r, uint32_t part, char *buf, size_t len)
{
	char name[JOURNAL_NAME_LEN];

	journal_part_name(name, r->worker, part);
	snprintf(buf, len, "%s/%s", r->dir, name);
}

static const char *header_wrong(const struct journal_reader *r, const struct journal_header *h)
{
	if (memcmp(h->magic, JOURNAL_MAGIC, sizeof(h->magic)) != 0)
		return "not a journal file";
	if (h->check != journal_header_check(h))
		return "the header is damaged";
	if (h->worker != r->worker || h->part != r->part)
		return "it belongs to another worker or place";
	return NULL;
}

/* Open r->part and read its header. */
static int part_open(struct journal_reader *r, struct error *e)
{
	const char *wrong;
	char path[4096];

	part_path(r, r->part, path, sizeof(path));
	r->file = fopen(path, "re");
	if (!r->file)
		return error_errno(e, EXIT_USAGE, errno, "cannot open %s", path);
	if (fread(&r->header, sizeof(r->header), 1, r->file) != 1)
		return error_set(e, EXIT_USAGE, "%s: cut off within its header", path);
	wrong = header_wrong(r, &r->header);
	return wrong ? error_set(e, EXIT_USAGE, "%s: %s", path, wrong) : 0;
}

static void part_close(struct journal_reader *r)
{
	if (r->file)
		fclose(r->file);
	r->file = NULL;
}

struct journal_reader *journal_reader_open(const char *dir, uint32_t worker, struct error *e)
{
	struct journal_reader *r = calloc(1, sizeof(*r));

	if (r) {
		r->worker = worker;
		r->dir = strdup(dir);
	}
	if (!r || !r->dir) {
		error_errno(e, EXIT_HARNESS, ENOMEM, "journal of worker %u", worker);
		free(r);
		return NULL;
	}
	if (!find_parts(r, e) || part_open(r, e) < 0) {
		journal_reader_close(r);
		return NULL;
	}
	return r;
}

int journal_reader_last(struct journal_reader *r, struct error *e)
{
	if (r->part == r->last_part && !r->ended)
		return 0;
	part_close(r);
	r->part = r->last_part;
	r->ended = part_open(r, e) < 0;
	return r->ended ? -1 : 0;
}

const struct journal_header *journal_reader_header(const struct journal_reader *r)
{
	return &r->header;
}

/* Bytes of all parts from place `at` of the present one on. */
static uint64_t bytes_left(const struct journal_reader *r, uint64_t at)
{
	uint64_t bytes = 0;

	for (uint32_t part = r->part; part <= r->last_part; part++) {
		char path[4096];
		struct stat st;

		part_path(r, part, path, sizeof(path));
		if (stat(path, &st) == 0)
			bytes += (uint64_t)st.st_size;
	}
	return bytes > at ? bytes - at : 0;
}

/* The journal ends here, though bytes follow from `at` on. */
static int end_early(struct journal_reader *r, uint64_t at, uint64_t *truncated)
{
	r->ended = true;
	if (truncated)
		*truncated = bytes_left(r, at);
	return 0;
}

/* 1: the next part is open; 0: there is none, or none that can be read. */
static int next_part(struct journal_reader *r, uint64_t *truncated)
{
	struct error ignored;

	part_close(r);
	if (r->part == r->last_part) {
		r->ended = true;
		return 0;
	}
	r->part++;
	/* A part that was begun just before a crash may lack its header. What is in it is unread, not an
	 * error. */
	return part_open(r, &ignored) < 0 ? end_early(r, 0, truncated) : 1;
}

int journal_reader_next(struct journal_reader *r, struct journal_record *out, uint64_t *truncated,
			struct error *e)
{
	if (truncated)
		*truncated = 0;
	while (!r->ended) {
		long at = ftell(r->file);
		size_t got = fread(out, 1, sizeof(*out), r->file);

		if (ferror(r->file))
			return error_errno(e, EXIT_HARNESS, errno,
					   "cannot read the journal of worker %u in %s", r->worker, r->dir);
		if (got == sizeof(*out) && out->check == journal_record_check(out))
			return 1;
		if (got)
			return end_early(r, (uint64_t)at, truncated);
		if (!next_part(r, truncated))
			return 0;
	}
	return 0;
}

void journal_reader_forget(struct journal_reader *r)
{
	long at = r->file ? ftell(r->file) : 0;

	if (at > 0)
		posix_fadvise(fileno(r->file), 0, at, POSIX_FADV_DONTNEED);
}

void journal_reader_close(struct journal_reader *r)
{
	if (!r)
		return;
	part_close(r);
	free(r->dir);
	free(r);
}
