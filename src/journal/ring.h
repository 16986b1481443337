/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of a journal record from its worker to the guard: one ring per worker in the memory that all
 * processes share. One producer (the worker), one consumer (the guard); no lock. When the ring is full the
 * worker waits: the journal never loses a record.
 */
#ifndef RECOW_RING_H
#define RECOW_RING_H

#include <stdatomic.h>

#include "src/journal/record.h"

#define RING_RECORDS 32768U /* 2 MiB; a power of two */

struct journal_ring {
	_Alignas(64) _Atomic uint64_t head; /* records ever written, by the worker */
	_Alignas(64) _Atomic uint64_t tail; /* records ever taken, by the guard */
	_Atomic uint64_t waits;             /* times the worker found it full */
	/* The operation in flight, as its record will be but for the answer; by the worker. Without a sound
	 * check it is not there. */
	_Alignas(64) struct journal_record pending;
	_Alignas(64) struct journal_record records[RING_RECORDS];
};

/* Worker: append *r (its check is filled in here). Waits while the ring is full; gives up and returns false
 * once *stop is set. */
bool ring_put(struct journal_ring *ring, const struct journal_record *r, const _Atomic bool *stop);

/* Worker: it is about to do what *r says. */
void ring_announce(struct journal_ring *ring, const struct journal_record *r);

/* Guard: up to `room` records in order; returns how many. Never waits. They stay in the ring until they are
 * dropped: what is in neither ring nor file is lost when the guard dies. */
size_t ring_look(const struct journal_ring *ring, struct journal_record *out, size_t room);
void ring_drop(struct journal_ring *ring, size_t count);

#endif
