/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/arena.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "config.h"

#ifdef HAVE_JEMALLOC

#include <jemalloc/jemalloc.h>

/* jemalloc(3): a hook is called with the address of the table that it stands in, here the begin of this. */
struct arena {
	extent_hooks_t hooks;
	extent_hooks_t *standard;
	enum arena_pages pages;
	uint64_t unit;
	unsigned int index;
};

static void *alloc_extent(extent_hooks_t *hooks, void *at, size_t size, size_t alignment, bool *zero,
			  bool *commit, unsigned int index)
{
	struct arena *a = (struct arena *)hooks;
	void *extent = a->standard->alloc(a->standard, at, size, alignment, zero, commit, index);

	/* Where there are no huge pages it is refused, and needless. */
	if (extent && a->pages == ARENA_SMALL_PAGES)
		madvise(extent, size, MADV_NOHUGEPAGE);
	return extent;
}

static int control(const struct arena *a, const char *what, void *value, size_t len)
{
	char name[64];

	snprintf(name, sizeof(name), "arena.%u.%s", a->index, what);
	return mallctl(name, NULL, NULL, value, len);
}

static int create(struct arena *a)
{
	extent_hooks_t *hooks = &a->hooks;
	size_t len = sizeof(void *);
	ssize_t never = -1, at_once = 0;
	int err = mallctl("arena.0.extent_hooks", (void *)&a->standard, &len, NULL, 0);

	if (err)
		return err;
	a->hooks = *a->standard;
	a->hooks.alloc = alloc_extent;
	len = sizeof(a->index);
	err = mallctl("arenas.create", &a->index, &len, (void *)&hooks, sizeof(void *));
	/* Given back pages wait for the purge, which then gives them to the kernel and not to a second list.
	 */
	if (!err)
		err = control(a, "dirty_decay_ms", &never, sizeof(never));
	if (!err)
		err = control(a, "muzzy_decay_ms", &at_once, sizeof(at_once));
	return err;
}

struct arena *arena_open(uint64_t unit, uint64_t most, enum arena_pages pages)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->unit = unit;
	a->pages = pages;
	errno = create(a);
	if (!errno)
		return a;
	free(a);
	return NULL;
}

static int flags(const struct arena *a)
{
	return MALLOCX_ARENA(a->index) | MALLOCX_TCACHE_NONE | MALLOCX_ALIGN(a->unit);
}

void *arena_take(struct arena *a)
{
	return mallocx(a->unit, flags(a));
}

void arena_give(struct arena *a, void *piece)
{
	dallocx(piece, flags(a));
}

void arena_purge(struct arena *a)
{
	control(a, "purge", NULL, 0);
}

void arena_close(struct arena *a)
{
	if (!a)
		return;
	control(a, "destroy", NULL, 0);
	free(a);
}

#else /* no jemalloc */

struct arena {
	unsigned char *base;
	uint64_t unit, room, used; /* in units */
	uint64_t spares, purged;   /* given back, and how many of these have no pages any more */
	void **spare;
};

static unsigned char *map(uint64_t bytes, uint64_t alignment)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	unsigned char *at = mmap(NULL, bytes + alignment, PROT_READ | PROT_WRITE, flags, -1, 0);
	uint64_t skip;

	if (at == MAP_FAILED)
		return NULL;
	skip = round_up_u64((uintptr_t)at, alignment) - (uintptr_t)at;
	if (skip)
		munmap(at, skip);
	if (skip < alignment)
		munmap(at + skip + bytes, alignment - skip);
	return at + skip;
}

struct arena *arena_open(uint64_t unit, uint64_t most, enum arena_pages pages)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->unit = unit;
	a->room = most / unit;
	a->spare = calloc(a->room, sizeof(a->spare[0]));
	a->base = a->spare ? map(a->room * unit, unit) : NULL;
	if (!a->base) {
		free(a->spare);
		free(a);
		errno = ENOMEM;
		return NULL;
	}
	if (pages == ARENA_SMALL_PAGES)
		madvise(a->base, a->room * unit, MADV_NOHUGEPAGE);
	return a;
}

void *arena_take(struct arena *a)
{
	if (a->spares) {
		a->spares--;
		a->purged = MIN(a->purged, a->spares);
		return a->spare[a->spares];
	}
	return a->used < a->room ? a->base + a->unit * a->used++ : NULL;
}

void arena_give(struct arena *a, void *piece)
{
	a->spare[a->spares++] = piece;
}

void arena_purge(struct arena *a)
{
	for (; a->purged < a->spares; a->purged++)
		madvise(a->spare[a->purged], a->unit, MADV_DONTNEED);
}

void arena_close(struct arena *a)
{
	if (!a)
		return;
	munmap(a->base, a->room * a->unit);
	free(a->spare);
	free(a);
}

#endif
