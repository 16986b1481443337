// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/fs/inode.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mutants/fs/wound.h"

#define BUCKETS 65536U

static bool same(struct file_id a, struct file_id b)
{
	return a.device == b.device && a.number == b.number;
}

static struct inode **bucket_of(struct fs *fs, struct file_id id)
{
	return &fs->buckets[chance_number(id.device, id.number) % BUCKETS];
}

struct inode *inode_of(struct fs *fs, fuse_ino_t number)
{
	return number == FUSE_ROOT_ID ? fs->root : (struct inode *)(uintptr_t)number; // NOLINT
}

fuse_ino_t inode_number(struct fs *fs, const struct inode *inode)
{
	return inode == fs->root ? FUSE_ROOT_ID : (fuse_ino_t)(uintptr_t)inode;
}

struct inode *inode_find(struct fs *fs, struct file_id id)
{
	struct inode *inode = *bucket_of(fs, id);

	while (inode && !same(inode->id, id))
		inode = inode->next;
	return inode;
}

/* ---- descriptors */

/* Keep the descriptor; the one that has its place goes, unless this request uses it. */
static void cache(struct fs *fs, struct inode *inode, int fd)
{
	struct inode *old;

	inode->fd = fd;
	inode->used = fs->request;
	if (!inode->handle)
		return;
	do
		fs->hand = (fs->hand + 1) % fs->cached_max;
	while (fs->cached[fs->hand] && fs->cached[fs->hand]->used == fs->request);
	old = fs->cached[fs->hand];
	if (old) {
		close(old->fd);
		old->fd = -1;
	}
	fs->cached[fs->hand] = inode;
	inode->slot = fs->hand;
}

static void uncache(struct fs *fs, struct inode *inode)
{
	if (inode->fd < 0)
		return;
	close(inode->fd);
	inode->fd = -1;
	if (inode->handle)
		fs->cached[inode->slot] = NULL;
}

int inode_fd(struct fs *fs, struct inode *inode)
{
	int fd;

	if (inode->data >= 0)
		return inode->data;
	inode->used = fs->request;
	if (inode->fd >= 0)
		return inode->fd;
	fd = open_by_handle_at(fs->backing_fd, inode->handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	cache(fs, inode, fd);
	return fd;
}

int inode_proc(struct fs *fs, struct inode *inode, char buf[32])
{
	int fd = inode_fd(fs, inode);

	if (fd >= 0)
		snprintf(buf, 32, "/proc/self/fd/%d", fd);
	return fd < 0 ? fd : 0;
}

int inode_open(struct fs *fs, struct inode *inode)
{
	char proc[32];
	int rc = 0;

	if (inode->data < 0) {
		rc = inode_proc(fs, inode, proc);
		if (rc)
			return rc;
		inode->data = open(proc, O_RDWR | O_CLOEXEC);
		if (inode->data < 0)
			return -errno;
	}
	inode->opens++;
	return 0;
}

void inode_release(struct fs *fs, struct inode *inode)
{
	struct stat st;

	if (--inode->opens)
		return;
	if (fstat(inode->data, &st) == 0 && st.st_nlink == 0)
		wounds_lost(fs, inode->id, "the file is no more");
	close(inode->data);
	inode->data = -1;
}

int inode_stat(struct fs *fs, struct inode *inode, struct stat *st)
{
	int fd = inode_fd(fs, inode);

	if (fd < 0)
		return fd;
	return fstatat(fd, "", st, AT_EMPTY_PATH) ? -errno : 0;
}

/* ---- the table */

/* NULL when the filesystem has no handles. */
static struct file_handle *handle_of(int fd)
{
	struct file_handle *handle = malloc(sizeof(*handle) + MAX_HANDLE_SZ);
	int mount;

	if (!handle)
		return NULL;
	handle->handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(fd, "", handle, &mount, AT_EMPTY_PATH) == 0)
		return handle;
	free(handle);
	return NULL;
}

static struct inode *make(struct fs *fs, int fd, struct file_id id)
{
	struct inode **bucket = bucket_of(fs, id), *inode = calloc(1, sizeof(*inode));

	if (!inode)
		return NULL;
	inode->id = id;
	inode->data = inode->fd = -1;
	inode->handle = handle_of(fd);
	cache(fs, inode, fd);
	inode->next = *bucket;
	*bucket = inode;
	return inode;
}

struct inode *inode_lookup(struct fs *fs, struct inode *parent, const char *name, struct stat *st, int *error)
{
	int dir = inode_fd(fs, parent), fd;
	struct inode *inode;

