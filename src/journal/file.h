/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Journals on disk: RUN/journal/w0003.000000.rjl, w0003.000001.rjl, ... each a header and records. A new file
 * is begun every JOURNAL_FILE_RECORDS records, so that old ones can be dropped whole.
 */
#ifndef RECOW_JOURNAL_FILE_H
#define RECOW_JOURNAL_FILE_H

#include "src/base/error.h"
#include "src/journal/record.h"

#define JOURNAL_FILE_RECORDS (1U << 20) /* 64 MiB */

#define JOURNAL_MAGIC    "recowjl\1"
#define JOURNAL_NAME_LEN 32

/* Head of every journal file, 64 bytes. */
struct journal_header {
	char magic[8]; /* "recowjl\1" */
	uint32_t worker;
	uint32_t part;
	uint64_t run;   /* content key of the run */
	uint64_t first; /* operation number of the first record */
	uint64_t start; /* CLOCK_REALTIME of the run's start, ns: record times count from here */
	unsigned char reserved[20];
	uint32_t check; /* low half of the XXH3-64 of the 60 bytes before */
};
_Static_assert(sizeof(struct journal_header) == 64, "one record's size");

uint32_t journal_header_check(const struct journal_header *h);
void journal_part_name(char buf[JOURNAL_NAME_LEN], uint32_t worker, uint32_t part);

struct journal_writer; /* the guard's; one per worker */
/* Begins part 0 in an existing directory. */
struct journal_writer *journal_writer_open(const char *dir, uint32_t worker, uint64_t run, uint64_t start,
					   struct error *e);
int journal_writer_append(struct journal_writer *w, const struct journal_record *r, size_t count,
			  struct error *e);
int journal_writer_sync(struct journal_writer *w, struct error *e); /* fdatasync */
/* Remove the oldest files whose records all lie below `operation` until at most `keep` bytes are left; 0
 * keeps all. */
int journal_writer_drop(struct journal_writer *w, uint64_t keep, uint64_t operation, struct error *e);
void journal_writer_close(struct journal_writer *w);

/* Reading goes over all parts of one worker in order. */
struct journal_reader;
struct journal_reader *journal_reader_open(const char *dir, uint32_t worker, struct error *e);
/* Go to the beginning of the last part. -1: it can't be read (begun just before a crash). */
int journal_reader_last(struct journal_reader *r, struct error *e);
/* Of the part that was read last. */
const struct journal_header *journal_reader_header(const struct journal_reader *r);
/* 1: a record; 0: the end; -1: an error. A record that is cut off or fails its check ends the journal:
 * *truncated (if given) says so and how many bytes are unread, and it is not an error. */
int journal_reader_next(struct journal_reader *r, struct journal_record *out, uint64_t *truncated,
			struct error *e);
/* Let the page cache forget what was read of the present part: it counts against whoever reads. */
void journal_reader_forget(struct journal_reader *r);
void journal_reader_close(struct journal_reader *r);

#endif
