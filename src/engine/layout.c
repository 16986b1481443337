/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fixed top of the target's tree: a subvolume per worker, and shared directories and files in a shared
 * one; on btrfs a directory for snapshots. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/engine/churn.h"
#include "src/model/stripes.h"

static int make_subvolume(const struct conductor *c, const char *name, struct error *e)
{
	char path[sizeof(c->shared->target.mountpoint) + 64];

	snprintf(path, sizeof(path), "%s/%s", c->shared->target.mountpoint, name);
	return target_make_subvolume(&c->shared->target, path, e);
}

/* Of zeroes: what nobody has written yet is a hole. */
static int make_shared_file(const struct conductor *c, uint32_t k, struct error *e)
{
	char name[64];
	int fd, failed;

	anchor_path(0, OBJECT_FIRST_SHARED_FILE + k, name, sizeof(name));
	fd = openat(c->mount, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
	failed = fd < 0 || ftruncate(fd, (off_t)stripes_size(k));
	if (failed)
		error_errno(e, EXIT_HARNESS, errno, "cannot make %s on the target", name);
	if (fd >= 0)
		close(fd);
	return failed ? -1 : 0;
}

/* A run that is cut off at any moment has it: what was synced in it must be there. What can't be written now
 * the workers will meet. */
static void make_durable(const struct conductor *c)
{
	int root = c->shared->target.own ? openat(c->mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (root < 0)
		return;
	syncfs(root);
	close(root);
}

int layout_make(struct conductor *c, struct error *e)
{
	const struct plan *plan = &c->shared->plan;
	char name[64];

	for (unsigned int i = 0; i < plan->workers; i++) {
		anchor_path(i, OBJECT_ROOT, name, sizeof(name));
		if (make_subvolume(c, name, e))
			return -1;
	}
	if (plan->shared_dirs && make_subvolume(c, "shared", e))
		return -1;
	for (unsigned int k = 0; k < plan->shared_dirs; k++) {
		anchor_path(0, OBJECT_FIRST_SHARED + k, name, sizeof(name));
		if (mkdirat(c->mount, name, 0777))
			return error_errno(e, EXIT_HARNESS, errno, "cannot make %s on the target", name);
	}
	for (unsigned int k = 0; k < plan->shared_files; k++) {
		if (make_shared_file(c, k, e))
			return -1;
	}
	if (c->shared->target.btrfs && mkdirat(c->mount, WITNESS_DIR, 0755))
		return error_errno(e, EXIT_HARNESS, errno, "cannot make %s on the target", WITNESS_DIR);
	make_durable(c);
	return 0;
}
