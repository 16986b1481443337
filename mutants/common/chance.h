/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a mutant fires: once in so many chances, on a schedule that the seed alone decides, within a window of
 * time and no more often than a limit says. A chance is a call of chance_fires(), one for each place where
 * the bug of the mutant could show.
 */
#ifndef MUTANTS_CHANCE_H
#define MUTANTS_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
	uint64_t seed;
	uint64_t one_in; /* fires once in so many chances on average; 1: always */
	uint64_t limit;  /* at most so many times; 0: without limit */
	int64_t from_ns; /* only in [from_ns, until_ns) after the start, ... */
	int64_t until_ns;
	int64_t start_ns; /* ... which is this moment (CLOCK_MONOTONIC) */
	uint64_t offered; /* chances so far, those outside the window too */
	uint64_t fired;
};

/* CLOCK_MONOTONIC, ns: the clock of all times of the ground truth, and of recow's journal. */
int64_t mutant_clock(void);

/* A number that (seed, n) alone decides (splitmix64). */
uint64_t chance_number(uint64_t seed, uint64_t n);

/* Take a chance: does the bug show now? */
bool chance_fires(struct chance *c);

/* A number below `below` (above 0) that belongs to the present firing: where to cut, which bit to flip.
 * `which` tells several such numbers of one firing apart. */
uint64_t chance_below(const struct chance *c, unsigned int which, uint64_t below);

#endif
