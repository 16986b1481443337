/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A counter-based generator: the k-th number of a stream is a pure function of (key, k), and the key of one
 * operation is a pure function of (seed, worker, operation). So operation n can be drawn again without
 * drawing 0..n-1 first.
 */
#ifndef RECOW_RANDOM_H
#define RECOW_RANDOM_H

#include "src/base/base.h"

/* The finaliser of splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
 */
static inline uint64_t mix64(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebULL;
	x ^= x >> 31;
	return x;
}

struct stream {
	uint64_t key;
	uint64_t n;
};

static inline struct stream stream_make(uint64_t seed, uint64_t a, uint64_t b)
{
	uint64_t key = mix64(mix64(mix64(seed + 0x9e3779b97f4a7c15ULL) ^ a) + b * 0x9e3779b97f4a7c15ULL);

	return (struct stream){.key = key};
}

static inline uint64_t stream_u64(struct stream *s)
{
	return mix64(s->key + ++s->n * 0x9e3779b97f4a7c15ULL);
}

/* Uniform in [0, below); 0 when below is 0. (Multiply-shift; the bias is below 2^-32 for the sizes used
 * here.) */
static inline uint64_t stream_below(struct stream *s, uint64_t below)
{
	return (uint64_t)(((unsigned __int128)stream_u64(s) * below) >> 64);
}

/* Uniform in [lo, hi], both ends included. */
static inline uint64_t stream_range(struct stream *s, uint64_t lo, uint64_t hi)
{
	return lo + stream_below(s, hi - lo + 1);
}

/* Log-uniform in [lo, hi]: as many draws between 1 and 2 as between 1024 and 2048. lo must be at least 1. */
static inline uint64_t stream_log(struct stream *s, uint64_t lo, uint64_t hi)
{
	unsigned int lo_bits = 63 - (unsigned int)__builtin_clzll(lo);
	unsigned int hi_bits = 63 - (unsigned int)__builtin_clzll(hi);
	uint64_t top = 1ULL << stream_range(s, lo_bits, hi_bits);
	uint64_t n = top + stream_below(s, top);

	return MAX(lo, MIN(hi, n));
}

static inline bool stream_chance(struct stream *s, unsigned int one_in)
{
	return stream_below(s, one_in) == 0;
}

#endif
