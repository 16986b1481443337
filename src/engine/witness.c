/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots with their models, and the verifiers that look at them while the workers churn. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/engine/churn.h"

#define SHARED_PLACE "shared"

/* Snapshots of the shared subvolume that are kept. */
#define SHARED_KEPT 2

/* The workers come first: what looks on meanwhile takes what they leave. */
#define DURING_NICE 10

int witnesses_init(struct conductor *c, struct error *e)
{
	unsigned int workers = c->shared->plan.workers;

	witness_list_init(&c->shared_witnesses);
	c->witnesses = calloc(workers + 1, sizeof(struct witness_list *));
	if (!c->witnesses)
		return error_set(e, EXIT_HARNESS, "no memory for the witnesses of %u workers", workers);
	for (unsigned int i = 0; i < workers; i++)
		c->witnesses[i] = &c->workers[i].witnesses;
	c->witnesses[workers] = &c->shared_witnesses;
	return 0;
}

void witnesses_destroy(struct conductor *c)
{
	if (!c->witnesses)
		return;
	for (unsigned int i = 0; i < c->started; i++)
		witness_list_destroy(&c->workers[i].witnesses);
	witness_list_destroy(&c->shared_witnesses);
	free(c->witnesses);
}

/* ---- the shared subvolume, at barriers */

/* Want of space is an ordinary answer. */
static void tell_refused(struct conductor *c, const char *path, const char *what)
{
	struct finding f = {
		.class = FINDING_ANSWER, .place = SEEN_CHURN, .verifier = "snapshots", .still = true};
	int err = errno;

	if (err == ENOSPC || err == EDQUOT || err == ENOMEM || err == EINTR)
		return;
	if (err == EIO || err == EROFS)
		f.class = err == EIO ? FINDING_EIO : FINDING_EROFS;
	snprintf(f.path, sizeof(f.path), "%s", path);
	snprintf(f.detail, sizeof(f.detail), "%s: %s", what, strerror(err));
	finding_emit(&c->findings, &f);
}

static void drop_oldest(struct conductor *c)
{
	struct witness *oldest = c->shared_witnesses.witness[0];

	oldest->dying = true;
	if (target_snapshot_delete(c->mount, oldest->path)) {
		oldest->dying = false;
		tell_refused(c, oldest->path, "the snapshot can't be deleted");
		return;
	}
	witness_put(witness_take_oldest(&c->shared_witnesses));
}

static void take_shared(struct conductor *c, uint64_t round)
{
	struct witness *w;
	char path[40];

	witness_path(path, sizeof(path), SHARED_PLACE, round);
	if (target_snapshot(c->mount, SHARED_PLACE, path, SNAPSHOT_READONLY, false)) {
		tell_refused(c, path, "the snapshot can't be taken");
		return;
	}
	for (unsigned int i = 0; i < c->shared->plan.workers; i++)
		model_pin(c->barrier[i]);
	w = witness_make(SHARED_PLACE, round, SCOPE_SHARED, c->barrier, c->shared->plan.workers);
	if (!w) {
		target_snapshot_delete(c->mount, path);
		return;
	}
	w->time = clock_mono();
	witness_add(&c->shared_witnesses, w);
}

/* What a snapshot keeps is room that copy-on-write may need: none when less than a quarter is left. */
static bool has_room(const struct conductor *c)
{
	struct statvfs fs;

	return fstatvfs(c->mount, &fs) == 0 && fs.f_bavail >= fs.f_blocks / 4;
}

void witnesses_take_shared(struct conductor *c)
{
	const struct shared *s = c->shared;

	if (conductor_ending(c) || !s->target.btrfs || !s->plan.shared_dirs ||
	    !plan_wants_witnesses(&s->plan))
		return;
	if (c->shared_witnesses.live == SHARED_KEPT)
		drop_oldest(c);
	if (c->shared_witnesses.live < SHARED_KEPT && has_room(c))
		take_shared(c, atomic_load(&s->round));
}

/* ---- verifying while the workers churn */

static void *during_main(void *arg)
{
	struct during *d = arg;
	struct conductor *c = d->conductor;

	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), DURING_NICE);
	d->result = verify_one(c, d->index, VERIFY_DURING, &c->during_halt, &d->error);
	return NULL;
}

int during_start(struct conductor *c, struct error *e)
{
	const struct plan *p = &c->shared->plan;

	atomic_store(&c->during_halt, false);
	for (unsigned int i = 0; i < p->verification_count; i++) {
		struct during *d = &c->during[c->during_count];
		int err;

		if (p->verification[i].verifier->when != VERIFY_DURING || p->verification[i].unavailable)
			continue;
		*d = (struct during){.conductor = c, .index = i};
		err = pthread_create(&d->thread, NULL, during_main, d);
		if (err)
			return error_errno(e, EXIT_HARNESS, err, "cannot start verifier %s",
					   p->verification[i].verifier->name);
		pthread_setname_np(d->thread, "verify");
		c->during_count++;
	}
	return 0;
}

int during_end(struct conductor *c, struct error *e)
{
	int result = 0;

	atomic_store(&c->during_halt, true);
	while (c->during_count) {
		struct during *d = &c->during[--c->during_count];

		pthread_join(d->thread, NULL);
		if (d->result) {
			*e = d->error;
			result = -1;
		}
	}
	return result;
}
