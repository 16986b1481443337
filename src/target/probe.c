/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/target/probe.h"

#include <blkid/blkid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libmount/libmount.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MOUNTINFO "/proc/self/mountinfo"

/* A btrfs mount has a device number of its own, so sources are compared too. Only names under /dev are looked
 * at: stat() of anything else might hang on a dead server. */
static bool mount_is_of(struct libmnt_fs *fs, dev_t device)
{
	const char *source = mnt_fs_get_source(fs);
	struct stat st;

	if (mnt_fs_get_devno(fs) == device)
		return true;
	return source && strncmp(source, "/dev/", 5) == 0 && stat(source, &st) == 0 && S_ISBLK(st.st_mode) &&
	       st.st_rdev == device;
}

bool probe_mounted(dev_t device, char *where, size_t len)
{
	struct libmnt_table *table = mnt_new_table_from_file(MOUNTINFO);
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	bool found = false;

	while (table && it && !found && mnt_table_next_fs(table, it, &fs) == 0) {
		found = mount_is_of(fs, device);
		if (found)
			snprintf(where, len, "%s", mnt_fs_get_target(fs));
	}
	mnt_free_iter(it);
	mnt_unref_table(table);
	return found;
}

static bool loop_backs(const char *name, const struct stat *file, char *loop, size_t len)
{
	struct loop_info64 info;
	char path[300];
	bool same = false;
	int fd;

	snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", name);
	if (access(path, F_OK) < 0)
		return false;
	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (ioctl(fd, LOOP_GET_STATUS64, &info) == 0)
		same = info.lo_inode == file->st_ino && info.lo_device == file->st_dev;
	close(fd);
	if (same)
		snprintf(loop, len, "%s", path);
	return same;
}

bool probe_looped(const struct stat *file, char *loop, size_t len)
{
	DIR *dir = opendir("/sys/block");
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir)))
		if (strncmp(entry->d_name, "loop", 4) == 0)
			found = loop_backs(entry->d_name, file, loop, len);
	if (dir)
		closedir(dir);
	return found;
}

int probe_mount_of(const char *path, char *type, size_t type_len, char *source, size_t source_len,
		   struct error *e)
{
	struct libmnt_table *table = mnt_new_table_from_file(MOUNTINFO);
	struct libmnt_fs *fs = NULL;

	/* Backwards: the last mount on a place is the one that is seen. */
	if (table)
		fs = mnt_table_find_mountpoint(table, path, MNT_ITER_BACKWARD);
	if (fs && type)
		snprintf(type, type_len, "%s", mnt_fs_get_fstype(fs));
	if (fs && source)
		snprintf(source, source_len, "%s", mnt_fs_get_source(fs) ? mnt_fs_get_source(fs) : "");
	mnt_unref_table(table);
	return fs ? 0
		  : error_set(e, EXIT_CANNOT, "cannot tell what %s is mounted from (" MOUNTINFO ")", path);
}

static const char *probe_value(blkid_probe pr, const char *name)
{
	const char *value = NULL;

	return blkid_probe_lookup_value(pr, name, &value, NULL) == 0 ? value : NULL;
}

/* `found`: what blkid_do_safeprobe() said. */
static int judge_content(blkid_probe pr, int found, const char *path, char *type, size_t len, struct error *e)
{
	const char *name = probe_value(pr, "TYPE"), *table = probe_value(pr, "PTTYPE");
	const char *usage = probe_value(pr, "USAGE");

	type[0] = '\0';
	if (found == 1)
		return 0;
	if (found == -2)
		return error_set(e, EXIT_USAGE,
				 "%s holds signatures of more than one filesystem (see wipefs %s)", path,
				 path);
	if (found < 0)
		return error_errno(e, EXIT_CANNOT, errno, "cannot read %s", path);
	if (name && usage && strcmp(usage, "filesystem") == 0) {
		snprintf(type, len, "%s", name);
		return 0;
	}
	if (table && !name)
		return error_set(
			e, EXIT_USAGE,
			"%s holds a partition table (%s), not a filesystem: name one of its partitions", path,
			table);
	return error_set(e, EXIT_USAGE, "%s holds %s, not a filesystem", path,
			 name ? name : "something unknown");
}

int probe_content(const char *path, char *type, size_t len, struct error *e)
{
	blkid_probe pr = blkid_new_probe_from_filename(path);
	int rc;

	if (!pr)
		return error_errno(e, EXIT_CANNOT, errno, "cannot read %s", path);
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE);
	blkid_probe_enable_partitions(pr, 1);
	rc = judge_content(pr, blkid_do_safeprobe(pr), path, type, len, e);
	blkid_free_probe(pr);
	return rc;
}

char *probe_kernel_name(char *buf, size_t len, const char *device)
{
	char link[64], name[4096];
	struct stat st;
	ssize_t n;

	buf[0] = '\0';
	if (stat(device, &st) < 0 || !S_ISBLK(st.st_mode))
		return buf;
	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(st.st_rdev), minor(st.st_rdev));
	n = readlink(link, name, sizeof(name) - 1);
	if (n > 0) {
		name[n] = '\0';
		snprintf(buf, len, "%s", strrchr(name, '/') ? strrchr(name, '/') + 1 : name);
	}
	return buf;
}
