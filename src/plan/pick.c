/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/plan/pick.h"

#include <string.h>

#include "injectors/injector.h"
#include "src/base/units.h"
#include "src/plugins.h"
#include "verify/verifier.h"
#include "workloads/workload.h"

#define NAMES 64 /* more than there are of a kind */

const struct injector *pick_injector(const char *name, struct error *e)
{
	const char *names[NAMES];
	size_t n = 0;

	for (; n < NAMES && plugin_injectors[n]; n++) {
		names[n] = plugin_injectors[n]->name;
		if (strcmp(names[n], name) == 0)
			return plugin_injectors[n];
	}
	unknown_word(e, "injector", name, names, n);
	return NULL;
}

const struct verifier *pick_verifier(const char *name, struct error *e)
{
	const char *names[NAMES];
	size_t n = 0;

	for (; n < NAMES && plugin_verifiers[n]; n++) {
		names[n] = plugin_verifiers[n]->name;
		if (strcmp(names[n], name) == 0)
			return plugin_verifiers[n];
	}
	unknown_word(e, "verifier", name, names, n);
	return NULL;
}

const struct workload *pick_workload(const char *name, struct error *e)
{
	const char *names[NAMES];
	size_t n = 0;

	for (; n < NAMES && plugin_workloads[n]; n++) {
		names[n] = plugin_workloads[n]->name;
		if (strcmp(names[n], name) == 0)
			return plugin_workloads[n];
	}
	unknown_word(e, "workload", name, names, n);
	return NULL;
}
