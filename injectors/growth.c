/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/growth.h"

#include <inttypes.h>
#include <stdio.h>

#include "src/machine/machine.h"

void growth_begin(struct growth *g, const char *const *name, size_t count)
{
	*g = (struct growth){.name = name, .count = MIN(count, (size_t)GROWTH_MAX)};
	for (size_t i = 0; i < g->count; i++)
		g->before[i] = machine_vmstat(name[i]);
}

const char *growth_show(const struct growth *g, char *buf, size_t len)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < g->count && used < len; i++)
		used += (size_t)snprintf(buf + used, len - used, ", %s +%" PRIu64, g->name[i],
					 machine_vmstat(g->name[i]) - g->before[i]);
	return buf;
}
