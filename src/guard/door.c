/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard's side of the door to the machine: note the old state, sync the note, make the change, answer. A
 *hand (src/guard/hand.h) does what may block:
 *
 *	hand	looks up the old state, when it isn't noted yet, and sends it
 *	guard	appends it to the undo log, says go
 *	hand	syncs the log, makes the change, answers by its exit status
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/guard/plug.h"
#include "src/guard/poison.h"
#include "src/guard/state.h"
#include "src/guard/swap.h"
#include "src/guard/table.h"
#include "src/guard/write.h"
#include "src/machine/dimm.h"
#include "src/target/mapping.h"

#define DEFAULT_LIMIT (10 * NSEC_PER_SEC)
#define MEMORY_STATE  "/sys/devices/system/memory/memory%u/state"

/* Journals and models of a long run, on a slow disk. */
#define CLERK_LIMIT (300 * NSEC_PER_SEC)

/* From the hand: the state before the change. */
struct old_state {
	int32_t err; /* 0; ENODATA: nothing to note */
	char old[UNDO_OLD];
};

void door_open(struct door *d, const char *name, int socket)
{
	*d = (struct door){.socket = socket, .hand = {.socket = -1}};
	snprintf(d->name, sizeof(d->name), "%s", name);
}

/* ---- in the hand ---- */

static int ask_to_note(const struct change *c, int socket)
{
	struct old_state state = {0};
	char go;

	state.err = c->kind->note(c->what, state.old, sizeof(state.old));
	if (state.err && state.err != ENODATA)
		return state.err;
	if (send(socket, &state, sizeof(state), MSG_NOSIGNAL) < 0 || recv(socket, &go, 1, 0) != 1)
		return ECANCELED;
	return 0;
}

static int change_work(void *arg, int socket)
{
	struct change *c = arg;
	int err = c->note ? ask_to_note(c, socket) : 0;

	if (err)
		return err;
	/* Cheap when it is clean; and when another hand has noted the same but not synced yet, this one must.
	 */
	if (fdatasync(c->log))
		return errno;
	if (c->pages.count)
		return poison_work(&c->pages, socket);
	if (c->make)
		return c->make(c, socket);
	return c->path[0] ? write_value(c->path, c->value) : 0;
}

/* ---- in the guard ---- */

/* Time in which the target's device stands still for this asker. */
static uint64_t held(const struct door *d, uint64_t now)
{
	const struct machine_way *way = &d->change.way;

	if (d->busy != DOOR_CHANGE || way->kind != WAY_HOLD)
		return 0;
	return MIN(now - d->begun, way->hold_ns + DEFAULT_LIMIT);
}

uint64_t door_held_time(const struct guard *g, uint64_t now)
{
	uint64_t total = g->held;

	for (unsigned int i = 0; i < DOORS; i++)
		total += held(&g->door[i], now);
	return total;
}

static void finish(struct guard *g, struct door *d, int answer)
{
	uint64_t now = clock_mono();
	double took = (double)(now - d->begun) / 1e9;

	g->held += held(d, now);

	if (d->busy == DOOR_CHANGE && d->change.path[0])
		timeline_event(&g->timeline, "change", "{s:s, s:s, s:s, s:i, s:f}", "who", d->name, "path",
			       d->change.path, "value", d->change.value, "errno", answer, "took", took);
	if (d->busy == DOOR_CHANGE && answer == ETIMEDOUT && d->change.kind->first)
		guard_go_on(g); /* others wait for what the hand left half done */
	if (d->busy == DOOR_CHECKPOINT && !answer)
		clerk_drop(g);
	if ((d->busy == DOOR_CHECKPOINT || d->busy == DOOR_DURABLE) && answer)
		guard_fail(g, "journals and models could not be written: %s", strerror(answer));
	d->busy = DOOR_IDLE;
	message_answer(d->socket, answer);
}

static void begin_change(struct guard *g, struct door *d, uint64_t limit)
{
	struct change *c = &d->change;
	int err;

	d->busy = DOOR_CHANGE;
	d->begun = clock_mono();
	c->log = g->undo.fd;
	if (!g->locked && (c->path[0] || c->pages.count))
		err = EPERM;
	else if (lost_bury(g) > LOST_MAX - DOORS - 1)
		err = EBUSY;
	else
		err = hand_start(&d->hand, change_work, c, limit ? limit : DEFAULT_LIMIT);
	if (err)
		finish(g, d, err);
}

