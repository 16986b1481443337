// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/fs/cellar.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char cellar[] = ".recow-mutant-cellar";

int cellar_open(struct fs *fs)
{
	if (mkdirat(fs->backing_fd, cellar, 0700))
		return -errno;
	fs->cellar = openat(fs->backing_fd, cellar, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fs->cellar < 0 ? -errno : 0;
}

void cellar_close(struct fs *fs)
{
	DIR *d = fs->cellar < 0 ? NULL : fdopendir(fs->cellar);
	const struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			unlinkat(fs->cellar, e->d_name, 0);
	closedir(d);
	unlinkat(fs->backing_fd, cellar, AT_REMOVEDIR);
	fs->cellar = -1;
}

bool cellar_hides(const struct fs *fs, const struct inode *directory, const char *name)
{
	return fs->cellar >= 0 && directory == fs->root && !strcmp(name, cellar);
}
