/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of an injector on a machine that they make up: the one injection of it. */
#ifndef RECOW_INJECTION_H
#define RECOW_INJECTION_H

#include <string.h>

#include "injectors/injector.h"
#include "tests/unit/unit.h"

static struct params params;
static struct exposure exposure;
static _Atomic uint32_t serial;
static _Atomic bool stop;
static struct injection in;

/* As disturb makes it, before the injector starts: parameters by default, no exposure yet, no target, in the
 * phase that is now. The test changes what it wants otherwise. */
static inline void make_injection(const struct injector *injector, const char *phase_arg)
{
	struct error e;

	memset(&exposure, 0, sizeof(exposure));
	assert_int_equal(params_init(&params, injector->params, injector->param_count, &e), 0);
	in = (struct injection){.name = injector->name,
				.params = &params,
				.random = stream_make(1, 2, 3),
				.target = -1,
				.phase_arg = phase_arg,
				.exposure = &exposure,
				.serial = atomic_load(&serial),
				.serial_now = &serial,
				.stop = &stop};
}

/* The phase is over: the injection waits for nothing any more. */
static inline void end_phase(void)
{
	atomic_fetch_add(&serial, 1);
}

#endif
