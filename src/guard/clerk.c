/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Journals and models on disk. The guard itself only writes into journal files (and so into the page cache);
 * what waits for a disk is done by a hand.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/guard/state.h"
#include "src/run/rundir.h"

/* Records taken from a ring at a time: 64 KiB. */
#define BATCH 1024U

/* Time for the last models; a run that ends by Ctrl-C has about ten seconds in all. */
#define FINISH_LIMIT (60 * NSEC_PER_SEC)

int clerk_open(struct guard *g, struct error *e)
{
	const struct shared *s = g->shared;
	char dir[PATH_MAX];

	rundir_path(dir, sizeof(dir), g->run, "journal");
	g->journal = calloc(s->plan.workers, sizeof(struct journal_writer *));
	if (!g->journal)
		return error_errno(e, EXIT_CANNOT, ENOMEM, "journals");
	for (unsigned int i = 0; i < s->plan.workers; i++) {
		g->journal[i] = journal_writer_open(dir, i, s->plan.run_key, s->start_real, e);
		if (!g->journal[i])
			return -1;
	}
	return 0;
}

static void drain_worker(struct guard *g, unsigned int worker)
{
	static struct journal_record batch[BATCH]; /* single-threaded */
	struct error e;
	size_t count;

	/* At most one ring full: a worker that is faster than the disk must not keep the guard here. */
	for (unsigned int taken = 0; taken < RING_RECORDS; taken += (unsigned int)count) {
		struct journal_ring *ring = g->shared->worker[worker].ring;
		bool kept;

		count = ring_look(ring, batch, BATCH);
		if (!count)
			return;
		kept = !g->journal[worker] || !journal_writer_append(g->journal[worker], batch, count, &e);
		ring_drop(ring, count);
		if (kept)
			continue;
		/* A journal with a hole is worth nothing: what follows is dropped, and the run ends. */
		guard_fail(g, "the journal of worker %u can't be written: %s", worker, e.text);
		journal_writer_close(g->journal[worker]);
		g->journal[worker] = NULL;
		family_stop(g);
	}
}

void clerk_drain(struct guard *g)
{
	for (unsigned int i = 0; i < g->shared->plan.workers; i++)
		drain_worker(g, i);
}

int clerk_sync(void *arg, int socket)
{
	const struct guard *g = arg;
	struct error e = {0};

	for (unsigned int i = 0; i < g->shared->plan.workers; i++) {
		if (g->journal[i] && journal_writer_sync(g->journal[i], &e))
			return e.err ? e.err : EIO;
	}
	return 0;
}

static int save_to(const struct model_view *view, const char *path)
{
	struct error e = {0};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), err = 0;

	if (fd < 0)
		return errno;
	if (model_save(view, fd, &e))
		err = e.err ? e.err : EIO;
	else if (fsync(fd))
		err = errno;
	close(fd);
	return err;
}

/* The old file stays whole until the new one is on disk. */
static int save_model(const struct guard *g, unsigned int worker)
{
	char name[64], path[PATH_MAX], fresh[PATH_MAX];
	int err;

	snprintf(name, sizeof(name), "model/w%04u.model", worker);
	rundir_path(path, sizeof(path), g->run, name);
	snprintf(name, sizeof(name), "model/w%04u.model.new", worker);
	rundir_path(fresh, sizeof(fresh), g->run, name);
	err = save_to(&g->shared->worker[worker].barrier, fresh);
	if (!err && rename(fresh, path))
		err = errno;
	if (err)
		unlink(fresh);
	return err;
}

int clerk_checkpoint(void *arg, int socket)
{
	const struct guard *g = arg;
	int err = clerk_sync(arg, socket);

	if (!atomic_load(&g->shared->barrier_valid))
		return err;
	for (unsigned int i = 0; !err && i < g->shared->plan.workers; i++)
		err = save_model(g, i);
	return err;
}

void clerk_drop(struct guard *g)
{
	const struct plan *p = &g->shared->plan;
	struct error e;

	if (!p->journal_keep || !atomic_load(&g->shared->barrier_valid))
		return;
	for (unsigned int i = 0; i < p->workers; i++) {
		uint64_t keep = MAX(p->journal_keep / p->workers, 1ULL);

		if (g->journal[i] &&
		    journal_writer_drop(g->journal[i], keep, g->shared->worker[i].barrier.operations, &e))
			guard_fail(g, "old journals can't be dropped: %s", e.text);
	}
}

/* All is on disk: the rings have nothing more to say. */
static void settle_journals(struct guard *g)
{
	clerk_drop(g);
	shared_drop_rings(g->shared, g->run);
}

void clerk_finish(struct guard *g)
{
	int err;

	if (!g->journal)
		return;
	clerk_drain(g);
	err = hand_do(clerk_checkpoint, g, FINISH_LIMIT, NULL);
	if (err)
		guard_fail(g, "the last models and journals could not be written: %s", strerror(err));
	else
		settle_journals(g);
	for (unsigned int i = 0; i < g->shared->plan.workers; i++) {
		if (g->journal[i])
			journal_writer_close(g->journal[i]);
	}
	free(g->journal);
	g->journal = NULL;
}
