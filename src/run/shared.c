/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/run/shared.h"

#include <errno.h>
#include <limits.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/journal/tail.h"
#include "src/machine/machine.h"
#include "src/run/rundir.h"

/* Sparse: a page costs memory when it is first touched. Left out of core dumps, which would be as large. */
static void *map_shared(size_t bytes, const char *what, struct error *e)
{
	void *mapping =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mapping == MAP_FAILED) {
		error_errno(e, EXIT_CANNOT, errno, "cannot map %zu MiB of shared memory for %s", bytes >> 20,
			    what);
		return NULL;
	}
	madvise(mapping, bytes, MADV_DONTDUMP);
	return mapping;
}

/* Reasons that lie in the plan itself move with it. */
static void copy_plan(struct plan *to, const struct plan *from)
{
	*to = *from;
	for (unsigned int i = 0; i < to->injection_count; i++) {
		if (from->injection[i].unavailable == from->injection[i].unavailable_text)
			to->injection[i].unavailable = to->injection[i].unavailable_text;
	}
	for (unsigned int i = 0; i < to->verification_count; i++) {
		if (from->verification[i].unavailable == from->verification[i].unavailable_text)
			to->verification[i].unavailable = to->verification[i].unavailable_text;
	}
}

static size_t worker_bytes(const struct plan *p)
{
	return p->workers * sizeof(struct shared_worker);
}

static size_t ring_bytes(const struct plan *p)
{
	return p->workers * sizeof(struct journal_ring);
}

static void set_rings(struct shared *s, struct journal_ring *first)
{
	for (unsigned int i = 0; i < s->plan.workers; i++)
		s->worker[i].ring = first + i;
}

static void unmap_rings(struct shared *s)
{
	if (s->rings_kept)
		tail_unmap(s->worker[0].ring, s->plan.workers);
	else
		munmap(s->worker[0].ring, ring_bytes(&s->plan));
	s->rings_kept = false;
}

struct shared *shared_make(const struct plan *plan, uint64_t pool_bytes, struct error *e)
{
	struct shared *s = map_shared(sizeof(*s), "the run's state", e);
	void *pool = NULL, *rings = NULL;

	if (!s)
		return NULL;
	s->worker = map_shared(worker_bytes(plan), "the workers' state", e);
	if (s->worker)
		rings = map_shared(ring_bytes(plan), "the journal rings", e);
	if (rings)
		pool = map_shared(pool_bytes, "the models", e);
	if (!pool) {
		if (rings)
			munmap(rings, ring_bytes(plan));
		if (s->worker)
			munmap(s->worker, worker_bytes(plan));
		munmap(s, sizeof(*s));
		return NULL;
	}
	copy_plan(&s->plan, plan);
	set_rings(s, rings);
	s->pool = page_pool_init(pool, pool_bytes);
	s->target.loop = s->target.mapping = -1;
	s->start_migrated = machine_vmstat("pgmigrate_success");
	s->start_failed = machine_vmstat("pgmigrate_fail");
	s->start_mono = clock_mono();
	s->start_real = clock_ns(CLOCK_REALTIME);
	return s;
}

void shared_free(struct shared *s, uint64_t pool_bytes)
{
	if (!s)
		return;
	munmap(s->pool, pool_bytes);
	unmap_rings(s);
	munmap(s->worker, worker_bytes(&s->plan));
	munmap(s, sizeof(*s));
}

int shared_keep_rings(struct shared *s, const char *run)
{
	const char *there = s->plan.journal_tail;
	char path[PATH_MAX];
	struct journal_ring *first;

	if (!there[0])
		there = rundir_path(path, sizeof(path), run, TAIL_NAME);
	first = tail_make(there, s->plan.workers, s->plan.run_key, s->plan.journal_tail[0]);
	if (!first)
		return -1;
	unmap_rings(s);
	set_rings(s, first);
	s->rings_kept = true;
	return 0;
}

/* Was it announced, and is its record missing? */
static bool is_in_flight(const struct shared_worker *w)
{
	const struct journal_record *p = &w->ring->pending;

	return p->operation && p->operation > atomic_load(&w->journalled);
}

void shared_drop_rings(struct shared *s, const char *run)
{
	char path[PATH_MAX];

	for (unsigned int i = 0; i < s->plan.workers; i++) {
		if (is_in_flight(&s->worker[i]))
			return;
	}
	unlink(rundir_path(path, sizeof(path), run, TAIL_NAME));
}

void shared_stamp(const struct shared *s, struct finding *f)
{
	f->time = clock_mono() - s->start_mono;
	f->round = atomic_load(&s->round);
	f->phase = atomic_load(&s->phase);
}

bool shared_failing(const struct shared *s)
{
	return atomic_load(&s->fault.at) && !atomic_load(&s->fault.over);
}

bool shared_excuses(struct shared *s, const struct finding *f)
{
	if (f->class == FINDING_HARNESS || !shared_failing(s))
		return false;
	atomic_fetch_add(&s->fault.excused, 1);
	return true;
}

const struct verify_counters *shared_durable(const struct shared *s)
{
	for (unsigned int i = 0; i < s->plan.verification_count; i++) {
		if (s->plan.verification[i].verifier->when == VERIFY_FAILED)
			return &s->verified[i];
	}
	return NULL;
}
