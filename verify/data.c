/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify/pool.h"
#include "verify/resident.h"
#include "verify/shared.h"

/* One read: with its model entries it stays in the second-level cache until it is hashed. */
#define READ_BLOCKS  64U
#define SLICE_BLOCKS (16 * READ_BLOCKS)

uint64_t data_bytes(const struct file *file, uint64_t first, uint64_t count)
{
	uint64_t from = first * BLOCK_SIZE, to = (first + count) * BLOCK_SIZE;

	return MIN(to, file->object.size) - MIN(from, file->object.size);
}

uint64_t data_asked(const struct file *file, uint64_t first, uint64_t count)
{
	return round_up_u64(data_bytes(file, first, count), file->unit);
}

/* Zeroes are compared as such, which is faster than hashing them and as sure. */
static bool block_right(const unsigned char *block, const struct block_entry *expected)
{
	static const unsigned char zeroes[BLOCK_SIZE];

	if (expected->hash == content_hash_of_zeroes())
		return memcmp(block, zeroes, BLOCK_SIZE) == 0;
	return content_hash(block) == expected->hash;
}

static void compare_some(struct check *c, struct file *file, uint64_t first, size_t count,
			 const unsigned char *buf)
{
	struct block_entry entry[READ_BLOCKS];
	size_t got = view_blocks(file->subject.view, &file->object, first, count, entry);

	if (got < count)
		check_harness(c, &file->subject, "the block map of object");
	for (size_t i = 0; i < got; i++) {
		const unsigned char *block = buf + i * BLOCK_SIZE;

		if (__builtin_expect(!block_right(block, &entry[i]), 0))
			file_note(file, first + i, &entry[i], block, 0);
	}
	c->v->counters->blocks += got;
}

void data_compare(struct check *c, struct file *file, uint64_t first, uint64_t count, unsigned char *buf)
{
	uint64_t bytes = data_bytes(file, first, count);

	memset(buf + bytes, 0, count * BLOCK_SIZE - bytes);
	c->v->counters->bytes += bytes;
	if (shared_is(&file->object)) {
		shared_compare(c, file, first, count, buf);
		return;
	}
	for (uint64_t at = 0; at < count; at += READ_BLOCKS)
		compare_some(c, file, first + at, MIN(count - at, READ_BLOCKS), buf + at * BLOCK_SIZE);
}

int data_read(const struct file *file, int fd, uint64_t first, uint64_t count, unsigned char *buf)
{
	const uint64_t want = data_bytes(file, first, count), ask = data_asked(file, first, count);
	uint64_t have = 0;

	while (have < want) {
		ssize_t n = pread(fd, buf + have, ask - have, (off_t)(first * BLOCK_SIZE + have));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			return ENODATA;
		have += (uint64_t)n;
		if (have % BLOCK_SIZE && have < want)
			have -= have % BLOCK_SIZE;
	}
	return 0;
}

/* An error that went away is one all the same. What only memory was too short for is none. */
static void report_passing(struct check *c, const struct file *file, uint64_t first, uint64_t count, int err)
{
	struct finding f;

	if (err == ENODATA || check_errno_class(err) != FINDING_EIO)
		return;
	check_finding(&f, &file->subject, FINDING_EIO);
	f.offset = first * BLOCK_SIZE;
	f.length = data_bytes(file, first, count);
	f.still = false;
	snprintf(f.detail, sizeof(f.detail),
		 "%llu bytes at %llu could not be read: %s; read once more, block by block, they could",
		 (unsigned long long)f.length, (unsigned long long)f.offset, strerror(err));
	check_emit(c, &f);
}

void data_salvage(struct check *c, struct file *file, const struct failure *failed, unsigned char *buf)
{
	bool lasting = false;

	for (uint64_t i = 0; i < failed->count && !check_stopped(c); i++) {
		int err = data_read(file, file->fd, failed->first + i, 1, buf);

		if (err)
			file_note(file, failed->first + i, NULL, NULL, err);
		else
			data_compare(c, file, failed->first + i, 1, buf);
		lasting |= err != 0;
	}
	if (failed->err && !lasting && !check_stopped(c))
		report_passing(c, file, failed->first, failed->count, failed->err);
}

/* Before a file's first read: later, readahead answers. */
static void count_resident(struct files *f, struct file *file)
{
	f->check->v->counters->resident += resident_blocks(file->fd, file->blocks);
}

static void read_slice(struct check *c, const struct slice *s, unsigned char *buf)
{
	for (uint64_t at = 0; at < s->count; at += READ_BLOCKS) {
		uint64_t count = MIN(s->count - at, READ_BLOCKS);

		int err;

		if (check_stopped(c))
			return;
		err = data_read(s->file, s->file->fd, s->first + at, count, buf);
		if (err == 0)
			data_compare(c, s->file, s->first + at, count, buf);
		else
			data_salvage(c, s->file, &(struct failure){s->first + at, count, err}, buf);
	}
}

static int cached_thread(void *self, struct error *e)
{
	struct files *files = self;
	unsigned char *buf = aligned_alloc(BLOCK_SIZE, (size_t)READ_BLOCKS * BLOCK_SIZE);
	struct slice s;

	if (!buf)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "reading file contents");
	while (files_next(files, &s)) {
		if (files_open(files, &s))
			read_slice(files->check, &s, buf);
		files_put(files, &s);
	}
	free(buf);
	return 0;
}

int data_verify_cached(struct check *c, struct error *e)
{
	struct files files;
	int ret;

	files_start(&files, c, (uint64_t)SLICE_BLOCKS * BLOCK_SIZE, 0);
	files.opened = count_resident;
	ret = pool_run(c->v->threads, cached_thread, &files, e);
	files_end(&files);
	return ret;
}
