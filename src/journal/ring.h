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
	_Alignas(64) struct journal_record records[RING_RECORDS];
};

/* Worker: append *r (its check is filled in here). Waits while the ring is full; gives up and returns false
 * once *stop is set. */
bool ring_put(struct journal_ring *ring, const struct journal_record *r, const _Atomic bool *stop);

/* Guard: up to `room` records in order; returns how many. Never waits. */
size_t ring_take(struct journal_ring *ring, struct journal_record *out, size_t room);

#endif
