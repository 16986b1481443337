/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A target that was made to fail (docs/verify.md, "After a target that was made to fail"): the rest of the
 * round is not done, and nothing is compared with the models. What must be there is what must be there after
 * a power cut.
 */
#include <errno.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/durable/history.h"
#include "src/engine/churn.h"
#include "src/machine/machine.h"
#include "src/machine/messages.h"

/* From what was said to what was done; then the phase ends without. */
#define MADE_LIMIT (30 * NSEC_PER_SEC)

bool fault_is_over(const struct shared *s)
{
	const uint64_t at = atomic_load(&s->fault.at), made = atomic_load(&s->fault.made), now = clock_mono();

	if (!at)
		return false;
	return made ? now >= made + atomic_load(&s->fault.linger) : now >= at + MADE_LIMIT;
}

/* What is below it, and on disk what the workers did. */
static int make_whole(struct conductor *c, struct error *e)
{
	int err = machine_fault_over(&(struct machine){.socket = c->socket});

	if (err)
		return error_errno(e, EXIT_HARNESS, err, "what is below the target could not be made whole");
	return tell_request(c, MESSAGE_DURABLE, e);
}

static int make_history(const struct shared *s, struct history *h, struct error *e)
{
	const struct plan *p = &s->plan;
	const struct history_plan plan = {
		.run = p->output,
		.key = p->run_key,
		.workers = p->workers,
		.shared_dirs = p->shared_dirs,
		.shared_files = p->shared_files,
		.ended = true, /* all are parked, and the journals on disk */
	};

	return history_make(h, &plan, e);
}

/* Mounted again by whoever replays its log, then as it lies there. */
static int compare(struct conductor *c, struct error *e)
{
	struct shared *s = c->shared;

	if (conductor_mount(c, e)) {
		conductor_lost(c, "the target was made to fail and could not be mounted again", e);
		return verify_run(c, VERIFY_OFFLINE, e);
	}
	if (verify_run(c, VERIFY_FAILED, e))
		return -1;
	atomic_store(&s->fault.compared, !atomic_load(&s->stop));
	atomic_store(&s->fault.operations, c->durable->operations);
	if (conductor_unmount(c, e))
		return -1;
	return verify_run(c, VERIFY_OFFLINE, e);
}

int fault_recover(struct conductor *c, struct error *e)
{
	struct shared *s = c->shared;
	struct history history;
	int result;

	atomic_store(&s->stage, STAGE_REMOUNT);
	if (conductor_unmount(c, e) || make_whole(c, e))
		return -1;
	if (conductor_found(c) && !s->plan.keep_going) /* of before: it stays as it is, for evidence */
		return 0;
	result = make_history(s, &history, e);
	c->durable = &history;
	if (!result)
		result = compare(c, e);
	c->durable = NULL;
	history_free(&history);
	return result;
}
