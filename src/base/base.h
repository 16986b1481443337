/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words that every room uses: fixed-width names, sizes, small arithmetic. */
#ifndef RECOW_BASE_H
#define RECOW_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KiB (1024ULL)
#define MiB (1024 * KiB)
#define GiB (1024 * MiB)
#define TiB (1024 * GiB)

#define NSEC_PER_SEC  1000000000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_USEC 1000ULL

/* The unit in which the model keeps checksums; independent of the filesystem's own block size. */
#undef BLOCK_SIZE /* linux/fs.h has one of its own that nobody needs; include it before this file */
#define BLOCK_SIZE 4096U

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define MIN(a, b)                                                                                            \
	({                                                                                                   \
		__typeof__(a) min_a_ = (a);                                                                  \
		__typeof__(b) min_b_ = (b);                                                                  \
		min_a_ < min_b_ ? min_a_ : min_b_;                                                           \
	})
#define MAX(a, b)                                                                                            \
	({                                                                                                   \
		__typeof__(a) max_a_ = (a);                                                                  \
		__typeof__(b) max_b_ = (b);                                                                  \
		max_a_ > max_b_ ? max_a_ : max_b_;                                                           \
	})

static inline uint64_t round_up_u64(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) / unit * unit;
}

static inline uint64_t div_up_u64(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) / unit;
}

#endif
