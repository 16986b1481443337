/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The target's filesystem is shut down while all goes on (FS_IOC_SHUTDOWN): from one moment on nothing gets
 * to its device, and everybody is refused. What was durable must be there when it is mounted again. The
 * device below is sound, so no device mapper is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "injectors/moment.h"

/* XFS_IOC_GOINGDOWN, EXT4_IOC_SHUTDOWN, F2FS_IOC_SHUTDOWN are this one. */
#define IOC_SHUTDOWN _IOR('X', 125, uint32_t)

static const struct param shutdown_params[] = {MOMENT_PARAM_LIST};

/* EXT4_GOING_FLAGS_*, XFS_FSOP_GOING_FLAGS_* and their like are the same numbers: all is written and the
 * filesystem frozen before; only the log is; nothing is. */
enum word { NOTHING, LOG, ALL };
static const char *const words[] = {[NOTHING] = "nologflush", [LOG] = "logflush", [ALL] = "default", NULL};
static const uint32_t flags[] = {[NOTHING] = 2, [LOG] = 1, [ALL] = 0};
static const char *const how[] = {
	[NOTHING] = "shut down, its log not written",
	[LOG] = "shut down behind its log",
	[ALL] = "written out, then shut down",
};

/* A way of shutting down that there is not: who knows the call refuses it before all else (EINVAL), who
 * doesn't says so (ENOTTY). */
#define NO_SUCH_WAY UINT32_MAX

struct state {
	struct moment moment;
	int root; /* the target opened for reading, -1 */
};

static int call(const struct state *s, uint32_t way)
{
	return ioctl(s->root, IOC_SHUTDOWN, &way) ? errno : 0;
}

static int shut_down(struct injection *in)
{
	return call(in->state, flags[inject_word(in, words)]);
}

static int shutdown_start(struct injection *in, struct error *e)
{
	struct state *s = inject_state(in, sizeof(*s), e);

	if (!s)
		return -1;
	s->root = -1;
	return 0;
}

static void close_root(struct state *s)
{
	if (s->root >= 0)
		close(s->root);
	s->root = -1;
}

static int shutdown_phase(struct injection *in, struct error *e)
{
	struct state *s = in->state;
	int err;

	if (in->target < 0)
		return error_set(e, EXIT_CANNOT, "the target is not mounted");
	s->root = openat(in->target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root < 0)
		return error_errno(e, EXIT_CANNOT, errno, "cannot open the target");
	moment_draw(in, &s->moment);
	err = call(s, NO_SUCH_WAY);
	if (err == EINVAL)
		return 0;
	close_root(s);
	return error_errno(e, EXIT_CANNOT, err, "the target's filesystem can't be shut down in this kernel");
}

static enum step shutdown_step(struct injection *in)
{
	struct state *s = in->state;

	return moment_step(in, &s->moment, how[inject_word(in, words)], shut_down);
}

static void shutdown_rest(struct injection *in)
{
	struct state *s = in->state;

	moment_rest(in, &s->moment);
	close_root(s);
}

const struct injector injector_shutdown = {
	.name = "shutdown",
	.summary = "the target's filesystem is shut down, once; what was synced must be there",
	.needs = NEED_ROOT | NEED_OWN_TARGET | NEED_MAY_FAIL | NEED_SHUTDOWN,
	.params = shutdown_params,
	.param_count = ARRAY_SIZE(shutdown_params),
	.phase_args = words,
	.start = shutdown_start,
	.phase = shutdown_phase,
	.step = shutdown_step,
	.rest = shutdown_rest,
	.finish = inject_finish,
};
