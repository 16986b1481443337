/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/moment.h"

#include <errno.h>
#include <string.h>

/* An idle step is followed by a pause of this length (src/engine/disturb.c). */
#define TICK (20 * NSEC_PER_MSEC)

void moment_draw(struct injection *in, struct moment *m)
{
	const uint64_t within = in->params->value[MOMENT_WITHIN];

	m->left = (in->params->value[MOMENT_AFTER] + stream_below(&in->random, within + 1)) / TICK;
}

static enum step fail(struct injection *in, struct moment *m, int (*make)(struct injection *in))
{
	m->err = make(in);
	m->made = !m->err;
	if (m->made) {
		machine_fault_made(in->machine, 0);
		return STEP_DONE;
	}
	inject_note(in, "the target does not fail: %s", strerror(m->err));
	return STEP_REFUSED;
}

enum step moment_step(struct injection *in, struct moment *m, const char *how,
		      int (*make)(struct injection *in))
{
	int err = 0;

	if (m->made)
		return inject_idle(in, "the target has failed");
	if (m->left) {
		m->left--;
		return inject_idle(in, "its moment had not come");
	}
	if (!m->told)
		err = machine_fault(in->machine, how, in->params->value[MOMENT_LINGER]);
	if (err == EALREADY)
		return inject_idle(in, "the target fails by another's doing");
	if (err)
		return inject_idle(in, "%s", err == ECANCELED ? "the run is ending" : strerror(err));
	m->told = true;
	return fail(in, m, make);
}

void moment_rest(struct injection *in, const struct moment *m)
{
	if (m->told && !m->made)
		machine_fault_made(in->machine, m->err);
}
