// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/common/chance.h"

#include <time.h>

int64_t mutant_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Constants of splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
uint64_t chance_number(uint64_t seed, uint64_t n)
{
	uint64_t z = seed + (n + 1) * 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

bool chance_fires(struct chance *c)
{
	const uint64_t drawn = chance_number(c->seed, c->offered++);
	const int64_t now = mutant_clock() - c->start_ns;

	if (now < c->from_ns || now >= c->until_ns || (c->limit && c->fired >= c->limit) || drawn % c->one_in)
		return false;
	c->fired++;
	return true;
}

uint64_t chance_below(const struct chance *c, unsigned int which, uint64_t below)
{
	return chance_number(~c->seed, c->fired * 16 + which) % below;
}
