/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device below the target fails while all goes on, once and for good, at a moment drawn from the seed: it
 * refuses everything, refuses writes, or says that it has written and has not. When the target has been
 * unmounted the device is whole again, and as it was at that moment: what was durable must be there.
 *
 * The target lies on a device-mapper device for it, whose table is changed while it is mounted: dm-error,
 * which is a part of the device mapper, and dm-flakey. The filesystem is not frozen for that: a freeze would
 * make everything durable.
 */
#include "injectors/moment.h"

static const struct param failure_params[] = {MOMENT_PARAM_LIST};

enum word { ERRORS, WRITE_ERRORS, DROPPED };
static const char *const words[] = {[ERRORS] = "errors", [WRITE_ERRORS] = "writes", [DROPPED] = "drop", NULL};
static const char *const how[] = {
	[ERRORS] = "its device refuses everything",
	[WRITE_ERRORS] = "its device refuses writes",
	[DROPPED] = "its device drops writes and says that they are done",
};

static int make(struct injection *in)
{
	static const struct machine_way ways[] = {
		[ERRORS] = {.kind = WAY_ERRORS},
		[WRITE_ERRORS] = {.kind = WAY_WRITE_ERRORS},
		[DROPPED] = {.kind = WAY_DROP},
	};

	return machine_mapping(in->machine, &ways[inject_word(in, words)]);
}

static int failure_start(struct injection *in, struct error *e)
{
	return inject_state(in, sizeof(struct moment), e) ? 0 : -1;
}

static int failure_phase(struct injection *in, struct error *e)
{
	moment_draw(in, in->state);
	return 0;
}

static enum step failure_step(struct injection *in)
{
	return moment_step(in, in->state, how[inject_word(in, words)], make);
}

static void failure_rest(struct injection *in)
{
	moment_rest(in, in->state);
}

const struct injector injector_failure = {
	.name = "failure",
	.summary = "the device below the target fails, once; what was synced must be there",
	.needs = NEED_ROOT | NEED_OWN_TARGET | NEED_MAY_FAIL | NEED_MAPPING,
	.params = failure_params,
	.param_count = ARRAY_SIZE(failure_params),
	.phase_args = words,
	.start = failure_start,
	.phase = failure_phase,
	.step = failure_step,
	.rest = failure_rest,
	.finish = inject_finish,
};
