/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings that say again what is known. A broken disk makes the kernel log the same line for each block; on
 * a read-only filesystem every operation fails; a file that is gone is missed by each operation on it. Of
 * these the first one of a round is a finding, the others are counted. What verifiers find is never a
 * repetition.
 */
#ifndef RECOW_REPEATS_H
#define RECOW_REPEATS_H

#include "src/finding/finding.h"

/* Different ones of a round that are remembered; what comes behind is not recognized as a repetition. */
#define REPEATS_MAX 1024U

struct repeats {
	uint32_t round;
	unsigned int count;
	uint64_t key[REPEATS_MAX]; /* what was seen in this round */
	uint64_t left_out;         /* repetitions, all rounds */
};

/* Was this found in this round before? It is counted then, and remembered otherwise. Two log lines are the
 * same when they differ in numbers only; two wrong answers when class, operation, object and offset are the
 * same. All EROFS are one, and all answers of a target that is gone. */
bool repeats_count(struct repeats *r, const struct finding *f);

#endif
