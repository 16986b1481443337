/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <libmount/libmount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/target/filesystem.h"
#include "src/target/holders.h"
#include "src/target/internal.h"
#include "src/target/space.h"

/* A process that has just closed its last file may still be on its way out. */
#define UNMOUNT_PATIENCE (5 * NSEC_PER_SEC)
#define UNMOUNT_PAUSE    (50 * NSEC_PER_MSEC)

static int set_up(struct libmnt_context *cxt, const struct target *t)
{
	const char *options = filesystem_find(t->spec.fs)->mount_options;

	return mnt_context_disable_mtab(cxt, 1) || mnt_context_set_source(cxt, t->device) ||
	       mnt_context_set_target(cxt, t->mountpoint) || mnt_context_set_fstype(cxt, t->spec.fs) ||
	       mnt_context_set_options(cxt, options) ||
	       (t->spec.mount_options[0] && mnt_context_append_options(cxt, t->spec.mount_options));
}

static int mount_whole(struct target *t, struct error *e)
{
	struct libmnt_context *cxt = mnt_new_context();
	char why[512] = "";
	int rc = 0, status;

	if (!cxt || set_up(cxt, t) != 0) {
		mnt_free_context(cxt);
		return error_set(e, EXIT_HARNESS, "libmount does not take the mount of %s", t->device);
	}
	status = mnt_context_mount(cxt);
	if (mnt_context_get_excode(cxt, status, why, sizeof(why)) != MNT_EX_SUCCESS) {
		rc = error_set(e, EXIT_CANNOT, "cannot mount %s (%s) on %s: %s", t->device, t->spec.fs,
			       t->mountpoint, why[0] ? why : strerror(errno));
		e->err = mnt_context_get_syscall_errno(cxt);
	}
	mnt_free_context(cxt);
	return rc;
}

/* libmount falls back to a read-only mount where the device refuses writes. */
static int demand_writable(const struct target *t, struct error *e)
{
	struct statvfs st;

	if (statvfs(t->mountpoint, &st) < 0)
		return error_errno(e, EXIT_CANNOT, errno, "cannot look at %s", t->mountpoint);
	if (st.f_flag & ST_RDONLY)
		return error_set(e, EXIT_CANNOT, "%s could only be mounted read-only", t->device);
	return 0;
}

/* It counts as made from just before: who dies in between leaves nothing that nobody removes. */
int target_make_subdir(struct target *t, const char *path, const char *place, struct error *e)
{
	t->subdir_made = true;
	if (mkdir(path, 0755) == 0)
		return 0;
	t->subdir_made = false;
	if (errno != EEXIST)
		return error_errno(e, EXIT_CANNOT, errno, "cannot make %s on %s", t->subdir, place);
	return error_set(e, EXIT_USAGE,
			 "%s exists on %s: it is another run's, or was kept; remove it, or give this run "
			 "another name (--output)",
			 t->subdir, place);
}

/* Replace the mount of the whole filesystem by one of the run's directory alone: what was there before is out
 * of everybody's reach and sight. The detached copy keeps the filesystem mounted in between. */
static int narrow_to_subdir(struct target *t, struct error *e)
{
	char path[sizeof(t->mountpoint) + sizeof(t->subdir) + 1];
	int tree, rc = 0;

	snprintf(path, sizeof(path), "%s/%s", t->mountpoint, t->subdir);
	if (!t->subdir_made &&
	    (space_for_churn(t->mountpoint, e) < 0 || target_make_subdir(t, path, t->device, e) < 0))
		return -1;
	tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return error_errno(e, EXIT_CANNOT, errno, "open_tree %s", path);
	if (umount2(t->mountpoint, UMOUNT_NOFOLLOW) < 0 ||
	    move_mount(tree, "", AT_FDCWD, t->mountpoint, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		rc = error_errno(e, EXIT_CANNOT, errno, "cannot mount %s of %s alone", t->subdir, t->device);
	close(tree);
	return rc;
}

int target_mount_whole(struct target *t, struct error *e)
{
	if (mount_whole(t, e) < 0)
		return -1;
	if (demand_writable(t, e) == 0)
		return 0;
	umount2(t->mountpoint, UMOUNT_NOFOLLOW);
	return -1;
}

int target_mount(struct target *t, struct error *e)
{
	if (!t->own)
		return 0;
	if (target_mount_whole(t, e) < 0)
		return -1;
	if (!t->subdir[0] || narrow_to_subdir(t, e) == 0)
		return 0;
	umount2(t->mountpoint, UMOUNT_NOFOLLOW);
	return -1;
}

int target_unmount(struct target *t, struct error *e)
{
	uint64_t deadline = clock_mono() + UNMOUNT_PATIENCE;
	char holders[512];

	if (!t->own)
		return error_set(e, EXIT_CANNOT, "a directory target cannot be unmounted");
	while (umount2(t->mountpoint, UMOUNT_NOFOLLOW) < 0) {
		if (errno != EBUSY)
			return error_errno(e, EXIT_HARNESS, errno, "cannot unmount %s", t->mountpoint);
		if (clock_mono() > deadline) {
			holders_of(t->mountpoint, holders, sizeof(holders));
			error_errno(e, EXIT_HARNESS, EBUSY, "cannot unmount %s (held by %s)", t->mountpoint,
				    holders[0] ? holders : "nobody that shows in /proc");
			return -1;
		}
		sleep_ns(UNMOUNT_PAUSE);
	}
	return 0;
}

bool target_is_mounted(const struct target *t)
{
	struct stat here, parent;
	char path[sizeof(t->mountpoint) + 4];

	snprintf(path, sizeof(path), "%s/..", t->mountpoint);
	return stat(t->mountpoint, &here) == 0 && stat(path, &parent) == 0 && here.st_dev != parent.st_dev;
}
