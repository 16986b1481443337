/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run that died left on a filesystem that was there before. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "src/base/base.h"
#include "src/target/internal.h"

/* A directory of that name may be another run's, kept: then it is older than this run. 1: the run's own, 0:
 * not, or none; -1: error. */
static int is_from(const char *path, int64_t since, struct error *e)
{
	struct statx st;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &st))
		return errno == ENOENT ? 0 : error_errno(e, EXIT_HARNESS, errno, "cannot look at %s", path);
	if (!(st.stx_mask & STATX_BTIME))
		return error_errno(e, EXIT_HARNESS, ENOTSUP, "cannot tell how old %s is", path);
	return st.stx_btime.tv_sec * (int64_t)NSEC_PER_SEC + st.stx_btime.tv_nsec >= since;
}

static int remove_mounted(const struct target *t, int64_t since, struct error *e)
{
	char path[sizeof(t->mountpoint) + sizeof(t->subdir) + 1];
	int own;

	snprintf(path, sizeof(path), "%s/%s", t->mountpoint, t->subdir);
	own = is_from(path, since, e);
	return own > 0 ? target_remove_tree(path, e) : own;
}

int target_remove_left(const struct target_spec *asked, const char *dir, int64_t since, struct error *e)
{
	struct target_spec spec = *asked;
	struct error ignored;
	struct target t;
	int rc;

	if (target_examine(&spec, e) < 0 || target_prepare(&t, &spec, dir, e) < 0)
		return -1;
	rc = target_mount_whole(&t, e);
	if (rc == 0)
		rc = remove_mounted(&t, since, e);
	if (target_release(&t, false, rc < 0 ? &ignored : e) < 0)
		rc = -1;
	return rc;
}
