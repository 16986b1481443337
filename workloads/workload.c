/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workloads/workload.h"

#define OWN "0"

enum {
	SHAPE_FILES,
	SHAPE_DIRS,
	SHAPE_DEPTH,
	SHAPE_SIZE_MIN,
	SHAPE_SIZE_MAX,
	SHAPE_WRITE_MIN,
	SHAPE_WRITE_MAX,
	SHAPE_PARAMS
};

const struct param workload_params[] = {
	[SHAPE_FILES] = {"files", "objects per worker around which the tree is held steady", PARAM_COUNT, OWN,
			 0, 1U << 28, NULL},
	[SHAPE_DIRS] = {"dirs", "directories per worker, likewise", PARAM_COUNT, OWN, 0, 1U << 24, NULL},
	[SHAPE_DEPTH] = {"depth", "deepest directory level", PARAM_COUNT, OWN, 0, 14, NULL},
	[SHAPE_SIZE_MIN] = {"size_min", "smallest wanted size of a file", PARAM_SIZE, OWN, 0, TiB, NULL},
	[SHAPE_SIZE_MAX] = {"size_max", "largest wanted size of a file", PARAM_SIZE, OWN, 0, TiB, NULL},
	[SHAPE_WRITE_MIN] = {"write_min", "shortest write", PARAM_SIZE, OWN, 0, OP_BUFFER, NULL},
	[SHAPE_WRITE_MAX] = {"write_max", "longest write", PARAM_SIZE, OWN, 0, OP_BUFFER, NULL},
};
const size_t workload_param_count = SHAPE_PARAMS;

static uint64_t chosen(const struct params *p, unsigned int i, uint64_t own)
{
	return p->value[i] ? p->value[i] : own;
}

int workload_shape(const struct workload *w, const struct params *p, struct shape *out, struct error *e)
{
	*out = w->shape;
	out->files = (uint32_t)chosen(p, SHAPE_FILES, out->files);
	out->dirs = (uint32_t)chosen(p, SHAPE_DIRS, out->dirs);
	out->depth = (uint32_t)chosen(p, SHAPE_DEPTH, out->depth);
	out->size[0] = chosen(p, SHAPE_SIZE_MIN, out->size[0]);
	out->size[1] = chosen(p, SHAPE_SIZE_MAX, out->size[1]);
	out->write[0] = chosen(p, SHAPE_WRITE_MIN, out->write[0]);
	out->write[1] = chosen(p, SHAPE_WRITE_MAX, out->write[1]);
	if (out->size[0] > out->size[1])
		return error_set(e, EXIT_USAGE, "workload %s: size_min is above size_max", w->name);
	if (out->write[0] > out->write[1])
		return error_set(e, EXIT_USAGE, "workload %s: write_min is above write_max", w->name);
	return 0;
}
