/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/engine/pace.h"

#include <jansson.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/machine/messages.h"
#include "src/run/rundir.h"

/* Steps that begin within so short a time are told as one entry. */
#define TELL_SPACING (5 * NSEC_PER_MSEC)

/* How often a position is looked for. At full speed some operations pass meanwhile. */
#define LOOK (100 * NSEC_PER_USEC)

uint64_t pace_position(const struct shared *s)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; s->worker && i < s->plan.workers; i++)
		sum += atomic_load_explicit(&s->worker[i].taken, memory_order_relaxed);
	return sum;
}

uint64_t pace_due(const struct shared *s)
{
	uint64_t least = UINT64_MAX;

	/* Kept with 1 added: 0 is nothing. */
	for (unsigned int i = 0; i < s->plan.injection_count; i++)
		least = MIN(least, atomic_load(&s->due[i]) - 1);
	return least;
}

/* ---- the file ---- */

static bool is_whole(const json_t *j)
{
	return json_is_integer(json_object_get(j, "round")) && json_is_integer(json_object_get(j, "phase")) &&
	       json_is_integer(json_object_get(j, "at")) && json_is_integer(json_object_get(j, "steps"));
}

static uint64_t number_of(const json_t *j, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(j, key));
}

/* The next line about this injector. A line that was cut off by a death is the last. */
static void read_next(struct pace *p)
{
	const char *who = p->shared->plan.injection[p->index].injector->name;
	char line[256];

	p->more = false;
	while (!p->more && !p->full && fgets(line, sizeof(line), p->file)) {
		json_t *j = json_loads(line, 0, NULL);
		const char *name = json_string_value(json_object_get(j, "who"));

		p->full = json_is_true(json_object_get(j, "full"));
		p->more = name && !strcmp(name, who) && is_whole(j);
		if (p->more)
			p->next = (struct pace_steps){.round = (uint32_t)number_of(j, "round"),
						      .phase = (uint32_t)number_of(j, "phase"),
						      .at = number_of(j, "at"),
						      .count = number_of(j, "steps")};
		json_decref(j);
	}
}

void pace_open(struct pace *p, struct shared *s, unsigned int index)
{
	char path[4096 + 16];

	*p = (struct pace){.shared = s, .index = index};
	if (!s->plan.replay[0])
		return;
	p->file = fopen(rundir_path(path, sizeof(path), s->plan.replay, "steps.jsonl"), "re");
	if (p->file)
		read_next(p);
}

void pace_close(struct pace *p)
{
	if (p->file)
		fclose(p->file);
	p->file = NULL;
}

/* ---- a phase ---- */

static bool is_now(const struct pace *p)
{
	return p->more && p->next.count && p->next.round == atomic_load(&p->shared->round) &&
	       p->next.phase == atomic_load(&p->shared->phase);
}

static bool is_past(const struct pace *p)
{
	const uint32_t round = atomic_load(&p->shared->round), phase = atomic_load(&p->shared->phase);

	return p->more && (p->next.round < round || (p->next.round == round && p->next.phase < phase));
}

static void publish(struct pace *p)
{
	atomic_store(&p->shared->due[p->index], p->guided && is_now(p) ? p->next.at + 1 : 0);
}

void pace_begin(struct pace *p)
{
	const bool churn = p->shared->plan.phase[atomic_load(&p->shared->phase)].churn;

	while (p->file && is_past(p))
		read_next(p);
	p->guided = p->file && churn && (p->more || !p->full);
	publish(p);
}

static void tell(struct pace *p, int socket)
{
	const struct message_steps m = {
		.round = p->told.round, .phase = p->told.phase, .at = p->told.at, .count = p->told.count};

	if (p->told.count)
		message_send(socket, MESSAGE_STEPS, &m, sizeof(m));
	p->told.count = 0;
}

void pace_end(struct pace *p, int socket)
{
	tell(p, socket);
	p->guided = false;
	publish(p);
}

static void note(struct pace *p, int socket)
{
	const uint64_t now = clock_mono();

	if (!p->shared->plan.phase[atomic_load(&p->shared->phase)].churn)
		return;
	if (p->told.count && now - p->told_since >= TELL_SPACING)
		tell(p, socket);
	if (!p->told.count++) {
		p->told.round = atomic_load(&p->shared->round);
		p->told.phase = atomic_load(&p->shared->phase);
		p->told.at = pace_position(p->shared);
		p->told_since = now;
	}
}

static void use_one(struct pace *p)
{
	if (--p->next.count == 0)
		read_next(p);
	if (!p->more && p->full)
		p->guided = false;
	publish(p);
}

bool pace_step(struct pace *p, int socket, bool (*over)(const void *self), const void *self)
{
	while (p->guided && is_now(p) && pace_position(p->shared) < p->next.at && !over(self))
		sleep_ns(LOOK);
	while (p->guided && !is_now(p) && !over(self))
		sleep_ns(NSEC_PER_MSEC);
	if (over(self))
		return false;
	note(p, socket);
	if (p->guided)
		use_one(p);
	return true;
}