static void take_set(struct guard *g, struct door *d, const struct message_set *m)
{
	struct change *c = &d->change;
	const char *what;

	*c = (struct change){0};
	snprintf(c->path, sizeof(c->path), "%.*s", (int)sizeof(m->path) - 1, m->path);
	snprintf(c->value, sizeof(c->value), "%.*s", (int)sizeof(m->value) - 1, m->value);
	c->kind = undo_kind_of_path(c->path, &what);
	snprintf(c->what, sizeof(c->what), "%s", what);
	c->note = !undo_find(&g->undo, c->kind, c->what);
	begin_change(g, d, m->limit);
}

static void take_memory(struct guard *g, struct door *d, const struct message_memory *m)
{
	struct change *c = &d->change;

	*c = (struct change){.kind = undo_kind_by_name("memory")};
	snprintf(c->what, sizeof(c->what), "%u", m->block);
	snprintf(c->path, sizeof(c->path), MEMORY_STATE, m->block);
	snprintf(c->value, sizeof(c->value), "%.*s", (int)sizeof(m->state) - 1, m->state);
	c->note = !undo_find(&g->undo, c->kind, c->what);
	begin_change(g, d, m->limit);
}

/* Only one block is noted. */
static bool in_block(const struct message_pages *m, uint64_t block, uint64_t frames)
{
	for (unsigned int i = 0; i < m->count; i++) {
		if (m->pfn[i] / frames != block)
			return false;
	}
	return true;
}

