/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/run/rundir.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *const subdirectories[] = {"journal", "model", "findings", "mnt"};

char *rundir_path(char *buf, size_t len, const char *run, const char *name)
{
	snprintf(buf, len, "%s/%s", run, name);
	return buf;
}

/* Make all directories above `path`. Others may make them at the same time. */
static int make_parents(const char *path, struct error *e)
{
	char part[PATH_MAX];

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		return error_errno(e, EXIT_USAGE, ENAMETOOLONG, "run directory %.200s...", path);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) && errno != EEXIST)
			return error_errno(e, EXIT_CANNOT, errno, "cannot make directory %s", part);
		*slash = '/';
	}
	return 0;
}

int rundir_make(const char *path, struct error *e)
{
	char sub[PATH_MAX];

	if (strlen(path) + 32 > sizeof(sub))
		return error_errno(e, EXIT_USAGE, ENAMETOOLONG, "run directory %.200s...", path);
	if (make_parents(path, e))
		return -1;
	/* Only its owner looks in: dumps and the image show what is on the target. */
	if (mkdir(path, 0700)) {
		if (errno == EEXIST)
			return error_set(e, EXIT_USAGE,
					 "run directory %s exists already: name another with --output", path);
		return error_errno(e, EXIT_CANNOT, errno, "cannot make run directory %s", path);
	}
	for (size_t i = 0; i < sizeof(subdirectories) / sizeof(subdirectories[0]); i++) {
		rundir_path(sub, sizeof(sub), path, subdirectories[i]);
		if (mkdir(sub, 0700))
			return error_errno(e, EXIT_CANNOT, errno, "cannot make directory %s", sub);
	}
	return 0;
}
