/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/run/shared.h"

#include <errno.h>
#include <sys/mman.h>

#include "src/base/clock.h"
#include "src/machine/machine.h"

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

struct shared *shared_make(const struct plan *plan, uint64_t pool_bytes, struct error *e)
{
	size_t worker_bytes = plan->workers * sizeof(struct shared_worker);
	struct shared *s = map_shared(sizeof(*s), "the run's state", e);
	void *pool = NULL;

	if (!s)
		return NULL;
	s->worker = map_shared(worker_bytes, "the journal rings", e);
	if (s->worker)
		pool = map_shared(pool_bytes, "the models", e);
	if (!pool) {
		if (s->worker)
			munmap(s->worker, worker_bytes);
		munmap(s, sizeof(*s));
		return NULL;
	}
	copy_plan(&s->plan, plan);
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
	munmap(s->worker, s->plan.workers * sizeof(struct shared_worker));
	munmap(s, sizeof(*s));
}

void shared_stamp(const struct shared *s, struct finding *f)
{
	f->time = clock_mono() - s->start_mono;
	f->round = atomic_load(&s->round);
	f->phase = atomic_load(&s->phase);
}
