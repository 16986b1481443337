// SPDX-License-Identifier: GPL-2.0-or-later
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mutants/device/log.h"

#define PIECE 65536u

static int read_header(FILE *log, int image)
{
	struct log_header h;
	struct stat s;

	if (fread(&h, sizeof(h), 1, log) != 1 || memcmp(h.magic, LOG_MAGIC, sizeof(h.magic)) != 0 ||
	    le32toh(h.version) != LOG_VERSION || le32toh(h.header_size) < sizeof(h) ||
	    fseek(log, le32toh(h.header_size), SEEK_SET))
		return -EBADMSG;
	if (fstat(image, &s))
		return -errno;
	if (S_ISREG(s.st_mode) && (uint64_t)s.st_size < le64toh(h.image_size))
		return -EFBIG;
	return 0;
}

/* Take `length` bytes from the log, or zeroes (log NULL), to the image. 1: the log ends before. */
static int copy(FILE *log, int image, uint64_t offset, uint64_t length)
{
	unsigned char piece[PIECE] = {0};

	while (length) {
		const size_t part = length < PIECE ? (size_t)length : PIECE;

		if (log && fread(piece, 1, part, log) != part)
			return ferror(log) ? -EIO : 1;
		if (pwrite(image, piece, part, (off_t)offset) != (ssize_t)part)
			return errno ? -errno : -EIO;
		offset += part;
		length -= part;
	}
	return 0;
}

/* Is the whole record in the log? A write that was cut off must not be done in part. */
static bool is_whole(FILE *log, const struct log_record *r)
{
	struct stat s;
	const off_t at = ftello(log);

	if (!(r->flags & LOG_WRITE) || r->flags & LOG_PROMISED)
		return true;
	return at >= 0 && !fstat(fileno(log), &s) && (uint64_t)(s.st_size - at) >= r->length;
}

/* 1: the log is at its end. */
static int next(FILE *log, struct log_record *r)
{
	if (fread(r, sizeof(*r), 1, log) != 1)
		return ferror(log) ? -EIO : 1;
	r->offset = le64toh(r->offset);
	r->length = le64toh(r->length);
	r->flags = le32toh(r->flags);
	return is_whole(log, r) ? 0 : 1;
}

static int play(FILE *log, int image, uint64_t upto, uint64_t *flushes, uint64_t *records)
{
	struct log_record r;
	int err;

	while (*flushes < upto && !(err = next(log, &r))) {
		++*records;
		if (r.flags & LOG_PROMISED)
			continue;
		if (r.flags & LOG_WRITE)
			err = copy(log, image, r.offset, r.length);
		else if (r.flags & LOG_DISCARD)
			err = copy(NULL, image, r.offset, r.length);
		if (err)
			return err < 0 ? err : -EBADMSG;
		*flushes += r.flags & LOG_FLUSH ? 1 : 0;
	}
	if (*flushes < upto && err < 0)
		return err;
	return *flushes < upto && upto != UINT64_MAX ? -ENODATA : 0;
}

int log_replay(const char *path, int image, uint64_t upto, uint64_t *flushes, uint64_t *records)
{
	FILE *log = fopen(path, "re");
	int err;

	*flushes = *records = 0;
	if (!log)
		return -errno;
	err = read_header(log, image);
	if (!err)
		err = play(log, image, upto, flushes, records);
	fclose(log);
	return err;
}
