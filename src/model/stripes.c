/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/model/stripes.h"

uint64_t stripes_size(uint32_t k)
{
	return (1 + k % 4) * MiB;
}

/* Within a page, a page, several pages. */
uint32_t stripes_length(uint32_t k)
{
	static const uint32_t lengths[] = {64, 1024, 4096, 16384, 256, 512, 2048, 8192};

	return lengths[k % ARRAY_SIZE(lengths)];
}

uint64_t stripes_owned(uint32_t k, uint32_t worker, uint32_t workers)
{
	uint64_t all = stripes_size(k) / stripes_length(k);

	return worker < all ? (all - worker - 1) / workers + 1 : 0;
}
