/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/engine/mix.h"

#include <string.h>

#define THOUSANDTHS 1000U

const struct weight mix_of_witnesses[] = {
	{"snapshot", 1}, {"snapshot_switch", 1}, {"snapshot_delete", 2}, {NULL, 0}};

/* Add those weights, times `unit`. */
static int resolve(struct mix *m, const struct weight *weights, uint64_t unit, uint32_t met, uint64_t *sum,
		   struct error *e)
{
	for (const struct weight *w = weights; w->op; w++) {
		const struct op *op = op_by_name(w->op);

		if (!op)
			return error_set(e, EXIT_USAGE, "unknown operation '%s' in a workload's mix", w->op);
		if (m->count == MIX_MAX)
			return error_set(e, EXIT_USAGE, "a workload's mix has more than %u operations",
					 MIX_MAX);
		if (!w->weight || op->needs & ~met)
			continue;
		m->op[m->count] = op;
		m->keep[m->count++] = w->weight * unit;
		*sum += w->weight * unit;
	}
	return 0;
}

static bool have_common(const struct weight *a, const struct weight *b)
{
	for (; a->op; a++) {
		for (const struct weight *w = b; w->op; w++) {
			if (strcmp(a->op, w->op) == 0)
				return true;
		}
	}
	return false;
}

static int resolve_all(struct mix *m, const struct weight *weights, const struct weight *more, uint32_t met,
		       uint64_t *sum, struct error *e)
{
	if (resolve(m, weights, THOUSANDTHS, met, sum, e))
		return -1;
	if (!m->count)
		return error_set(e, EXIT_USAGE, "a workload's mix is empty");
	return more && !have_common(weights, more) ? resolve(m, more, *sum / THOUSANDTHS, met, sum, e) : 0;
}

int mix_init(struct mix *m, const struct weight *weights, const struct weight *more, uint32_t met,
	     struct error *e)
{
	const uint64_t one = 1ULL << 32;
	unsigned int small[MIX_MAX], large[MIX_MAX], smalls = 0, larges = 0;
	uint64_t sum = 0;

	*m = (struct mix){0};
	if (resolve_all(m, weights, more, met, &sum, e))
		return -1;
	for (unsigned int i = 0; i < m->count; i++) {
		m->keep[i] = m->keep[i] * m->count * one / MAX(sum, 1ULL);
		m->alias[i] = i;
		if (m->keep[i] < one)
			small[smalls++] = i;
		else
			large[larges++] = i;
	}
	while (smalls && larges) {
		unsigned int poor = small[--smalls], rich = large[larges - 1];

		m->alias[poor] = rich;
		m->keep[rich] -= one - m->keep[poor];
		if (m->keep[rich] < one) {
			larges--;
			small[smalls++] = rich;
		}
	}
	return 0;
}

const struct op *mix_draw(const struct mix *m, struct stream *s)
{
	unsigned int row = (unsigned int)stream_below(s, m->count);

	return m->op[stream_below(s, 1ULL << 32) < m->keep[row] ? row : m->alias[row]];
}
