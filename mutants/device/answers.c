// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests that are refused, cut short or late, flushes that are none, and discards that take too much.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "mutants/device/mutant.h"
#include "mutants/device/regions.h"

static ssize_t refuse(struct device *d, struct attempt *a, int error)
{
	device_fired(d, a, json_pack("{s:i}", "errno", error));
	return -error;
}

static ssize_t answer_eio(struct device *d, struct attempt *a, void *data)
{
	return refuse(d, a, EIO);
}

static ssize_t answer_enospc(struct device *d, struct attempt *a, void *data)
{
	return refuse(d, a, ENOSPC);
}

/* Whole sectors, at least one, and not all. */
static size_t cut(const struct attempt *a)
{
	return SECTOR * (1 + (size_t)chance_below(&a->would, 0, a->request->length / SECTOR - 1));
}

/* The answer says how much was done, and so much was done. Who doesn't look at it loses the rest. */
static ssize_t write_short(struct device *d, struct attempt *a, void *data)
{
	const struct request *r = a->request;
	const size_t done = cut(a), rest = (size_t)r->length - done;
	const uint64_t place = r->offset + done;
	uint64_t firing;
	int err;

	if (a->length != r->length || image_load(d, d->old, rest, place) ||
	    !memcmp(d->old, r->data + done, rest))
		return NOT_NOW;
	err = image_store(d, r->data, done, r->offset);
	if (err)
		return err;
	device_healed(d, r->offset, r->length, "written again");
	firing = device_fired(d, a,
			      json_pack("{s:I, s:I, s:b}", "offset", (json_int_t)place, "length",
					(json_int_t)rest, "persistent", 1));
	damage_compare(&d->damage, firing, place, r->data + done, d->old, rest);
	return (ssize_t)done;
}

static ssize_t read_short(struct device *d, struct attempt *a, void *data)
{
	const struct request *r = a->request;
	const size_t done = cut(a);
	const uint64_t place = r->offset + done;

	if (a->length != r->length || image_load(d, data, done, r->offset))
		return NOT_NOW;
	device_fired(d, a,
		     json_pack("{s:I, s:I}", "offset", (json_int_t)place, "length",
			       (json_int_t)(r->length - done)));
	return (ssize_t)done;
}

/* One to two seconds. */
static ssize_t stall(struct device *d, struct attempt *a, void *data)
{
	const uint64_t ns = 1000000000u + chance_below(&a->would, 0, 1000000000u);
	const struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};

	device_fired(d, a, json_pack("{s:I}", "stall_ns", (json_int_t)ns));
	nanosleep(&t, NULL);
	return NOT_NOW;
}

static ssize_t promise_flush(struct device *d, struct attempt *a, void *data)
{
	device_note(d, LOG_FLUSH | LOG_PROMISED, 0, 0, NULL);
	device_fired(d, a, json_object());
	return 0;
}

/* A loop device has no FUA: the block layer makes a write and a flush of it. A filesystem's commit block or
 * superblock, with its copies, is what comes alone between two flushes. */
#define FUA_WRITES 3u

static ssize_t promise_fua(struct device *d, struct attempt *a, void *data)
{
	return d->since_flush && d->since_flush <= FUA_WRITES ? promise_flush(d, a, data) : NOT_NOW;
}

/* The block before or behind: [*place, *place + BLOCK), and what it holds in d->old. False: there is none to
 * lose. */
static bool choose_neighbour(struct device *d, const struct attempt *a, uint64_t *place)
{
	static const unsigned char zeroes[BLOCK];
	const struct request *r = a->request;
	const uint64_t sides[] = {r->offset >= BLOCK ? r->offset - BLOCK : NOWHERE, r->offset + r->length};
	const unsigned int first = (unsigned int)chance_below(&a->would, 0, 2);

	for (unsigned int i = 0; i < 2; i++) {
		uint64_t at = sides[(first + i) % 2];
		size_t length = BLOCK;

		*place = at;
		if (at < d->size && d->size - at >= BLOCK &&
		    regions_narrow(&d->regions, d->scope, &at, &length) && length == BLOCK &&
		    !image_load(d, d->old, BLOCK, *place) && memcmp(d->old, zeroes, BLOCK) != 0)
			return true;
	}
	return false;
}

