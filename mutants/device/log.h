/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The write log: everything that changed the image, in order, and the flushes between. Format:
 * docs/mutants-device.md.
 */
#ifndef MUTANTS_LOG_H
#define MUTANTS_LOG_H

#include <stddef.h>
#include <stdint.h>

#define LOG_MAGIC   "recowwl" /* and its NUL: 8 bytes */
#define LOG_VERSION 1u

/* Little-endian, no padding. */
struct log_header {
	char magic[8];
	uint32_t version;
	uint32_t header_size; /* bytes: the first record is there */
	uint64_t image_size;  /* bytes */
	uint64_t start_ns;    /* CLOCK_REALTIME */
	uint64_t zero[4];
};

enum {
	LOG_WRITE = 1, /* `length` bytes of data follow */
	LOG_FLUSH = 2, /* all records before are on the disk for good */
	LOG_FUA = 4,   /* with LOG_WRITE: this one is, too. Never set: a loop device sends a flush instead */
	LOG_DISCARD = 8,  /* [offset, offset + length) reads as zeroes now; no data */
	LOG_PROMISED = 16 /* with another flag: the request was acknowledged, but not done; no data */
};

struct log_record {
	uint64_t sequence; /* from 1 */
	uint64_t time_ns;  /* CLOCK_MONOTONIC, as in the ground truth */
	uint64_t offset, length;
	uint32_t flags;
	uint32_t zero;
};

struct log {
	int fd; /* -1: nobody wants one */
	uint64_t sequence;
};

/* Begin a log at `path`, which must not exist; NULL: no log. 0 or -errno. */
int log_open(struct log *l, const char *path, uint64_t image_size);
void log_close(struct log *l);

/* 0 or -errno. `data` is for LOG_WRITE without LOG_PROMISED. */
int log_write(struct log *l, uint32_t flags, uint64_t offset, uint64_t length, const void *data);

/* Do on the image in `image` what the log says, up to and with flush number `upto` (from 1; UINT64_MAX: all).
 * Promises that were not kept are left out. *flushes and *records: how many were replayed. 0, or -errno
 * (EBADMSG: it is no log; ENODATA: it has fewer flushes; EFBIG: the image is smaller than the log's). A
 * record that is cut off at the end of the log ends it. */
int log_replay(const char *path, int image, uint64_t upto, uint64_t *flushes, uint64_t *records);

#endif
