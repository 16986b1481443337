// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/device/device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mutants/device/history.h"
#include "mutants/device/mutant.h"
#include "mutants/device/order.h"
#include "mutants/device/spoil.h"

int image_load(const struct device *d, void *data, size_t length, uint64_t offset)
{
	ssize_t n;

	for (size_t done = 0; done < length; done += (size_t)n) {
		n = pread(d->backing, (char *)data + done, length - done, (off_t)(offset + done));
		if (n <= 0)
			return n ? -errno : -EIO;
	}
	return 0;
}

void device_note(struct device *d, uint32_t flags, uint64_t offset, uint64_t length, const void *data)
{
	if (log_write(&d->log, flags, offset, length, data))
		abort(); /* without its log a device proves nothing */
}

int image_store(struct device *d, const void *data, size_t length, uint64_t offset)
{
	ssize_t n;

	for (size_t done = 0; done < length; done += (size_t)n) {
		n = pwrite(d->backing, (const char *)data + done, length - done, (off_t)(offset + done));
		if (n <= 0)
			return n ? -errno : -EIO;
	}
	device_note(d, LOG_WRITE, offset, length, data);
	return 0;
}

/* A hole where the image's filesystem has them, else zeroes that are written. */
int image_zero(struct device *d, uint64_t offset, uint64_t length)
{
	static const unsigned char zeroes[65536];
	ssize_t n;

	device_note(d, LOG_DISCARD, offset, length, NULL);
	if (!fallocate(d->backing, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)length))
		return 0;
	if (errno != EOPNOTSUPP && errno != ENOSYS && errno != ENODEV)
		return -errno;
	for (uint64_t done = 0; done < length; done += (uint64_t)n) {
		const uint64_t left = length - done;

		n = pwrite(d->backing, zeroes, left < sizeof(zeroes) ? (size_t)left : sizeof(zeroes),
			   (off_t)(offset + done));
		if (n <= 0)
			return n ? -errno : -EIO;
	}
	return 0;
}

struct healing {
	struct device *device;
	const char *why;
};

static void tell_gone(void *context, uint64_t firing)
{
	const struct healing *h = context;

	truth_write(&h->device->truth, "gone", firing, json_pack("{s:s}", "why", h->why));
}

void device_healed(struct device *d, uint64_t offset, uint64_t length, const char *why)
{
	struct healing h = {d, why};

	damage_heal(&d->damage, offset, length, tell_gone, &h);
}

/* The regions may have become others by what was written. */
static void learn(struct device *d)
{
	if (regions_learn(&d->regions, d->backing))
		truth_write(&d->truth, "map", 0, regions_json(&d->regions));
}

static void remember(struct device *d, uint64_t offset, uint64_t length)
{
	d->since_flush++;
	d->recent[d->recents++ % (sizeof(d->recent) / sizeof(d->recent[0]))] = offset;
	if (regions_touched(offset, length))
		learn(d);
}

/* True: the mutant is due at this request and may do something at `a`. What it costs to find out must be
 * little: every request comes here. */
static bool is_due(struct device *d, const struct request *r, struct attempt *a)
{
	const struct mutant *m = d->mutant;
	const uint64_t length = r->length < REQUEST_MAX ? r->length : REQUEST_MAX;

	if (!(m->on & r->on) || (m->behind_flush && d->since_flush))
		return false;
	*a = (struct attempt){.request = r, .offset = r->offset, .length = (size_t)length};
	if (!(r->on & ON_FLUSH) && !regions_narrow(&d->regions, d->scope, &a->offset, &a->length))
		return false;
	if (a->length < m->least)
		return false;
	a->would = d->chance;
	if (d->owed)
		a->would.one_in = 1;
	if (!chance_fires(&a->would)) {
		d->chance.offered++;
		return false;
	}
	d->chance.offered++;
	d->owed = true;
	a->would.one_in = d->chance.one_in;
	return true;
}

uint64_t device_fired(struct device *d, const struct attempt *a, json_t *more)
{
	static const char *const names[] = {
		[ON_READ] = "read", [ON_WRITE] = "write", [ON_FLUSH] = "flush", [ON_DISCARD] = "discard"};
	const struct request *r = a->request;
	uint64_t end;
	json_t *all = json_pack(
		"{s:s, s:s, s:I, s:I, s:{s:I, s:I}, s:s, s:b, s:b}", "op", names[r->on], "kind",
		d->mutant->kind, "offset", (json_int_t)a->offset, "length", (json_int_t)a->length, "request",
		"offset", (json_int_t)r->offset, "length", (json_int_t)r->length, "region",
		regions_name(regions_at(&d->regions, a->offset, &end)), "persistent", 0, "same", 0);

	json_object_update(all, more);
	json_decref(more);
	d->owed = false;
	d->chance.fired = a->would.fired;
	truth_write(&d->truth, "fired", d->chance.fired, all);
	return d->chance.fired;
}

