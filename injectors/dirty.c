/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/dirty.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum setting { DIRTY, BACKGROUND, EXPIRE, WRITEBACK, SETTINGS };

/*
 * A limit of dirty pages is one setting with two files: as a share (..._ratio) or in bytes; writing one
 * zeroes the other, and 0 in bytes is refused (mm/page-writeback.c). Only the file that was in force when the
 * run began is ever written, so that the undo has one old value to write and the other stays as it was.
 */
struct knob {
	const char *path, *bytes_path; /* bytes_path: NULL if there is one file only */
	bool in_bytes;
	bool refused;     /* it could not be read or set: left alone from then on */
	char found[32];   /* its value when the run began */
	uint64_t hold;    /* percent, or centiseconds */
	uint64_t at_once; /* likewise; bytes never less than AT_ONCE_BYTES */
};

#define VM "/proc/sys/vm/"

/* Writers are stopped at 70 % when pages are held, and as it was found when they are written at once. */
static const struct knob knobs[SETTINGS] = {
	[DIRTY] = {VM "dirty_ratio", VM "dirty_bytes", .hold = 70},
	[BACKGROUND] = {VM "dirty_background_ratio", VM "dirty_background_bytes", .hold = 60, .at_once = 0},
	[EXPIRE] = {VM "dirty_expire_centisecs", .hold = 30000, .at_once = 100},
	[WRITEBACK] = {VM "dirty_writeback_centisecs", .hold = 0, .at_once = 100},
};

#define AT_ONCE_BYTES (1 * MiB)

struct dirty_knobs {
	struct knob knob[SETTINGS];
	uint64_t available; /* MemAvailable when the run began: what a share is a share of */
	enum dirty_mode mode;
};

static const char *knob_path(const struct knob *k)
{
	return k->in_bytes ? k->bytes_path : k->path;
}

static void knob_refused(struct injection *in, struct knob *k, const char *what, int err)
{
	k->refused = true;
	inject_note(in, "cannot %s %s: %s; it stays as it is", what, knob_path(k), strerror(err));
}

static void find_knob(struct injection *in, struct knob *k)
{
	char bytes[32];

	if (k->bytes_path && !machine_read(k->bytes_path, bytes, sizeof(bytes)) && strcmp(bytes, "0") != 0)
		k->in_bytes = true;
	if (machine_read(knob_path(k), k->found, sizeof(k->found)))
		knob_refused(in, k, "read", errno);
}

struct dirty_knobs *dirty_look(struct injection *in)
{
	struct dirty_knobs *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	memcpy(k->knob, knobs, sizeof(knobs));
	k->available = machine_meminfo_kib("MemAvailable") * KiB;
	for (unsigned int i = 0; i < SETTINGS; i++)
		find_knob(in, &k->knob[i]);
	return k;
}

static void turn_knob(struct injection *in, struct knob *k, const char *value)
{
	int err;

	if (k->refused)
		return;
	err = machine_set(in->machine, knob_path(k), value, 0);
	if (err)
		knob_refused(in, k, "set", err);
}

static void knob_value(const struct dirty_knobs *all, enum setting which, enum dirty_mode mode, char *buf,
		       size_t len)
{
	const struct knob *k = &all->knob[which];
	uint64_t n = mode == DIRTY_HOLD ? k->hold : k->at_once;

	if (k->in_bytes)
		n = MAX(all->available / 100 * n, AT_ONCE_BYTES);
	if (mode == DIRTY_FOUND || (which == DIRTY && mode != DIRTY_HOLD))
		snprintf(buf, len, "%s", k->found);
	else
		snprintf(buf, len, "%llu", (unsigned long long)n);
}

void dirty_set(struct injection *in, struct dirty_knobs *k, enum dirty_mode mode)
{
	/* What was never changed is not written: then there is nothing to undo either. */
	if (mode == DIRTY_FOUND && k->mode == DIRTY_FOUND)
		return;
	for (unsigned int i = 0; i < SETTINGS; i++) {
		char value[32];

		knob_value(k, (enum setting)i, mode, value, sizeof(value));
		turn_knob(in, &k->knob[i], value);
	}
	k->mode = mode;
}

void dirty_free(struct dirty_knobs *k)
{
	free(k);
}
