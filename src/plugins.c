/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/plugins.h"

#include <stddef.h>

const struct workload *const plugin_workloads[] = {NULL};
const struct injector *const plugin_injectors[] = {NULL};
const struct verifier *const plugin_verifiers[] = {NULL};
