/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/content/hash.h"
#include "src/journal/file.h"

/* A file that has been begun. */
struct part {
	uint32_t number;
	uint32_t records;
	uint64_t last; /* operation of its last record */
};

struct journal_writer {
	char *dir;
	uint32_t worker;
	uint64_t run, start;
	int dir_fd;
	int fd;             /* of the newest part */
	bool new_name;      /* the directory has not been synced since the newest part was made */
	struct part *parts; /* oldest first; the last one is being written */
	size_t count, room;
};

uint32_t journal_header_check(const struct journal_header *h)
{
	return (uint32_t)hash_bytes(h, offsetof(struct journal_header, check));
}

void journal_part_name(char buf[JOURNAL_NAME_LEN], uint32_t worker, uint32_t part)
{
	snprintf(buf, JOURNAL_NAME_LEN, "w%04u.%06u.rjl", worker, part);
}

static uint64_t part_bytes(const struct part *p)
{
	return sizeof(struct journal_header) + (uint64_t)p->records * sizeof(struct journal_record);
}

static struct part *newest(struct journal_writer *w)
{
	return &w->parts[w->count - 1];
}

static int write_fully(struct journal_writer *w, const void *bytes, size_t len, struct error *e)
{
	const char *at = bytes;

	while (len) {
		ssize_t n = write(w->fd, at, len);

		if (n < 0 && errno != EINTR)
			return error_errno(e, EXIT_HARNESS, errno,
					   "cannot write the journal of worker %u in %s", w->worker, w->dir);
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int parts_reserve(struct journal_writer *w, struct error *e)
{
	size_t room = w->room ? w->room * 2 : 16;
	struct part *grown;

	if (w->count < w->room)
		return 0;
	grown = reallocarray(w->parts, room, sizeof(*grown));
	if (!grown) {
		error_errno(e, EXIT_HARNESS, ENOMEM, "journal of worker %u", w->worker);
		return -1;
	}
	w->parts = grown;
	w->room = room;
	return 0;
}

/* Begin part `number`, whose first record will be of operation `first`. */
static int part_begin(struct journal_writer *w, uint32_t number, uint64_t first, struct error *e)
{
	struct journal_header h = {
		.magic = JOURNAL_MAGIC,
		.worker = w->worker,
		.part = number,
		.run = w->run,
		.first = first,
		.start = w->start,
	};
	char name[JOURNAL_NAME_LEN];

	if (parts_reserve(w, e) < 0)
		return -1;
	journal_part_name(name, w->worker, number);
	w->fd = openat(w->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (w->fd < 0)
		return error_errno(e, EXIT_HARNESS, errno, "cannot make %s/%s", w->dir, name);
	w->new_name = true;
	w->parts[w->count++] = (struct part){.number = number};
	h.check = journal_header_check(&h);
	return write_fully(w, &h, sizeof(h), e);
}

static int part_end(struct journal_writer *w, struct error *e)
{
	int answer = journal_writer_sync(w, e);

	close(w->fd);
	w->fd = -1;
	return answer;
}

struct journal_writer *journal_writer_open(const char *dir, uint32_t worker, uint64_t run, uint64_t start,
					   struct error *e)
{
	struct journal_writer *w = calloc(1, sizeof(*w));

	if (!w) {
		error_errno(e, EXIT_HARNESS, ENOMEM, "journal of worker %u", worker);
		return NULL;
	}
	*w = (struct journal_writer){.worker = worker, .run = run, .start = start, .dir_fd = -1, .fd = -1};
	w->dir = strdup(dir);
	w->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!w->dir || w->dir_fd < 0) {
		error_errno(e, EXIT_HARNESS, errno, "cannot open the journal directory %s", dir);
		journal_writer_close(w);
		return NULL;
	}
	if (part_begin(w, 0, 1, e) < 0) {
		journal_writer_close(w);
		return NULL;
	}
	return w;
}

int journal_writer_append(struct journal_writer *w, const struct journal_record *r, size_t count,
			  struct error *e)
{
	while (count) {
		struct part *p = newest(w);
		size_t fit;

		if (p->records == JOURNAL_FILE_RECORDS) {
			uint32_t number = p->number + 1;

			if (part_end(w, e) < 0 || part_begin(w, number, r->operation, e) < 0)
				return -1;
			p = newest(w);
		}
		fit = MIN(count, (size_t)(JOURNAL_FILE_RECORDS - p->records));
		if (write_fully(w, r, fit * sizeof(*r), e) < 0)
			return -1;
		p->records += (uint32_t)fit;
		p->last = r[fit - 1].operation;
		r += fit;
		count -= fit;
	}
	return 0;
}

int journal_writer_sync(struct journal_writer *w, struct error *e)
{
	if (fdatasync(w->fd) < 0 || (w->new_name && fsync(w->dir_fd) < 0))
		return error_errno(e, EXIT_HARNESS, errno, "cannot sync the journal of worker %u in %s",
				   w->worker, w->dir);
	w->new_name = false;
	return 0;
}

int journal_writer_drop(struct journal_writer *w, uint64_t keep, uint64_t operation, struct error *e)
{
	uint64_t bytes = 0;
	size_t drop = 0;

	for (size_t i = 0; i < w->count; i++)
		bytes += part_bytes(&w->parts[i]);
	while (keep && bytes > keep && drop + 1 < w->count && w->parts[drop].last < operation) {
		char name[JOURNAL_NAME_LEN];

		journal_part_name(name, w->worker, w->parts[drop].number);
		if (unlinkat(w->dir_fd, name, 0) < 0)
			return error_errno(e, EXIT_HARNESS, errno, "cannot remove %s/%s", w->dir, name);
		bytes -= part_bytes(&w->parts[drop++]);
	}
	memmove(w->parts, w->parts + drop, (w->count - drop) * sizeof(*w->parts));
	w->count -= drop;
	return 0;
}

void journal_writer_close(struct journal_writer *w)
{
	if (!w)
		return;
	if (w->fd >= 0)
		close(w->fd);
	if (w->dir_fd >= 0)
		close(w->dir_fd);
	free(w->parts);
	free(w->dir);
	free(w);
}
