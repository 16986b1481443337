/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <libmount/libmount.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

int mounts_private(void)
{
	/* Slave, not private: what the others unmount goes here, too, and isn't kept busy by the run. */
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL))
		return errno;
	return 0;
}

int mounts_detach(const char *path)
{
	if (!umount2(path, MNT_DETACH) || errno == EINVAL || errno == ENOENT)
		return 0;
	return errno;
}

static int find_mount(uint64_t id, struct mount_line *m)
{
	struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	int err = ENOENT;

	while (it && table && err && !mnt_table_next_fs(table, it, &fs)) {
		const char *source = mnt_fs_get_source(fs);

		if ((uint64_t)mnt_fs_get_id(fs) != id)
			continue;
		m->device = mnt_fs_get_devno(fs);
		snprintf(m->type, sizeof(m->type), "%s", mnt_fs_get_fstype(fs));
		snprintf(m->source, sizeof(m->source), "%s", source ? source : "");
		snprintf(m->point, sizeof(m->point), "%s", mnt_fs_get_target(fs));
		err = 0;
	}
	mnt_free_iter(it);
	mnt_unref_table(table);
	return err;
}

int mounts_of(int fd, struct mount_line *m)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st))
		return errno;
	if (!(st.stx_mask & STATX_MNT_ID))
		return ENOTSUP;
	return find_mount(st.stx_mnt_id, m);
}
