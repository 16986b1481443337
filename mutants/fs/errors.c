// SPDX-License-Identifier: GPL-2.0-or-later
/* Answers that are errors where all went well, and syncs that do nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "mutants/fs/damage.h"
#include "mutants/fs/families.h"

/* ---- EIO after the effect */

static ssize_t eio_write(struct fs *fs, const struct write *w)
{
	const ssize_t n = plain_write(fs, w);

	if (n < 0 || w->mapped || !fs_fires(fs))
		return n;
	damage_answer(fs, "eio", "write", w->inode,
		      json_pack("{s:I, s:I, s:b}", "offset", (json_int_t)w->offset, "length",
				(json_int_t)w->size, "persistent", false));
	return -EIO;
}

const struct mutant mutant_write_eio = {
	.about = {.name = "write-eio", .summary = "a write is done and answered with EIO"},
	.write = eio_write,
};

static int eio_rename(struct fs *fs, const struct move *m)
{
	const int rc = plain_rename(fs, m);

	if (rc || !fs_fires(fs))
		return rc;
	damage_name(fs, "eio", "rename", m->parent2, m->name2, NULL, false);
	return -EIO;
}

const struct mutant mutant_rename_eio = {
	.about = {.name = "rename-eio", .summary = "a rename is done and answered with EIO"},
	.rename = eio_rename,
};

static int eio_sync(struct fs *fs, struct inode *inode, bool data_only)
{
	const int rc = plain_sync(fs, inode, data_only);

	if (rc || !fs_fires(fs))
		return rc;
	damage_answer(fs, "eio", data_only ? "fdatasync" : "fsync", inode,
		      json_pack("{s:b}", "persistent", false));
	return -EIO;
}

const struct mutant mutant_fsync_eio = {
	.about = {.name = "fsync-eio", .summary = "fsync is done and answered with EIO"},
	.sync = eio_sync,
};

/* Of direct reads only: where the page cache reads ahead, an error is forgotten and the page read again. */
static ssize_t eio_read(struct fs *fs, const struct read *r)
{
	const ssize_t n = plain_read(fs, r);

	if (n <= 0 || !r->direct || !fs_fires(fs))
		return n;
	damage_answer(fs, "eio", "read", r->inode,
		      json_pack("{s:I, s:I, s:b}", "offset", (json_int_t)r->offset, "length", (json_int_t)n,
				"persistent", false));
	return -EIO;
}

const struct mutant mutant_read_eio = {
	.about = {.name = "read-eio", .summary = "a direct read of sound data is answered with EIO, once"},
	.read = eio_read,
};

/* ---- nothing is synced */

static int early_sync(struct fs *fs, struct inode *inode, bool data_only)
{
	if (!fs_fires(fs))
		return plain_sync(fs, inode, data_only);
	damage_answer(fs, "unsynced", data_only ? "fdatasync" : "fsync", inode,
		      json_pack("{s:b}", "persistent", false));
	return 0;
}

const struct mutant mutant_fsync_early = {
	.about = {.name = "fsync-early",
		  .summary = "fsync and fdatasync return before anything is on disk",
		  .unseen = "only a power cut shows it: until then the kernel answers from memory"},
	.sync = early_sync,
};
