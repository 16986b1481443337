/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sources: Documentation/admin-guide/cgroup-v1/cgroups.rst, cgroup-v2.rst; proc(5) on mountinfo, cgroups(7).
 */
#include "src/guard/cgroup.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/guard/write.h"

struct mount {
	char root[PATH_MAX];  /* the cgroup that is at the mount point */
	char point[PATH_MAX]; /* where */
};

static int has_word(const char *list, const char *word, const char *separators)
{
	size_t len = strlen(word);

	while (*list) {
		size_t n = strcspn(list, separators);

		if (n == len && !strncmp(list, word, len))
			return 1;
		list += n + (list[n] != '\0');
	}
	return 0;
}

/* The mount of a cgroup hierarchy: "cgroup" with the option "memory", or "cgroup2". */
static int find_mount(const char *type, const char *option, struct mount *m)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t room = 0;
	int found = 0;

	if (!file)
		return 0;
	while (!found && getline(&line, &room, file) > 0) {
		char fstype[64], options[256];
		const char *rest = strstr(line, " - ");

		if (!rest || sscanf(rest, " - %63s %*s %255s", fstype, options) != 2 ||
		    strcmp(fstype, type) || (option && !has_word(options, option, ",")))
			continue;
		found = sscanf(line, "%*d %*d %*s %4095s %4095s", m->root, m->point) == 2;
	}
	free(line);
	fclose(file);
	return found;
}

/* The own cgroup as /proc/self/cgroup gives it: "4:memory:/path" or "0::/path". */
static int own_path(const char *controller, char *path, size_t len)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char *line = NULL;
	size_t room = 0;
	int found = 0;

	if (!file)
		return 0;
	while (!found && getline(&line, &room, file) > 0) {
		char *at = line, *number = strsep(&at, ":"), *names = strsep(&at, ":");

		if (!at || !names)
			continue;
		found = controller ? has_word(names, controller, ",") : !strcmp(number, "0") && !*names;
		if (found)
			found = (size_t)snprintf(path, len, "%.*s", (int)strcspn(at, "\n"), at) < len;
	}
	free(line);
	fclose(file);
	return found;
}

/* Where the own cgroup lies in the file system. */
static int locate(const char *type, const char *option, const char *controller, char *dir, size_t len)
{
	struct mount m;
	char own[PATH_MAX];
	size_t skip;

	if (!find_mount(type, option, &m) || !own_path(controller, own, sizeof(own)))
		return 0;
	skip = strcmp(m.root, "/") ? strlen(m.root) : 0;
	if (strncmp(own, m.root, skip))
		return 0;
	if ((size_t)snprintf(dir, len, "%s%s", m.point, own + skip) >= len)
		return 0;
	skip = strlen(dir);
	if (skip && dir[skip - 1] == '/')
		dir[skip - 1] = '\0';
	return 1;
}

static int v2_has_memory(const char *dir, const char *file)
{
	char path[PATH_MAX], text[512] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	return has_word(text, "memory", " \n");
}

static int put_together(char *path, size_t len, const char *dir, const char *name)
{
	return (size_t)snprintf(path, len, "%s/%s", dir, name) < len ? 0 : ENAMETOOLONG;
}

/* The root alone has no type. */
static int v2_is_root(const char *dir)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/cgroup.type", dir);
	return access(path, F_OK) != 0;
}

/* The nearest cgroup from `dir` up whose children have the controller, else the root. */
static void v2_climb(char *dir)
{
	while (!v2_has_memory(dir, "cgroup.subtree_control") && !v2_is_root(dir)) {
		char *slash = strrchr(dir, '/');

		if (!slash)
			return;
		*slash = '\0';
	}
}

int cgroup_choose(const char *name, char *path, size_t len, char *control, size_t control_len)
{
	char dir[PATH_MAX];

	control[0] = '\0';
	if (locate("cgroup", "memory", "memory", dir, sizeof(dir)))
		return put_together(path, len, dir, name);
	if (!locate("cgroup2", NULL, NULL, dir, sizeof(dir)))
		return ENOTSUP;
	v2_climb(dir);
	if (!v2_has_memory(dir, "cgroup.controllers"))
		return ENOTSUP;
	if (!v2_has_memory(dir, "cgroup.subtree_control") &&
	    put_together(control, control_len, dir, "cgroup.subtree_control"))
		return ENAMETOOLONG;
	return put_together(path, len, dir, name);
}

int cgroup_enter(const char *path)
{
	char procs[PATH_MAX];

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	return write_value(procs, "0");
}
