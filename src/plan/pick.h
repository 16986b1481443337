/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plug-ins by their names. */
#ifndef RECOW_PICK_H
#define RECOW_PICK_H

#include "src/base/error.h"

struct injector;
struct verifier;
struct workload;

/* NULL and *e (EXIT_USAGE, with the nearest name) when there is none. */
const struct injector *pick_injector(const char *name, struct error *e);
const struct verifier *pick_verifier(const char *name, struct error *e);
const struct workload *pick_workload(const char *name, struct error *e);

#endif
