// SPDX-License-Identifier: GPL-2.0-or-later
/* Names: lost, left, come back, or leading to something else. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "mutants/fs/damage.h"
#include "mutants/fs/families.h"
#include "mutants/fs/wound.h"

/* What `name` leads to. */
static bool look(struct fs *fs, struct inode *parent, const char *name, struct stat *st)
{
	const int dir = inode_fd(fs, parent);

	return dir >= 0 && fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A plain rename of something that is no directory and has no other name. */
static bool is_simple(struct fs *fs, const struct move *m)
{
	struct stat st;

	return !(m->flags & ~(unsigned int)RENAME_NOREPLACE) && look(fs, m->parent, m->name, &st) &&
	       !S_ISDIR(st.st_mode) && st.st_nlink == 1;
}

/* ---- rename */

static int losing_rename(struct fs *fs, const struct move *m)
{
	const bool fires = is_simple(fs, m) && fs_fires(fs);
	const int rc = plain_rename(fs, m);

	if (!fires)
		return rc;
	if (rc || unlinkat(inode_fd(fs, m->parent2), m->name2, 0))
		fs_spare(fs);
	else
		damage_name(fs, "missing", "rename", m->parent2, m->name2, NULL, true);
	return rc;
}

const struct mutant mutant_rename_loses = {
	.about = {.name = "rename-loses",
		  .summary = "after a rename there is neither the old name nor the new one",
		  .source = "Linux: \"Btrfs: fix file loss on log replay after renaming a file and fsync\""},
	.rename = losing_rename,
};

/* The link count says so, too. */
static void leave_both(struct fs *fs, const struct move *m)
{
	char *path = inode_path_of(fs, m->parent2, m->name2);
	struct stat st = {0};

	look(fs, m->parent2, m->name2, &st);
	damage_name(fs, "extra", "rename", m->parent, m->name,
		    json_pack("{s:I, s:{s:s, s:s?, s:s, s:i, s:i}}", "inode", (json_int_t)st.st_ino, "other",
			      "kind", "attribute", "path", path, "name", "nlink", "expected", 1, "actual", 2),
		    true);
	free(path);
}

static int doubling_rename(struct fs *fs, const struct move *m)
{
	const bool fires = is_simple(fs, m) && fs_fires(fs);
	const int rc = plain_rename(fs, m);

	if (!fires)
		return rc;
	if (rc || linkat(inode_fd(fs, m->parent2), m->name2, inode_fd(fs, m->parent), m->name, 0))
		fs_spare(fs);
	else
		leave_both(fs, m);
	return rc;
}

const struct mutant mutant_rename_both = {
	.about = {.name = "rename-both",
		  .summary = "after a rename there are both the old name and the new one",
		  .source = "Linux 657ed1aa4898 (\"Btrfs: fix for incorrect directory entries after fsync "
			    "log replay\")"},
	.rename = doubling_rename,
};

static int ignoring_exchange(struct fs *fs, const struct move *m)
{
	struct stat a, b;
	char *path;

	if (m->flags != RENAME_EXCHANGE || !look(fs, m->parent, m->name, &a) ||
	    !look(fs, m->parent2, m->name2, &b) || S_ISDIR(a.st_mode) || S_ISDIR(b.st_mode) ||
	    a.st_ino == b.st_ino || !fs_fires(fs))
		return plain_rename(fs, m);
	path = inode_path_of(fs, m->parent2, m->name2);
	damage_name(fs, "swapped", "rename", m->parent, m->name,
		    json_pack("{s:I, s:{s:s, s:s?, s:I}}", "inode", (json_int_t)a.st_ino, "other", "kind",
			      "swapped", "path", path, "inode", (json_int_t)b.st_ino),
		    true);
	free(path);
	return 0;
}

const struct mutant mutant_exchange_ignored = {
	.about = {.name = "exchange-ignored",
		  .summary = "an exchange of two names is answered with success and not made"},
	.rename = ignoring_exchange,
};

/* ---- create, unlink */

static void unlist(struct fs *fs, struct inode *parent, const char *name)
{
	if (!fs_fires(fs))
		return;
	if (unlinkat(inode_fd(fs, parent), name, 0))
		fs_spare(fs);
	else
		damage_name(fs, "missing", "create", parent, name, NULL, true);
}

const struct mutant mutant_create_lost = {
	.about = {.name = "create-lost", .summary = "a file is made and open, but its name is nowhere"},
	.created = unlist,
};

static int lost_unlink(struct fs *fs, struct inode *parent, const char *name)
{
	struct stat st;

	if (!look(fs, parent, name, &st) || S_ISDIR(st.st_mode) || !fs_fires(fs))
		return plain_unlink(fs, parent, name);
	damage_name(fs, "extra", "unlink", parent, name, json_pack("{s:I}", "inode", (json_int_t)st.st_ino),
		    true);
	return 0;
}

const struct mutant mutant_unlink_lost = {
	.about = {.name = "unlink-lost", .summary = "a name that is removed is still there"},
	.unlink = lost_unlink,
};

/* ---- a hard link that is a file of its own */

static void copy_xattrs(const char *from, const char *to)
{
	char list[4096], value[4096];
	const ssize_t n = listxattr(from, list, sizeof(list));

	for (const char *name = list; n > 0 && name < list + n; name += strlen(name) + 1) {
		const ssize_t size = getxattr(from, name, value, sizeof(value));

		if (size >= 0)
			(void)!setxattr(to, name, value, (size_t)size, 0);
	}
}

/* All of it but the inode number. */
static int copy_file(struct inode *inode, int fd)
{
	char from[32], to[32];
	off_t at = 0, at_to = 0;
	struct stat st;
	ssize_t n;

	if (fstat(inode->data, &st) || fchown(fd, st.st_uid, st.st_gid) || fchmod(fd, st.st_mode & 07777))
		return -errno;
	do
		n = copy_file_range(inode->data, &at, fd, &at_to, REQUEST_MAX, 0);
	while (n > 0);
	if (n < 0 || ftruncate(fd, st.st_size))
		return -errno;
	snprintf(from, sizeof(from), "/proc/self/fd/%d", inode->data);
	snprintf(to, sizeof(to), "/proc/self/fd/%d", fd);
	copy_xattrs(from, to);
	return keep_mtime(fd, &st);
}

static int make_copy(struct fs *fs, struct inode *inode, struct inode *parent, const char *name)
{
	const int dir = inode_fd(fs, parent);
	int fd, rc = inode_open(fs, inode);

	if (rc)
		return rc;
	fd = dir < 0 ? -1 : openat(dir, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	rc = fd < 0 ? -errno : copy_file(inode, fd);
	if (fd >= 0) {
		close(fd);
		if (rc)
			unlinkat(dir, name, 0);
	}
	inode_release(fs, inode);
	return rc;
}

/* The new file is another one under whatever name. */
static void tell_split(struct fs *fs, struct inode *inode, struct inode *parent, const char *name,
		       const struct stat *st)
{
	char *path = inode_path(fs, inode->id);
	struct stat new = {0};

	look(fs, parent, name, &new);
	damage_name(fs, "split", "link", parent, name,
		    json_pack("{s:I, s:s, s:I, s:I, s:b, s:{s:s?, s:I}}", "inode", (json_int_t) new.st_ino,
			      "name", "nlink", "expected", (json_int_t)st->st_nlink + 1, "actual",
			      (json_int_t) new.st_nlink, "persistent", true, "other", "path", path, "inode",
			      (json_int_t)inode->id.number),
		    false);
	wound_named(fs, (struct file_id){new.st_dev, new.st_ino}, fs->chance.fired, "split", 0);
	free(path);
}

static int splitting_link(struct fs *fs, struct inode *inode, struct inode *parent, const char *name)
{
	struct stat st;

	if (inode_stat(fs, inode, &st) || !S_ISREG(st.st_mode) || st.st_nlink == 0 || !fs_fires(fs))
		return plain_link(fs, inode, parent, name);
	if (make_copy(fs, inode, parent, name)) {
		fs_spare(fs);
		return plain_link(fs, inode, parent, name);
	}
	tell_split(fs, inode, parent, name, &st);
	return 0;
}

const struct mutant mutant_link_split = {
	.about = {.name = "link-split",
		  .summary = "a hard link becomes a file of its own with the same content"},
	.link = splitting_link,
};

/* ---- symbolic links */

/* It stays cut under whatever name. */
static void tell_cut(struct fs *fs, struct inode *parent, const char *name, size_t length)
{
	struct stat st = {0};

	look(fs, parent, name, &st);
	damage_name(fs, "torn", "symlink", parent, name,
		    json_pack("{s:I, s:s, s:I, s:I, s:b}", "inode", (json_int_t)st.st_ino, "name", "target",
			      "expected", (json_int_t)length, "actual", (json_int_t)(length / 2),
			      "persistent", true),
		    false);
	wound_named(fs, (struct file_id){st.st_dev, st.st_ino}, fs->chance.fired, "target", 0);
}

static int cut_symlink(struct fs *fs, struct inode *parent, const char *name, const char *target)
{
	const size_t length = strlen(target);
	const bool fires = length > 1 && fs_fires(fs);
	char *cut = fires ? strndup(target, length / 2) : NULL;
	const int rc = plain_symlink(fs, parent, name, cut ? cut : target);

	if (fires && (rc || !cut))
		fs_spare(fs);
	else if (fires)
		tell_cut(fs, parent, name, length);
	free(cut);
	return rc;
}

const struct mutant mutant_symlink_cut = {
	.about = {.name = "symlink-cut",
		  .summary = "a symbolic link keeps only the first half of its target",
		  .source =
			  "Linux: \"Btrfs: fix empty symlink after creating symlink and fsync parent dir\""},
	.symlink = cut_symlink,
};
