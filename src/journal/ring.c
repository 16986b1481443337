/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/journal/ring.h"

#include <string.h>

#include "src/base/clock.h"

/* The guard drains the rings many times a second; a ring that is full has room again soon. */
#define WAIT_NS (100 * NSEC_PER_USEC)

_Static_assert((RING_RECORDS & (RING_RECORDS - 1)) == 0, "a power of two");

bool ring_put(struct journal_ring *ring, const struct journal_record *r, const _Atomic bool *stop)
{
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	struct journal_record *slot = &ring->records[head % RING_RECORDS];
	bool waited = false;

	while (head - atomic_load_explicit(&ring->tail, memory_order_acquire) >= RING_RECORDS) {
		if (atomic_load_explicit(stop, memory_order_relaxed))
			return false;
		if (!waited)
			atomic_fetch_add_explicit(&ring->waits, 1, memory_order_relaxed);
		waited = true;
		sleep_ns(WAIT_NS);
	}
	*slot = *r;
	slot->check = journal_record_check(r);
	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
	return true;
}

/* The check comes last: one that was cut short by a death has none. */
void ring_announce(struct journal_ring *ring, const struct journal_record *r)
{
	struct journal_record *slot = &ring->pending;
	volatile uint32_t *check = &slot->check;

	*check = 0;
	atomic_signal_fence(memory_order_seq_cst);
	*slot = *r;
	slot->check = 0;
	atomic_signal_fence(memory_order_seq_cst);
	*check = journal_record_check(r);
	atomic_thread_fence(memory_order_seq_cst);
}

size_t ring_look(const struct journal_ring *ring, struct journal_record *out, size_t room)
{
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
	size_t count = (size_t)MIN(head - tail, (uint64_t)room);
	size_t first = MIN(count, RING_RECORDS - tail % RING_RECORDS);

	memcpy(out, &ring->records[tail % RING_RECORDS], first * sizeof(*out));
	memcpy(out + first, ring->records, (count - first) * sizeof(*out));
	return count;
}

void ring_drop(struct journal_ring *ring, size_t count)
{
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	atomic_store_explicit(&ring->tail, tail + count, memory_order_release);
}
