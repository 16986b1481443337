/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One worker without an engine: operations drawn, called and learned in a directory, one after the other. */
#ifndef RECOW_TESTS_OPS_WORLD_H
#define RECOW_TESTS_OPS_WORLD_H

#include "src/ops/op.h"
#include "workloads/workload.h"

struct world {
	struct model model;
	struct op_ctx ctx;
	struct witness_list witnesses;
	uint32_t met; /* enum need: what the filesystem meets; without the rest the mix does */
	struct shape shape;
	struct finding_sink sink;
	const struct weight *mix;
	uint64_t seed;
	void *pool;
	size_t pool_bytes;
	unsigned int findings;
	char finding[4800];         /* the first one, for people */
	unsigned int refused[1024]; /* answers of the last operations by errno; see world_step() */
	uint64_t done[128];         /* by operation id: answered with success */
	uint64_t clock_cost, sampled, cpu_all, cpu_calls; /* thread CPU ns, 1 operation in 64 */
};

/* `dir`: an empty directory; the anchors are made in it. */
void world_open(struct world *w, const char *dir, const struct workload *workload, uint64_t seed);
void world_close(struct world *w);

/* Draw operation number n: the same for the same seed, n and model. */
const struct op *world_draw(struct world *w, uint64_t n, struct op_args *args);

/* Draw, call and learn operation n. */
void world_step(struct world *w, uint64_t n);

/* Remove everything below a directory. */
void world_sweep(const char *dir);

#endif