/* The mutant's answer, or NOT_NOW. */
static ssize_t try_answer(struct device *d, const struct request *r, void *data)
{
	struct attempt a;

	if (d->mutant->before)
		d->mutant->before(d, r);
	if (!is_due(d, r, &a))
		return NOT_NOW;
	if (d->mutant->answer)
		return d->mutant->answer(d, &a, data);
	return r->on == ON_WRITE ? spoil_write(d, &a) : spoil_read(d, &a, data);
}

/* Bytes of [offset, offset + length) that the device has. */
static size_t within(const struct device *d, uint64_t offset, size_t length)
{
	if (offset >= d->size)
		return 0;
	return length < d->size - offset ? length : (size_t)(d->size - offset);
}

ssize_t device_read(struct device *d, void *data, size_t length, uint64_t offset)
{
	const struct request r = {ON_READ, offset, within(d, offset, length), NULL};
	ssize_t done;
	int err;

	if (!r.length)
		return 0;
	done = try_answer(d, &r, data);
	if (done != NOT_NOW)
		return done;
	err = image_load(d, data, r.length, offset);
	return err ? err : (ssize_t)r.length;
}

ssize_t device_write(struct device *d, const void *data, size_t length, uint64_t offset)
{
	const struct request r = {ON_WRITE, offset, within(d, offset, length), data};
	ssize_t done;
	int err;

	if (!r.length)
		return length ? -ENOSPC : 0;
	done = try_answer(d, &r, NULL);
	if (done == NOT_NOW) {
		if (d->history)
			history_keep(d->history, d, r.data, r.length, offset);
		err = image_store(d, data, r.length, offset);
		if (err)
			return err;
		device_healed(d, offset, r.length, "written again");
		done = (ssize_t)r.length;
	}
	remember(d, offset, r.length);
	return done;
}

int device_flush(struct device *d)
{
	const struct request r = {.on = ON_FLUSH};
	int err = (int)try_answer(d, &r, NULL);

	if (err == (int)NOT_NOW) {
		err = fdatasync(d->backing) ? -errno : 0;
		if (!err)
			device_note(d, LOG_FLUSH, 0, 0, NULL);
	}
	d->since_flush = 0;
	if (d->mutant->flushed)
		d->mutant->flushed(d);
	if (d->regions.due)
		learn(d);
	return err;
}

int device_discard(struct device *d, uint64_t offset, uint64_t length)
{
	const struct request r = {ON_DISCARD, offset, length, NULL};
	int err;

	if (offset >= d->size || length > d->size - offset)
		return -EINVAL;
	err = (int)try_answer(d, &r, NULL);
	if (err != (int)NOT_NOW)
		return err;
	err = image_zero(d, offset, length);
	if (!err)
		device_healed(d, offset, length, "discarded");
	return err;
}

int device_start(struct device *d)
{
	const off_t size = lseek(d->backing, 0, SEEK_END);

	if (size < 0)
		return -errno;
	d->size = d->regions.size = (uint64_t)size;
	d->since_flush = 1; /* no flush has been so far that a write could be the first behind */
	d->old = malloc(REQUEST_MAX);
	d->made = malloc(REQUEST_MAX);
	if (d->mutant->wants_history)
		d->history = history_new();
	if (d->mutant->wants_order)
		d->order = order_new();
	if (!d->old || !d->made || (d->mutant->wants_history && !d->history) ||
	    (d->mutant->wants_order && !d->order))
		return -ENOMEM;
	learn(d);
	return 0;
}

/* What is still wrong of each firing, sector by sector: a part of it may have been written again. */
static void tell_left(struct device *d)
{
	for (size_t i = 0; i < d->damage.count; i++) {
		const struct wrong *w = &d->damage.wrong[i];

		truth_write(&d->truth, "left", w->firing,
			    json_pack("{s:I, s:I}", "offset", (json_int_t)w->offset, "length",
				      (json_int_t)w->length));
	}
}

void device_end(struct device *d)
{
	if (d->order)
		order_settle(d);
	tell_left(d);
	truth_write(&d->truth, "end", 0,
		    json_pack("{s:I, s:I}", "offered", (json_int_t)d->chance.offered, "fired",
			      (json_int_t)d->chance.fired));
	free(d->order);
	history_free(d->history);
	damage_free(&d->damage);
	regions_free(&d->regions);
	free(d->old);
	free(d->made);
}