	fd = dir < 0 ? -1 : openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	*error = dir < 0 ? dir : -errno;
	if (fd < 0)
		return NULL;
	if (fstat(fd, st)) {
		*error = -errno;
		close(fd);
		return NULL;
	}
	inode = inode_find(fs, (struct file_id){st->st_dev, st->st_ino});
	if (inode) {
		close(fd);
	} else {
		inode = make(fs, fd, (struct file_id){st->st_dev, st->st_ino});
		if (!inode)
			close(fd);
	}
	*error = -ENOMEM;
	if (inode)
		inode->lookups++;
	return inode;
}

void inode_forget(struct fs *fs, struct inode *inode, uint64_t lookups)
{
	struct inode **at = bucket_of(fs, inode->id);

	inode->lookups -= lookups;
	if (inode->lookups || inode == fs->root)
		return;
	while (*at != inode)
		at = &(*at)->next;
	*at = inode->next;
	uncache(fs, inode);
	if (inode->nlink_lie)
		wounds_set(fs, inode->id, "nlink");
	if (inode->data >= 0)
		close(inode->data);
	free(inode->handle);
	free(inode);
}

int inodes_open(struct fs *fs, const char *path)
{
	struct rlimit limit = {0};
	struct stat st;
	int fd;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	/* Half for what is cached, half for open files. */
	fs->cached_max = (unsigned int)(limit.rlim_cur < 65536 ? limit.rlim_cur / 2 : 32768);
	fs->buckets = calloc(BUCKETS, sizeof(struct inode *));
	fs->cached = calloc(fs->cached_max, sizeof(struct inode *));
	fs->backing_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fs->backing_fd < 0)
		return -errno;
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	fs->root = fs->buckets && fs->cached ? make(fs, fd, (struct file_id){st.st_dev, st.st_ino}) : NULL;
	return fs->root ? 0 : -ENOMEM;
}

void inodes_close(struct fs *fs)
{
	for (unsigned int i = 0; fs->buckets && i < BUCKETS; i++) {
		while (fs->buckets[i]) {
			struct inode *inode = fs->buckets[i];

			fs->buckets[i] = inode->next;
			if (inode->fd >= 0)
				close(inode->fd);
			if (inode->data >= 0)
				close(inode->data);
			free(inode->handle);
			free(inode);
		}
	}
	free(fs->buckets);
	free(fs->cached);
	close(fs->backing_fd);
}

/* ---- paths */

struct walk {
	struct file_id wanted;
	char path[4096]; /* as it is, without escapes */
};

static bool walk(struct walk *w, int dir, size_t used);

/* Is it this one, or something in it? `used` bytes of the path lead to its directory. */
static bool walk_entry(struct walk *w, int dir, const struct dirent *e, size_t used)
{
	int n = snprintf(w->path + used, sizeof(w->path) - used, "%s%s", used ? "/" : "", e->d_name);
	bool found;
	int fd;

	if ((size_t)n >= sizeof(w->path) - used)
		return false;
	if (e->d_ino == w->wanted.number)
		return true;
	if (e->d_type != DT_DIR)
		return false;
	fd = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	found = fd >= 0 && walk(w, fd, used + (size_t)n);
	return found;
}

/* `dir` is closed. */
static bool walk(struct walk *w, int dir, size_t used)
{
	DIR *d = fdopendir(dir);
	bool found = false;
	struct dirent *e;

	if (!d) {
		close(dir);
		return false;
	}
	while (!found && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			found = walk_entry(w, dirfd(d), e, used);
	closedir(d);
	return found;
}

char *path_escape(const char *in)
{
	static const char from[] = "\n\t\r\\\"", to[] = "ntr\\\"";
	char *out = malloc(4 * strlen(in) + 1), *at = out;

	for (; out && *in; in++) {
		const unsigned char c = (unsigned char)*in;
		const char *special = strchr(from, c);

		if (special)
			at += sprintf(at, "\\%c", to[special - from]);
		else if (c >= 0x20 && c < 0x7f)
			*at++ = (char)c;
		else
			at += sprintf(at, "\\%03o", c);
	}
	if (out)
		*at = '\0';
	return out;
}

char *inode_path(struct fs *fs, struct file_id id)
{
	struct walk w = {.wanted = id};
	int fd;

	if (same(id, fs->root->id))
		return strdup("");
	fd = openat(fs->backing_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && walk(&w, fd, 0) ? path_escape(w.path) : NULL;
}

char *inode_path_of(struct fs *fs, struct inode *parent, const char *name)
{
	char *dir = inode_path(fs, parent->id), *last = path_escape(name), *path = NULL;

	if (dir && last && asprintf(&path, "%s%s%s", dir, *dir ? "/" : "", last) < 0)
		path = NULL;
	free(dir);
	free(last);
	return path;
}
