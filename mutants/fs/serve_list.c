// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "mutants/fs/cellar.h"
#include "mutants/fs/serve.h"

/* The descriptor is the handle: the place in the listing is asked for with each request. */
void serve_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = serve_begin(req);
	const int dir = inode_fd(fs, inode_of(fs, ino));
	const int fd = dir < 0 ? dir : openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		serve_done(req, dir < 0 ? dir : -errno);
		return;
	}
	fi->fh = (uint64_t)fd;
	if (fuse_reply_open(req, fi))
		close(fd);
}

void serve_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	serve_begin(req);
	close((int)fi->fh);
	serve_done(req, 0);
}

void serve_fsyncdir(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *fi)
{
	serve_begin(req);
	serve_done(req, (data_only ? fdatasync((int)fi->fh) : fsync((int)fi->fh)) ? -errno : 0);
}

/* The answer as it grows. */
struct listing {
	fuse_req_t req;
	char *data;
	size_t used, room;
};

/* False when it is full. */
static bool put(struct listing *l, const struct dirent64 *e, unsigned char type)
{
	const struct stat st = {.st_ino = e->d_ino, .st_mode = DTTOIF(type)};
	const size_t n =
		fuse_add_direntry(l->req, l->data + l->used, l->room - l->used, e->d_name, &st, e->d_off);

	if (n > l->room - l->used)
		return false;
	l->used += n;
	return true;
}

/* False when there is no room for it. A second time it is left out where there is none. */
static bool list_entry(struct fs *fs, struct inode *dir, struct listing *l, const struct dirent64 *e)
{
	const size_t before = l->used;
	const size_t need = fuse_add_direntry(l->req, NULL, 0, e->d_name, NULL, 0);
	unsigned char type = e->d_type;
	enum listed listed = LISTED_ONCE;

	if (need > l->room - l->used)
		return false;
	if (cellar_hides(fs, dir, e->d_name))
		return true;
	if (fs->mutant->list && strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
		listed = fs->mutant->list(fs, dir, e->d_name, &type);
	if (listed == LISTED_NEVER)
		return true;
	if (!put(l, e, type))
		return false;
	if (listed == LISTED_TWICE && !put(l, e, type))
		l->used = before + need;
	return true;
}

void serve_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	struct fs *fs = serve_begin(req);
	struct listing l = {.req = req,
			    .data = (char *)fs->buffer,
			    .room = size < REQUEST_MAX / 2 ? size : REQUEST_MAX / 2};
	char *const raw = (char *)fs->buffer + REQUEST_MAX / 2;
	bool room = true;
	ssize_t n = 0;

	if (lseek((int)fi->fh, offset, SEEK_SET) < 0) {
		serve_done(req, -errno);
		return;
	}
	/* One block of the directory at a time: an entry that didn't fit is read again with the next request.
	 */
	while (room && (n = getdents64((int)fi->fh, raw, 4096)) > 0) {
		for (ssize_t at = 0; room && at < n;) {
			const struct dirent64 *e = (const void *)(raw + at);

			room = list_entry(fs, inode_of(fs, ino), &l, e);
			at += e->d_reclen;
		}
	}
	if (n < 0 && !l.used)
		serve_done(req, -errno);
	else
		fuse_reply_buf(req, l.data, l.used);
}
