/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What churn says to the guard. */
#include "src/engine/churn.h"
#include "src/machine/messages.h"

static void emit(void *self, const struct finding *f)
{
	struct conductor *c = self;
	struct finding stamped = *f;

	if (shared_excuses(c->shared, f))
		return;
	shared_stamp(c->shared, &stamped);
	atomic_fetch_add(&c->told, 1);
	message_send(c->socket, MESSAGE_FINDING, &stamped, sizeof(stamped));
}

struct finding_sink tell_sink(struct conductor *c)
{
	return (struct finding_sink){.emit = emit, .self = c};
}

void tell_error(struct conductor *c, const struct error *error)
{
	message_send(c->socket, MESSAGE_ERROR, error, sizeof(*error));
}

int tell_request(struct conductor *c, uint32_t message, struct error *e)
{
	int err = message_ask(c->socket, message, NULL, 0);

	if (err)
		return error_errno(e, EXIT_HARNESS, err, "the guard could not write the journals or models");
	return 0;
}
