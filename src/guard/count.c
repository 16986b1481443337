/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/count.h"

void count_all(const struct shared *s, struct counts *c)
{
	*c = (struct counts){.rounds = atomic_load(&s->rounds_done)};
	for (unsigned int i = 0; i < s->plan.workers; i++) {
		const struct shared_worker *w = &s->worker[i];

		c->operations += atomic_load_explicit(&w->operations, memory_order_relaxed);
		c->errors += atomic_load_explicit(&w->errors, memory_order_relaxed);
		c->written += atomic_load_explicit(&w->bytes_written, memory_order_relaxed);
		c->read += atomic_load_explicit(&w->bytes_read, memory_order_relaxed);
	}
	for (unsigned int i = 0; i < s->plan.verification_count; i++) {
		c->verified_bytes += atomic_load_explicit(&s->verified[i].bytes, memory_order_relaxed);
		c->verified_objects += atomic_load_explicit(&s->verified[i].objects, memory_order_relaxed);
	}
}
