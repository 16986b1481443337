/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making a target, and taking it away again. */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/target/filesystem.h"
#include "src/target/image.h"
#include "src/target/internal.h"
#include "src/target/loop.h"
#include "src/target/mapping.h"
#include "src/target/probe.h"
#include "src/target/space.h"

/* A tmpfs needs some pages beside its files. */
#define TMPFS_MARGIN (16 * MiB)

static int set_path(char *buf, size_t len, const char *dir, const char *name, struct error *e)
{
	if (snprintf(buf, len, "%s/%s", dir, name) < (int)len)
		return 0;
	return error_set(e, EXIT_USAGE, "the path is too long: %s/%s", dir, name);
}

/* The run directory's own name makes the run's directory on a shared filesystem unique and recognisable. */
char *target_subdir_name(char *buf, size_t len, const char *dir)
{
	char copy[4096];

	snprintf(copy, sizeof(copy), "%s", dir);
	snprintf(buf, len, "recow-%.200s", basename(copy));
	return buf;
}

static void name_subdir(struct target *t, const char *dir)
{
	target_subdir_name(t->subdir, sizeof(t->subdir), dir);
}

static int prepare_directory(struct target *t, const char *dir, struct error *e)
{
	char source[4096];

	name_subdir(t, dir);
	if (set_path(t->mountpoint, sizeof(t->mountpoint), t->spec.path, t->subdir, e) < 0 ||
	    probe_mount_of(t->spec.path, NULL, 0, source, sizeof(source), e) < 0)
		return -1;
	probe_kernel_name(t->kernel_name, sizeof(t->kernel_name), source);
	return target_make_subdir(t, t->mountpoint, t->spec.path, e);
}

static int mount_tmpfs(struct target *t, const char *dir, struct error *e)
{
	char options[64];

	if (set_path(t->tmpfs, sizeof(t->tmpfs), dir, "tmpfs", e) < 0)
		return -1;
	if (space_for_memory_image(space_of_new_image(&t->spec), e) == 0) {
		snprintf(options, sizeof(options), "mode=0700,size=%llu",
			 (unsigned long long)(t->spec.image_size + TMPFS_MARGIN));
		if (mkdir(t->tmpfs, 0700) == 0 &&
		    mount("recow", t->tmpfs, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) == 0)
			return 0;
		error_errno(e, EXIT_CANNOT, errno, "cannot mount a tmpfs on %s", t->tmpfs);
		rmdir(t->tmpfs);
	}
	t->tmpfs[0] = '\0';
	return -1;
}

static int make_image(struct target *t, const char *dir, struct error *e)
{
	if (t->spec.tmpfs) {
		if (mount_tmpfs(t, dir, e) < 0)
			return -1;
	} else if (space_for_image(dir, space_of_new_image(&t->spec), e) < 0) {
		return -1;
	}
	if (set_path(t->image, sizeof(t->image), t->spec.tmpfs ? t->tmpfs : dir, "image", e) == 0 &&
	    image_make(t->image, t->spec.image_size, e) == 0)
		return 0;
	t->image[0] = '\0'; /* not ours to remove */
	return -1;
}

static int attach_image(struct target *t, struct error *e)
{
	struct loop loop;

	if (loop_attach(t->image, &loop, e) < 0)
		return -1;
	t->loop = loop.fd;
	snprintf(t->device, sizeof(t->device), "%s", loop.device);
	if (!loop.direct)
		snprintf(t->note, sizeof(t->note),
			 "%s: no direct I/O to the image here: the target's data is cached a second time "
			 "below it",
			 t->device);
	return 0;
}

/* What is formatted and mounted lies behind it from the start. */
static int put_mapping(struct target *t, const char *dir, struct error *e)
{
	char name[MAPPING_NAME];

	memcpy(t->below, t->device, sizeof(t->below));
	t->mapping = mapping_make(mapping_name(name, sizeof(name), dir), t->below, t->device,
				  sizeof(t->device), e);
	return t->mapping < 0 ? -1 : 0;
}

static int prepare_device(struct target *t, const char *dir, struct error *e)
{
	if (t->spec.kind == TARGET_DEVICE &&
	    snprintf(t->device, sizeof(t->device), "%s", t->spec.path) >= (int)sizeof(t->device))
		return error_set(e, EXIT_USAGE, "the path is too long: %s", t->spec.path);
	if (t->spec.kind == TARGET_IMAGE)
		memcpy(t->image, t->spec.path, sizeof(t->image));
	if (t->spec.kind == TARGET_AUTO && make_image(t, dir, e) < 0)
		return -1;
	if (t->spec.kind != TARGET_DEVICE && attach_image(t, e) < 0)
		return -1;
	if (t->spec.mapped && put_mapping(t, dir, e) < 0)
		return -1;
	probe_kernel_name(t->kernel_name, sizeof(t->kernel_name), t->device);
	/* The one place where anything is formatted. */
	if (t->spec.kind == TARGET_AUTO || t->spec.mkfs)
		return filesystem_make(t->spec.fs, t->spec.mkfs_options, t->device, t->log, e);
	name_subdir(t, dir);
	return 0;
}

