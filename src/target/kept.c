/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/target/kept.h"

#include <errno.h>
#include <libmount/libmount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/target/filesystem.h"
#include "src/target/internal.h"
#include "src/target/loop.h"
#include "src/target/probe.h"

/* What is to be looked at: kind and absolute path. */
static int find_place(struct target *t, const struct target_spec *spec, const char *where, const char *run,
		      struct error *e)
{
	char image[4096 + 16];
	const char *path = where;
	struct stat st;

	t->spec = *spec;
	t->loop = t->mapping = -1;
	snprintf(image, sizeof(image), "%s/image", run);
	if (!path)
		path = spec->kind == TARGET_AUTO ? image : spec->path;
	if (!realpath(path, t->spec.path) || stat(t->spec.path, &st)) {
		if (!where && spec->kind == TARGET_AUTO)
			return error_errno(e, EXIT_CANNOT, errno,
					   "%s: the run kept no image (--keep keeps it); --target names a "
					   "copy",
					   path);
		return error_errno(e, EXIT_CANNOT, errno, "%s", path);
	}
	if (S_ISDIR(st.st_mode))
		t->spec.kind = TARGET_DIRECTORY;
	else if (S_ISBLK(st.st_mode))
		t->spec.kind = TARGET_DEVICE;
	else if (S_ISREG(st.st_mode))
		t->spec.kind = TARGET_IMAGE;
	else
		return error_set(e, EXIT_USAGE, "%s is no device, image or directory", path);
	return 0;
}

static int check_free(const struct target *t, struct error *e)
{
	char where[4096];
	struct stat st;

	if (stat(t->spec.path, &st))
		return error_errno(e, EXIT_CANNOT, errno, "%s", t->spec.path);
	if (t->spec.kind == TARGET_DEVICE && probe_mounted(st.st_rdev, where, sizeof(where)))
		return error_set(e, EXIT_CANNOT, "%s is in use: mounted on %s; name that directory instead",
				 t->spec.path, where);
	if (t->spec.kind == TARGET_IMAGE && probe_looped(&st, where, sizeof(where)))
		return error_set(e, EXIT_CANNOT, "%s is in use: %s is attached to it", t->spec.path, where);
	return 0;
}

/* Is it the filesystem that the run was on? */
static int check_content(struct target *t, struct error *e)
{
	char found[sizeof(t->spec.fs)];

	if (probe_content(t->spec.path, found, sizeof(found), e) < 0)
		return -1;
	if (!found[0])
		return error_set(e, EXIT_CANNOT, "%s holds no filesystem", t->spec.path);
	if (t->spec.fs[0] && strcmp(found, t->spec.fs) != 0)
		return error_set(e, EXIT_CANNOT, "%s holds %s; the run was on %s", t->spec.path, found,
				 t->spec.fs);
	snprintf(t->spec.fs, sizeof(t->spec.fs), "%s", found);
	return 0;
}

/* ---- mounting */

static int attach(struct target *t, bool writable, struct error *e)
{
	struct loop loop;

	if (t->spec.kind == TARGET_DEVICE) {
		if (snprintf(t->device, sizeof(t->device), "%s", t->spec.path) >= (int)sizeof(t->device))
			return error_set(e, EXIT_USAGE, "the path is too long: %s", t->spec.path);
	} else {
		int rc = writable ? loop_attach(t->spec.path, &loop, e)
				  : loop_attach_readonly(t->spec.path, &loop, e);

		if (rc < 0)
			return -1;
		t->loop = loop.fd;
		snprintf(t->device, sizeof(t->device), "%s", loop.device);
		memcpy(t->image, t->spec.path, sizeof(t->image));
	}
	probe_kernel_name(t->kernel_name, sizeof(t->kernel_name), t->device);
	return 0;
}

static void detach(struct target *t)
{
	if (t->loop >= 0)
		loop_detach(t->loop, t->device);
	t->loop = -1;
}

static int set_up(struct libmnt_context *cxt, const struct kept *k)
{
	const struct target_spec *spec = &k->target.spec;

	return mnt_context_disable_mtab(cxt, 1) || mnt_context_set_source(cxt, k->target.device) ||
	       mnt_context_set_target(cxt, k->mount) || mnt_context_set_fstype(cxt, spec->fs) ||
	       mnt_context_set_options(cxt, filesystem_find(spec->fs)->mount_options) ||
	       (spec->mount_options[0] && mnt_context_append_options(cxt, spec->mount_options)) ||
	       mnt_context_append_options(cxt, "ro,noatime");
}

