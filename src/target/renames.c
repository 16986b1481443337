/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which flags of renameat2(2) a filesystem knows: nothing but the mounted one tells. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/plan/needs.h"
#include "src/target/target.h"

/* Where it is tried, in the target's root; gone before anything else is made there. */
#define PLACE "recow-renames"

static const struct {
	unsigned int flag;
	uint32_t need;
	const char *from, *to;
} trials[] = {
	/* A file and a directory: a filesystem that exchanges these exchanges anything. */
	{RENAME_EXCHANGE, NEED_EXCHANGE, "file", "dir"},
	{RENAME_NOREPLACE, NEED_NOREPLACE, "other", "new"},
	{RENAME_WHITEOUT, NEED_WHITEOUT, "new", "newer"},
};

/* Answers of a filesystem that doesn't have the flag; EPERM: whiteouts want CAP_MKNOD. All else may change.
 */
static bool is_refusal(int err)
{
	return err == EINVAL || err == EPERM || err == EOPNOTSUPP || err == ENOSYS;
}

static int make_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	return fd < 0 ? -1 : close(fd);
}

static int try_all(struct target *t, int dir)
{
	if (make_file(dir, "file") || mkdirat(dir, "dir", 0700) || make_file(dir, "other"))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(trials); i++) {
		if (renameat2(dir, trials[i].from, dir, trials[i].to, trials[i].flag) == 0)
			continue;
		if (!is_refusal(errno))
			return -1;
		t->unmet |= trials[i].need;
		snprintf(t->unmet_reason, sizeof(t->unmet_reason), "renameat2 refuses it here: %s",
			 strerror(errno));
		/* What the next one moves. */
		if (trials[i].flag == RENAME_NOREPLACE && renameat(dir, trials[i].from, dir, trials[i].to))
			return -1;
	}
	return 0;
}

int target_try_renames(struct target *t, struct error *e)
{
	char path[sizeof(t->mountpoint) + sizeof(PLACE) + 1];
	int dir, failed;

	snprintf(path, sizeof(path), "%s/" PLACE, t->mountpoint);
	t->unmet = 0;
	t->unmet_reason[0] = '\0';
	if (mkdir(path, 0700))
		return error_errno(e, EXIT_CANNOT, errno, "cannot make %s", path);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	failed = dir < 0 || try_all(t, dir);
	if (failed)
		error_errno(e, EXIT_CANNOT, errno, "cannot try renames in %s", path);
	if (dir >= 0)
		close(dir);
	if (target_remove_tree(path, failed ? &(struct error){0} : e))
		return -1;
	return failed ? -1 : 0;
}
