/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/ballast.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POOL "/proc/sys/vm/nr_hugepages"

/* Differences below this are not worth a change. */
#define COARSE (64 * MiB)

/* The kernel tries hard for the last pages: it is stopped after this time, and what it got is what counts. */
#define LIMIT (2 * NSEC_PER_SEC)

uint64_t memory_available(void)
{
	return machine_meminfo_kib("MemAvailable") * KiB;
}

/* Pages in the pool, -1 when it can't be read. */
static int64_t pool_size(void)
{
	char text[32];

	return machine_read(POOL, text, sizeof(text)) ? -1 : strtoll(text, NULL, 10);
}

void ballast_open(struct injection *in, struct ballast *b)
{
	*b = (struct ballast){.page = machine_meminfo_kib("Hugepagesize") * KiB};
	if (!access(POOL, W_OK) && b->page)
		return;
	inject_note(in, "no pool of huge pages (" POOL "): free memory is not made scarce");
	b->page = 0;
}

int64_t ballast_change(const struct ballast *b, uint64_t available, uint64_t free, uint64_t leave)
{
	uint64_t reserve = leave / 4, spare;

	if (!b->page)
		return 0;
	if (available < leave)
		return -(int64_t)MIN(div_up_u64(leave - available, b->page), b->held);
	spare = MIN(available - leave, free > reserve ? free - reserve : 0);
	return spare < COARSE ? 0 : (int64_t)(spare / b->page);
}

int ballast_add(struct injection *in, struct ballast *b, int64_t pages)
{
	int64_t before = pool_size(), after;
	char value[32];
	int err;

	if (pages < 0)
		pages = -(int64_t)MIN((uint64_t)-pages, b->held);
	if (!b->page || !pages)
		return 0;
	if (before < 0)
		return errno;
	snprintf(value, sizeof(value), "%" PRId64, MAX(before + pages, (int64_t)0));
	err = machine_set(in->machine, POOL, value, LIMIT);
	after = pool_size();
	if (after >= 0)
		b->held = (uint64_t)MAX((int64_t)b->held + after - before, (int64_t)0);
	return err;
}

void ballast_settle(struct injection *in, struct ballast *b, uint64_t leave)
{
	int64_t change = ballast_change(b, memory_available(), machine_meminfo_kib("MemFree") * KiB, leave);
	int err = ballast_add(in, b, change);

	if (!err || err == ETIMEDOUT)
		return;
	inject_note(in, "cannot set " POOL ": %s; free memory is not made scarce", strerror(err));
	b->page = 0;
}

void ballast_drop(struct injection *in, struct ballast *b)
{
	ballast_add(in, b, -(int64_t)b->held);
}
