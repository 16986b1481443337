/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/units.h"

#define NAMES_MAX  512 /* looked at in one directory */
#define LEVELS_MAX 16

/* At a directory below the root the walk ends once in this many times. */
#define STOP_ONE_IN 8

static bool dot(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* One of the first names of the directory, all alike (reservoir sampling). False when there is none. */
static bool draw_name(int dir, struct stream *random, char name[NAME_MAX + 1])
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	uint64_t seen = 0;

	if (!stream) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (seen < NAMES_MAX && (entry = readdir(stream))) {
		if (!dot(entry->d_name) && stream_below(random, ++seen) == 0)
			snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
	}
	closedir(stream);
	return seen > 0;
}

static bool is_directory(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISDIR(st.st_mode);
}

/* Opening a FIFO must not wait, a device must not act: only files and directories are opened for reading. */
static int open_plain(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return -1;
	return openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static void append(struct walk_file *out, const char *name)
{
	size_t used = strlen(out->path);

	if (used && used + 1 < sizeof(out->path))
		out->path[used++] = '/';
	bytes_escape(out->path + used, sizeof(out->path) - used, name, strlen(name));
}

int walk_random(int root, struct stream *random, struct walk_file *out)
{
	int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	out->path[0] = '\0';
	for (unsigned int level = 0; fd >= 0 && level < LEVELS_MAX; level++) {
		char name[NAME_MAX + 1];
		int next = draw_name(fd, random, name) ? open_plain(fd, name) : -1;

		close(fd);
		fd = next;
		if (fd < 0)
			break;
		append(out, name);
		if (!is_directory(fd) || stream_chance(random, STOP_ONE_IN)) {
			out->fd = fd;
			return 0;
		}
	}
	if (fd >= 0)
		close(fd);
	return -1;
}
