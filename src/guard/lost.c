/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hands that were given up: killed, and still in the kernel. Most die a moment later; each is waited for. */
#include "src/base/clock.h"
#include "src/guard/state.h"

/* Whatever held one up may have ended with the run just now. */
#define GRACE (1 * NSEC_PER_SEC)

void lost_add(struct guard *g, pid_t pid)
{
	if (g->lost_count < LOST_MAX)
		g->lost[g->lost_count++] = pid;
}

unsigned int lost_bury(struct guard *g)
{
	unsigned int left = 0;

	for (unsigned int i = 0; i < g->lost_count; i++) {
		if (!hand_gone(g->lost[i]))
			g->lost[left++] = g->lost[i];
	}
	g->lost_count = left;
	return left;
}

unsigned int lost_last(struct guard *g)
{
	uint64_t limit = clock_mono() + GRACE;

	while (lost_bury(g) && clock_mono() < limit)
		sleep_ns(10 * NSEC_PER_MSEC);
	for (unsigned int i = 0; i < g->lost_count; i++)
		guard_say(g, "process %d still hangs in the kernel", (int)g->lost[i]);
	return g->lost_count;
}
