/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/table.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/base/program.h"
#include "src/guard/undo.h"
#include "src/target/mapping.h"

/* ---- undo ---- */

int table_note(const char *what, char *old, size_t len)
{
	return mapping_read(what, old, len);
}

/* A device that is gone needs nothing. */
int table_undo(const char *what, const char *old)
{
	char now[MAPPING_TABLE];
	int err = mapping_load(what, old);

	if (!err)
		err = mapping_read(what, now, sizeof(now));
	if (err)
		return err == ENXIO ? 0 : err;
	return strcmp(now, old) ? EAGAIN : 0;
}

void table_show(const char *what, const char *old, char *buf, size_t len)
{
	snprintf(buf, len, "device-mapper device %s: %s", what, old);
}

void table_by_hand(const char *what, const char *old, char *buf, size_t len)
{
	char name[UNDO_TEXT], table[UNDO_TEXT];

	shell_quote(name, sizeof(name), what);
	snprintf(buf, len, "dmsetup load %s --table %s; dmsetup resume %s", name,
		 shell_quote(table, sizeof(table), old), name);
}

int mapping_undo(const char *what, const char *old)
{
	int err = mapping_remove(what);

	/* ENODEV: there is no device mapper any more, nor was there ever a device. */
	return err == ENXIO || err == ENODEV ? 0 : err;
}

void mapping_show(const char *what, const char *old, char *buf, size_t len)
{
	snprintf(buf, len, "device-mapper device %s: removed", what);
}

void mapping_by_hand(const char *what, const char *old, char *buf, size_t len)
{
	char name[UNDO_TEXT];

	snprintf(buf, len, "dmsetup remove %s", shell_quote(name, sizeof(name), what));
}

/* ---- change ---- */

/* Tables of dm-linear ("DEVICE OFFSET"), dm-delay ("DEVICE OFFSET MS [DEVICE OFFSET MS]"), dm-error ("") and
 * dm-flakey
 * ("DEVICE OFFSET UP DOWN FEATURES FEATURE": always down), as Documentation/admin-guide/device-mapper has
 * them. */
int table_for(const char *plain, const struct machine_way *way, char *table, size_t len)
{
	uint64_t start, length, offset;
	char type[32], below[32];
	int used = -1;

	if (sscanf(plain, "%" SCNu64 " %" SCNu64 " %31s %31s %" SCNu64, &start, &length, type, below,
		   &offset) != 5 ||
	    (strcmp(type, "linear") && strcmp(type, "delay")))
		return EINVAL;
	switch (way->kind) {
	case WAY_DELAY:
		used = snprintf(table, len,
				"%" PRIu64 " %" PRIu64 " delay %s %" PRIu64 " %u %s %" PRIu64 " %u", start,
				length, below, offset, way->read_ms, below, offset, way->write_ms);
		break;
	case WAY_ERRORS:
		used = snprintf(table, len, "%" PRIu64 " %" PRIu64 " error ", start, length);
		break;
	case WAY_WRITE_ERRORS:
	case WAY_DROP:
		used = snprintf(table, len, "%" PRIu64 " %" PRIu64 " flakey %s %" PRIu64 " 0 1 1 %s", start,
				length, below, offset,
				way->kind == WAY_DROP ? "drop_writes" : "error_writes");
		break;
	case WAY_PLAIN:
	case WAY_HOLD:
		used = snprintf(table, len, "%" PRIu64 " %" PRIu64 " linear %s %" PRIu64, start, length,
				below, offset);
		break;
	}
	return used >= 0 && used < (int)len ? 0 : EINVAL;
}

/* Nothing is sent on the socket meanwhile: news is that the other end is gone. */
static void wait_held(int socket, uint64_t ns)
{
	struct pollfd news = {.fd = socket};
	uint64_t end = clock_mono() + ns, now;

	while ((now = clock_mono()) < end) {
		if (poll(&news, 1, (int)((end - now) / NSEC_PER_MSEC) + 1) > 0)
			return;
	}
}

static int hold(const char *what, uint64_t ns, int socket)
{
	int err = mapping_hold(what);

	if (err)
		return err;
	wait_held(socket, ns);
	return mapping_go_on(what);
}

int table_make(const char *what, const char *plain, const struct machine_way *way, int socket)
{
	char present[MAPPING_TABLE], table[MAPPING_TABLE];
	int err;

	if (way->kind == WAY_HOLD)
		return hold(what, way->hold_ns, socket);
	err = plain[0] ? 0 : mapping_read(what, present, sizeof(present));
	if (!err)
		err = table_for(plain[0] ? plain : present, way, table, sizeof(table));
	return err ? err : mapping_load(what, table);
}

char *table_describe(const struct machine_way *way, char *buf, size_t len)
{
	switch (way->kind) {
	case WAY_PLAIN:
		snprintf(buf, len, "plain");
		break;
	case WAY_DELAY:
		snprintf(buf, len, "delays: reads %u ms, writes %u ms", way->read_ms, way->write_ms);
		break;
	case WAY_HOLD:
		snprintf(buf, len, "held for %llu ms", way->hold_ns / NSEC_PER_MSEC);
		break;
	case WAY_ERRORS:
		snprintf(buf, len, "refuses everything");
		break;
	case WAY_WRITE_ERRORS:
		snprintf(buf, len, "refuses writes");
		break;
	case WAY_DROP:
		snprintf(buf, len, "drops writes");
		break;
	}
	return buf;
}
