/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/engine/churn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/machine/machine.h"

/* The workers together fill at most this part of the target's free space: copy-on-write needs room, and a
 * full filesystem is another workload's subject. */
#define FILL_PART 2

bool conductor_found(const struct conductor *c)
{
	return atomic_load(&c->told) || atomic_load(&c->shared->findings);
}

bool conductor_ending(const struct conductor *c)
{
	return atomic_load(&c->shared->stop) || fault_is_over(c->shared) ||
	       (conductor_found(c) && !c->shared->plan.keep_going);
}

int conductor_mount(struct conductor *c, struct error *e)
{
	struct target *t = &c->shared->target;

	if (t->own && target_mount(t, e))
		return -1;
	c->mount = open(t->mountpoint, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->mount < 0)
		return error_errno(e, EXIT_HARNESS, errno, "cannot open the mounted target %s",
				   t->mountpoint);
	atomic_store(&c->shared->target_mounted, 1);
	return 0;
}

void conductor_lost(struct conductor *c, const char *what, const struct error *e)
{
	struct finding f = {.class = FINDING_TARGET, .place = SEEN_FRESH, .verifier = "remount"};

	snprintf(f.detail, sizeof(f.detail), "%s: %.400s", what, e->text);
	finding_emit(&c->findings, &f);
}

void conductor_look(struct conductor *c)
{
	const uint32_t known = atomic_load(&c->told) + atomic_load(&c->shared->findings);
	struct finding f = {
		.class = FINDING_TARGET, .place = SEEN_CHURN, .verifier = "target", .still = true};
	int err;

	if (known == c->looked || shared_failing(c->shared))
		return;
	c->looked = known;
	err = target_refusal(&c->shared->target);
	if (!err)
		return;
	snprintf(f.detail, sizeof(f.detail), "%s is gone: it refuses every read: %s",
		 c->shared->target.device, strerror(err));
	finding_emit(&c->findings, &f);
}

/* A mount point that is none any more was unmounted from outside: as a target that vanished it is a finding.
 */
int conductor_unmount(struct conductor *c, struct error *e)
{
	atomic_store(&c->shared->target_mounted, 0);
	if (c->mount >= 0)
		close(c->mount);
	c->mount = -1;
	if (!c->shared->target.own || target_unmount(&c->shared->target, e) == 0)
		return 0;
	if (e->err != EINVAL)
		return -1;
	conductor_lost(c, "somebody unmounted the target", e);
	return 0;
}

/* Each worker's share of the target, in bytes of file data. */
static int share_of_target(const struct conductor *c, uint64_t *bytes, struct error *e)
{
	struct statvfs fs;

	if (statvfs(c->shared->target.mountpoint, &fs))
		return error_errno(e, EXIT_HARNESS, errno, "cannot ask %s for its free space",
				   c->shared->target.mountpoint);
	*bytes = (uint64_t)fs.f_bavail * fs.f_frsize / FILL_PART;
	if (c->shared->plan.target.fill)
		*bytes = MIN(*bytes, c->shared->plan.target.fill);
	*bytes /= c->shared->plan.workers;
	return 0;
}

static int start_workers(struct conductor *c, struct error *e)
{
	uint64_t share = 0;

	if (share_of_target(c, &share, e))
		return -1;
	for (unsigned int i = 0; i < c->shared->plan.workers; i++) {
		if (worker_start(&c->workers[i], c->shared, &c->gang, i, share, c->mount, &c->findings, e))
			return -1;
		c->started++;
	}
	return 0;
}

static void stop_workers(struct conductor *c)
{
	gang_halt(&c->gang);
	gang_quit(&c->gang);
	for (unsigned int i = 0; i < c->started; i++)
		worker_join(&c->workers[i]);
}

/* After the last round: is it all still there without any cache? After a finding the target stays as it is,
 * for evidence: it is unmounted and checked, not mounted again. */
static int verify_fresh(struct conductor *c, struct error *e)
{
	struct shared *s = c->shared;

	atomic_store(&s->stage, STAGE_REMOUNT);
	if (!s->target.own)
		return 0;
	if (conductor_unmount(c, e) || verify_run(c, VERIFY_OFFLINE, e))
		return -1;
	if (conductor_ending(c))
		return 0;
	if (conductor_mount(c, e)) {
		conductor_lost(c, "the target could not be mounted again", e);
		return 0;
	}
	return verify_run(c, VERIFY_REMOUNTED, e);
}

/* From the mounted target to the last verification. */
static int conduct(struct conductor *c, struct error *e)
{
	int result;

	gang_init(&c->gang);
	result = verify_begin(c, e);
	if (!result)
		result = target_try_renames(&c->shared->target, e);
	if (!result)
		result = layout_make(c, e);
	if (!result)
		result = start_workers(c, e);
	if (!result)
		result = rounds_run(c, e);
	stop_workers(c);
	gang_destroy(&c->gang);
	if (!result && !atomic_load(&c->shared->stop))
		result = shared_failing(c->shared) ? fault_recover(c, e) : verify_fresh(c, e);
	return result;
}

static int release_target(struct conductor *c, struct error *e)
{
	struct shared *s = c->shared;
	bool keep = s->plan.keep || conductor_found(c);

	atomic_store(&s->stage, STAGE_RELEASE);
	if (c->mount >= 0 && conductor_unmount(c, e))
		return -1;
	return target_release(&s->target, keep, e);
}

static int run(struct conductor *c, struct error *e)
{
	struct shared *s = c->shared;
	struct error late = {0};
	int result;

	if (target_prepare(&s->target, &s->plan.target, s->plan.output, e))
		return -1;
	if (s->target.note[0])
		machine_note(&(struct machine){.socket = c->socket}, "target", s->target.note);
	result = conductor_mount(c, e);
	if (!result)
		result = conduct(c, e);
	if (release_target(c, &late)) {
		if (!result)
			*e = late;
		result = -1;
	}
	return result;
}

int churn_main(struct shared *s, int socket)
{
	struct conductor c = {.shared = s, .socket = socket, .mount = -1};
	struct error e = {0};
	int result = -1;

	umask(0);
	c.findings = tell_sink(&c);
	c.workers = calloc(s->plan.workers, sizeof(*c.workers));
	c.barrier = calloc(s->plan.workers, sizeof(struct frozen *));
	if (!c.workers || !c.barrier)
		error_set(&e, EXIT_HARNESS, "no memory for %u workers", s->plan.workers);
	else if (witnesses_init(&c, &e) == 0)
		result = run(&c, &e);
	if (result)
		tell_error(&c, &e);
	atomic_store(&s->stage, STAGE_DONE);
	witnesses_destroy(&c);
	free(c.barrier);
	free(c.workers);
	return result ? EXIT_HARNESS : EXIT_CLEAN;
}
