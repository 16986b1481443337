/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/thaw.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libmount/libmount.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/machine/machine.h"

#define TASK_PATH 64 /* room for "/proc/PID/task/TID" */

/* Mount namespaces that are looked at; a machine full of containers has some hundred. */
#define NAMESPACES 1024U

int thaw_descriptor(int fd)
{
	while (ioctl(fd, FITHAW, 0)) {
		if (errno == EINVAL) /* not frozen */
			return 0;
		if (errno != EINTR)
			return errno;
	}
	return 0;
}

/* ---- how it is found again ---- */

/* The file behind a loop device, "" for anything else. */
static void backing_file(const char *source, char *buf, size_t len)
{
	const char *name = strrchr(source, '/');
	char path[256];

	snprintf(path, sizeof(path), "/sys/block/%.64s/loop/backing_file", name ? name + 1 : source);
	if (machine_read(path, buf, len))
		buf[0] = '\0';
}

int thaw_describe(const struct mount_line *m, char *buf, size_t len)
{
	char file[4096];

	backing_file(m->source, file, sizeof(file));
	return (size_t)snprintf(buf, len, "%s\t%s\t%s", m->type, m->source, file) < len ? 0 : ENAMETOOLONG;
}

struct lost {
	const char *point;
	char *type, *source, *file;
	bool mounted; /* somewhere: then it is not lost */
	int err;
};

/* ---- where it is mounted ---- */

/* In the namespace of the task whose directory in /proc this is. */
static void thaw_mount(const char task[TASK_PATH], const char *point, int id, struct lost *l)
{
	struct statx st;
	char path[8300];
	int fd;

	snprintf(path, sizeof(path), "%s/root%s", task, point);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Another mount on top of it, or one that has just gone. */
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) || (int)st.stx_mnt_id != id) {
		if (fd >= 0)
			close(fd);
		return;
	}
	l->err = thaw_descriptor(fd);
	close(fd);
}

static void look_in_namespace(const char task[TASK_PATH], struct lost *l)
{
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_table *table;
	struct libmnt_fs *fs;
	char path[128];

	snprintf(path, sizeof(path), "%.63s/mountinfo", task);
	table = mnt_new_table_from_file(path);
	while (it && table && !mnt_table_next_fs(table, it, &fs)) {
		const char *source = mnt_fs_get_source(fs), *point = mnt_fs_get_target(fs);

		if (!source || !point || strcmp(source, l->source))
			continue;
		l->mounted = true;
		if (!strcmp(point, l->point))
			thaw_mount(task, point, mnt_fs_get_id(fs), l);
	}
	mnt_free_iter(it);
	mnt_unref_table(table);
}

struct seen {
	ino_t space[NAMESPACES];
	unsigned int count;
};

/* Each namespace once. A task that is about to die still has its own until it is gone. */
static void look_at_task(const char task[TASK_PATH], struct seen *seen, struct lost *l)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%.63s/ns/mnt", task);
	if (seen->count == NAMESPACES || stat(path, &st))
		return;
	for (unsigned int i = 0; i < seen->count; i++) {
		if (seen->space[i] == st.st_ino)
			return;
	}
	seen->space[seen->count++] = st.st_ino;
	look_in_namespace(task, l);
}

static void look_at_tasks(const char *process, struct seen *seen, struct lost *l)
{
	char path[TASK_PATH];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.20s/task", process);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/task/%.20s", process, entry->d_name);
		look_at_task(path, seen, l);
	}
	if (dir)
		closedir(dir);
}

static void look_everywhere(struct lost *l)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	if (!seen || !dir)
		l->err = errno;
	while (seen && dir && (entry = readdir(dir))) {
		if (isdigit((unsigned char)entry->d_name[0]))
			look_at_tasks(entry->d_name, seen, l);
	}
	if (dir)
		closedir(dir);
	free(seen);
}

/* ---- mounted nowhere ---- */

/* Does a superblock hold the device, and is it still the same device? */
static bool held(const struct lost *l)
{
	char file[4096];
	int fd;

	backing_file(l->source, file, sizeof(file));
	if (strcmp(file, l->file))
		return false;
	fd = open(l->source, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return errno == EBUSY;
	close(fd);
	return false;
}

/* Mounting a device that a superblock holds gives that superblock; nothing is read or written for it. The
 * mount is in no namespace and goes with its descriptor. */
static int thaw_device(const struct lost *l)
{
	int fs = fsopen(l->type, FSOPEN_CLOEXEC), mount = -1, root = -1, err;

	if (fs >= 0 && !fsconfig(fs, FSCONFIG_SET_STRING, "source", l->source, 0) &&
	    !fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		mount = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mount >= 0)
		root = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = root < 0 ? errno : thaw_descriptor(root);
	if (root >= 0)
		close(root);
	if (mount >= 0)
		close(mount);
	if (fs >= 0)
		close(fs);
	return err;
}

int thaw_again(const char *point, const char *described)
{
	struct lost l = {.point = point};
	char *fields = strdup(described), *at = fields;

	if (!fields)
		return ENOMEM;
	l.type = strsep(&at, "\t");
	l.source = strsep(&at, "\t");
	l.file = at;
	if (!l.source || !l.file) {
		free(fields);
		return EINVAL;
	}
	look_everywhere(&l);
	if (!l.err && !l.mounted && held(&l))
		l.err = thaw_device(&l);
	free(fields);
	return l.err;
}
