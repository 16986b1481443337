/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/flush.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "injectors/walk.h"
#include "src/base/clock.h"

/* The most that is mapped for one msync. */
#define MAPPED_MAX (16 * MiB)

static void report(struct injection *in, enum finding_class class, const char *what, const char *path)
{
	struct finding *f = calloc(1, sizeof(*f));

	if (!f)
		return;
	f->class = class;
	f->place = SEEN_CHURN;
	snprintf(f->verifier, sizeof(f->verifier), "%s", in->name);
	snprintf(f->path, sizeof(f->path), "%s", path);
	snprintf(f->detail, sizeof(f->detail), "%s failed: %s", what,
		 class == FINDING_EROFS ? "the filesystem became read-only" : "input/output error");
	in->findings->emit(in->findings->self, f);
	free(f);
}

/*
 * The outcome of a sync. An error here is the first news of a failed writeback, and the kernel tells each of
 * them once: what this thread is told, a worker may never hear. So it is a finding of its own.
 */
static enum step judge(struct injection *in, int ret, const char *what, const char *path)
{
	if (!ret)
		return STEP_DONE;
	if (errno == EIO)
		report(in, FINDING_EIO, what, path);
	else if (errno == EROFS)
		report(in, FINDING_EROFS, what, path);
	else
		inject_note(in, "%s %s: %s", what, path, strerror(errno));
	return STEP_REFUSED;
}

/* A sync of the whole target that began at `begin`: what came of it. */
static enum step judge_whole(struct injection *in, int ret, const char *what, uint64_t begin)
{
	enum step step = judge(in, ret, what, "");

	if (step == STEP_DONE)
		machine_synced(in->machine, what, begin);
	return step;
}

/* It tells no error: what it could not write is told to the next one who syncs. */
static enum step sync_all(struct injection *in, int root)
{
	const uint64_t begin = clock_mono();

	sync();
	machine_synced(in->machine, "sync", begin);
	return STEP_DONE;
}

static enum step sync_target(struct injection *in, int root)
{
	const uint64_t begin = clock_mono();

	return judge_whole(in, syncfs(root), "syncfs", begin);
}

static enum step sync_file(struct injection *in, int root)
{
	struct walk_file file;
	enum step step;

	if (walk_random(root, &in->random, &file))
		return inject_idle(in, "the target has no file to sync");
	step = judge(in, fsync(file.fd), "fsync", file.path);
	close(file.fd);
	return step;
}

/* A file with a range of it, both at random. -1: there is none to be had, and why is noted as idleness. */
static int draw_range(struct injection *in, int root, struct walk_file *file, uint64_t *from,
		      uint64_t *length)
{
	struct stat st;

	if (walk_random(root, &in->random, file)) {
		inject_idle(in, "the target has no file to sync");
		return -1;
	}
	if (fstat(file->fd, &st) || !S_ISREG(st.st_mode) || !st.st_size) {
		close(file->fd);
		inject_idle(in, "the file drawn has no range to sync");
		return -1;
	}
	*from = stream_below(&in->random, (uint64_t)st.st_size);
	*length = stream_range(&in->random, 1, (uint64_t)st.st_size - *from);
	return 0;
}

static enum step sync_range(struct injection *in, int root)
{
	unsigned int flags = SYNC_FILE_RANGE_WRITE;
	struct walk_file file;
	uint64_t from, length;
	enum step step;

	if (draw_range(in, root, &file, &from, &length))
		return STEP_IDLE;
	if (stream_chance(&in->random, 2))
		flags |= SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER;
	step = judge(in, sync_file_range(file.fd, (off_t)from, (off_t)length, flags), "sync_file_range",
		     file.path);
	close(file.fd);
	return step;
}

/* The kernel looks at a shared mapping for msync() only if it could be written to, so the file is opened once
 * more for that. Nothing is stored through it, and no page is touched: the file may shrink meanwhile. */
static int open_for_writing(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static enum step msync_range(struct injection *in, int fd, const char *path, uint64_t from, uint64_t length)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), start = from / page * page;
	size_t mapped = (size_t)MIN(from + length - start, MAPPED_MAX);
	void *map = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)start);
	enum step step;

	if (map == MAP_FAILED)
		return inject_idle(in, "no mapping: %s", strerror(errno));
	step = judge(in, msync(map, mapped, MS_SYNC), "msync", path);
	munmap(map, mapped);
	return step;
}

static enum step sync_mapping(struct injection *in, int root)
{
	struct walk_file file;
	uint64_t from, length;
	enum step step;
	int fd;

	if (draw_range(in, root, &file, &from, &length))
		return STEP_IDLE;
	fd = open_for_writing(file.fd);
	close(file.fd);
	if (fd < 0)
		return inject_idle(in, "no file to map: %s", strerror(errno));
	step = msync_range(in, fd, file.path, from, length);
	close(fd);
	return step;
}

/* Begin a commit, let the workers go on for a moment, wait for it. That is no sync of the whole: a commit of
 * btrfs has what is written out, and doesn't write out what is dirty (but with flushoncommit). */
static enum step sync_commit(struct injection *in, int root)
{
	uint64_t transaction = 0;

	if (!in->btrfs)
		return sync_target(in, root);
	if (ioctl(root, BTRFS_IOC_START_SYNC, &transaction))
		return judge(in, -1, "BTRFS_IOC_START_SYNC", "");
	inject_pause(in, stream_below(&in->random, 5 * NSEC_PER_MSEC));
	return judge(in, ioctl(root, BTRFS_IOC_WAIT_SYNC, &transaction), "BTRFS_IOC_WAIT_SYNC", "");
}

/* Kinds of syncs and how often each is drawn. sync(2) writes out the whole machine: seldom. */
static const struct kind {
	unsigned int weight;
	enum step (*run)(struct injection *in, int root);
} kinds[] = {{1, sync_all},   {4, sync_target},  {8, sync_file},
	     {6, sync_range}, {4, sync_mapping}, {4, sync_commit}};

enum step flush_drawn(struct injection *in, int root)
{
	unsigned int weight[ARRAY_SIZE(kinds)];

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		weight[i] = kinds[i].weight;
	return kinds[inject_draw(in, weight, ARRAY_SIZE(kinds))].run(in, root);
}
