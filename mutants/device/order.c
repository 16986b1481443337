// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/device/order.h"

#include <stdlib.h>
#include <string.h>

#include "mutants/device/mutant.h"
#include "mutants/device/spoil.h"

#define HELD_MAX 16u
/* A commit ends in two flushes, one before and one behind its last block. Behind both the disk is at rest:
 * what is still held back then can be seen. */
#define FLUSHES 2u

struct held {
	uint64_t offset;
	size_t length;
	unsigned int flushes; /* since */
	unsigned char *data;
};

struct order {
	struct held held[HELD_MAX];
	unsigned int count;
};

struct order *order_new(void)
{
	return calloc(1, sizeof(struct order));
}

static bool hold(struct order *o, uint64_t offset, size_t length, const unsigned char *data)
{
	struct held h = {.offset = offset, .length = length, .data = malloc(length)};

	if (!h.data)
		return false;
	memcpy(h.data, data, length);
	o->held[o->count++] = h;
	return true;
}

static void let_go(struct order *o, unsigned int i)
{
	free(o->held[i].data);
	o->count--;
	memmove(&o->held[i], &o->held[i + 1], (o->count - i) * sizeof(o->held[0])); /* in their order */
}

/* Delayed: a write is acknowledged, waits for flushes, and is done before the first write behind them. */

static ssize_t delay(struct device *d, struct attempt *a, void *data)
{
	const struct request *r = a->request;
	const unsigned char *right = r->data + (a->offset - r->offset);
	uint64_t firing;
	int err = image_load(d, d->old, a->length, a->offset);

	if (err)
		return err;
	if (d->order->count == HELD_MAX || !memcmp(d->old, right, a->length) ||
	    !hold(d->order, a->offset, a->length, right))
		return NOT_NOW;
	err = store_rest(d, a);
	if (err)
		return err;
	device_healed(d, r->offset, r->length, "written again");
	device_note(d, LOG_WRITE | LOG_PROMISED, a->offset, a->length, NULL);
	firing = device_fired(d, a, json_pack("{s:b}", "persistent", 1));
	damage_compare(&d->damage, firing, a->offset, right, d->old, a->length);
	return (ssize_t)r->length;
}

static void write_at_last(struct device *d, unsigned int i)
{
	const struct held *h = &d->order->held[i];

	if (!image_store(d, h->data, h->length, h->offset))
		device_healed(d, h->offset, h->length, "written at last");
	let_go(d->order, i);
}

/* A held write must not undo a later one to the same place: that would be another bug. */
static void delay_before(struct device *d, const struct request *r)
{
	struct order *o = d->order;

	if (!(r->on & (ON_WRITE | ON_DISCARD)))
		return;
	for (unsigned int i = 0; i < o->count;) {
		const struct held *h = &o->held[i];

		if (h->flushes >= FLUSHES ||
		    (h->offset < r->offset + r->length && r->offset < h->offset + h->length))
			write_at_last(d, i);
		else
			i++;
	}
}

static void delay_flushed(struct device *d)
{
	for (unsigned int i = 0; i < d->order->count; i++)
		d->order->held[i].flushes++;
}

/* Overtaken: what a place held before a write is written to it once more, behind the flush that follows. */

static ssize_t keep_older(struct device *d, struct attempt *a, void *data)
{
	const struct request *r = a->request;

	if (d->order->count == HELD_MAX || image_load(d, d->old, a->length, a->offset) ||
	    !memcmp(d->old, r->data + (a->offset - r->offset), a->length) ||
	    !hold(d->order, a->offset, a->length, d->old))
		return NOT_NOW;
	d->owed = false; /* the debt is paid when it is written */
	return NOT_NOW;
}

static void write_older(struct device *d, const struct held *h)
{
	const struct request r = {ON_WRITE, h->offset, h->length, NULL};
	struct attempt a = {&r, h->offset, h->length, d->chance};
	uint64_t firing;

	if (image_load(d, d->old, h->length, h->offset) || !memcmp(d->old, h->data, h->length)) {
		d->owed = true; /* no difference: another one */
		return;
	}
	if ((d->chance.limit && d->chance.fired >= d->chance.limit) ||
	    image_store(d, h->data, h->length, h->offset))
		return;
	a.would.fired++;
	firing = device_fired(d, &a, json_pack("{s:b}", "persistent", 1));
	damage_compare(&d->damage, firing, h->offset, d->old, h->data, h->length);
}

static void overtake_flushed(struct device *d)
{
	while (d->order->count) {
		write_older(d, &d->order->held[0]);
		let_go(d->order, 0);
	}
}

void order_settle(struct device *d)
{
	const bool is_delayed = d->mutant->before == delay_before;

	while (d->order->count) {
		if (is_delayed)
			write_at_last(d, 0);
		else
			let_go(d->order, 0);
	}
}

const struct mutant mutant_delayed_write = {
	.about =
		{.name = "delayed-write",
		 .summary = "a write is held back over the next two flushes, and done before the write ",
		 .source =
			 "aa9509209c5a dm writecache: fix incorrect flush sequence when doing SSD mode commit"
			 "behind them"},
	.on = ON_WRITE,
	.kind = "stale",
	.wants_order = true,
	.answer = delay,
	.before = delay_before,
	.flushed = delay_flushed,
};

const struct mutant mutant_overtaken_write = {
	.about = {.name = "overtaken-write",
		  .summary = "an older version is written once more behind a newer one, after the next flush",
		  .source = "3e148a320979 md/raid1: fix potential data inconsistency issue with write behind "
			    "device"},
	.on = ON_WRITE,
	.kind = "stale",
	.wants_order = true,
	.answer = keep_older,
	.flushed = overtake_flushed,
};
