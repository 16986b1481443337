/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The asking side of the door: the guard carries it out (src/guard/door.c). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/machine/machine.h"
#include "src/machine/messages.h"

/* Copy a word into a field of a message. False when it doesn't fit: a cut path would be another file. */
static bool put(char *field, size_t room, const char *text)
{
	return (size_t)snprintf(field, room, "%s", text) < room;
}

int machine_set(struct machine *m, const char *path, const char *value, uint64_t limit_ns)
{
	struct message_set msg = {.limit = limit_ns};

	if (!put(msg.path, sizeof(msg.path), path) || !put(msg.value, sizeof(msg.value), value))
		return ENAMETOOLONG;
	return message_ask(m->socket, MESSAGE_SET, &msg, sizeof(msg));
}

int machine_memory_block(struct machine *m, unsigned int block, const char *state, uint64_t limit_ns)
{
	struct message_memory msg = {.block = block, .limit = limit_ns};

	if (!put(msg.state, sizeof(msg.state), state))
		return EINVAL;
	return message_ask(m->socket, MESSAGE_MEMORY, &msg, sizeof(msg));
}

static int ask_pages(struct machine *m, bool give_back, const uint64_t *pfn, unsigned int count,
		     uint64_t limit_ns)
{
	struct message_pages msg = {.give_back = give_back, .count = count, .limit = limit_ns};

	if (count > MACHINE_PAGES)
		return EINVAL;
	memcpy(msg.pfn, pfn, count * sizeof(*pfn));
	return message_ask(m->socket, MESSAGE_PAGES, &msg, sizeof(msg));
}

int machine_soft_offline(struct machine *m, const uint64_t *pfn, unsigned int count, uint64_t limit_ns)
{
	return ask_pages(m, false, pfn, count, limit_ns);
}

int machine_unpoison(struct machine *m, const uint64_t *pfn, unsigned int count, uint64_t limit_ns)
{
	return ask_pages(m, true, pfn, count, limit_ns);
}

int machine_swap(struct machine *m, const char *device, uint64_t bytes, uint64_t limit_ns)
{
	struct message_swap msg = {.bytes = bytes, .limit = limit_ns};

	if (!put(msg.device, sizeof(msg.device), device))
		return EINVAL;
	return message_ask(m->socket, MESSAGE_SWAP, &msg, sizeof(msg));
}

int machine_dimm(struct machine *m, unsigned int number, bool plugged, uint64_t limit_ns)
{
	struct message_dimm msg = {.number = number, .plugged = plugged, .limit = limit_ns};

	return message_ask(m->socket, MESSAGE_DIMM, &msg, sizeof(msg));
}

int machine_mapping(struct machine *m, const struct machine_way *way)
{
	return message_ask(m->socket, MESSAGE_MAPPING, way, sizeof(*way));
}

int machine_freeze(struct machine *m, int root, uint64_t limit_ns)
{
	struct message_freeze msg = {.limit = limit_ns};

	return message_ask_passing(m->socket, MESSAGE_FREEZE, &msg, sizeof(msg), root);
}

int machine_thaw(struct machine *m)
{
	return message_ask(m->socket, MESSAGE_THAW, NULL, 0);
}

int machine_fault(struct machine *m, const char *how, uint64_t linger_ns)
{
	struct message_fault msg = {.linger = linger_ns};

	snprintf(msg.how, sizeof(msg.how), "%s", how);
	return message_ask(m->socket, MESSAGE_FAULT, &msg, sizeof(msg));
}

int machine_fault_made(struct machine *m, int err)
{
	const struct message_fault_made msg = {.err = err};

	return message_ask(m->socket, MESSAGE_FAULT_MADE, &msg, sizeof(msg));
}

int machine_fault_over(struct machine *m)
{
	return message_ask(m->socket, MESSAGE_FAULT_OVER, NULL, 0);
}

void machine_note(struct machine *m, const char *who, const char *text)
{
	struct message_note msg = {0};

	snprintf(msg.who, sizeof(msg.who), "%s", who);
	snprintf(msg.text, sizeof(msg.text), "%s", text);
	message_send(m->socket, MESSAGE_NOTE, &msg, sizeof(msg));
}

void machine_synced(struct machine *m, const char *how, uint64_t begin)
{
	struct message_synced msg = {.begin = begin, .end = clock_mono()};

	snprintf(msg.how, sizeof(msg.how), "%s", how);
	message_send(m->socket, MESSAGE_SYNCED, &msg, sizeof(msg));
}