static void take_pages(struct guard *g, struct door *d, const struct message_pages *m)
{
	uint64_t frames = machine_memory_block_size() / (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t block = m->count && frames ? m->pfn[0] / frames : 0;
	struct change *c = &d->change;

	if (!m->count || m->count > MACHINE_PAGES || !frames || !in_block(m, block, frames)) {
		message_answer(d->socket, EINVAL);
		return;
	}
	*c = (struct change){.kind = undo_kind_by_name("poison"), .pages = *m};
	snprintf(c->what, sizeof(c->what), "%llu", (unsigned long long)block);
	c->note = !m->give_back && !undo_find(&g->undo, c->kind, c->what);
	begin_change(g, d, m->limit);
}

static int make_swap(const struct change *c, int socket)
{
	return swap_on(c->what, c->value);
}

static void take_swap(struct guard *g, struct door *d, const struct message_swap *m)
{
	struct change *c = &d->change;

	*c = (struct change){.kind = undo_kind_by_name("swap"), .make = make_swap};
	snprintf(c->what, sizeof(c->what), "%.*s", (int)sizeof(m->device) - 1, m->device);
	snprintf(c->path, sizeof(c->path), SWAP_SIZE_PATH, c->what);
	snprintf(c->value, sizeof(c->value), "%" PRIu64, m->bytes);
	c->note = !undo_find(&g->undo, c->kind, c->what);
	begin_change(g, d, m->limit);
}

static int make_plug(const struct change *c, int socket)
{
	return plug_make(c->what, c->value);
}

static void take_dimm(struct guard *g, struct door *d, const struct message_dimm *m)
{
	struct change *c = &d->change;

	*c = (struct change){.kind = undo_kind_by_name("dimm"), .make = make_plug};
	snprintf(c->what, sizeof(c->what), "%u", m->number);
	snprintf(c->path, sizeof(c->path), "DIMM %u", m->number);
	snprintf(c->value, sizeof(c->value), "%s", m->plugged ? "plugged" : "unplugged");
	c->note = !undo_find(&g->undo, c->kind, c->what);
	begin_change(g, d, m->limit ? m->limit : DIMM_LIMIT + NSEC_PER_SEC);
}

static int make_table(const struct change *c, int socket)
{
	return table_make(c->what, c->plain, &c->way, socket);
}

static void take_mapping(struct guard *g, struct door *d, const struct machine_way *m)
{
	struct change *c = &d->change;
	char words[sizeof(c->value)];
	uint64_t hold = m->kind == WAY_HOLD ? m->hold_ns : 0;
	const struct undo_entry *noted;
	int err = fault_permits(g, d, m);

	if (!g->shared->plan.target.mapped || m->read_ms > MACHINE_DELAY || m->write_ms > MACHINE_DELAY ||
	    hold > MACHINE_HOLD) {
		message_answer(d->socket, g->shared->plan.target.mapped ? EINVAL : ENXIO);
		return;
	}
	if (err) {
		message_answer(d->socket, err);
		return;
	}
	*c = (struct change){.kind = undo_kind_by_name("table"), .make = make_table, .way = *m};
	mapping_name(c->what, sizeof(c->what), g->run);
	snprintf(c->path, sizeof(c->path), "mapping %.*s", MAPPING_NAME, c->what);
	snprintf(c->value, sizeof(c->value), "%s", table_describe(m, words, sizeof(words)));
	noted = undo_find(&g->undo, c->kind, c->what);
	snprintf(c->plain, sizeof(c->plain), "%s", noted ? noted->old : "");
	c->note = !noted;
	/* The guard's death must not leave it held. */
	d->hand.outlives = hold > 0;
	begin_change(g, d, DEFAULT_LIMIT + hold);
	d->hand.outlives = false;
}

static void take_clerk(struct guard *g, struct door *d, uint32_t kind)
{
	int err;

	d->busy = kind == MESSAGE_DURABLE ? DOOR_DURABLE : DOOR_CHECKPOINT;
	d->begun = clock_mono();
	clerk_drain(g);
	err = hand_start(&d->hand, kind == MESSAGE_DURABLE ? clerk_sync : clerk_checkpoint, g, CLERK_LIMIT);
	if (err)
		finish(g, d, err);
}

static void take_error(struct guard *g, const struct error *error)
{
	g->error = *error;
	g->error.text[sizeof(g->error.text) - 1] = '\0';
	g->churn_failed = true;
}

static void take_note(struct guard *g, const struct message_note *m)
{
	char who[sizeof(m->who)], text[sizeof(m->text)];

	snprintf(who, sizeof(who), "%.*s", (int)sizeof(m->who) - 1, m->who);
	snprintf(text, sizeof(text), "%.*s", (int)sizeof(m->text) - 1, m->text);
	timeline_event(&g->timeline, "note", "{s:s, s:s}", "who", who, "text", text);
}

/* Syncs of a storm that begin closer together are not told one by one. */
#define SYNC_SPACING (20 * NSEC_PER_MSEC)

static void take_synced(struct guard *g, const struct door *d, const struct message_synced *m)
{
	const uint64_t start = g->shared->start_mono, failing = atomic_load(&g->shared->fault.at);
	char how[sizeof(m->how)];

	if (m->begin < start || m->begin < g->synced + SYNC_SPACING)
		return;
	/* A target that fails may promise what it has not done. */
	if (failing && m->end >= failing)
		return;
	g->synced = m->begin;
	snprintf(how, sizeof(how), "%.*s", (int)sizeof(m->how) - 1, m->how);
	timeline_event(&g->timeline, "sync", "{s:s, s:s, s:f, s:f}", "who", d->name, "how", how, "from",
		       (double)(m->begin - start) / NSEC_PER_SEC, "to",
		       (double)(m->end - start) / NSEC_PER_SEC);
}

static void take_steps(struct guard *g, const struct door *d, const struct message_steps *m)
{
	int err = steps_add(&g->steps, d->name, m);

	if (err)
		guard_fail(g, "the run directory can't be written: %s", strerror(err));
}

/* `passed`: the descriptor that came with it, -1; only a freeze takes it. */
static void take(struct guard *g, struct door *d, uint32_t kind, void *body, size_t len, int passed)
{
	static const size_t sizes[] = {
		[MESSAGE_SET] = sizeof(struct message_set),
		[MESSAGE_MEMORY] = sizeof(struct message_memory),
		[MESSAGE_FINDING] = sizeof(struct finding),
		[MESSAGE_NOTE] = sizeof(struct message_note),
		[MESSAGE_ERROR] = sizeof(struct error),
		[MESSAGE_FREEZE] = sizeof(struct message_freeze),
		[MESSAGE_THAW] = 0,
		[MESSAGE_PAGES] = sizeof(struct message_pages),
		[MESSAGE_SWAP] = sizeof(struct message_swap),
		[MESSAGE_DIMM] = sizeof(struct message_dimm),
		[MESSAGE_MAPPING] = sizeof(struct machine_way),
		[MESSAGE_SYNCED] = sizeof(struct message_synced),
		[MESSAGE_STEPS] = sizeof(struct message_steps),
		[MESSAGE_FAULT] = sizeof(struct message_fault),
		[MESSAGE_FAULT_MADE] = sizeof(struct message_fault_made),
		[MESSAGE_FAULT_OVER] = 0,
	};

	if (kind != MESSAGE_FREEZE && passed >= 0)
		close(passed);
	if (kind >= ARRAY_SIZE(sizes) || len != sizes[kind]) {
		guard_fail(g, "a message of %s makes no sense (kind %u, %zu bytes)", d->name, kind, len);
		return;
	}
	if (kind == MESSAGE_SET) {
		take_set(g, d, body);
	} else if (kind == MESSAGE_MEMORY) {
		take_memory(g, d, body);
	} else if (kind == MESSAGE_FINDING) {
		guard_find(g, body);
	} else if (kind == MESSAGE_NOTE) {
		take_note(g, body);
	} else if (kind == MESSAGE_SYNCED) {
		take_synced(g, d, body);
	} else if (kind == MESSAGE_STEPS) {
		take_steps(g, d, body);
	} else if (kind == MESSAGE_FAULT || kind == MESSAGE_FAULT_MADE || kind == MESSAGE_FAULT_OVER) {
		fault_take(g, d, kind, body);
	} else if (kind == MESSAGE_ERROR) {
		take_error(g, body);
	} else if (kind == MESSAGE_FREEZE) {
		freeze_ask(g, d, body, passed);
	} else if (kind == MESSAGE_THAW) {
		freeze_thaw(g, d);
	} else if (kind == MESSAGE_PAGES) {
		take_pages(g, d, body);
	} else if (kind == MESSAGE_SWAP) {
		take_swap(g, d, body);
	} else if (kind == MESSAGE_DIMM) {
		take_dimm(g, d, body);
	} else if (kind == MESSAGE_MAPPING) {
		take_mapping(g, d, body);
	} else {
		take_clerk(g, d, kind);
	}
}

void door_serve(struct guard *g, struct door *d)
{
	static _Alignas(16) unsigned char body[MESSAGE_BYTES]; /* single-threaded, never kept */
	uint32_t kind;
	int passed;

	while (d->socket >= 0) {
		long len = message_receive(d->socket, &kind, body, sizeof(body), &passed);

		if (len == -1)
			return;
		if (len == -2) {
			close(d->socket);
			d->socket = -1;
			freeze_leave(g, d);
			return;
		}
		take(g, d, kind, body, (size_t)len, passed);
	}
}

/* The old state came: note it, say go. Without a note there is no change. */
static void note_and_go(struct guard *g, struct door *d)
{
	const struct change *c = &d->change;
	struct old_state state;
	int err = 0;

	if (recv(d->hand.socket, &state, sizeof(state), MSG_DONTWAIT) != sizeof(state))
		return;
	state.old[sizeof(state.old) - 1] = '\0';
	/* Another hand may have noted it meanwhile. */
	if (!state.err && !undo_find(&g->undo, c->kind, c->what))
		err = undo_note(&g->undo, c->kind, c->what, state.old);
	if (err) {
		guard_fail(g, "the undo log can't be written: %s", strerror(err));
		hand_hurry(&d->hand);
		return;
	}
	d->noted = g->undo.count;
	send(d->hand.socket, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void door_advance(struct guard *g, struct door *d)
{
	enum hand_state state;
	pid_t lost;
	int answer;

	if (!d->hand.pid)
		return;
	if (d->busy == DOOR_CHANGE && d->change.note)
		note_and_go(g, d);
	state = hand_look(&d->hand, &answer, &lost);
	if (state == HAND_BUSY)
		return;
	if (state == HAND_LOST) {
		lost_add(g, lost);
		guard_say(g, "%s: process %d hangs in the kernel and was given up (%s)", d->name, (int)lost,
			  d->change.path);
	}
	finish(g, d, answer);
}

void door_close(struct guard *g, struct door *d)
{
	while (d->hand.pid) {
		hand_hurry(&d->hand);
		door_advance(g, d);
		sleep_ns(NSEC_PER_MSEC);
	}
	if (d->socket >= 0)
		close(d->socket);
	d->socket = -1;
}
