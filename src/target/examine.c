/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the user asked for, held against the machine, before anything is changed. */
#include <errno.h>
#include <fcntl.h>
#include <libmount/libmount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/program.h"
#include "src/base/units.h"
#include "src/target/filesystem.h"
#include "src/target/probe.h"
#include "src/target/space.h"
#include "src/target/target.h"

#define DEFAULT_FS "btrfs"

static int examine_options(const struct target_spec *spec, struct error *e)
{
	char **words = words_split(spec->mkfs_options, e);

	if (!words)
		return error_context(e, "--mkfs-options");
	free(words);
	if (mnt_optstr_get_option(spec->mount_options, "ro", NULL, NULL) == 0)
		return error_set(e, EXIT_USAGE, "--mount-options: ro leaves nothing to churn");
	return 0;
}

static int examine_root(struct error *e)
{
	if (geteuid() == 0)
		return 0;
	return error_set(e, EXIT_CANNOT,
			 "making and mounting a target needs root: use sudo, or give --target a directory");
}

static int examine_loop_control(struct error *e)
{
	if (access("/dev/loop-control", R_OK | W_OK) == 0)
		return 0;
	return error_errno(
		e, EXIT_CANNOT, errno,
		"no loop devices here: /dev/loop-control (modprobe loop; containers need it passed in)");
}

static int examine_size(const char *what, uint64_t size, const char *fs, struct error *e)
{
	uint64_t minimum = filesystem_find(fs)->minimum;
	char is[32], must[32];

	if (size >= minimum)
		return 0;
	units_show_size(is, sizeof(is), size);
	units_show_size(must, sizeof(must), minimum);
	return error_set(e, EXIT_USAGE, "%s is too small: %s; %s needs at least %s", what, is, fs, must);
}

static int examine_auto(struct target_spec *spec, struct error *e)
{
	if (!spec->fs[0])
		snprintf(spec->fs, sizeof(spec->fs), DEFAULT_FS);
	if (strcmp(spec->fs, "tmpfs") == 0)
		return error_set(e, EXIT_USAGE,
				 "tmpfs has no image: give --target a directory on a tmpfs (or ask for an "
				 "image on tmpfs)");
	if (filesystem_available(spec->fs, true, e) < 0 ||
	    examine_size("--image-size", spec->image_size, spec->fs, e) < 0)
		return -1;
	if (examine_root(e) < 0 || examine_loop_control(e) < 0)
		return -1;
	return spec->tmpfs ? space_for_memory_image(space_of_new_image(spec), e) : 0;
}

/* A device or image that exists: what is on it, or what will be put on it. */
static int examine_content(struct target_spec *spec, struct error *e)
{
	char found[sizeof(spec->fs)];

	if (spec->mkfs) {
		if (!spec->fs[0])
			snprintf(spec->fs, sizeof(spec->fs), DEFAULT_FS);
		return filesystem_available(spec->fs, true, e);
	}
	if (probe_content(spec->path, found, sizeof(found), e) < 0)
		return -1;
	if (!found[0])
		return error_set(
			e, EXIT_USAGE,
			"%s holds no filesystem; to make one: --mkfs --yes (everything on it is lost)",
			spec->path);
	if (spec->fs[0] && strcmp(spec->fs, found) != 0)
		return error_set(
			e, EXIT_USAGE,
			"%s holds %s, not %s; to make a new one: --mkfs --yes (everything on it is lost)",
			spec->path, found, spec->fs);
	snprintf(spec->fs, sizeof(spec->fs), "%s", found);
	return filesystem_available(spec->fs, false, e);
}

/* O_EXCL fails when anything in the kernel has claimed the device, in any mount namespace: mounts, swap,
 * RAID, device mapper, a partition in use. */
static int examine_device_free(const char *path, const struct stat *st, struct error *e)
{
	char where[4096];
	int fd;

	if (probe_mounted(st->st_rdev, where, sizeof(where)))
		return error_set(e, EXIT_USAGE, "%s is in use: mounted on %s", path, where);
	fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd < 0 && errno == EBUSY)
		return error_set(e, EXIT_USAGE,
				 "%s is in use: the kernel has claimed it (a mount elsewhere, swap, RAID, "
				 "LVM, a partition)",
				 path);
	if (fd < 0)
		return error_errno(e, EXIT_CANNOT, errno, "cannot open %s", path);
	close(fd);
	return 0;
}

