/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/guard/undo.h"
#include "src/machine/machine.h"

static char *in_dir(char *buf, size_t len, const char *dir, const char *name)
{
	snprintf(buf, len, "%s/%s", dir, name);
	return buf;
}

static bool read_current(const char *dir, char *run, size_t len)
{
	char path[PATH_MAX];

	return !machine_read(in_dir(path, sizeof(path), dir, "current"), run, len) && run[0];
}

/* Renamed into place: whoever reads sees the old name or the new one. */
static int write_current(const char *dir, const char *run)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	FILE *file = fopen(in_dir(fresh, sizeof(fresh), dir, "current.new"), "we");
	int bad;

	if (!file)
		return errno;
	bad = fprintf(file, "%s\n", run) < 0;
	bad |= fclose(file);
	if (bad || rename(fresh, in_dir(path, sizeof(path), dir, "current")))
		return errno;
	return 0;
}

/* Did the run leave something? Without its log nobody knows what, so yes. */
static bool left_something(const char *run, bool *alive)
{
	struct undo_log log;
	struct error e;
	bool closed;

	*alive = false;
	if (undo_open(&log, run, &e))
		return true;
	*alive = undo_alive(&log);
	closed = log.closed;
	undo_free(&log);
	return !closed;
}

bool lock_leftover(const char *dir, char *run, size_t len)
{
	bool alive;

	return read_current(dir, run, len) && left_something(run, &alive) && !alive;
}

static int open_and_lock(struct machine_lock *lock)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[PATH_MAX];
	int err;

	if (mkdir(lock->dir, 0755) && errno != EEXIST)
		return errno;
	lock->fd = open(in_dir(path, sizeof(path), lock->dir, "lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock->fd < 0)
		return errno;
	if (!fcntl(lock->fd, F_SETLK, &whole))
		return 0;
	err = errno;
	close(lock->fd);
	lock->fd = -1;
	return err;
}

static void explain_leftover(const char *dir, const char *run, char *reason, size_t len)
{
	if (access(run, F_OK))
		snprintf(reason, len,
			 "a dead run left changes, and %.70s is gone; remove %s/current once all is well",
			 run, dir);
	else
		snprintf(reason, len, "a dead run left changes on the machine: recow restore %.90s", run);
}

bool lock_take(struct machine_lock *lock, const char *dir, const char *run, char *reason, size_t len)
{
	char other[PATH_MAX] = "";
	bool alive;
	int err;

	*lock = (struct machine_lock){.fd = -1, .dir = dir};
	err = open_and_lock(lock);
	if (err == EACCES || err == EAGAIN) {
		if (err == EACCES && geteuid()) {
			snprintf(reason, len, "only root can change the machine");
			return false;
		}
		read_current(dir, other, sizeof(other));
		snprintf(reason, len, "another run holds the machine: %.100s", other);
		return false;
	}
	if (!err && read_current(dir, other, sizeof(other)) && left_something(other, &alive)) {
		explain_leftover(dir, other, reason, len);
		lock_release(lock, false);
		return false;
	}
	if (!err)
		err = write_current(dir, run);
	if (!err)
		return true;
	snprintf(reason, len, "no machine lock in %s: %s", dir, strerror(err));
	lock_release(lock, false);
	return false;
}

void lock_forget(const char *dir, const char *run)
{
	char path[PATH_MAX], current[PATH_MAX];

	if (read_current(dir, current, sizeof(current)) && !strcmp(current, run))
		unlink(in_dir(path, sizeof(path), dir, "current"));
}

void lock_release(struct machine_lock *lock, bool clean)
{
	char path[PATH_MAX];

	if (lock->fd < 0)
		return;
	if (clean)
		unlink(in_dir(path, sizeof(path), lock->dir, "current"));
	close(lock->fd);
	lock->fd = -1;
}
