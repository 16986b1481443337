// SPDX-License-Identifier: GPL-2.0-or-later
/* Modes, owners, times and link counts. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "mutants/fs/damage.h"
#include "mutants/fs/families.h"

/* ---- mode and owner */

static int lost_chmod(struct fs *fs, struct inode *inode, mode_t mode)
{
	struct stat st;

	if (inode_stat(fs, inode, &st) || (st.st_mode & 07777) == mode || !fs_fires(fs))
		return plain_chmod(fs, inode, mode);
	damage_attribute(fs, "attribute", "chmod", inode, "mode", json_integer(mode),
			 json_integer(st.st_mode & 07777), true);
	return 0;
}

const struct mutant mutant_mode_lost = {
	.about = {.name = "mode-lost", .summary = "a chmod is answered with success and forgotten"},
	.chmod = lost_chmod,
};

static int lost_chown(struct fs *fs, struct inode *inode, uid_t owner, gid_t group)
{
	struct stat st;

	if (inode_stat(fs, inode, &st) ||
	    ((owner == (uid_t)-1 || owner == st.st_uid) && (group == (gid_t)-1 || group == st.st_gid)) ||
	    !fs_fires(fs))
		return plain_chown(fs, inode, owner, group);
	damage_attribute(fs, "attribute", "chown", inode, "owner",
			 json_pack("[I, I]", (json_int_t)(owner == (uid_t)-1 ? st.st_uid : owner),
				   (json_int_t)(group == (gid_t)-1 ? st.st_gid : group)),
			 json_pack("[I, I]", (json_int_t)st.st_uid, (json_int_t)st.st_gid), true);
	return 0;
}

const struct mutant mutant_owner_lost = {
	.about = {.name = "owner-lost", .summary = "a chown is answered with success and forgotten"},
	.chown = lost_chown,
};

/* ---- times */

static int64_t ns_of(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Let the time be `wrong` instead of what it is. */
static void spoil_mtime(struct fs *fs, const struct write *w, struct timespec wrong)
{
	struct stat now;
	const struct stat st = {.st_mtim = wrong};

	if (fstat(w->inode->data, &now) || keep_mtime(w->inode->data, &st))
		fs_spare(fs);
	else
		damage_attribute(fs, "attribute", "write", w->inode, "mtime",
				 json_integer(ns_of(now.st_mtim)), json_integer(ns_of(wrong)), true);
}

static ssize_t back_write(struct fs *fs, const struct write *w)
{
	struct stat before;
	ssize_t n;

	if (w->mapped || fstat(w->inode->data, &before) || !fs_fires(fs))
		return plain_write(fs, w);
	n = plain_write(fs, w);
	before.st_mtim.tv_sec--;
	if (n > 0)
		spoil_mtime(fs, w, before.st_mtim);
	else
		fs_spare(fs);
	return n;
}

const struct mutant mutant_mtime_back = {
	.about = {.name = "mtime-back",
		  .summary = "after a write the modification time is earlier than before it"},
	.write = back_write,
};

/* A time that is as old as this can't be taken for the write's. */
#define OLD_NS 100000000

static ssize_t kept_write(struct fs *fs, const struct write *w)
{
	struct timespec now;
	struct stat before;
	ssize_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	if (w->mapped || fstat(w->inode->data, &before) || ns_of(before.st_mtim) > ns_of(now) - OLD_NS ||
	    !fs_fires(fs))
		return plain_write(fs, w);
	n = plain_write(fs, w);
	if (n > 0)
		spoil_mtime(fs, w, before.st_mtim);
	else
		fs_spare(fs);
	return n;
}

const struct mutant mutant_mtime_kept = {
	.about = {.name = "mtime-kept", .summary = "a write does not set the modification time"},
	.write = kept_write,
};

static int lost_utimes(struct fs *fs, struct inode *inode, const struct timespec times[2])
{
	struct stat st;

	if (times[1].tv_nsec == UTIME_OMIT || times[1].tv_nsec == UTIME_NOW || inode_stat(fs, inode, &st) ||
	    ns_of(times[1]) == ns_of(st.st_mtim) || !fs_fires(fs))
		return plain_utimes(fs, inode, times);
	damage_attribute(fs, "attribute", "utimensat", inode, "mtime", json_integer(ns_of(times[1])),
			 json_integer(ns_of(st.st_mtim)), true);
	return 0;
}

const struct mutant mutant_utimes_lost = {
	.about = {.name = "utimes-lost",
		  .summary = "a time that is set is answered with success and forgotten"},
	.utimes = lost_utimes,
};

/* ---- link counts */

static void lie(struct fs *fs, struct inode *inode, const char *op, int by)
{
	struct stat st;

	if (inode_stat(fs, inode, &st)) {
		fs_spare(fs);
		return;
	}
	inode->nlink_lie += by;
	damage_attribute(fs, "attribute", op, inode, "nlink", json_integer((json_int_t)st.st_nlink),
			 json_integer((json_int_t)st.st_nlink + inode->nlink_lie), true);
}

static int uncounted_link(struct fs *fs, struct inode *inode, struct inode *parent, const char *name)
{
	const int rc = plain_link(fs, inode, parent, name);

	if (!rc && !inode->nlink_lie && fs_fires(fs))
		lie(fs, inode, "link", -1);
	return rc;
}

const struct mutant mutant_nlink_low = {
	.about = {.name = "nlink-low", .summary = "a new hard link is not counted"},
	.link = uncounted_link,
};

static int uncounted_unlink(struct fs *fs, struct inode *parent, const char *name)
{
	const int dir = inode_fd(fs, parent);
	struct inode *inode = NULL;
	struct stat st;
	int rc;

	if (dir >= 0 && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink > 1)
		inode = inode_find(fs, (struct file_id){st.st_dev, st.st_ino});
	rc = plain_unlink(fs, parent, name);
	if (!rc && inode && !inode->nlink_lie && fs_fires(fs))
		lie(fs, inode, "unlink", 1);
	return rc;
}

const struct mutant mutant_nlink_high = {
	.about = {.name = "nlink-high", .summary = "a hard link that is removed is still counted"},
	.unlink = uncounted_unlink,
};