/* Replaying the log is part of what is tested: no option leaves it out. */
static int mount_readonly(struct kept *k, struct error *e)
{
	struct libmnt_context *cxt = mnt_new_context();
	char why[512] = "";
	int rc = 0, status;

	if (!cxt || set_up(cxt, k) != 0) {
		mnt_free_context(cxt);
		return error_set(e, EXIT_HARNESS, "libmount does not take the mount of %s", k->target.device);
	}
	status = mnt_context_mount(cxt);
	if (mnt_context_get_excode(cxt, status, why, sizeof(why)) != MNT_EX_SUCCESS) {
		rc = error_set(e, EXIT_FINDING, "cannot mount %s (%s): %s", k->target.spec.path,
			       k->target.spec.fs, why[0] ? why : strerror(errno));
		e->err = mnt_context_get_syscall_errno(cxt);
	}
	mnt_free_context(cxt);
	return rc;
}

/* A log that must be replayed can't be on a device that takes no writes: btrfs answers EIO, others EROFS. An
 * image that is damaged fails again, and is not written to by a read-only mount. */
static int mount_device(struct kept *k, struct error *e)
{
	if (attach(&k->target, false, e) < 0)
		return -1;
	if (mount_readonly(k, e) == 0)
		return 0;
	detach(&k->target);
	if ((e->err != EROFS && e->err != EIO) || k->target.spec.kind != TARGET_IMAGE)
		return -1;
	if (attach(&k->target, true, e) < 0)
		return -1;
	k->writable = true;
	if (mount_readonly(k, e) == 0)
		return 0;
	detach(&k->target);
	return -1;
}

/* ---- the run's directory within it */

static bool is_tree(const char *path)
{
	char anchor[4096 + 16];
	struct stat st;

	snprintf(anchor, sizeof(anchor), "%s/w0000", path);
	return lstat(anchor, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The tree may be the whole (a throw-away image, a device that was formatted, a copy of the run's directory)
 * or lie in recow-RUN. One that lost even its first directories is taken for the whole where the run had
 * the whole. */
static int find_tree(struct target *t, const char *top, bool whole, const char *run, struct error *e)
{
	char path[sizeof(t->mountpoint) + sizeof(t->subdir) + 2];
	struct stat st;

	target_subdir_name(t->subdir, sizeof(t->subdir), run);
	snprintf(path, sizeof(path), "%s/%s", top, t->subdir);
	if (!whole && lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && strlen(path) < sizeof(t->mountpoint)) {
		memcpy(t->mountpoint, path, strlen(path) + 1);
		return 0;
	}
	if (!whole && !is_tree(top))
		return error_set(
			e, EXIT_CANNOT,
			"%s holds neither %s nor a run's tree (w0000): was the target kept (--keep)?",
			t->spec.path, t->subdir);
	t->subdir[0] = '\0';
	snprintf(t->mountpoint, sizeof(t->mountpoint), "%s", top);
	return 0;
}

static int open_directory(struct target *t, const char *run, struct error *e)
{
	char source[4096];

	t->own = false;
	if (probe_mount_of(t->spec.path, t->spec.fs, sizeof(t->spec.fs), source, sizeof(source), e) < 0)
		return -1;
	t->btrfs = strcmp(t->spec.fs, "btrfs") == 0;
	probe_kernel_name(t->kernel_name, sizeof(t->kernel_name), source);
	return find_tree(t, t->spec.path, false, run, e);
}

int kept_open(struct kept *k, const struct target_spec *spec, const char *where, const char *run,
	      const char *mountpoint, struct error *e)
{
	bool whole = spec->kind == TARGET_AUTO || spec->mkfs;
	struct target *t = &k->target;

	memset(k, 0, sizeof(*k));
	if (find_place(t, spec, where, run, e) < 0)
		return -1;
	if (t->spec.kind == TARGET_DIRECTORY)
		return open_directory(t, run, e);
	t->own = true;
	snprintf(k->mount, sizeof(k->mount), "%s", mountpoint);
	if (check_free(t, e) < 0 || check_content(t, e) < 0)
		return -1;
	t->btrfs = strcmp(t->spec.fs, "btrfs") == 0;
	if (mount_device(k, e) < 0)
		return -1;
	if (find_tree(t, k->mount, whole, run, e) == 0)
		return 0;
	umount2(k->mount, UMOUNT_NOFOLLOW);
	detach(t);
	return -1;
}

int kept_unmount(struct kept *k, struct error *e)
{
	struct target whole = k->target;

	if (!k->mount[0])
		return 0;
	memcpy(whole.mountpoint, k->mount, sizeof(whole.mountpoint));
	return target_unmount(&whole, e);
}

void kept_close(struct kept *k)
{
	detach(&k->target);
}
