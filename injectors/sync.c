/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes the target's dirty pages out at moments that the workers don't choose, and decides for how long
 *pages stay dirty at all.
 *
 *	mixed	(default) one sync of some kind every `pause`; dirty_* as they were found
 *	hold	no sync; dirty_* such that pages stay dirty
 *	release	no sync; dirty_* such that pages are written at once
 *	storm	one sync of some kind every `storm_pause`; dirty_* as for release
 *
 * The dirty_* settings stay when the phase ends, until another phase of this injector changes them: what
 * "hold" keeps dirty is to be moved in the phases behind it. At the end the guard's undo puts them back.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "injectors/injector.h"
#include "injectors/walk.h"

enum { PAUSE, STORM_PAUSE };

static const struct param sync_params[] = {
	[PAUSE] = {.name = "pause",
		   .summary = "between two syncs",
		   .unit = PARAM_DURATION,
		   .fallback = "100ms",
		   .min = NSEC_PER_MSEC,
		   .max = 60 * NSEC_PER_SEC},
	[STORM_PAUSE] = {.name = "storm_pause",
			 .summary = "between two syncs of a storm",
			 .unit = PARAM_DURATION,
			 .fallback = "5ms",
			 .min = 10 * NSEC_PER_USEC,
			 .max = 60 * NSEC_PER_SEC},
};

enum mode { MIXED, HOLD, RELEASE, STORM };

static const char *const sync_args[] = {[MIXED] = "mixed", "hold", "release", "storm", NULL};

/* ---- how long pages stay dirty ---- */

enum setting { DIRTY, BACKGROUND, EXPIRE, WRITEBACK, SETTINGS };

/*
 * A limit of dirty pages is one setting with two files: as a share (..._ratio) or in bytes; writing one
 * zeroes the other, and 0 in bytes is refused (mm/page-writeback.c). Only the file that was in force when the
 * run began is ever written, so that the undo has one old value to write and the other stays as it was.
 */
struct knob {
	const char *path, *bytes_path; /* bytes_path: NULL if there is one file only */
	bool in_bytes;
	bool refused;     /* it could not be read or set: left alone from then on */
	char found[32];   /* its value when the run began */
	uint64_t hold;    /* percent, or centiseconds */
	uint64_t at_once; /* likewise; bytes never less than AT_ONCE_BYTES */
};

#define VM "/proc/sys/vm/"

/*
 * hold: nothing is written for five minutes, or until 60 % of what is available is dirty; writers are stopped
 * at 70 %. at_once: a dirty page is written as soon as possible, at the latest after a second; how much may
 * be dirty before writers are stopped is as it was found.
 */
static const struct knob knobs[SETTINGS] = {
	[DIRTY] = {VM "dirty_ratio", VM "dirty_bytes", .hold = 70},
	[BACKGROUND] = {VM "dirty_background_ratio", VM "dirty_background_bytes", .hold = 60, .at_once = 0},
	[EXPIRE] = {VM "dirty_expire_centisecs", .hold = 30000, .at_once = 100},
	[WRITEBACK] = {VM "dirty_writeback_centisecs", .hold = 0, .at_once = 100},
};

#define AT_ONCE_BYTES (1 * MiB)

struct syncer {
	struct knob knob[SETTINGS];
	uint64_t available; /* MemAvailable when the run began: what a share is a share of */
	bool changed;       /* a knob differs from what was found */
	enum mode mode;
	int root; /* the target opened for reading, -1 */
};

static const char *knob_path(const struct knob *k)
{
	return k->in_bytes ? k->bytes_path : k->path;
}

static void knob_refused(struct injection *in, struct knob *k, const char *what, int err)
{
	k->refused = true;
	inject_note(in, "cannot %s %s: %s; it stays as it is", what, knob_path(k), strerror(err));
}

static void find_knob(struct injection *in, struct knob *k)
{
	char bytes[32];

	if (k->bytes_path && !machine_read(k->bytes_path, bytes, sizeof(bytes)) && strcmp(bytes, "0") != 0)
		k->in_bytes = true;
	if (machine_read(knob_path(k), k->found, sizeof(k->found)))
		knob_refused(in, k, "read", errno);
}

static void turn_knob(struct injection *in, struct knob *k, const char *value)
{
	int err;

	if (k->refused)
		return;
	err = machine_set(in->machine, knob_path(k), value, 0);
	if (err)
		knob_refused(in, k, "set", err);
}

static void knob_value(const struct syncer *s, enum setting which, enum mode mode, char *buf, size_t len)
{
	const struct knob *k = &s->knob[which];
	uint64_t n = mode == HOLD ? k->hold : k->at_once;

	if (k->in_bytes)
		n = MAX(s->available / 100 * n, AT_ONCE_BYTES);
	if (mode == MIXED || (which == DIRTY && mode != HOLD))
		snprintf(buf, len, "%s", k->found);
	else
		snprintf(buf, len, "%llu", (unsigned long long)n);
}

static void turn_knobs(struct injection *in, struct syncer *s, enum mode mode)
{
	for (unsigned int i = 0; i < SETTINGS; i++) {
		char value[32];

		knob_value(s, (enum setting)i, mode, value, sizeof(value));
		turn_knob(in, &s->knob[i], value);
	}
	s->changed = mode != MIXED;
}

/* ---- syncing ---- */

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

