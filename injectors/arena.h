/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Anonymous memory of an injector's own, apart from all other allocations of the process: a jemalloc arena
 * that is purged when it is told to and at no other time, so that taking and giving back are what the
 * injector decides. Builds without jemalloc (sanitizers) keep a mapping instead and behave alike.
 *
 * One thread uses an arena.
 */
#ifndef RECOW_ARENA_H
#define RECOW_ARENA_H

#include "src/base/base.h"

/* How the kernel is to back it: MADV_NOHUGEPAGE keeps single pages single whatever the machine's setting is.
 */
enum arena_pages { ARENA_SMALL_PAGES, ARENA_ANY_PAGES };

struct arena;

/*
 * An arena for pieces of `unit` bytes (a power of two, at least a page), of which `most` may be taken at a
 * time. Nothing is taken yet. NULL and errno on failure.
 */
struct arena *arena_open(uint64_t unit, uint64_t most, enum arena_pages pages);

/* Take one piece, aligned to its size. It has no pages until it is touched. NULL when there is none. */
void *arena_take(struct arena *a);

/* Give one back. Its pages remain the process's until arena_purge(). */
void arena_give(struct arena *a, void *piece);

/* What was given back goes to the kernel. */
void arena_purge(struct arena *a);

/* With all that is still taken. NULL is fine. */
void arena_close(struct arena *a);

#endif
