/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/machine/programs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool in_list(const char *list, const char *name)
{
	char path[4096];

	while (*list) {
		size_t len = strcspn(list, ":");

		snprintf(path, sizeof(path), "%.*s/%s", (int)len, list, name);
		if (len && !access(path, X_OK))
			return true;
		list += len + (list[len] == ':');
	}
	return false;
}

bool program_exists(const char *name)
{
	const char *path = getenv("PATH");

	return (path && in_list(path, name)) || in_list("/usr/sbin:/sbin:/usr/local/sbin", name);
}

const char *checker_of(const char *fs)
{
	static const struct {
		const char *fs, *program;
	} checkers[] = {{"btrfs", "btrfs"}, {"ext4", "e2fsck"}, {"xfs", "xfs_repair"}};

	for (size_t i = 0; i < ARRAY_SIZE(checkers); i++) {
		if (!strcmp(checkers[i].fs, fs))
			return checkers[i].program;
	}
	return NULL;
}
