// SPDX-License-Identifier: GPL-2.0-or-later
#define FUSE_USE_VERSION 312
#include "mutants/device/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The file never changes its size, nor anything else that is asked for. */
#define ATTRIBUTES_VALID 1e6
/* A loop device has as many requests under way as it likes; by default FUSE lets 12 through. */
#define BACKGROUND 128

struct service {
	struct device *device;
	unsigned char *answer; /* REQUEST_MAX bytes */
};

static struct service *service_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static struct stat attributes(const struct device *d)
{
	return (struct stat){.st_ino = FUSE_ROOT_ID,
			     .st_mode = S_IFREG | 0600,
			     .st_nlink = 1,
			     .st_size = (off_t)d->size,
			     .st_blocks = (blkcnt_t)(d->size / SECTOR),
			     .st_blksize = BLOCK};
}

static void on_init(void *userdata, struct fuse_conn_info *conn)
{
	conn->max_write = conn->max_write < REQUEST_MAX ? conn->max_write : REQUEST_MAX;
	conn->max_background = BACKGROUND;
	conn->congestion_threshold = BACKGROUND;
}

static void on_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const struct stat s = attributes(service_of(req)->device);

	fuse_reply_attr(req, &s, ATTRIBUTES_VALID);
}

/* Times and modes are let pass, a size that is another one is not. */
static void on_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		       struct fuse_file_info *fi)
{
	const struct stat s = attributes(service_of(req)->device);

	if (to_set & FUSE_SET_ATTR_SIZE && attr->st_size != s.st_size)
		fuse_reply_err(req, EINVAL);
	else
		fuse_reply_attr(req, &s, ATTRIBUTES_VALID);
}

/* Past the page cache, whoever opens it: what is asked for is asked of the device. */
static void on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	fi->direct_io = 1;
	fuse_reply_open(req, fi);
}

static void on_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct service *s = service_of(req);
	const size_t length = size < REQUEST_MAX ? size : REQUEST_MAX;
	const ssize_t n = device_read(s->device, s->answer, length, (uint64_t)off);

	if (n < 0)
		fuse_reply_err(req, (int)-n);
	else
		fuse_reply_buf(req, (const char *)s->answer, (size_t)n);
}

static void on_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t off,
		     struct fuse_file_info *fi)
{
	const ssize_t n = device_write(service_of(req)->device, data, size, (uint64_t)off);

	if (n < 0)
		fuse_reply_err(req, (int)-n);
	else
		fuse_reply_write(req, (size_t)n);
}

static void on_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	fuse_reply_err(req, -device_flush(service_of(req)->device));
}

/* What a loop device makes of a discard (PUNCH_HOLE) and of writing zeroes (ZERO_RANGE). */
static void on_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
			 struct fuse_file_info *fi)
{
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		fuse_reply_err(req,
			       -device_discard(service_of(req)->device, (uint64_t)offset, (uint64_t)length));
	else
		fuse_reply_err(req, EOPNOTSUPP);
}

/* A closed descriptor is no flush of a disk. */
static void on_close(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	fuse_reply_err(req, 0);
}

static void on_statfs(fuse_req_t req, fuse_ino_t ino)
{
	const struct statvfs s = {.f_bsize = BLOCK,
				  .f_frsize = BLOCK,
				  .f_blocks = service_of(req)->device->size / BLOCK,
				  .f_files = 1,
				  .f_namemax = 255};

	fuse_reply_statfs(req, &s);
}

static const struct fuse_lowlevel_ops operations = {
	.init = on_init,
	.getattr = on_getattr,
	.setattr = on_setattr,
	.open = on_open,
	.read = on_read,
	.write = on_write,
	.fsync = on_fsync,
	.fallocate = on_fallocate,
	.flush = on_close,
	.release = on_close,
	.statfs = on_statfs,
};

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* One request after the other. A loop of our own: libfuse's can miss a signal that comes just before it
 * reads. */
static int answer_requests(struct fuse_session *se, int signals)
{
	struct pollfd ready[] = {{fuse_session_fd(se), POLLIN, 0}, {signals, POLLIN, 0}};
	struct fuse_buf buf = {0};
	int n = 0;

	fcntl(ready[0].fd, F_SETFL, fcntl(ready[0].fd, F_GETFL) | O_NONBLOCK);
	while (!fuse_session_exited(se) && !(ready[1].revents & POLLIN)) {
		n = poll(ready, 2, -1);
		if (n < 0 && errno != EINTR)
			break;
		n = n > 0 && ready[0].revents ? fuse_session_receive_buf(se, &buf) : 0;
		if (n > 0)
			fuse_session_process_buf(se, &buf);
		else if (n < 0 && n != -EAGAIN && n != -EINTR)
			break;
	}
	free(buf.mem);
	return n < 0 && n != -EAGAIN && n != -EINTR && n != -ENODEV ? n : 0;
}

/* Mounted, and "ready" has been said. */
static int serve_mounted(struct fuse_session *se, const char *mount)
{
	const int signals = open_signals();
	int err = signals < 0 ? -errno : 0;

	if (!err) {
		puts("ready");
		fflush(stdout);
		err = answer_requests(se, signals);
		close(signals);
	}
	return err;
}

int serve(struct device *d, const char *mount)
{
	char *argv[] = {"recow-mutant-device", "-o", "fsname=recow-mutant-device", NULL};
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);
	struct service s = {d, malloc(REQUEST_MAX)};
	struct fuse_session *se;
	int err;

	if (!s.answer)
		return -ENOMEM;
	se = fuse_session_new(&args, &operations, sizeof(operations), &s);
	err = se ? 0 : -EINVAL;
	if (!err && fuse_session_mount(se, mount))
		err = -EIO;
	if (!err) {
		err = serve_mounted(se, mount);
		fuse_session_unmount(se); /* lazily, if somebody has it open */
	}
	if (se)
		fuse_session_destroy(se);
	fuse_opt_free_args(&args);
	free(s.answer);
	return err;
}
