/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one owner of the target's freeze state. Who wants the target frozen asks here; the freezing hand
 * (src/guard/freezer.h) does it. Nothing here waits but freeze_close().
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/guard/state.h"
#include "src/guard/thaw.h"

#define LIMIT_DEFAULT (1 * NSEC_PER_SEC)
#define LIMIT_MAX     (60 * NSEC_PER_SEC)

/* FIFREEZE first writes all dirty pages. After this time the asker is told ETIMEDOUT, the hand thaws as soon
 * as it can, and what waits for the freeze counts as hanging. */
#define ATTEMPT (30 * NSEC_PER_SEC)

/* At the end of a run: for the thaw of a freeze that has not even come about yet. */
#define PATIENCE (10 * NSEC_PER_SEC)

/* The freezing hand is never killed. */
#define FOR_EVER (UINT64_MAX / 2)

static void answer(struct freeze *f, int err)
{
	if (f->due && f->owner)
		message_answer(f->owner->socket, err);
	f->due = false;
}

void freeze_ask(struct guard *g, struct door *d, const struct message_freeze *m, int root)
{
	struct freeze *f = &g->freeze;
	int err = 0;

	if (root < 0)
		err = EBADF;
	else if (f->hand.pid)
		err = EBUSY;
	else if (atomic_load(&g->shared->stop))
		err = ECANCELED;
	if (!err) {
		f->order = (struct freeze_order){
			.root = root,
			.log = g->undo.fd,
			.limit = MIN(m->limit ? m->limit : LIMIT_DEFAULT, LIMIT_MAX),
			.run = g->run,
			.image = g->shared->target.image,
		};
		f->hand.outlives = true;
		err = hand_start(&f->hand, freezer_work, &f->order, FOR_EVER);
	}
	if (err) {
		if (root >= 0)
			close(root);
		message_answer(d->socket, err);
		return;
	}
	f->owner = d;
	f->begun = clock_mono();
	f->frozen = f->ending = false;
	f->due = true;
}

static void tell(struct freeze *f, char word)
{
	send(f->hand.socket, &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void freeze_release(struct guard *g)
{
	struct freeze *f = &g->freeze;

	if (!f->hand.pid || f->ending)
		return;
	f->ending = true;
	tell(f, FREEZE_THAW);
}

void freeze_thaw(struct guard *g, struct door *d)
{
	struct freeze *f = &g->freeze;

	if (!d->froze) {
		message_answer(d->socket, ENOENT);
		return;
	}
	d->froze = false;
	if (!f->hand.pid || f->owner != d) {
		message_answer(d->socket, ETIME);
		return;
	}
	f->due = true;
	freeze_release(g);
}

void freeze_leave(struct guard *g, const struct door *d)
{
	if (g->freeze.owner != d)
		return;
	freeze_release(g);
	g->freeze.owner = NULL;
}

static void note_and_go(struct guard *g, const struct freeze_word *w)
{
	const struct undo_kind *kind = undo_kind_by_name("freeze");
	int err = 0;

	if (!undo_find(&g->undo, kind, w->what))
		err = undo_note(&g->undo, kind, w->what, w->old);
	if (err)
		guard_fail(g, "the undo log can't be written: %s", strerror(err));
	/* Any other word than this and the hand ends without a freeze. */
	tell(&g->freeze, err ? FREEZE_THAW : FREEZE_GO);
}

static void hear(struct guard *g, const struct freeze_word *w)
{
	struct freeze *f = &g->freeze;

	if (w->text[0])
		guard_say(g, "no freeze: %s", w->text);
	if (w->err)
		return; /* the hand ends: then the next one may ask */
	if (!w->frozen) {
		note_and_go(g, w);
		return;
	}
	f->frozen = true;
	f->held = clock_mono();
	if (f->due && f->owner)
		f->owner->froze = true;
	answer(f, 0);
}

static int thaw_work(void *arg, int socket)
{
	const int *root = arg;

	return thaw_descriptor(*root);
}

/* The hand is gone, `result` is its answer. */
static void end(struct guard *g, int result)
{
	struct freeze *f = &g->freeze;
	uint64_t now = clock_mono();

	/* Somebody killed it, or the kernel refused: once more, by another hand. */
	if (f->frozen && result && result != ETIME)
		result = hand_do(thaw_work, &f->order.root, 3 * NSEC_PER_SEC, NULL);
	timeline_event(&g->timeline, "freeze", "{s:s, s:f, s:f, s:i}", "who", f->owner ? f->owner->name : "",
		       "took", (double)((f->frozen ? f->held : now) - f->begun) / 1e9, "frozen",
		       f->frozen ? (double)(now - f->held) / 1e9 : 0.0, "errno", result);
	if (f->frozen && result && result != ETIME)
		guard_fail(g, "the target could not be thawed: %s", strerror(result));
	answer(f, result);
	close(f->order.root);
	f->order.root = -1;
	f->total = freeze_time(g, now);
	f->owner = NULL;
	f->begun = 0;
}

void freeze_advance(struct guard *g)
{
	struct freeze *f = &g->freeze;
	struct freeze_word word;
	int result;
	pid_t lost;

	if (!f->hand.pid)
		return;
	while (recv(f->hand.socket, &word, sizeof(word), MSG_DONTWAIT) == sizeof(word))
		hear(g, &word);
	if (hand_look(&f->hand, &result, &lost) != HAND_BUSY) {
		end(g, result);
	} else if (!f->frozen && f->due && clock_mono() > f->begun + ATTEMPT) {
		answer(f, ETIMEDOUT);
		freeze_release(g);
	}
}

void freeze_close(struct guard *g)
{
	struct freeze *f = &g->freeze;
	uint64_t limit = clock_mono() + PATIENCE;

	freeze_release(g);
	while (f->hand.pid && clock_mono() < limit) {
		freeze_advance(g);
		sleep_ns(NSEC_PER_MSEC);
	}
	if (!f->hand.pid)
		return;
	guard_say(g, "process %d hangs in the kernel while it freezes or thaws the target", (int)f->hand.pid);
	lost_add(g, f->hand.pid);
}

uint64_t freeze_time(const struct guard *g, uint64_t now)
{
	const struct freeze *f = &g->freeze;

	if (!f->begun)
		return f->total;
	return f->total + MIN(now - f->begun, f->order.limit + ATTEMPT);
}
