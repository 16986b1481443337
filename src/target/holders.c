/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/target/holders.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool points_into(int dir, const char *name, const char *path)
{
	char link[4096];
	ssize_t n = readlinkat(dir, name, link, sizeof(link) - 1);
	size_t length = strlen(path);

	if (n < (ssize_t)length)
		return false;
	link[n] = '\0';
	return strncmp(link, path, length) == 0 && (link[length] == '/' || link[length] == '\0');
}

/* The first entry of /proc/PID/<list> that points into path. */
static bool find_entry(int proc, const char *list, const char *path, char *name, size_t len)
{
	int fd = openat(proc, list, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool found = false;

	if (fd >= 0 && !dir)
		close(fd);
	while (dir && !found && (entry = readdir(dir))) {
		found = points_into(fd, entry->d_name, path);
		if (found)
			snprintf(name, len, "%s %s", list, entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool find_hold(int proc, const char *path, char *what, size_t len)
{
	static const char *const links[] = {"cwd", "root", "exe"};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (points_into(proc, links[i], path)) {
			snprintf(what, len, "%s", links[i]);
			return true;
		}
	return find_entry(proc, "fd", path, what, len) || find_entry(proc, "map_files", path, what, len);
}

static void add(int proc, const char *pid, const char *what, char *buf, size_t len)
{
	char command[32] = "?";
	size_t used = strlen(buf);
	int fd = openat(proc, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, command, sizeof(command) - 1);

	if (n > 0)
		command[n - 1] = '\0'; /* instead of the newline */
	if (fd >= 0)
		close(fd);
	snprintf(buf + used, len - used, "%s%s (%s) %s", used ? ", " : "", command, pid, what);
}

char *holders_of(const char *path, char *buf, size_t len)
{
	DIR *all = opendir("/proc");
	struct dirent *entry;
	char what[300];

	buf[0] = '\0';
	while (all && (entry = readdir(all))) {
		int proc;

		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		proc = openat(dirfd(all), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (proc < 0)
			continue;
		if (find_hold(proc, path, what, sizeof(what)))
			add(proc, entry->d_name, what, buf, len);
		close(proc);
	}
	if (all)
		closedir(all);
	return buf;
}