static enum step sync_all(struct injection *in, struct syncer *s)
{
	sync();
	return STEP_DONE;
}

static enum step sync_target(struct injection *in, struct syncer *s)
{
	return judge(in, syncfs(s->root), "syncfs", "");
}

static enum step sync_file(struct injection *in, struct syncer *s)
{
	struct walk_file file;
	enum step step;

	if (walk_random(s->root, &in->random, &file))
		return inject_idle(in, "the target has no file to sync");
	step = judge(in, fsync(file.fd), "fsync", file.path);
	close(file.fd);
	return step;
}

static enum step sync_range(struct injection *in, struct syncer *s)
{
	unsigned int flags = SYNC_FILE_RANGE_WRITE;
	struct walk_file file;
	uint64_t from, length;
	struct stat st;
	enum step step;

	if (walk_random(s->root, &in->random, &file))
		return inject_idle(in, "the target has no file to sync");
	if (fstat(file.fd, &st) || !S_ISREG(st.st_mode) || !st.st_size) {
		close(file.fd);
		return inject_idle(in, "the file drawn has no range to sync");
	}
	from = stream_below(&in->random, (uint64_t)st.st_size);
	length = stream_range(&in->random, 1, (uint64_t)st.st_size - from);
	if (stream_chance(&in->random, 2))
		flags |= SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER;
	step = judge(in, sync_file_range(file.fd, (off_t)from, (off_t)length, flags), "sync_file_range",
		     file.path);
	close(file.fd);
	return step;
}

/* Begin a commit, let the workers go on for a moment, wait for it. */
static enum step sync_commit(struct injection *in, struct syncer *s)
{
	uint64_t transaction = 0;

	if (!in->btrfs)
		return sync_target(in, s);
	if (ioctl(s->root, BTRFS_IOC_START_SYNC, &transaction))
		return judge(in, -1, "BTRFS_IOC_START_SYNC", "");
	inject_pause(in, stream_below(&in->random, 5 * NSEC_PER_MSEC));
	return judge(in, ioctl(s->root, BTRFS_IOC_WAIT_SYNC, &transaction), "BTRFS_IOC_WAIT_SYNC", "");
}

/* Kinds of syncs and how often each is drawn. sync(2) writes out the whole machine: seldom. */
static const struct kind {
	unsigned int weight;
	enum step (*run)(struct injection *in, struct syncer *s);
} kinds[] = {{1, sync_all}, {4, sync_target}, {8, sync_file}, {6, sync_range}, {4, sync_commit}};

static enum step draw_sync(struct injection *in, struct syncer *s)
{
	unsigned int total = 0;
	uint64_t drawn;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		total += kinds[i].weight;
	drawn = stream_below(&in->random, total);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (drawn < kinds[i].weight)
			return kinds[i].run(in, s);
		drawn -= kinds[i].weight;
	}
	return STEP_IDLE;
}

/* ---- the injector ---- */

static int sync_start(struct injection *in, struct error *e)
{
	struct syncer *s = calloc(1, sizeof(*s));

	in->state = s;
	if (!s)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "sync");
	memcpy(s->knob, knobs, sizeof(knobs));
	s->root = -1;
	s->available = machine_meminfo_kib("MemAvailable") * KiB;
	for (unsigned int i = 0; i < SETTINGS; i++)
		find_knob(in, &s->knob[i]);
	return 0;
}

static enum mode mode_of(const char *arg)
{
	for (unsigned int i = 0; sync_args[i]; i++) {
		if (!strcmp(arg, sync_args[i]))
			return (enum mode)i;
	}
	return MIXED;
}

static int sync_phase(struct injection *in, struct error *e)
{
	struct syncer *s = in->state;

	s->mode = mode_of(in->phase_arg);
	if (s->mode != MIXED || s->changed)
		turn_knobs(in, s, s->mode);
	if (s->mode == HOLD || s->mode == RELEASE)
		return 0;
	if (in->target < 0)
		return error_set(e, EXIT_CANNOT, "the target is not mounted");
	s->root = openat(in->target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root < 0)
		return error_errno(e, EXIT_CANNOT, errno, "cannot open the target");
	return 0;
}

static enum step sync_step(struct injection *in)
{
	struct syncer *s = in->state;
	enum step step;

	if (s->mode == HOLD || s->mode == RELEASE) {
		inject_pause(in, NSEC_PER_SEC);
		return inject_idle(in,
				   s->mode == HOLD ? "pages are held dirty" : "pages are written at once");
	}
	step = draw_sync(in, s);
	inject_pause(in, in->params->value[s->mode == STORM ? STORM_PAUSE : PAUSE]);
	return step;
}

static void sync_rest(struct injection *in)
{
	struct syncer *s = in->state;

	if (s->root >= 0)
		close(s->root);
	s->root = -1;
}

static void sync_finish(struct injection *in)
{
	free(in->state);
	in->state = NULL;
}

const struct injector injector_sync = {
	.name = "sync",
	.summary = "syncs of every kind; pages held dirty, or written at once",
	.needs = NEED_NOTHING,
	.params = sync_params,
	.param_count = ARRAY_SIZE(sync_params),
	.phase_args = sync_args,
	.start = sync_start,
	.phase = sync_phase,
	.step = sync_step,
	.rest = sync_rest,
	.finish = sync_finish,
};