static int examine_device_size(const char *path, uint64_t *size, struct error *e)
{
	int readonly = 0, rc = 0, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(e, EXIT_CANNOT, errno, "cannot open %s", path);
	if (ioctl(fd, BLKROGET, &readonly) < 0 || ioctl(fd, BLKGETSIZE64, size) < 0)
		rc = error_errno(e, EXIT_CANNOT, errno, "cannot look at %s", path);
	else if (readonly)
		rc = error_set(e, EXIT_USAGE, "%s is read-only", path);
	close(fd);
	return rc;
}

static int examine_device(struct target_spec *spec, const struct stat *st, struct error *e)
{
	uint64_t size = 0;

	if (examine_root(e) < 0 || examine_device_free(spec->path, st, e) < 0 ||
	    examine_device_size(spec->path, &size, e) < 0)
		return -1;
	if (examine_content(spec, e) < 0)
		return -1;
	return examine_size(spec->path, size, spec->fs, e);
}

static int examine_image(struct target_spec *spec, const struct stat *st, struct error *e)
{
	uint64_t size = (uint64_t)st->st_size, allocated = MIN(size, (uint64_t)st->st_blocks * 512);
	char loop[64];

	if (examine_root(e) < 0)
		return -1;
	if (access(spec->path, R_OK | W_OK) < 0)
		return error_errno(e, EXIT_USAGE, errno, "cannot write to %s", spec->path);
	if (probe_looped(st, loop, sizeof(loop)))
		return error_set(e, EXIT_USAGE, "%s is in use: it is attached to %s", spec->path, loop);
	if (examine_content(spec, e) < 0 || examine_size(spec->path, size, spec->fs, e) < 0)
		return -1;
	if (examine_loop_control(e) < 0)
		return -1;
	return space_for_image(spec->path, size - allocated, e);
}

static int examine_directory_options(const struct target_spec *spec, struct error *e)
{
	if (spec->mkfs || spec->mkfs_options[0])
		return error_set(e, EXIT_USAGE, "%s is a directory: it cannot be formatted (--mkfs)",
				 spec->path);
	if (spec->mount_options[0])
		return error_set(e, EXIT_USAGE,
				 "%s is a directory: recow does not mount it (--mount-options)", spec->path);
	return 0;
}

static int examine_directory(struct target_spec *spec, struct error *e)
{
	char found[sizeof(spec->fs)];

	if (examine_directory_options(spec, e) < 0 ||
	    probe_mount_of(spec->path, found, sizeof(found), NULL, 0, e) < 0)
		return -1;
	if (spec->fs[0] && strcmp(spec->fs, found) != 0)
		return error_set(e, EXIT_USAGE, "%s is on %s, not %s", spec->path, found, spec->fs);
	snprintf(spec->fs, sizeof(spec->fs), "%s", found);
	if (access(spec->path, W_OK | X_OK) < 0)
		return error_errno(e, EXIT_USAGE, errno, "cannot write in %s", spec->path);
	return space_for_churn(spec->path, e);
}

/* Make the path absolute and free of links: the processes of a run need not share a working directory. */
static int resolve(struct target_spec *spec, struct stat *st, struct error *e)
{
	char *real = realpath(spec->path, NULL);

	if (!real)
		return error_errno(e, EXIT_USAGE, errno, "--target %s", spec->path);
	snprintf(spec->path, sizeof(spec->path), "%s", real);
	free(real);
	if (stat(spec->path, st) < 0)
		return error_errno(e, EXIT_USAGE, errno, "--target %s", spec->path);
	return 0;
}

int target_examine(struct target_spec *spec, struct error *e)
{
	struct stat st = {0};

	if (examine_options(spec, e) < 0)
		return -1;
	if (!spec->path[0]) {
		spec->kind = TARGET_AUTO;
		return examine_auto(spec, e);
	}
	if (resolve(spec, &st, e) < 0)
		return -1;
	if (S_ISBLK(st.st_mode)) {
		spec->kind = TARGET_DEVICE;
		return examine_device(spec, &st, e);
	}
	if (S_ISREG(st.st_mode)) {
		spec->kind = TARGET_IMAGE;
		return examine_image(spec, &st, e);
	}
	if (S_ISDIR(st.st_mode)) {
		spec->kind = TARGET_DIRECTORY;
		return examine_directory(spec, e);
	}
	return error_set(e, EXIT_USAGE,
			 "--target %s is neither a block device, nor an image file, nor a directory",
			 spec->path);
}
