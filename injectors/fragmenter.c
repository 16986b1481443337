/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/fragmenter.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int fragmenter_open(struct fragmenter *f, uint64_t bytes)
{
	*f = (struct fragmenter){.page = (uint64_t)sysconf(_SC_PAGESIZE)};
	f->room = bytes / f->page;
	f->piece = calloc(f->room, sizeof(f->piece[0]));
	if (!f->piece)
		return ENOMEM;
	f->arena = arena_open(f->page, bytes, ARENA_SMALL_PAGES);
	return f->arena ? 0 : errno;
}

static uint64_t slice(const struct fragmenter *f)
{
	return FRAGMENTER_SLICE / f->page;
}

/* Take a piece and touch it, which gives it a page. False when there is no memory. */
static bool take(struct fragmenter *f, uint64_t i)
{
	f->piece[i] = arena_take(f->arena);
	if (f->piece[i])
		*(volatile unsigned char *)f->piece[i] = 1;
	return f->piece[i] != NULL;
}

static void give(struct fragmenter *f, uint64_t i)
{
	if (f->piece[i])
		arena_give(f->arena, f->piece[i]);
	f->piece[i] = NULL;
}

/* Of each two neighbours in [from, to) free one. */
static void free_every_other(struct fragmenter *f, uint64_t from, uint64_t to)
{
	for (uint64_t i = from + (f->round & 1); i < to; i += 2)
		give(f, i);
	arena_purge(f->arena);
}

bool fragmenter_fill(struct fragmenter *f)
{
	uint64_t end = MIN(f->taken + slice(f), f->room);

	while (f->taken < end && take(f, f->taken))
		f->taken++;
	if (f->taken == f->room)
		fragmenter_scatter(f);
	return f->scattered;
}

void fragmenter_scatter(struct fragmenter *f)
{
	free_every_other(f, 0, f->taken);
	f->round++;
	f->scattered = true;
}

void fragmenter_mix(struct fragmenter *f)
{
	uint64_t end = MIN(f->next + 2 * slice(f), f->taken);

	for (uint64_t i = f->next; i < end; i++) {
		if (!f->piece[i] && !take(f, i))
			break;
	}
	free_every_other(f, f->next, end);
	f->next = end;
	if (end < f->taken)
		return;
	f->next = 0;
	f->round++;
}

void fragmenter_yield(struct fragmenter *f)
{
	for (uint64_t i = 0; i < f->taken; i++)
		give(f, i);
	arena_purge(f->arena);
	f->taken = f->next = 0;
	f->scattered = false;
}

uint64_t fragmenter_held(const struct fragmenter *f)
{
	return (f->scattered ? f->taken / 2 : f->taken) * f->page;
}

void fragmenter_close(struct fragmenter *f)
{
	arena_close(f->arena);
	free(f->piece);
	*f = (struct fragmenter){0};
}
