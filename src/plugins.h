/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one table of plug-ins (src/plugins.c). Each list ends with NULL. */
#ifndef RECOW_PLUGINS_H
#define RECOW_PLUGINS_H

struct workload;
struct injector;
struct verifier;

extern const struct workload *const plugin_workloads[];
extern const struct injector *const plugin_injectors[];
extern const struct verifier *const plugin_verifiers[];

#endif
