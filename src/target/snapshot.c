/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subvolumes of btrfs and snapshots of them: made and deleted. */
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "src/target/target.h"

static int open_directory(int at, const char *path)
{
	return openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The directory that `path` is in; *name is the rest. */
static int open_parent(int at, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char parent[4096];

	*name = slash ? slash + 1 : path;
	snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	return open_directory(at, parent);
}

static int close_keeping_errno(int fd, int ret)
{
	int err = errno;

	close(fd);
	errno = err;
	return ret;
}

int target_snapshot(int at, const char *from, const char *to, enum snapshot_kind kind, bool sync)
{
	struct btrfs_ioctl_vol_args_v2 args = {.flags = kind == SNAPSHOT_READONLY ? BTRFS_SUBVOL_RDONLY : 0};
	int source = open_directory(at, from), parent, ret;
	const char *name;

	if (source < 0)
		return -1;
	parent = open_parent(at, to, &name);
	if (parent < 0)
		return close_keeping_errno(source, -1);
	args.fd = source;
	snprintf(args.name, sizeof(args.name), "%s", name);
	ret = sync ? syncfs(source) : 0;
	if (ret == 0)
		ret = ioctl(parent, BTRFS_IOC_SNAP_CREATE_V2, &args);
	ret = close_keeping_errno(parent, ret);
	return close_keeping_errno(source, ret);
}

int target_set_readonly(int at, const char *path)
{
	uint64_t flags;
	int fd = open_directory(at, path), ret;

	if (fd < 0)
		return -1;
	ret = ioctl(fd, BTRFS_IOC_SUBVOL_GETFLAGS, &flags);
	flags |= BTRFS_SUBVOL_RDONLY;
	if (ret == 0)
		ret = ioctl(fd, BTRFS_IOC_SUBVOL_SETFLAGS, &flags);
	return close_keeping_errno(fd, ret);
}

/* One of the ioctls that take a name in a directory. */
static int call_in_parent(int at, const char *path, unsigned long request)
{
	struct btrfs_ioctl_vol_args args = {0};
	const char *name;
	int parent = open_parent(at, path, &name);

	if (parent < 0)
		return -1;
	snprintf(args.name, sizeof(args.name), "%s", name);
	return close_keeping_errno(parent, ioctl(parent, request, &args));
}

int target_snapshot_delete(int at, const char *path)
{
	return call_in_parent(at, path, BTRFS_IOC_SNAP_DESTROY);
}

int target_subvolume(int at, const char *path)
{
	return call_in_parent(at, path, BTRFS_IOC_SUBVOL_CREATE);
}