int target_prepare(struct target *t, const struct target_spec *spec, const char *dir, struct error *e)
{
	struct error ignored;
	int rc;

	memset(t, 0, sizeof(*t));
	t->spec = *spec;
	t->loop = t->mapping = -1;
	t->btrfs = strcmp(spec->fs, "btrfs") == 0;
	t->own = spec->kind != TARGET_DIRECTORY;
	if (!t->own)
		return prepare_directory(t, dir, e);
	if (set_path(t->mountpoint, sizeof(t->mountpoint), dir, "mnt", e) < 0 ||
	    set_path(t->log, sizeof(t->log), dir, "mkfs.log", e) < 0)
		return -1;
	if (mkdir(t->mountpoint, 0755) < 0 && errno != EEXIST)
		return error_errno(e, EXIT_HARNESS, errno, "cannot make %s", t->mountpoint);
	rc = prepare_device(t, dir, e);
	if (rc < 0)
		target_release(t, false, &ignored);
	return rc;
}

/* The first error is the one that counts. */
static void note_first(struct error *first, int *rc, int failed, const struct error *e)
{
	if (failed < 0 && *rc == 0) {
		*first = *e;
		*rc = -1;
	}
}

/* The run's directory on a filesystem that was there before: reached through the mount of the whole, since
 * the narrow mount can't remove its own root. */
static int remove_subdir(struct target *t, struct error *e)
{
	char path[sizeof(t->mountpoint) + sizeof(t->subdir) + 1];
	struct error ignored;
	int rc;

	if (target_mount_whole(t, e) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/%s", t->mountpoint, t->subdir);
	rc = target_remove_tree(path, e);
	t->subdir_made = rc < 0;
	if (target_unmount(t, rc < 0 ? &ignored : e) < 0)
		rc = -1;
	return rc;
}

static int release_image(struct target *t, bool keep, struct error *e)
{
	char kept[4096], dir[4096];
	int rc = 0;

	if (t->spec.kind != TARGET_AUTO || !t->image[0])
		return 0;
	if (keep && t->tmpfs[0]) {
		snprintf(dir, sizeof(dir), "%s", t->tmpfs);
		if (set_path(kept, sizeof(kept), dirname(dir), "image", e) < 0 ||
		    image_copy(t->image, kept, e) < 0)
			return -1; /* the only copy stays where it is */
		keep = false;
		rc = unlink(t->image);
		memcpy(t->image, kept, sizeof(t->image));
	}
	if (!keep && !t->tmpfs[0] && unlink(t->image) < 0 && errno != ENOENT)
		rc = -1;
	return rc < 0 ? error_errno(e, EXIT_HARNESS, errno, "cannot remove %s", t->image) : 0;
}

static int release_tmpfs(struct target *t, struct error *e)
{
	if (!t->tmpfs[0])
		return 0;
	if (umount2(t->tmpfs, UMOUNT_NOFOLLOW) < 0 || rmdir(t->tmpfs) < 0)
		return error_errno(e, EXIT_HARNESS, errno, "cannot unmount the tmpfs %s", t->tmpfs);
	t->tmpfs[0] = '\0';
	return 0;
}

/* The upper one first. */
static void release_devices(struct target *t)
{
	if (t->mapping >= 0)
		mapping_let_go(t->mapping, t->device);
	if (t->loop >= 0)
		loop_detach(t->loop, t->below[0] ? t->below : t->device);
	t->loop = t->mapping = -1;
}

static int release_own(struct target *t, bool keep, struct error *e)
{
	struct error one;
	int rc = 0, image;

	if (target_is_mounted(t) && target_unmount(t, &one) < 0) {
		*e = one; /* nothing below a mounted filesystem can be taken away */
		return -1;
	}
	if (t->subdir_made && !keep)
		note_first(e, &rc, remove_subdir(t, &one), &one);
	release_devices(t);
	image = release_image(t, keep, &one);
	note_first(e, &rc, image, &one);
	if (image == 0)
		note_first(e, &rc, release_tmpfs(t, &one), &one);
	if (rmdir(t->mountpoint) < 0 && errno != ENOENT)
		note_first(e, &rc, error_errno(&one, EXIT_HARNESS, errno, "cannot remove %s", t->mountpoint),
			   &one);
	return rc;
}

int target_release(struct target *t, bool keep, struct error *e)
{
	if (t->own)
		return release_own(t, keep, e);
	return keep ? 0 : target_remove_tree(t->mountpoint, e);
}
