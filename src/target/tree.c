/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories and btrfs subvolumes: making one, removing all. */
#include <btrfsutil.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/btrfs_tree.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "src/target/target.h"

int target_make_subvolume(const struct target *t, const char *path, struct error *e)
{
	enum btrfs_util_error failed;

	if (!t->btrfs) {
		if (mkdir(path, 0755) < 0)
			return error_errno(e, EXIT_HARNESS, errno, "cannot make %s", path);
		return 0;
	}
	failed = btrfs_util_create_subvolume(path, 0, NULL, NULL);
	if (failed)
		return error_errno(e, EXIT_HARNESS, errno, "cannot make the subvolume %s (%s)", path,
				   btrfs_util_strerror(failed));
	return 0;
}

int target_make_nocow(int mount, const char *name, struct error *e)
{
	int fd = openat(mount, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), flags = 0, failed;

	if (fd < 0)
		return error_errno(e, EXIT_HARNESS, errno, "cannot open %s", name);
	failed = ioctl(fd, FS_IOC_GETFLAGS, &flags);
	flags |= FS_NOCOW_FL;
	if (!failed)
		failed = ioctl(fd, FS_IOC_SETFLAGS, &flags);
	if (failed && (errno == EOPNOTSUPP || errno == ENOTTY || errno == EINVAL))
		failed = 0;
	if (failed)
		error_errno(e, EXIT_HARNESS, errno, "cannot make %s nodatacow", name);
	close(fd);
	return failed ? -1 : 0;
}

/* The root of a subvolume is an inode of this number, on a device number of its own. */
static bool is_subvolume(int dir, const char *name, const struct stat *st)
{
	struct statfs fs;
	int rc, fd;

	if (!S_ISDIR(st->st_mode) || st->st_ino != BTRFS_FIRST_FREE_OBJECTID)
		return false;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	rc = fstatfs(fd, &fs);
	close(fd);
	return rc == 0 && fs.f_type == BTRFS_SUPER_MAGIC;
}

static int remove_entry(int dir, const char *name, dev_t device);

/* Returns 0 or an errno. Goes on after an error: as much as possible goes. */
static int remove_content(int dir, const char *name, dev_t device)
{
	int err = 0, fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!list) {
		err = errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	while ((entry = readdir(list))) {
		int failed;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		failed = remove_entry(fd, entry->d_name, device);
		err = err ? err : failed;
	}
	closedir(list);
	return err;
}

/* A subvolume goes at once, with all that is in it; those inside it first. */
static int remove_subvolume(int dir, const char *name)
{
	errno = 0;
	if (btrfs_util_delete_subvolume_fd(dir, name, BTRFS_UTIL_DELETE_SUBVOLUME_RECURSIVE) == BTRFS_UTIL_OK)
		return 0;
	return errno ? errno : EIO;
}

/* `device`: of the directory that it is in; something else there is a mount, which is not ours. */
static int remove_entry(int dir, const char *name, dev_t device)
{
	struct stat st;
	int err;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : errno;
	if (!S_ISDIR(st.st_mode))
		return unlinkat(dir, name, 0) < 0 ? errno : 0;
	if (is_subvolume(dir, name, &st))
		return remove_subvolume(dir, name);
	if (st.st_dev != device)
		return EXDEV;
	err = remove_content(dir, name, device);
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0 && !err)
		err = errno;
	return err;
}

int target_remove_tree(const char *path, struct error *e)
{
	char one[4096], two[4096];
	struct stat st;
	int err, dir;

	snprintf(one, sizeof(one), "%s", path);
	snprintf(two, sizeof(two), "%s", path);
	dir = open(dirname(one), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 && errno == ENOENT)
		return 0;
	if (dir < 0 || fstat(dir, &st) < 0)
		return error_errno(e, EXIT_HARNESS, errno, "cannot open %s", one);
	err = remove_entry(dir, basename(two), st.st_dev);
	close(dir);
	if (err)
		return error_errno(e, EXIT_HARNESS, err, "cannot remove all of %s", path);
	return 0;
}
