// SPDX-License-Identifier: GPL-2.0-or-later
/* A name that was removed and comes back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mutants/fs/cellar.h"
#include "mutants/fs/damage.h"
#include "mutants/fs/families.h"

/* Requests after which it is back. */
#define AWAY 40

static const char place[] = "removed"; /* in the cellar */

/* One at a time. */
struct removed {
	bool now;
	uint64_t due;
	struct file_id directory;
	char name[256];
};

/* It must be of no use to anybody: no other name, not open. */
static bool can_go(struct fs *fs, struct inode *parent, const char *name)
{
	const int dir = inode_fd(fs, parent);
	const struct inode *inode;
	struct stat st;

	if (dir < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) || S_ISDIR(st.st_mode) ||
	    st.st_nlink != 1)
		return false;
	inode = inode_find(fs, (struct file_id){st.st_dev, st.st_ino});
	return !inode || !inode->opens;
}

static int hiding_unlink(struct fs *fs, struct inode *parent, const char *name)
{
	struct removed *r = fs->state ? fs->state : (fs->state = calloc(1, sizeof(*r)));

	if (!r || r->now || !can_go(fs, parent, name) || !fs_fires(fs))
		return plain_unlink(fs, parent, name);
	if (renameat(inode_fd(fs, parent), name, fs->cellar, place)) {
		fs_spare(fs);
		return plain_unlink(fs, parent, name);
	}
	r->now = true;
	r->due = fs->request + AWAY;
	r->directory = parent->id;
	snprintf(r->name, sizeof(r->name), "%s", name);
	return 0;
}

/* The directory's time stays as it was: nothing happens there that it should tell of. */
static int come_back(struct fs *fs, struct inode *directory, const char *name)
{
	const int dir = inode_fd(fs, directory);
	const struct timespec omit = {.tv_nsec = UTIME_OMIT};
	struct timespec times[2] = {omit, omit};
	struct stat st;

	if (dir < 0 || fstatat(dir, "", &st, AT_EMPTY_PATH))
		return -1;
	times[1] = st.st_mtim;
	if (renameat2(fs->cellar, place, dir, name, RENAME_NOREPLACE))
		return -1;
	return utimensat(dir, "", times, AT_EMPTY_PATH);
}

static void maybe_return(struct fs *fs)
{
	struct removed *r = fs->state;
	struct inode *directory;

	if (!r || !r->now || r->due > fs->request)
		return;
	r->now = false;
	directory = inode_find(fs, r->directory);
	if (directory && come_back(fs, directory, r->name) == 0) {
		damage_name(fs, "extra", "unlink", directory, r->name, NULL, true);
	} else {
		unlinkat(fs->cellar, place, 0);
		fs_spare(fs);
	}
}

const struct mutant mutant_unlink_returns = {
	.about = {.name = "unlink-returns",
		  .summary = "a name that was removed is there again a little later",
		  .source = "Linux: \"Btrfs: fix stale dir entries after unlink, inode eviction and fsync\""},
	.cellar = true,
	.unlink = hiding_unlink,
	.tick = maybe_return,
};
