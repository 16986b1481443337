/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests that play the conductor before the real guard and the real disturb process. */
#ifndef RECOW_CONDUCTOR_H
#define RECOW_CONDUCTOR_H

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/run/shared.h"

/* Begin a phase with these injections. */
static inline void set_inject(struct shared *s, uint32_t phase, uint32_t bits)
{
	atomic_store(&s->phase, phase);
	atomic_store(&s->inject, bits);
	atomic_fetch_add(&s->phase_serial, 1);
	syscall(SYS_futex, &s->phase_serial, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Until all of them rest. */
static inline void rest(struct shared *s)
{
	set_inject(s, 0, 0);
	while (atomic_load(&s->acting))
		sleep_ns(NSEC_PER_MSEC);
}

/* Wait until a counter got to `n`, 20 s at most. */
static inline void await_count(const _Atomic uint64_t *counter, uint64_t n)
{
	uint64_t limit = clock_mono() + 20 * NSEC_PER_SEC;

	while (atomic_load(counter) < n && clock_mono() < limit)
		sleep_ns(10 * NSEC_PER_MSEC);
}

#endif
