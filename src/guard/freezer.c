/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/freezer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/guard/lock.h"
#include "src/guard/thaw.h"

/* Does the path lie on the filesystem that is to be frozen? Where nobody knows, yes. */
static bool lies_on(const char *path, const struct mount_line *frozen)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	struct mount_line m;
	bool same;

	if (fd < 0)
		return errno != ENOENT;
	same = mounts_of(fd, &m) || m.device == frozen->device;
	close(fd);
	return same;
}

/* Who would wait for the thaw must not be needed for it: the guard and its files, and the machine as such. */
static int refuse_needed(const struct freeze_order *order, const struct mount_line *m, struct freeze_word *w)
{
	const struct {
		const char *path, *name;
	} needed[] = {
		{"/", "the root filesystem"},
		{order->run, "the filesystem of the run directory"},
		{order->image, "the filesystem of the image"},
		{LOCK_DIR, "the filesystem of " LOCK_DIR},
	};

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (!needed[i].path[0] || !lies_on(needed[i].path, m))
			continue;
		snprintf(w->text, sizeof(w->text), "%.80s is %s, which is not frozen", m->point,
			 needed[i].name);
		return EPERM;
	}
	return 0;
}

static int look(const struct freeze_order *order, struct freeze_word *w)
{
	struct mount_line m;
	int err = mounts_of(order->root, &m);

	if (!err)
		err = refuse_needed(order, &m, w);
	if (err)
		return err;
	snprintf(w->what, sizeof(w->what), "%s", m.point);
	return thaw_describe(&m, w->old, sizeof(w->old));
}

static bool say(int socket, const struct freeze_word *w)
{
	return send(socket, w, sizeof(*w), MSG_NOSIGNAL) == sizeof(*w);
}

static bool hear(int socket, char word)
{
	char heard;

	return recv(socket, &heard, 1, 0) == 1 && heard == word;
}

/* Wait until the guard says thaw, is gone, or the time is over. True in the first case. */
static bool await_thaw(int socket, uint64_t limit)
{
	uint64_t end = clock_mono() + limit, now;

	while ((now = clock_mono()) < end) {
		struct pollfd news = {.fd = socket, .events = POLLIN};

		if (poll(&news, 1, (int)((end - now) / NSEC_PER_MSEC) + 1) > 0)
			return hear(socket, FREEZE_THAW);
	}
	return false;
}

int freezer_work(void *arg, int socket)
{
	const struct freeze_order *order = arg;
	struct freeze_word word = {0};
	bool told;
	int err;

	prctl(PR_SET_NAME, "recow-freeze");
	word.err = look(order, &word);
	if (!say(socket, &word) || word.err || !hear(socket, FREEZE_GO))
		return word.err ? word.err : ECANCELED;
	if (fdatasync(order->log) || ioctl(order->root, FIFREEZE, 0))
		word.err = errno;
	word.frozen = true;
	say(socket, &word);
	if (word.err)
		return word.err;
	told = await_thaw(socket, order->limit);
	err = thaw_descriptor(order->root);
	if (err)
		return err;
	return told ? 0 : ETIME;
}
