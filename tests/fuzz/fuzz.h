/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzz targets share: a format, and sinks that touch all that they are given. */
#ifndef RECOW_FUZZ_H
#define RECOW_FUZZ_H

#include "verify/btrfs/block.h"

#define FUZZ_NODE 4096U

/* The entry that libFuzzer calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline struct format fuzz_format(void)
{
	return (struct format){.nodesize = FUZZ_NODE,
			       .sectorsize = 4096,
			       .csum_size = 4,
			       .generation = 100,
			       .incompat = ~(uint64_t)0,
			       .chunk_uuid_known = true};
}

/* Sums that the compiler can't leave out: a byte that is read too much must show. */
static inline void fuzz_fault(void *context, const struct fault *f)
{
	volatile size_t *sum = context;

	if (f->rule >= RULES || !rule_name(f->rule))
		__builtin_trap();
	*sum += strnlen(f->text, sizeof(f->text));
}

static inline void fuzz_event(void *context, const struct event *ev)
{
	volatile size_t *sum = context;

	for (uint32_t i = 0; ev->bytes && i < ev->size; i++)
		*sum += ev->bytes[i];
}

/* The trees whose rules differ. */
static inline uint64_t fuzz_tree(uint8_t n)
{
	static const uint64_t trees[] = {TREE_ROOT, TREE_EXTENT, TREE_CHUNK, TREE_DEVICE,     TREE_FS,
					 TREE_CSUM, TREE_UUID,   TREE_QUOTA, TREE_FREE_SPACE, TREE_GROUP,
					 300,       TREE_LOG,    TREE_RELOC};

	return trees[n % ARRAY_SIZE(trees)];
}

#endif