static ssize_t discard_more(struct device *d, struct attempt *a, void *data)
{
	static const unsigned char zeroes[BLOCK];
	const struct request *r = a->request;
	uint64_t place, firing;
	int err;

	if (!choose_neighbour(d, a, &place))
		return NOT_NOW;
	err = image_zero(d, r->offset, r->length);
	err = err ? err : image_zero(d, place, BLOCK);
	if (err)
		return err;
	device_healed(d, r->offset, r->length, "discarded");
	firing = device_fired(d, a,
			      json_pack("{s:I, s:I, s:b}", "offset", (json_int_t)place, "length",
					(json_int_t)BLOCK, "persistent", 1));
	damage_compare(&d->damage, firing, place, d->old, zeroes, BLOCK);
	return 0;
}

const struct mutant mutant_control = {
	.about = {.name = "control", .summary = "faithful"},
};

const struct mutant mutant_eio_read = {
	.about = {.name = "eio-read",
		  .summary = "a read is answered with EIO; the next one of the place is served"},
	.on = ON_READ,
	.kind = "eio",
	.answer = answer_eio,
};

const struct mutant mutant_eio_write = {
	.about = {.name = "eio-write", .summary = "a write is answered with EIO, and not done"},
	.on = ON_WRITE,
	.kind = "eio",
	.answer = answer_eio,
};

const struct mutant mutant_eio_flush = {
	.about = {.name = "eio-flush", .summary = "a flush is answered with EIO, and not done"},
	.on = ON_FLUSH,
	.kind = "eio",
	.answer = answer_eio,
};

const struct mutant mutant_full_device = {
	.about = {.name = "full-device",
		  .summary = "a write is answered with ENOSPC (thin provisioning), and not done"},
	.on = ON_WRITE,
	.kind = "space",
	.answer = answer_enospc,
};

const struct mutant mutant_short_write = {
	.about = {.name = "short-write", .summary = "only a part of a write is done, and the answer says so"},
	.on = ON_WRITE,
	.kind = "short",
	.least = 2 * SECTOR,
	.answer = write_short,
};

const struct mutant mutant_short_read = {
	.about = {.name = "short-read",
		  .summary = "only a part of a read is answered, and the answer says so",
		  .unseen = "a loop device asks again for the rest"},
	.on = ON_READ,
	.kind = "short",
	.least = 2 * SECTOR,
	.answer = read_short,
};

const struct mutant mutant_stall = {
	.about = {.name = "stall",
		  .summary = "the device does nothing for one to two seconds",
		  .unseen = "nothing is wrong, it only takes longer"},
	.on = ON_READ | ON_WRITE | ON_FLUSH,
	.kind = "stall",
	.answer = stall,
};

const struct mutant mutant_lying_flush = {
	.about = {.name = "lying-flush",
		  .summary = "a flush is acknowledged and not done",
		  .source = "53562be74bd0 NVMe: Flush with data support",
		  .unseen = "only a power cut shows it"},
	.on = ON_FLUSH,
	.kind = "flush",
	.answer = promise_flush,
};

const struct mutant mutant_ignored_fua = {
	.about = {.name = "ignored-fua",
		  .summary = "the flush behind a commit block or superblock is acknowledged and not done",
		  .source = "4ae280b4ee34 dm thin: fix bug where bio that overwrites thin block ignores FUA",
		  .unseen = "only a power cut shows it"},
	.on = ON_FLUSH,
	.kind = "flush",
	.answer = promise_fua,
};

const struct mutant mutant_greedy_discard = {
	.about = {.name = "greedy-discard",
		  .summary = "a discard takes the block before or behind it, too",
		  .source = "f3f5da624e0a block: Do a full clone when splitting discard bios"},
	.on = ON_DISCARD,
	.kind = "zeroes",
	.answer = discard_more,
};
