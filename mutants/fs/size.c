// SPDX-License-Identifier: GPL-2.0-or-later
/* Sizes: appends at a stale one, wrong ones after a failed write or a truncate. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mutants/fs/damage.h"
#include "mutants/fs/families.h"
#include "mutants/fs/wound.h"

/* ---- append at a stale size */

/* Two appends one behind the other: the second goes where the first went. What lies behind it reads as zeroes
 * when the file grows again. `both` holds what both should be, `length` bytes from `from` on. */
static void misplace(struct fs *fs, const struct write *w, uint64_t from, unsigned char *both, size_t length)
{
	unsigned char *wrong = calloc(1, length);
	struct damage d = {
		.kind = "misplaced",
		.op = "write",
		.how = how_written(w),
		.inode = w->inode,
		.offset = from,
		.length = length,
		.right = both,
		.wrong = wrong,
		.request_offset = w->offset,
		.request_length = w->size,
		.done = true,
	};
	const uint64_t end = w->offset > from + w->size ? w->offset : from + w->size;

	if (!wrong)
		abort();
	memcpy(wrong, both, length - w->size); /* where the first append is longer than the second */
	memcpy(wrong, w->data, w->size);
	d.more = json_pack("{s:s, s:I, s:I}", "name", "size", "expected",
			   (json_int_t)w->offset + (json_int_t)w->size, "actual", (json_int_t)end);
	bytes_put(w->inode, w->data, w->size, from);
	(void)!ftruncate(w->inode->data, (off_t)end);
	if (damage_data(fs, &d) && end < w->offset + w->size)
		wound_named(fs, w->inode->id, fs->chance.fired, "size", w->offset + w->size);
	free(wrong);
}

static bool follows_an_append(const struct write *w)
{
	return w->append && !w->mapped && w->inode->append_end == w->offset &&
	       w->inode->append_from < w->offset;
}

static void spoil_append(struct fs *fs, const struct write *w, uint64_t from)
{
	const size_t length = (size_t)(w->offset + w->size - from);
	unsigned char *both = length <= REQUEST_MAX ? malloc(length) : NULL;

	if (both && bytes_get(w->inode, both, length, from) == 0)
		misplace(fs, w, from, both, length);
	else
		fs_spare(fs);
	free(both);
}

static ssize_t stale_append(struct fs *fs, const struct write *w)
{
	const uint64_t from = w->inode->append_from;
	const bool can = follows_an_append(w);
	const ssize_t n = plain_write(fs, w);

	if (n != (ssize_t)w->size || !w->append)
		return n;
	w->inode->append_from = w->offset;
	w->inode->append_end = w->offset + w->size;
	if (can && fs_fires(fs)) {
		w->inode->append_end = 0;
		spoil_append(fs, w, from);
	}
	return n;
}

const struct mutant mutant_append_stale_size = {
	.about = {.name = "append-stale-size",
		  .summary = "an append goes to where the file ended before the last append",
		  .source = "Linux 939b656bc8ab (\"btrfs: fix corruption after buffer fault in during direct "
			    "IO append write\")"},
	.write = stale_append,
};

/* ---- size after a failed write */

static ssize_t failed_write(struct fs *fs, const struct write *w)
{
	const uint64_t end = w->offset + w->size;
	struct stat st;

	if (w->mapped || fstat(w->inode->data, &st) || end <= (uint64_t)st.st_size || !fs_fires(fs))
		return plain_write(fs, w);
	if (ftruncate(w->inode->data, (off_t)end) || keep_mtime(w->inode->data, &st)) {
		fs_spare(fs);
		return -errno;
	}
	damage_size(fs, "write", w->inode, (uint64_t)st.st_size, end);
	return -ENOSPC;
}

const struct mutant mutant_failed_write_grows = {
	.about = {.name = "failed-write-grows",
		  .summary = "a write behind the end finds no room and fails, but the file has grown"},
	.write = failed_write,
};

/* ---- truncate */

static int lost_truncate(struct fs *fs, struct inode *inode, uint64_t size)
{
	struct stat st;

	if (inode_stat(fs, inode, &st) || size >= (uint64_t)st.st_size || !fs_fires(fs))
		return plain_truncate(fs, inode, size);
	damage_size(fs, "truncate", inode, size, (uint64_t)st.st_size);
	return 0;
}

const struct mutant mutant_truncate_lost = {
	.about = {.name = "truncate-lost",
		  .summary = "a truncate answers success and leaves the file as long as it was"},
	.truncate = lost_truncate,
};
